package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tollgate/internal/demo"
)

// step is what a conversation says about calls, in the order of the request.
type step struct {
	kind   string // thought, call, result
	id     string
	text   string // of a call its arguments, of a result what came out
	sealed bool   // carries what the vendor sealed
}

// element is a part, block, item or message of any dialect.
type element struct {
	Type             string          `json:"type"`
	ID               string          `json:"id"`
	Signature        string          `json:"signature"`
	Input            json.RawMessage `json:"input"`
	ToolUseID        string          `json:"tool_use_id"`
	Content          json.RawMessage `json:"content"`
	CallID           string          `json:"call_id"`
	Arguments        string          `json:"arguments"`
	Output           json.RawMessage `json:"output"`
	EncryptedContent string          `json:"encrypted_content"`
	Role             string          `json:"role"`
	ToolCallID       string          `json:"tool_call_id"`
	ToolCalls        []struct {
		ID       string `json:"id"`
		Function struct {
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
	ThoughtSignature string `json:"thoughtSignature"`
	FunctionCall     *struct {
		ID   string          `json:"id"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	FunctionResponse *struct {
		ID       string          `json:"id"`
		Response json.RawMessage `json:"response"`
	} `json:"functionResponse"`
}

// steps reads the calls of a request.
func steps(dialect string, body []byte) ([]step, error) {
	var q struct {
		Messages, Input []element
		Contents        []struct{ Parts []element }
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	var out []step
	switch dialect {
	case "chat":
		for _, m := range q.Messages {
			out = append(out, chatSteps(m)...)
		}
	case "responses":
		for _, it := range q.Input {
			out = append(out, itemSteps(it)...)
		}
	case "anthropic":
		for _, m := range q.Messages {
			var blocks []element
			_ = json.Unmarshal(m.Content, &blocks) // a plain text has none
			for _, b := range blocks {
				out = append(out, blockSteps(b)...)
			}
		}
	case "gemini":
		for _, c := range q.Contents {
			for _, p := range c.Parts {
				out = append(out, partSteps(p)...)
			}
		}
	}
	return out, nil
}

func chatSteps(m element) []step {
	if m.Role == "tool" {
		return []step{{kind: "result", id: m.ToolCallID, text: string(m.Content)}}
	}
	out := make([]step, 0, len(m.ToolCalls))
	for _, c := range m.ToolCalls {
		out = append(out, step{kind: "call", id: c.ID, text: c.Function.Arguments})
	}
	return out
}

func itemSteps(it element) []step {
	switch it.Type {
	case "reasoning":
		return []step{{kind: "thought", id: it.ID, sealed: it.EncryptedContent != ""}}
	case "function_call":
		return []step{{kind: "call", id: it.CallID, text: it.Arguments}}
	case "function_call_output":
		return []step{{kind: "result", id: it.CallID, text: string(it.Output)}}
	}
	return nil
}

func blockSteps(b element) []step {
	switch b.Type {
	case "thinking":
		return []step{{kind: "thought", sealed: b.Signature != ""}}
	case "tool_use":
		return []step{{kind: "call", id: b.ID, text: string(b.Input)}}
	case "tool_result":
		return []step{{kind: "result", id: b.ToolUseID, text: string(b.Content)}}
	}
	return nil
}

func partSteps(p element) []step {
	switch {
	case p.FunctionCall != nil:
		sealed := p.ThoughtSignature != "" && !strings.Contains(p.ThoughtSignature, "skip_thought")
		return []step{{kind: "call", id: p.FunctionCall.ID, text: string(p.FunctionCall.Args), sealed: sealed}}
	case p.FunctionResponse != nil:
		return []step{{kind: "result", id: p.FunctionResponse.ID, text: string(p.FunctionResponse.Response)}}
	}
	return nil
}

// judge says what is wrong with what the vendor was sent: two requests, the
// second of which brings back the calls of the first under the ids that the
// vendor gave them, what it sealed in front of them or on them, and a result
// for each call, for Gemini in the order of the calls. That seals are
// the vendor's own, and that calls and results pair up, the vendor has judged
// before: it refuses what is not so.
func judge(dialect string, t task, requests []demo.Request) error {
	turns, err := conversation(dialect, requests)
	if err != nil {
		return err
	}
	var thoughts, calls, results []step
	for _, s := range turns.steps {
		switch s.kind {
		case "thought":
			thoughts = append(thoughts, s)
		case "call":
			calls = append(calls, s)
		case "result":
			results = append(results, s)
		}
	}
	if dialect != "gemini" { // the others pair by id, so that any order is right
		slices.SortStableFunc(results, func(a, b step) int { return cmp.Compare(placeOf(calls, a.id), placeOf(calls, b.id)) })
	}
	if len(calls) != len(t.files) || len(results) != len(t.files) {
		return fmt.Errorf("the second request has %d calls and %d results, want %d of each: %+v", len(calls), len(results), len(t.files), turns.steps)
	}
	var faults []error
	for i := range t.files {
		faults = append(faults, judgeCall(dialect, turns.number, i, t, calls[i], results[i]))
	}
	return errors.Join(append(faults, judgeSeal(dialect, turns.steps, thoughts, calls))...)
}

func placeOf(calls []step, id string) int {
	return slices.IndexFunc(calls, func(c step) bool { return c.id == id })
}

func judgeCall(dialect string, number int64, i int, t task, call, result step) error {
	var faults []error
	if !strings.Contains(call.text, t.files[i]) {
		faults = append(faults, fmt.Errorf("call %d has the arguments %s, want those for %s", i+1, call.text, t.files[i]))
	}
	if !strings.Contains(result.text, t.marks[i]) {
		faults = append(faults, fmt.Errorf("result %d is %s, want %s in it", i+1, result.text, t.marks[i]))
	}
	if result.id != call.id {
		faults = append(faults, fmt.Errorf("result %d is for call %q, want %q", i+1, result.id, call.id))
	}
	prefix := map[string]string{"chat": "call_", "responses": "call_", "anthropic": "toolu_"}[dialect]
	if want := fmt.Sprintf("%sdemo%012d_%d", prefix, number, i); dialect != "gemini" && call.id != want {
		faults = append(faults, fmt.Errorf("call %d has the id %q, but the vendor gave it %q", i+1, call.id, want))
	}
	return errors.Join(faults...)
}

// judgeSeal looks for what a dialect seals: Gemini the first call, the
// Responses and Messages APIs the thought before the calls.
func judgeSeal(dialect string, all, thoughts, calls []step) error {
	switch {
	case dialect == "chat": // seals nothing
		return nil
	case dialect == "gemini" && !calls[0].sealed:
		return errors.New("the first call came back without its signature")
	case dialect == "gemini":
		return nil
	case len(thoughts) != 1 || !thoughts[0].sealed:
		return fmt.Errorf("the thought did not come back with its seal: %+v", thoughts)
	case slices.IndexFunc(all, func(s step) bool { return s.kind == "thought" }) > slices.IndexFunc(all, func(s step) bool { return s.kind == "call" }):
		return errors.New("the thought came back behind the calls")
	}
	return nil
}

// turns is the second turn, with the number of the first request.
type turns struct {
	number int64
	steps  []step
}

// conversation picks the two turns of the task out of all requests: those that
// offer tools. Claude Code also asks for a title, with an empty list of them.
func conversation(dialect string, requests []demo.Request) (turns, error) {
	var out turns
	var kinds []string
	for _, r := range requests {
		if !strings.Contains(string(r.Body), "[[demo:call=") || !strings.Contains(string(r.Body), `"tools":[{`) || strings.Contains(r.Path, "count") {
			continue
		}
		s, err := steps(dialect, r.Body)
		if err != nil {
			return out, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		if len(s) == 0 {
			out.number = r.Number
			kinds = append(kinds, "question")
			continue
		}
		out.steps = s
		kinds = append(kinds, "results")
	}
	if !slices.Equal(kinds, []string{"question", "results"}) {
		return out, fmt.Errorf("the vendor was sent %q, want a question and its results, once each", kinds)
	}
	return out, nil
}
