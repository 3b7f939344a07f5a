package laws_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/test/laws"
)

// minCases is how many cases the project's own corpus has at least.
const minCases = 120

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

// each calls fn for every pair of a case that has the part and a dialect, and
// reports how many there were.
func each(t *testing.T, part string, fn func(t *testing.T, c laws.Case, target tollgate.Dialect)) {
	t.Helper()
	n := 0
	for _, c := range corpus(t) {
		if _, ok := c.Parts[part]; !ok {
			continue
		}
		for _, d := range tollgate.Dialects() {
			n++
			t.Run(c.Name+"/"+string(d), func(t *testing.T) { fn(t, c, d) })
		}
	}
	t.Logf("%d pairs", n)
	if n == 0 {
		t.Fatal("no case has a " + part)
	}
}

func TestNothingOfARequestIsLostSilently(t *testing.T) {
	each(t, "request", func(t *testing.T, c laws.Case, target tollgate.Dialect) {
		if err := laws.RequestLaw(c, target); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingOfAnAnswerIsLostSilently(t *testing.T) {
	each(t, "answer", func(t *testing.T, c laws.Case, target tollgate.Dialect) {
		if err := laws.AnswerLaw(c, target); err != nil {
			t.Error(err)
		}
	})
}

func TestAStreamSaysWhatTheWholeAnswerSays(t *testing.T) {
	each(t, "answer", func(t *testing.T, c laws.Case, target tollgate.Dialect) {
		if err := laws.UnfoldLaw(c, target); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingOfAStreamIsLostSilently(t *testing.T) {
	each(t, "stream", func(t *testing.T, c laws.Case, target tollgate.Dialect) {
		if err := laws.StreamLaw(c, target); err != nil {
			t.Error(err)
		}
	})
}

func TestAFoldedStreamIsTheWholeAnswer(t *testing.T) {
	n := 0
	for _, c := range corpus(t) {
		if c.Parts["answer"] == "" || c.Parts["stream"] == "" {
			continue
		}
		n++
		t.Run(c.Name, func(t *testing.T) {
			if err := laws.FoldLaw(c); err != nil {
				t.Error(err)
			}
		})
	}
	t.Logf("%d cases have both", n)
	if n < 8 {
		t.Errorf("only %d cases have both", n)
	}
}

func TestChunkingChangesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range corpus(t) {
		if c.Parts["stream"] == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			want, _, err := laws.Decode(c, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 1 + rng.IntN(200)} {
				got, _, err := laws.Decode(c, n)
				if err != nil {
					t.Fatalf("in pieces of %d: %v", n, err)
				}
				if !reflect.DeepEqual(want, got) {
					t.Fatalf("in pieces of %d:\n%v\nwant\n%v", n, got, want)
				}
			}
		})
	}
}

func TestATruncatedStreamIsNeverWhole(t *testing.T) {
	for _, c := range corpus(t) {
		if c.Parts["stream"] == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := laws.TruncationLaw(c); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUsageIsWhatTheObserverCounts(t *testing.T) {
	for _, c := range corpus(t) {
		for _, part := range []string{"answer", "stream"} {
			if c.Parts[part] == "" {
				continue
			}
			t.Run(c.Name+"/"+part, func(t *testing.T) {
				if err := laws.UsageLaw(c, part); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestErrorsOfProvidersHaveACodeAndAMessage(t *testing.T) {
	for _, c := range corpus(t) {
		if c.Parts["error"] == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := laws.ErrorLaw(c); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRecordedRequestsTranslate runs the request law over what real clients
// sent, where their recordings are present.
func TestRecordedRequestsTranslate(t *testing.T) {
	dir := os.Getenv("TOLLGATE_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	cases, err := laws.Recordings(filepath.Join(dir, "recordings"))
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
