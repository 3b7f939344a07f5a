package ir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ir"
)

func TestSystemMessagesComeBackFromUserTurns(t *testing.T) {
	sys := ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "be brief"}, ir.Text{Text: ""}}}
	tagged := ir.TagSystem(sys)
	if tagged.Role != ir.RoleUser {
		t.Errorf("tagged as %s", tagged.Role)
	}
	if diff := cmp.Diff(sys, ir.UntagSystem(tagged)); diff != "" {
		t.Error(diff)
	}
	if text, ok := sys.Parts[0].(ir.Text); !ok || text.Text != "be brief" {
		t.Error("the message itself was changed")
	}
}

func TestOrdinaryTurnsAreNotTakenForSystemMessages(t *testing.T) {
	tagged := ir.TagSystem(ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "x"}}})
	for name, m := range map[string]ir.Message{
		"plain":     {Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "x"}}},
		"empty":     {Role: ir.RoleUser},
		"assistant": {Role: ir.RoleAssistant, Parts: tagged.Parts},
		"mixed":     {Role: ir.RoleUser, Parts: []ir.Part{tagged.Parts[0], ir.Image{}}},
	} {
		if diff := cmp.Diff(m, ir.UntagSystem(m)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}
