package ir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
)

func answer() *ir.Response {
	return &ir.Response{
		ID: "r1", Model: "m", Created: 7, ServiceTier: "default",
		Choices: []ir.Choice{{
			Items: []ir.Item{
				ir.Thought{ID: "t", Texts: []string{"hm", "so"}, Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "x"}},
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{
					ir.Text{Text: "Hello", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "https://a"}}},
					ir.Image{Source: ir.Source{MIME: "image/png", Data: "AA=="}},
					ir.Refusal{Text: "no"},
				}},
				ir.ToolCall{ID: "c", Kind: ir.ToolFunction, Name: "ls", Arguments: `{"p":1}`, Private: &ir.Private{Vendor: ir.VendorGemini, Data: "s"}},
				ir.Opaque{Dialect: "anthropic", Type: "server_tool_use", Raw: []byte(`{}`)},
			},
			Stop: ir.Stop{Reason: ir.StopTools},
		}, {
			Items: []ir.Item{ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "B"}}}},
			Stop:  ir.Stop{Reason: ir.StopEnd},
		}},
		Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 3, Output: 4}},
	}
}

func TestFoldUndoesUnfold(t *testing.T) {
	want := answer()
	var f ir.Folder
	ir.Unfold(want, func(ev ir.Event) bool {
		if err := f.Event(ev); err != nil {
			t.Fatal(err)
		}
		return true
	})
	got, whole := f.Response()
	if !whole {
		t.Error("the answer is not whole")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheckerRefusesWhatIsOutOfOrder(t *testing.T) {
	message := ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}}
	tests := map[string][]ir.Event{
		"before start":      {message},
		"two starts":        {ir.Start{}, ir.Start{}},
		"gap":               {ir.Start{}, ir.ItemStart{Index: 1, Item: ir.Thought{}}},
		"no shell":          {ir.Start{}, ir.ItemStart{}},
		"wrong kind":        {ir.Start{}, message, ir.ArgumentsDelta{}},
		"part gap":          {ir.Start{}, message, ir.TextDelta{Part: 1}},
		"closed":            {ir.Start{}, message, ir.ItemEnd{}, ir.TextDelta{}},
		"stop while open":   {ir.Start{}, message, ir.Stopped{}},
		"two stops":         {ir.Start{}, ir.Stopped{}, ir.Stopped{}},
		"item after stop":   {ir.Start{}, ir.Stopped{}, message},
		"finish, no choice": {ir.Start{}, ir.Finish{}},
		"finish while open": {ir.Start{}, message, ir.ItemEnd{}, ir.Finish{}},
		"after finish":      {ir.Start{}, ir.Stopped{}, ir.Finish{}, ir.Ping{}},
		"after failed":      {ir.Failed{}, ir.Start{}},
	}
	for name, events := range tests {
		t.Run(name, func(t *testing.T) {
			var c ir.Checker
			for i, ev := range events {
				err := c.Event(ev)
				if last := i == len(events)-1; last != (err != nil) {
					t.Fatalf("event %d (%T): %v", i, ev, err)
				}
			}
		})
	}
}
