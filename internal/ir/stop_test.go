package ir_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ir"
)

// cutText streams text in pieces of n bytes through a Stopper and returns what
// comes out, with the stop reason. The events must keep the grammar.
func cutText(t *testing.T, text string, stops []string, n int) (string, ir.Stop) {
	t.Helper()
	s := ir.NewStopper(stops)
	var f ir.Folder
	feed := func(ev ir.Event) {
		s.Event(ev, func(ev ir.Event) {
			if err := f.Event(ev); err != nil {
				t.Fatalf("%v at %#v", err, ev)
			}
		})
	}
	feed(ir.Start{})
	feed(ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
	for i := 0; i < len(text); i += n {
		feed(ir.TextDelta{Text: text[i:min(i+n, len(text))]})
	}
	feed(ir.ItemEnd{})
	feed(ir.Stopped{Stop: ir.Stop{Reason: ir.StopEnd}})
	feed(ir.Finish{})
	resp, whole := f.Response()
	if !whole {
		t.Fatal("the answer does not end")
	}
	var out strings.Builder
	for _, it := range resp.Choices[0].Items {
		if m, ok := it.(ir.Message); ok {
			for _, p := range m.Parts {
				if x, ok := p.(ir.Text); ok {
					out.WriteString(x.Text)
				}
			}
		}
	}
	return out.String(), resp.Choices[0].Stop
}

func TestStopperEndsTheTextBeforeTheSequenceHoweverItIsCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		stops []string
		want  string
		hit   string
	}{
		{"one two three", []string{"two"}, "one ", "two"},
		{"one two three", []string{"four"}, "one two three", ""},
		{"one two three", []string{"three", "two"}, "one ", "two"},
		{"ababac", []string{"abac"}, "ab", "abac"},
		{"aaa", []string{"aaaa"}, "aaa", ""},
		{"END", []string{"END"}, "", "END"},
		{"größer ist größe", []string{"ße"}, "grö", "ße"},
		{"text", []string{"", "t"}, "", "t"},
	} {
		for n := 1; n <= len(c.text); n++ {
			want := ir.Stop{Reason: ir.StopEnd}
			if c.hit != "" {
				want = ir.Stop{Reason: ir.StopSequence, Sequence: c.hit}
			}
			got, stop := cutText(t, c.text, c.stops, n)
			if got != c.want || stop != want {
				t.Errorf("%q at %q in pieces of %d: %q, %+v; want %q", c.text, c.stops, n, got, stop, c.want)
			}
		}
	}
}

func TestStopperHoldsBackNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	s := ir.NewStopper([]string{"STOP"})
	var got []string
	for _, text := range []string{"hello", " ST", "AY", " S"} {
		s.Event(ir.TextDelta{Text: text}, func(ev ir.Event) {
			if d, ok := ev.(ir.TextDelta); ok {
				got = append(got, d.Text)
			}
		})
	}
	if diff := cmp.Diff([]string{"hello", " ", "STAY", " "}, got); diff != "" {
		t.Error(diff)
	}
}

func TestStopperWithoutSequencesIsNone(t *testing.T) {
	t.Parallel()
	if ir.NewStopper(nil) != nil || ir.NewStopper([]string{""}) != nil {
		t.Error("a Stopper of nothing")
	}
}

func TestCutAtEndsEachChoiceByItself(t *testing.T) {
	t.Parallel()
	message := func(texts ...string) ir.Item {
		m := ir.Message{Role: ir.RoleAssistant}
		for _, s := range texts {
			m.Parts = append(m.Parts, ir.Text{Text: s})
		}
		return m
	}
	call := ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "f", Arguments: `{"x":"END"}`}
	resp := &ir.Response{ID: "r", Choices: []ir.Choice{
		{Items: []ir.Item{ir.Thought{Texts: []string{"the END is near"}}, message("keep", "this END not that"), call}, Stop: ir.Stop{Reason: ir.StopTools}},
		{Items: []ir.Item{message("nothing here"), call}, Stop: ir.Stop{Reason: ir.StopTools}},
	}}
	got, err := ir.CutAt(resp, []string{"END"})
	if err != nil {
		t.Fatal(err)
	}
	want := &ir.Response{ID: "r", Choices: []ir.Choice{
		{Items: []ir.Item{ir.Thought{Texts: []string{"the END is near"}}, message("keep", "this ")}, Stop: ir.Stop{Reason: ir.StopSequence, Sequence: "END"}},
		{Items: []ir.Item{message("nothing here"), call}, Stop: ir.Stop{Reason: ir.StopTools}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if same, err := ir.CutAt(resp, nil); same != resp || err != nil {
		t.Errorf("without sequences the answer is another one, %v", err)
	}
}
