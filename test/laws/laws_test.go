package laws_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/test/laws"
)

// minCases is how many cases the project's own corpus has at least.
const minCases = 120

// corpus is the project's own.
func corpus(t *testing.T) []laws.Case {
	t.Helper()
	cases, err := laws.Load("../corpus")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < minCases {
		t.Fatalf("%d cases, want at least %d", len(cases), minCases)
	}
	return cases
}

// all is the project's own corpus and what providers answered in the recordings
// of other projects, where they are present.
func all(t *testing.T) []laws.Case {
	t.Helper()
	recorded, err := laws.Answers(filepath.Join(shared(), "corpus"))
	if err != nil {
		t.Fatal(err)
	}
	recorded = slices.DeleteFunc(recorded, func(c laws.Case) bool { return broken(c.Name) })
	t.Logf("%d recorded answers", len(recorded))
	return append(corpus(t), recorded...)
}

// broken names the recordings that are no answers of their protocol, on
// purpose: see TestABrokenRecordingIsAnError.
func broken(name string) bool {
	return strings.Contains(name, "spliced-message-start")
}

func shared() string {
	if dir := os.Getenv("TOLLGATE_SHARED"); dir != "" {
		return dir
	}
	return "../../../shared"
}

// each calls fn for every pair of a case that has the part and a dialect, and
// reports how many there were.
func each(t *testing.T, part string, fn func(c laws.Case, target tollgate.Dialect) error) {
	t.Helper()
	n := 0
	for _, c := range all(t) {
		if _, ok := c.Parts[part]; !ok {
			continue
		}
		for _, d := range tollgate.Dialects() {
			n++
			if err := fn(c, d); err != nil {
				t.Errorf("%s to %s: %v", c.Name, d, err)
			}
		}
	}
	t.Logf("%d pairs", n)
	if n == 0 {
		t.Fatal("no case has a " + part)
	}
}

// alone calls fn for every case that has the part, and reports how many there
// were.
func alone(t *testing.T, part string, fn func(c laws.Case) error) {
	t.Helper()
	n := 0
	for _, c := range all(t) {
		if _, ok := c.Parts[part]; !ok {
			continue
		}
		n++
		if err := fn(c); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	t.Logf("%d cases", n)
	if n == 0 {
		t.Fatal("no case has a " + part)
	}
}

func TestNothingOfARequestIsLostSilently(t *testing.T) { each(t, "request", laws.RequestLaw) }

func TestNothingOfAnAnswerIsLostSilently(t *testing.T) { each(t, "answer", laws.AnswerLaw) }

func TestAStreamSaysWhatTheWholeAnswerSays(t *testing.T) { each(t, "answer", laws.UnfoldLaw) }

func TestNothingOfAStreamIsLostSilently(t *testing.T) { each(t, "stream", laws.StreamLaw) }

func TestSealsReachEveryClient(t *testing.T) { each(t, "stream", laws.SealLaw) }

func TestAFoldedStreamIsTheWholeAnswer(t *testing.T) {
	n := 0
	for _, c := range corpus(t) {
		if c.Parts["answer"] == "" || c.Parts["stream"] == "" {
			continue
		}
		n++
		if err := laws.FoldLaw(c); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	t.Logf("%d cases have both", n)
	if n < 8 {
		t.Errorf("only %d cases have both", n)
	}
}

func TestChunkingChangesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alone(t, "stream", func(c laws.Case) error {
		return laws.ChunkLaw(c, 1, 2, 3, 4, 5, 6, 7, 1+rng.IntN(200), 1+rng.IntN(5000))
	})
}

func TestATruncatedStreamIsNeverWhole(t *testing.T) {
	every := os.Getenv("TOLLGATE_TEST_LONG") != ""
	alone(t, "stream", func(c laws.Case) error {
		if c.Name == endsTwice {
			return nil
		}
		return laws.TruncationLaw(c, every)
	})
}

// endsTwice is a scripted answer that says in its first event that it is over,
// which is all that a stream of Gemini can say, and goes on.
const endsTwice = "gemini/user-policy-1"

func TestUsageIsWhatTheObserverCounts(t *testing.T) {
	for _, part := range []string{"answer", "stream"} {
		alone(t, part, func(c laws.Case) error { return laws.UsageLaw(c, part) })
	}
}

func TestErrorsOfProvidersHaveACodeAndAMessage(t *testing.T) { alone(t, "error", laws.ErrorLaw) }

// TestABrokenRecordingIsAnError reads the recordings that break their protocol.
func TestABrokenRecordingIsAnError(t *testing.T) {
	recorded, err := laws.Answers(filepath.Join(shared(), "corpus"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range recorded {
		if !broken(c.Name) {
			continue
		}
		if _, _, err := laws.Decode(c, len(c.Parts["stream"])); err == nil {
			t.Errorf("%s is taken for an answer", c.Name)
		}
	}
}

// TestRecordedRequestsTranslate runs the request law over what real clients
// sent, where their recordings are present.
func TestRecordedRequestsTranslate(t *testing.T) {
	cases, err := laws.Recordings(filepath.Join(shared(), "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Log("the recordings of real clients are not here")
		return
	}
	for _, c := range cases {
		for _, d := range tollgate.Dialects() {
			t.Run(c.Name+"/"+string(d), func(t *testing.T) {
				if err := laws.RequestLaw(c, d); err != nil {
					t.Error(err)
				}
			})
		}
	}
	t.Logf("%d recorded requests × %d dialects", len(cases), len(tollgate.Dialects()))
}

// TestTheLawsCanFail breaks each law on purpose.
func TestTheLawsCanFail(t *testing.T) {
	temperature := 0.5
	a := &ir.Request{Temperature: &temperature, Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "hi"}}}}}
	b := &ir.Request{Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "ho"}}}, ir.Thought{Texts: []string{"x"}}}}
	got := laws.Unexplained(a, b, nil)
	if len(got) != 3 {
		t.Errorf("found %v, want three differences", got)
	}
	got = laws.Unexplained(a, b, []ir.Loss{{Path: "temperature"}, {Path: "items[0].parts[0]"}})
	if len(got) != 0 {
		t.Errorf("found %v although all is explained", got)
	}
}
