package judge_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"tollgate"
	"tollgate/test/judge"
	"tollgate/test/laws"
)

// descriptions are the OpenAPI documents, nil where they are not present.
func descriptions(t *testing.T) (openai, open *judge.Description) {
	t.Helper()
	dir := os.Getenv("TOLLGATE_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	if _, err := os.Stat(filepath.Join(dir, "specs")); err != nil {
		t.Logf("no descriptions at %s: OpenAI's dialects are judged by decoding alone", dir)
		return nil, nil
	}
	openai, err := judge.ReadDescription(filepath.Join(dir, "specs/openai-openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if open, err = judge.ReadDescription(filepath.Join(dir, "specs/openresponses-2026-04-24.json")); err != nil {
		t.Fatal(err)
	}
	return openai, open
}

// tally counts what was judged.
type tally struct{ bodies, warnings int }

func (n *tally) take(t *testing.T, what string, text []byte, v judge.Verdict, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v\n%s", what, err, text)
		return
	}
	n.bodies++
	n.warnings += len(v.Warnings)
	for _, f := range v.Failures {
		t.Errorf("%s: %s\n%s", what, f, text)
	}
	for _, w := range v.Warnings {
		t.Logf("%s: %s\n%s", what, w, text)
	}
}

// foreign reports whether the case holds things that no description knows, on
// purpose; they are only written back in their own dialect.
func foreign(c laws.Case, target tollgate.Dialect) bool {
	for _, p := range c.Points {
		if p == "0" {
			return c.Dialect == target
		}
	}
	return false
}

func TestWhatIsWrittenFitsTheVendorsDescriptions(t *testing.T) {
	openai, open := descriptions(t)
	cases, err := laws.Load("../corpus")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[tollgate.Dialect]*tally{}
	for _, d := range tollgate.Dialects() {
		counts[d] = &tally{}
	}
	for _, c := range cases {
		for _, d := range tollgate.Dialects() {
			if c.Dialect == d && foreign(c, d) {
				continue
			}
			t.Run(c.Name+"/"+string(d), func(t *testing.T) {
				w, err := laws.Write(c, d)
				if err != nil {
					t.Fatal(err)
				}
				n := counts[d]
				switch d {
				case tollgate.DialectAnthropic:
					byAnthropic(t, n, w)
				case tollgate.DialectGemini:
					byGemini(t, n, w)
				case tollgate.DialectOpenAIChat:
					byChat(t, n, openai, w)
				case tollgate.DialectOpenAIResponses:
					byResponses(t, n, openai, open, w)
				}
			})
		}
	}
	for d, n := range counts {
		t.Logf("%s: %d bodies and events judged, %d warnings", d, n.bodies, n.warnings)
	}
}

func byAnthropic(t *testing.T, n *tally, w laws.Written) {
	if w.Request != nil {
		n.take(t, "request", w.Request, judge.AnthropicRequest(w.Request), nil)
	}
	if w.Answer != nil {
		n.take(t, "answer", w.Answer, judge.AnthropicMessage(w.Answer), nil)
	}
	for _, e := range w.Events {
		n.take(t, "event", e, judge.AnthropicEvent(e), nil)
	}
}

func byGemini(t *testing.T, n *tally, w laws.Written) {
	if w.Request != nil {
		n.take(t, "request", w.Request, judge.GeminiRequest(w.Request), nil)
	}
	if w.Answer != nil {
		n.take(t, "answer", w.Answer, judge.GeminiAnswer(w.Answer), nil)
	}
	for _, e := range w.Events {
		n.take(t, "event", e, judge.GeminiAnswer(e), nil)
	}
}

func byChat(t *testing.T, n *tally, d *judge.Description, w laws.Written) {
	by := func(what, name string, text []byte) {
		if text == nil {
			return
		}
		if d == nil {
			n.take(t, what, text, judge.Verdict{}, valid(text))
			return
		}
		v, err := d.Judge(name, text)
		n.take(t, what, text, v, err)
	}
	by("request", "CreateChatCompletionRequest", w.Request)
	by("answer", "CreateChatCompletionResponse", w.Answer)
	for _, e := range w.Events {
		if string(e) != "[DONE]" {
			by("event", "CreateChatCompletionStreamResponse", e)
		}
	}
}

func byResponses(t *testing.T, n *tally, openai, open *judge.Description, w laws.Written) {
	for _, by := range []struct {
		who                    string
		d                      *judge.Description
		request, answer, event string
	}{
		{"OpenAI", openai, "CreateResponse", "Response", "ResponseStreamEvent"},
		{"Open Responses", open, "", "ResponseResource", ""},
	} {
		if by.d == nil {
			continue
		}
		if w.Request != nil && by.request != "" {
			v, err := by.d.Judge(by.request, w.Request)
			n.take(t, by.who+" request", w.Request, v, err)
		}
		if w.Answer != nil {
			v, err := by.d.Judge(by.answer, w.Answer)
			n.take(t, by.who+" answer", w.Answer, v, err)
		}
		for _, e := range w.Events {
			name := by.event
			if name == "" {
				name = judge.OpenResponsesEvent(e)
			}
			if name == "" {
				continue
			}
			v, err := by.d.Judge(name, e)
			n.take(t, by.who+" event", e, v, err)
		}
	}
}

func valid(text []byte) error {
	var v any
	return json.Unmarshal(text, &v)
}
