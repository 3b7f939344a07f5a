package sdk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// What follows drives every SDK against providers that speak one dialect
// alone, its own and the foreign ones.

func backends() []string {
	return []string{"demo-chat", "demo-responses", "demo-anthropic", "demo-gemini"}
}

// picture is a PNG of one pixel, in base64.
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// question is a turn of a user.
type question struct {
	model, text   string
	image, stream bool
	tools         bool
	schema        bool // JSON that fits answerSchema is wanted
}

// call is a tool call as the client sees it.
type call struct{ id, name, args string }

// reply is an answer as the SDK gives it.
type reply struct {
	text          string
	calls         []call
	done          bool // the answer says that it is complete, or that tools are wanted
	input, output int64
	// next sends the results of the calls, in their order.
	next func(results []string) (reply, error)
}

// speaker is an SDK, or one of its faces.
type speaker struct {
	name string
	say  func(t *testing.T, q question) (reply, error)
	// status is that of an error as the SDK's own type has it; 0 = it is of another type.
	status func(err error) int
	// count returns the number of tokens of a question; nil = there is no such call.
	count func(t *testing.T, q question) (int64, error)
}

func speakers() []speaker {
	return []speaker{chatSpeaker(), responsesSpeaker(), anthropicSpeaker(), geminiSpeaker()}
}

func answerSchema() map[string]any {
	return map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"place", "good"},
		"properties": map[string]any{"place": map[string]any{"type": "string"}, "good": map[string]any{"type": "boolean"}},
	}
}

// trial is one SDK on one provider.
type trial struct {
	*testing.T
	s speaker
	q question
}

// each runs a test for every SDK and provider, with a stream and without, all
// at once: the demo vendor takes its time between tokens.
func each(t *testing.T, test func(t trial)) {
	t.Helper()
	t.Parallel()
	for _, s := range speakers() {
		for _, provider := range backends() {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/stream=%v", s.name, provider, stream), func(t *testing.T) {
					t.Parallel()
					test(trial{t, s, question{model: provider + "/" + chatModel, stream: stream}})
				})
			}
		}
	}
}

// must asks the question and wants an answer.
func (t trial) must() reply {
	t.Helper()
	r, err := t.s.say(t.T, t.q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryProviderCompletes(t *testing.T) {
	each(t, func(t trial) {
		t.q.text = "Say hello."
		r := t.must()
		if !strings.Contains(r.text, `You wrote: "Say hello."`) || !r.done || len(r.calls) > 0 {
			t.Errorf("answer is %+v", r)
		}
		if r.input <= 0 || r.output <= 0 {
			t.Errorf("%d tokens in, %d out", r.input, r.output)
		}
	})
}

func TestEveryProviderCallsToolsAtOnce(t *testing.T) {
	each(t, func(t trial) {
		t.q.text, t.q.tools = toolQuestion+" [[demo:parallel=2]]", true
		first := t.must()
		if len(first.calls) != 2 || !first.done || first.calls[0].id == first.calls[1].id && first.calls[0].id != "" {
			t.Fatalf("two calls were wanted: %+v", first)
		}
		results := make([]string, len(first.calls))
		for i, c := range first.calls {
			checkCall(t.T, c.name, c.args)
			results[i] = fmt.Sprintf(`{"sky":"clear-%d"}`, i)
		}
		second, err := first.next(results)
		if err != nil {
			t.Fatal(err)
		}
		at := []int{strings.Index(second.text, "clear-0"), strings.Index(second.text, "clear-1")}
		if at[0] < 0 || at[1] < at[0] || len(second.calls) > 0 || !second.done {
			t.Errorf("the results were not taken: %+v", second)
		}
		if second.input <= first.input {
			t.Errorf("the second turn counts %d tokens, the first %d", second.input, first.input)
		}
	})
}

func TestEveryProviderKeepsToASchema(t *testing.T) {
	each(t, func(t trial) {
		t.q.text, t.q.schema = "Tell me of a place.", true
		r := t.must()
		var got struct {
			Place *string
			Good  *bool
		}
		if err := json.Unmarshal([]byte(r.text), &got); err != nil || got.Place == nil || got.Good == nil {
			t.Errorf("%q does not fit: %v", r.text, err)
		}
	})
}

func TestEveryProviderIsShownImages(t *testing.T) {
	each(t, func(t trial) {
		t.q.text, t.q.image = "What is this?", true
		if r := t.must(); !strings.Contains(r.text, "sent along 1 file(s)") {
			t.Errorf("the picture did not arrive: %q", r.text)
		}
	})
}

func TestEveryProvidersErrorsAreTheSDKsOwn(t *testing.T) {
	each(t, func(t trial) {
		for _, want := range []int{400, 429} {
			t.q.text = fmt.Sprintf("[[demo:status=%d]]", want)
			r, err := t.s.say(t.T, t.q)
			if err == nil || t.s.status(err) != want {
				t.Errorf("want status %d: %T %v, %+v", want, err, err, r)
			}
		}
	})
}

// A stream that ends too soon must never look complete, cleanly as it may end.
func TestEveryCutStreamIsAnError(t *testing.T) {
	each(t, func(t trial) {
		for _, how := range []string{"cut=9", "eof=9", "half", "error=9"} {
			t.q.text = "[[demo:tokens=30]] [[demo:" + how + "]]"
			if r, err := t.s.say(t.T, t.q); err == nil {
				t.Errorf("%s: no error, but %+v", how, r)
			}
		}
	})
}

func TestEveryProviderCountsTokens(t *testing.T) {
	for _, s := range speakers() {
		if s.count == nil {
			continue
		}
		for _, provider := range backends() {
			t.Run(s.name+"/"+provider, func(t *testing.T) {
				q := question{model: provider + "/" + chatModel, text: "one two three four"}
				few, err := s.count(t, q)
				if err != nil {
					t.Fatal(err)
				}
				q.text = strings.Repeat(q.text+" ", 20)
				many, err := s.count(t, q)
				if err != nil {
					t.Fatal(err)
				}
				if few <= 0 || many < 8*few {
					t.Errorf("%d tokens, and %d of twenty times the text", few, many)
				}
			})
		}
	}
}
