package laws

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/wiretest"
)

// Answers reads what providers answered in other projects' recordings
// (shared/corpus), a case an answer or stream, of all four dialects. Streams
// that hold several answers are taken apart. A missing folder gives none.
func Answers(dir string) ([]Case, error) {
	recordings, err := wiretest.ReadRecordings(dir)
	if err != nil {
		return nil, err
	}
	var out []Case
	seen := map[string]int{}
	for _, r := range recordings {
		for _, c := range answers(r) {
			name := strings.TrimSuffix(strings.TrimSuffix(path.Base(r.File), path.Ext(r.File)), ".chunks")
			seen[name]++
			c.Name = fmt.Sprintf("%s/%s-%d", c.Dialect, name, seen[name])
			out = append(out, c)
		}
	}
	return out, nil
}

func answers(r wiretest.Recording) []Case {
	body := strings.TrimSpace(r.Body)
	switch {
	case r.Events != nil:
		return joined(r.Events)
	case strings.HasPrefix(body, "{"):
		if d := spoken([]byte(body)); d != "" {
			return []Case{{Dialect: d, Parts: map[string]string{"answer": body}}}
		}
		return nil
	case strings.HasPrefix(body, "["):
		list, err := frames(body, wire.FramingJSONArray, len(body)+1)
		if err != nil || len(list) == 0 || spoken(list[0].data) != tollgate.DialectGemini {
			return nil
		}
		return []Case{{Dialect: tollgate.DialectGemini, Parts: map[string]string{"stream": body}}}
	case body == "":
		return nil
	}
	list, err := frames(r.Body, wire.FramingSSE, len(r.Body)+1)
	if err != nil || len(list) == 0 {
		return nil
	}
	if d := spoken(list[0].data); d != "" {
		return []Case{{Dialect: d, Parts: map[string]string{"stream": r.Body}}}
	}
	return nil
}

// joined makes streams of the data of events, one for each answer.
func joined(events []string) []Case {
	var out []Case
	ended := false
	for _, e := range events {
		d := spoken([]byte(e))
		if len(out) == 0 && d == "" {
			return nil
		}
		if len(out) == 0 || ended {
			out = append(out, Case{Dialect: d, Parts: map[string]string{}})
		}
		last := out[len(out)-1]
		if last.Dialect == tollgate.DialectAnthropic || last.Dialect == tollgate.DialectOpenAIResponses {
			last.Parts["stream"] += "event: " + eventType(e) + "\n"
		}
		last.Parts["stream"] += "data: " + e + "\n\n"
		switch eventType(e) {
		case "message_stop", "response.completed", "response.incomplete", "response.failed":
			ended = true
		default:
			ended = false
		}
	}
	for _, c := range out {
		if c.Dialect == tollgate.DialectOpenAIChat { // such recordings leave the terminator out
			c.Parts["stream"] += "data: [DONE]\n\n"
		}
	}
	return out
}

func eventType(text string) string {
	var e struct{ Type string }
	if json.Unmarshal([]byte(text), &e) != nil {
		return ""
	}
	return e.Type
}

// spoken is the dialect of an answer or of the first event of a stream; empty
// for texts that are neither.
func spoken(text []byte) tollgate.Dialect {
	var o struct {
		Object, Type, Role                          string
		Output, Candidates, PromptFeedback, Choices json.RawMessage
	}
	if json.Unmarshal(text, &o) != nil {
		return ""
	}
	switch {
	case o.Type == "message_start", o.Type == "message" && o.Role == "assistant":
		return tollgate.DialectAnthropic
	case o.Type == "response.created", o.Object == "response" && o.Output != nil:
		return tollgate.DialectOpenAIResponses
	case o.Candidates != nil, o.PromptFeedback != nil:
		return tollgate.DialectGemini
	case strings.HasPrefix(o.Object, "chat.completion"), o.Object == "" && o.Choices != nil:
		return tollgate.DialectOpenAIChat
	}
	return ""
}
