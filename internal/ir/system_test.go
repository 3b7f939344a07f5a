package ir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ir"
)

func TestSystemMessagesBecomeTaggedTurnsOfTheUser(t *testing.T) {
	sys := ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "be brief"}, ir.Image{}}}
	want := ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "<system-message>\nbe brief\n</system-message>"}, ir.Image{}}}
	if diff := cmp.Diff(want, ir.TagSystem(sys)); diff != "" {
		t.Error(diff)
	}
	if text, ok := sys.Parts[0].(ir.Text); !ok || text.Text != "be brief" {
		t.Error("the message itself was changed")
	}
}
