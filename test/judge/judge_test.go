package judge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate"
	"tollgate/test/laws"

	"tollgate/test/judge"
)

// bench is what a run of the judges shares.
type bench struct {
	openai, open *judge.Description // nil where the documents are not present
	court        *judge.Court
	bodies       map[string]int
	warnings     map[string]int
}

func shared() string {
	if dir := os.Getenv("TOLLGATE_SHARED"); dir != "" {
		return dir
	}
	return "../../../shared"
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{court: judge.NewCourt(judge.Exceptions()), bodies: map[string]int{}, warnings: map[string]int{}}
	if _, err := os.Stat(filepath.Join(shared(), "specs")); err != nil {
		t.Logf("no descriptions at %s: OpenAI's dialects are judged by decoding alone", shared())
		return b
	}
	var err error
	if b.openai, err = judge.ReadDescription(filepath.Join(shared(), "specs/openai-openapi.yaml")); err != nil {
		t.Fatal(err)
	}
	if b.open, err = judge.ReadDescription(filepath.Join(shared(), "specs/openresponses-2026-04-24.json")); err != nil {
		t.Fatal(err)
	}
	return b
}

// take reports what no exception excuses.
func (b *bench) take(t *testing.T, by, what string, text []byte, v judge.Verdict) {
	t.Helper()
	b.bodies[by+" "+what]++
	for _, f := range b.court.Sort(by, what, v) {
		if f.Missing {
			b.warnings[fmt.Sprintf("%s %s %s", by, what, f)]++
			continue
		}
		t.Errorf("%s %s: %s\n%s", by, what, f, text)
	}
}

// named judges by a schema of an OpenAPI document.
func (b *bench) named(t *testing.T, by string, d *judge.Description, what, name string, text []byte) {
	t.Helper()
	if text == nil || name == "" {
		return
	}
	if d == nil {
		if err := valid(text); err != nil {
			t.Errorf("%s: %v\n%s", what, err, text)
		}
		return
	}
	v, err := d.Judge(name, text)
	if err != nil {
		t.Errorf("%s %s: %v\n%s", by, what, err, text)
	}
	b.take(t, by, what, text, v)
}

// report counts what was judged; a warning that no exception explains fails.
func (b *bench) report(t *testing.T) {
	t.Helper()
	for what, n := range b.bodies {
		t.Logf("%s: %d judged", what, n)
	}
	for what, n := range b.warnings {
		t.Errorf("%s, %d times: explain it by an exception", what, n)
	}
}

func (b *bench) judge(t *testing.T, d tollgate.Dialect, w laws.Written) {
	t.Helper()
	switch d {
	case tollgate.DialectAnthropic:
		b.typed(t, "Anthropic", w, judge.AnthropicRequest, judge.AnthropicMessage, judge.AnthropicEvent)
	case tollgate.DialectGemini:
		b.typed(t, "Gemini", w, judge.GeminiRequest, judge.GeminiAnswer, judge.GeminiAnswer)
	case tollgate.DialectOpenAIChat:
		b.chat(t, w)
	case tollgate.DialectOpenAIResponses:
		b.responses(t, w)
	}
}

// typed judges by a vendor's own types.
func (b *bench) typed(t *testing.T, by string, w laws.Written, request, answer, event func([]byte) judge.Verdict) {
	t.Helper()
	if w.Request != nil {
		b.take(t, by, "request", w.Request, request(w.Request))
	}
	if w.Answer != nil {
		b.take(t, by, "answer", w.Answer, answer(w.Answer))
	}
	for _, e := range w.Events {
		b.take(t, by, "event", e, event(e))
	}
}

func (b *bench) chat(t *testing.T, w laws.Written) {
	t.Helper()
	b.named(t, "OpenAI", b.openai, "request", "CreateChatCompletionRequest", w.Request)
	b.named(t, "OpenAI", b.openai, "answer", "CreateChatCompletionResponse", w.Answer)
	for _, e := range w.Events {
		if string(e) != "[DONE]" {
			b.named(t, "OpenAI", b.openai, "event", judge.ChatEvent(e), e)
		}
	}
}

func (b *bench) responses(t *testing.T, w laws.Written) {
	t.Helper()
	b.named(t, "OpenAI", b.openai, "request", "CreateResponse", w.Request)
	b.named(t, "Open Responses", b.open, "request", "CreateResponseBody", w.Request)
	b.named(t, "OpenAI", b.openai, "answer", "Response", w.Answer)
	b.named(t, "Open Responses", b.open, "answer", "ResponseResource", w.Answer)
	for _, e := range w.Events {
		b.named(t, "OpenAI", b.openai, "event", "ResponseStreamEvent", e)
		b.named(t, "Open Responses", b.open, "event", judge.OpenResponsesEvent(e), e)
	}
}

// unread accepts the one recording that is broken on purpose.
func (b *bench) unread(t *testing.T, c laws.Case, err error) {
	t.Helper()
	if !strings.Contains(c.Name, "spliced-message-start") {
		t.Fatal(err)
	}
}

// foreign reports whether the case holds things that no description knows, on
// purpose; they are only written back in their own dialect.
func foreign(c laws.Case, target tollgate.Dialect) bool {
	return c.Dialect == target && slices.Contains(c.Points, "0")
}

// sources are the project's own corpus, what real clients sent and what real
// providers answered, the latter two where they are present.
func sources(t *testing.T) map[string][]laws.Case {
	t.Helper()
	out := map[string][]laws.Case{}
	for name, load := range map[string]func() ([]laws.Case, error){
		"corpus":   func() ([]laws.Case, error) { return laws.Load("../corpus") },
		"requests": func() ([]laws.Case, error) { return laws.Recordings(filepath.Join(shared(), "recordings")) },
		"answers":  func() ([]laws.Case, error) { return laws.Answers(filepath.Join(shared(), "corpus")) },
	} {
		cases, err := load()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = cases
	}
	if len(out["corpus"]) == 0 {
		t.Fatal("the corpus is empty")
	}
	return out
}

func TestWhatIsWrittenFitsTheVendorsDescriptions(t *testing.T) {
	b := newBench(t)
	cases := sources(t)
	for name, list := range cases {
		for _, c := range list {
			for _, d := range tollgate.Dialects() {
				if foreign(c, d) || (c.Dialect == d && name != "corpus") { // the vendor's own words are passed on as they are
					continue
				}
				t.Run(name+"/"+c.Name+"/"+string(d), func(t *testing.T) {
					w, err := laws.Write(c, d)
					if err != nil {
						b.unread(t, c, err)
						return
					}
					b.judge(t, d, w)
				})
			}
		}
		t.Logf("%s: %d cases", name, len(list))
	}
	t.Run("errors", b.errors)
	t.Run("counts", b.counts)
	t.Run("embeddings", b.embeddings)
	t.Run("models", b.models)
	b.report(t)
	for i, n := range b.court.Counts() {
		e := judge.Exceptions()[i]
		t.Logf("%s %s %s (%s): excused %d times: %s", e.By, e.What, e.Path, e.Says, n, e.Why)
		judgeable := b.openai != nil || e.By == "Anthropic" || e.By == "Gemini"
		present := !e.Shared || len(cases["requests"]) > 0 && len(cases["answers"]) > 0
		if n == 0 && judgeable && present {
			t.Errorf("the exception for %s %s (%s) excuses nothing: remove it", e.By, e.Path, e.Says)
		}
	}
}
