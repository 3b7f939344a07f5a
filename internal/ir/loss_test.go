package ir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ir"
)

func TestANoteHidesNoLoss(t *testing.T) {
	var l ir.Losses
	l.Note("a", "said otherwise")
	l.Lose("b", "gone")
	l.Lose("a", "gone after all")
	l.Note("b", "said otherwise")
	l.Lose("a", "gone twice")
	want := []ir.Loss{{Path: "a", Why: "gone after all"}, {Path: "b", Why: "gone"}}
	if diff := cmp.Diff(want, l.List()); diff != "" {
		t.Error(diff)
	}
	if got := new(ir.Losses).List(); got != nil {
		t.Errorf("no losses are %v", got)
	}
}
