package judge_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/test/judge"
)

// TestTheJudgesFindWhatIsWrong gives each judge a text with faults of each kind.
func TestTheJudgesFindWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		judge func([]byte) judge.Verdict
		text  string
		want  []string
	}{
		{
			"an Anthropic answer", judge.AnthropicMessage,
			`{"id":"a","type":"message","role":"user","model":"m","stop_reason":"tired","stop_sequence":null,"new":1,"content":[{"type":"text","text":1,"citations":null},{"type":"poem"}],"usage":{}}`,
			[]string{
				`/new: is not known`, `/content/*/text: has another type: 1`, `/content/*/type: no form has "poem"`,
				`/role: the value "user" is not "assistant"`, `/stop_reason: "tired" is not in the list of StopReason`,
			},
		},
		{
			"an Anthropic event", judge.AnthropicEvent,
			`{"type":"content_block_delta","index":"0","delta":{"type":"text_delta","text":"a","more":1}}`,
			[]string{`/index: has another type: "0"`, `/delta/more: is not known`},
		},
		{"an unknown Anthropic event", judge.AnthropicEvent, `{"type":"gone"}`, []string{`/type: no form has "gone"`}},
		{
			"an Anthropic request", judge.AnthropicRequest,
			`{"model":"m","max_tokens":1,"messages":[{"role":"model","content":"a"}],"tone":"mild","service_tier":"fast"}`,
			[]string{`/tone: is not known`, `/messages/*/role: "model" is not in the list of MessageParamRole`, `/service_tier: "fast" is not in the list of MessageNewParamsServiceTier`},
		},
		{
			"a Gemini answer", judge.GeminiAnswer,
			`{"candidates":[{"finishReason":"TIRED","mood":1,"content":{"parts":[{"text":"a"}]}}]}`,
			[]string{`/candidates/*/finishReason: the value "TIRED" is not known`, `/candidates/*/mood: is not known`},
		},
		{"a Gemini error", judge.GeminiAnswer, `{"error":{"code":500,"message":"a","status":"BAD"}}`, []string{`/error/status: the value "BAD" is not known`}},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, c.judge([]byte(c.text)), c.want) })
	}
	if v := judge.GeminiRequest([]byte(`{"contents":[{"parts":[{"text":7}]}]}`)); len(v) != 1 {
		t.Errorf("a number for a text: %v", v)
	}
}

// same compares the failures of a verdict, in any order; warnings do not count.
func same(t *testing.T, v judge.Verdict, want []string) {
	t.Helper()
	var got []string
	for _, f := range v {
		if !f.Missing {
			got = append(got, f.String())
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- want, + got)\n%s", diff)
	}
}

const description = `{"components":{"schemas":{
	"Answer":{"type":"object","required":["id","items"],"properties":{
		"id":{"type":"string"},
		"mood":{"type":"string","enum":["good","bad"],"nullable":true},
		"items":{"type":"array","items":{"oneOf":[{"$ref":"#/components/schemas/Text"},{"$ref":"#/components/schemas/Call"},{"type":"string"}]}}}},
	"Text":{"type":"object","required":["type","text"],"properties":{"type":{"type":"string","enum":["text"]},"text":{"type":"string"}}},
	"Call":{"type":"object","required":["type","name"],"properties":{"type":{"const":"call"},"name":{"type":"string"}}}}}}`

func TestDescriptionsFindTheFormThatWasMeant(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.json")
	if err := os.WriteFile(file, []byte(description), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := judge.ReadDescription(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text    string
		want    []string
		missing int
	}{
		{`{"id":"a","mood":null,"items":["x",{"type":"text","text":"b"},{"type":"call","name":"n"}]}`, nil, 0},
		{`{"id":1,"mood":"odd","items":[]}`, []string{`/id: got number, want string`, `/mood: value must be one of 'good', 'bad', <nil>`}, 0},
		{`{"items":[{"type":"text","text":1},{"type":"call"}]}`, []string{`/items/*/text: got number, want string`}, 2},
		{`{"id":"a","items":[{"type":"poem"},7]}`, []string{`/items/*: no form has type "poem"`, `/items/*: got number, which no form has`}, 0},
	} {
		v, err := d.Judge("Answer", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		same(t, v, c.want)
		missing := 0
		for _, f := range v {
			if f.Missing {
				missing++
			}
		}
		if missing != c.missing {
			t.Errorf("%s: %d members are missing, want %d: %v", c.text, missing, c.missing, v)
		}
	}
	if _, err := d.Judge("Nothing", []byte(`{}`)); err == nil {
		t.Error("a schema that is not there judges")
	}
}

func TestAnExceptionIsNarrow(t *testing.T) {
	c := judge.NewCourt([]judge.Exception{{By: "A", What: "answer", Path: "/x", Says: "is missing"}})
	v := judge.Verdict{{Path: "/x", Says: "is missing"}, {Path: "/x/y", Says: "is missing"}, {Path: "/x", Says: "is missing too"}}
	if got := c.Sort("A", "answer", v); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
	if got := c.Sort("A", "event", v); len(got) != 3 {
		t.Errorf("left of an event are %v", got)
	}
	if got := c.Counts(); got[0] != 1 {
		t.Errorf("counted %v", got)
	}
}
