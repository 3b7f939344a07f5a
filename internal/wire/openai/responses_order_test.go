package openai_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// responsesStreamEvent is an event of a written stream, as far as its order matters.
type responsesStreamEvent struct {
	Type           string          `json:"type"`
	SequenceNumber int             `json:"sequence_number"`
	OutputIndex    int             `json:"output_index"`
	ContentIndex   int             `json:"content_index"`
	SummaryIndex   int             `json:"summary_index"`
	ItemID         string          `json:"item_id"`
	Delta          string          `json:"delta"`
	Text           string          `json:"text"`
	Refusal        string          `json:"refusal"`
	Arguments      string          `json:"arguments"`
	Input          string          `json:"input"`
	Item           json.RawMessage `json:"item"`
	Part           json.RawMessage `json:"part"`
	Logprobs       json.RawMessage `json:"logprobs"`
	Response       json.RawMessage `json:"response"`
}

// responsesStreamJudge checks a written stream by the rules of the API's description.
type responsesStreamJudge struct {
	t      *testing.T
	next   int
	items  []json.RawMessage // as they were done
	ids    []string
	open   map[int]string    // item → id
	parts  map[[3]int]string // item, kind, part → text so far
	closed bool
}

func checkResponsesStream(t *testing.T, stream []byte) {
	t.Helper()
	j := &responsesStreamJudge{t: t, open: map[int]string{}, parts: map[[3]int]string{}}
	err := eachResponsesEvent(stream, func(name, data []byte) error {
		if data == nil {
			return nil // a comment
		}
		var ev responsesStreamEvent
		if err := json.Unmarshal(data, &ev); err != nil {
			return err
		}
		if ev.Type != string(name) {
			t.Errorf("event %s says it is %s", name, ev.Type)
		}
		j.event(ev)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !j.closed {
		t.Error("the stream has no end")
	}
}

func (j *responsesStreamJudge) event(ev responsesStreamEvent) {
	j.t.Helper()
	if ev.SequenceNumber != j.next {
		j.t.Errorf("%s is number %d, want %d", ev.Type, ev.SequenceNumber, j.next)
	}
	j.next++
	if j.closed {
		j.t.Errorf("%s after the end", ev.Type)
	}
	if first := map[int]string{0: "response.created", 1: "response.in_progress"}[ev.SequenceNumber]; first != "" && ev.Type != first && ev.Type != "error" && ev.Type != "response.failed" {
		j.t.Errorf("event %d is %s, want %s", ev.SequenceNumber, ev.Type, first)
	}
	switch ev.Type {
	case "response.output_item.added":
		j.added(ev)
	case "response.output_item.done":
		j.done(ev)
	case "response.completed", "response.incomplete", "response.failed":
		j.end(ev)
	case "response.created", "response.in_progress", "error":
	default:
		j.inItem(ev)
	}
}

func (j *responsesStreamJudge) added(ev responsesStreamEvent) {
	j.t.Helper()
	if ev.OutputIndex != len(j.ids) {
		j.t.Errorf("item %d begins where %d is next", ev.OutputIndex, len(j.ids))
	}
	var item struct{ ID, Type string }
	_ = json.Unmarshal(ev.Item, &item)
	ours := slices.Contains([]string{"message", "reasoning", "function_call", "custom_tool_call"}, item.Type) // the others are the vendor's
	if ours && (item.ID == "" || slices.Contains(j.ids, item.ID)) {
		j.t.Errorf("item %d has the id %q", ev.OutputIndex, item.ID)
	}
	j.ids = append(j.ids, item.ID)
	j.items = append(j.items, nil)
	j.open[ev.OutputIndex] = item.ID
}

func (j *responsesStreamJudge) done(ev responsesStreamEvent) {
	j.t.Helper()
	var item struct{ ID string }
	_ = json.Unmarshal(ev.Item, &item)
	if j.open[ev.OutputIndex] != item.ID {
		j.t.Errorf("item %d ends as %q, began as %q", ev.OutputIndex, item.ID, j.open[ev.OutputIndex])
		return
	}
	delete(j.open, ev.OutputIndex)
	j.items[ev.OutputIndex] = ev.Item
	for at := range j.parts {
		if at[0] == ev.OutputIndex {
			j.t.Errorf("item %d ends while part %v is open", ev.OutputIndex, at)
		}
	}
}

func (j *responsesStreamJudge) end(ev responsesStreamEvent) {
	j.t.Helper()
	j.closed = true
	var members map[string]json.RawMessage // names are told apart by case here
	var resp struct {
		Status string
		Output []json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(ev.Response, &members), json.Unmarshal(members["status"], &resp.Status),
		json.Unmarshal(members["output"], &resp.Output)); err != nil {
		j.t.Fatal(err)
	}
	if ev.Type != "response."+resp.Status {
		j.t.Errorf("%s has the status %s", ev.Type, resp.Status)
	}
	if resp.Status == "failed" {
		return
	}
	if len(j.open) > 0 || len(resp.Output) != len(j.items) {
		j.t.Fatalf("%d items are open, %d of %d are in the end", len(j.open), len(resp.Output), len(j.items))
	}
	for i := range resp.Output {
		if diff := cmp.Diff(string(j.items[i]), string(resp.Output[i])); diff != "" {
			j.t.Errorf("item %d:\n%s", i, diff)
		}
	}
}

// inItem judges an event about a part of an item, or a call's arguments.
func (j *responsesStreamJudge) inItem(ev responsesStreamEvent) {
	j.t.Helper()
	if id, ok := j.open[ev.OutputIndex]; !ok || id != ev.ItemID {
		j.t.Errorf("%s is about item %d %q, which is %q", ev.Type, ev.OutputIndex, ev.ItemID, id)
	}
	if strings.Contains(ev.Type, "output_text.d") && ev.Logprobs == nil {
		j.t.Errorf("%s has no logprobs", ev.Type)
	}
	at := [3]int{ev.OutputIndex, 0, ev.ContentIndex}
	if strings.Contains(ev.Type, "summary") {
		at = [3]int{ev.OutputIndex, 1, ev.SummaryIndex}
	}
	text, open := j.parts[at]
	call := strings.Contains(ev.Type, "arguments") || strings.Contains(ev.Type, "_input.")
	switch {
	case strings.HasSuffix(ev.Type, "part.added"):
		if open {
			j.t.Errorf("part %v begins twice", at)
		}
		j.parts[at] = ""
	case strings.HasSuffix(ev.Type, ".delta"):
		if !open && !call {
			j.t.Errorf("%s before its part", ev.Type)
		}
		j.parts[at] = text + ev.Delta
	case strings.HasSuffix(ev.Type, "part.done"):
		if !open {
			j.t.Errorf("part %v ends twice", at)
		}
		delete(j.parts, at)
	case strings.HasSuffix(ev.Type, ".done"):
		if whole := ev.Text + ev.Refusal + ev.Arguments + ev.Input; whole != text {
			j.t.Errorf("%s is %q, the deltas were %q", ev.Type, whole, text)
		}
		if call {
			delete(j.parts, at)
		}
	}
}

// lastResponsesObject is the response object of the event that ends a stream.
func lastResponsesObject(t *testing.T, stream []byte) string {
	t.Helper()
	last := ""
	err := eachResponsesEvent(stream, func(_, data []byte) error {
		var ev responsesStreamEvent
		if json.Unmarshal(data, &ev) == nil && ev.Response != nil {
			last = string(ev.Response)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}
