package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate"
	"tollgate/internal/wire"
)

func chatRoute() wire.Route { return wire.Route{Dialect: chat, Operation: tollgate.OpGenerate} }

func geminiRoute(op tollgate.Operation, model string) wire.Route {
	return wire.Route{Dialect: gemini, Operation: op, Model: model, Stream: true}
}

const geminiCap = "generationConfig.maxOutputTokens"

func responsesRoute() wire.Route {
	return wire.Route{Dialect: responses, Operation: tollgate.OpGenerate}
}

func TestPeekReads(t *testing.T) {
	tests := []struct {
		name  string
		route wire.Route
		body  string
		want  wire.Peeked
	}{
		{"plain", chatRoute(), `{"model":"gpt-4o","messages":[]}`, wire.Peeked{Model: "gpt-4o"}},
		{"white space everywhere", chatRoute(), " \r\n\t{ \"model\"\n:\t\"gpt-4o\" , \"stream\" : true } \n", wire.Peeked{Model: "gpt-4o", Stream: true}},
		{"escaped model", chatRoute(), `{"model":"gpt\u002d4\u006f\/x"}`, wire.Peeked{Model: "gpt-4o/x"}},
		{"escaped name", chatRoute(), `{"mod\u0065l":"gpt-4o"}`, wire.Peeked{Model: "gpt-4o"}},
		{"what came before", responsesRoute(), `{"model":"m","previous_response_id":"resp_\u0031","store":false}`, wire.Peeked{Model: "m", PreviousID: "resp_1", Unstored: true}},
		{"nothing came before", responsesRoute(), `{"model":"m","previous_response_id":null,"store":null}`, wire.Peeked{Model: "m"}},
		{"to be kept", responsesRoute(), `{"model":"m","store":true}`, wire.Peeked{Model: "m"}},
		{"state of another dialect", chatRoute(), `{"model":"m","store":false,"previous_response_id":7}`, wire.Peeked{Model: "m"}},
		{"stream null", chatRoute(), `{"model":"m","stream":null}`, wire.Peeked{Model: "m"}},
		{"stream false", chatRoute(), `{"model":"m","stream":false,"stream_options":null}`, wire.Peeked{Model: "m"}},
		{"usage asked for", chatRoute(), `{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true,"model":"m"}`, wire.Peeked{Model: "m", Stream: true, IncludeUsage: true}},
		{"usage declined", chatRoute(), `{"stream_options":{"include_usage":false},"stream":true,"model":"m"}`, wire.Peeked{Model: "m", Stream: true}},
		{"the larger cap", chatRoute(), `{"model":"m","max_tokens":10,"max_completion_tokens":20}`, wire.Peeked{Model: "m", OutputCap: 20}},
		{"odd caps", chatRoute(), `{"model":"m","max_tokens":null,"max_completion_tokens":-3}`, wire.Peeked{Model: "m"}},
		{"a cap of another dialect", chatRoute(), `{"model":"m","max_output_tokens":10}`, wire.Peeked{Model: "m"}},
		{"answers at once", chatRoute(), `{"model":"m","n":3,"service_tier":"priority"}`, wire.Peeked{Model: "m", Choices: 3, ServiceTier: "priority"}},
		{
			"prompts at once",
			wire.Route{Dialect: chat, Operation: tollgate.OpComplete},
			`{"model":"m","prompt":["a","b"],"n":2,"best_of":3}`,
			wire.Peeked{Model: "m", Choices: 6},
		},
		{"one prompt of tokens", wire.Route{Dialect: chat, Operation: tollgate.OpComplete}, `{"model":"m","prompt":[1,2,3]}`, wire.Peeked{Model: "m"}},
		{
			"thinking",
			wire.Route{Dialect: anthropic, Operation: tollgate.OpGenerate},
			`{"model":"m","thinking":{"type":"enabled","budget_tokens":2048},"max_tokens":4096}`,
			wire.Peeked{Model: "m", OutputCap: 4096, ThinkingTokens: 2048},
		},
		{
			"gemini candidates", geminiRoute(tollgate.OpGenerate, "g"), `{"generationConfig":{"candidateCount":2,"max\u004futputTokens":9}}`,
			wire.Peeked{Model: "g", Stream: true, OutputCap: 9, Choices: 2},
		},
		{"user", chatRoute(), `{"model":"m","user":"u1","safety_identifier":"s1"}`, wire.Peeked{Model: "m", User: "u1"}},
		{"safety identifier", chatRoute(), `{"model":"m","safety_identifier":"s1","user":null}`, wire.Peeked{Model: "m", User: "s1"}},
		{"nested names do not count", chatRoute(), `{"model":"m","x":{"model":1,"stream":"x","stream":"y"}}`, wire.Peeked{Model: "m"}},
		{
			"responses",
			wire.Route{Dialect: responses, Operation: tollgate.OpGenerate},
			`{"model":"m","stream":true,"stream_options":{"include_obfuscation":true},"max_output_tokens":1e3}`,
			wire.Peeked{Model: "m", Stream: true, OutputCap: 1000},
		},
		{
			"anthropic",
			wire.Route{Dialect: anthropic, Operation: tollgate.OpGenerate},
			`{"model":"m","max_tokens":64,"metadata":{"user_id":"user_1"},"user":"not this"}`,
			wire.Peeked{Model: "m", OutputCap: 64, User: "user_1"},
		},
		{"embeddings do not stream", wire.Route{Dialect: chat, Operation: tollgate.OpEmbed}, `{"model":"m","input":[1,2],"stream":"what"}`, wire.Peeked{Model: "m"}},
		{"moderation without a model", wire.Route{Dialect: chat, Operation: tollgate.OpModerate}, `{"input":"x"}`, wire.Peeked{Model: wire.DefaultModerationModel}},
		{"moderation with a model", wire.Route{Dialect: chat, Operation: tollgate.OpModerate}, `{"input":"x","model":"m"}`, wire.Peeked{Model: "m"}},
		{"fallbacks by name", chatRoute(), `{"model":"m","models":["a","b","a"]}`, wire.Peeked{Model: "m", Others: []string{"a", "b"}}},
		{"fallbacks and an advisor", wire.Route{Dialect: anthropic, Operation: tollgate.OpGenerate}, `{"fallbacks":[{"model":"a"},{}],"tools":[{"name":"x","input_schema":{"model":7}},{"type":"advisor","mod\u0065l":"b"}],"model":"m"}`, wire.Peeked{Model: "m", Others: []string{"a", "b"}}},
		{"a group of tools", wire.Route{Dialect: responses, Operation: tollgate.OpGenerate}, `{"model":"m","tools":[{"type":"namespace","models":1,"tools":[{"name":"\u0061"}]}]}`, wire.Peeked{Model: "m"}},
		{"gemini tools", geminiRoute(tollgate.OpGenerate, "g"), `{"tools":[],"stream":1,"models":2}`, wire.Peeked{Model: "g", Stream: true}},
		{"odd fallbacks", chatRoute(), `{"model":"m","models":7,"fallbacks":[7,null,{"model":null}],"tools":{"model":"x"}}`, wire.Peeked{Model: "m"}},
		{"gemini", geminiRoute(tollgate.OpGenerate, "g"), `{"contents":[],"generationConfig":{"maxOutputTokens":7}}`, wire.Peeked{Model: "g", Stream: true, OutputCap: 7}},
		{"gemini says it too", geminiRoute(tollgate.OpGenerate, "g"), `{"model":"models/g"}`, wire.Peeked{Model: "g", Stream: true}},
		{"gemini empty", geminiRoute(tollgate.OpGenerate, "g"), `{}`, wire.Peeked{Model: "g", Stream: true}},
		{"gemini nested", geminiRoute(tollgate.OpBatchEmbed, "g"), `{"requests":[{"model":"models/g"},{"model":"g"},{"content":{}}]}`, wire.Peeked{Model: "g", Stream: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.Peek(tt.route, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(wire.Peeked{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// numbered returns n different JSON strings, separated by commas.
func numbered(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%q", fmt.Sprint("m", i)))
	}
	return strings.Join(out, ",")
}

func TestPeekRefuses(t *testing.T) {
	deep := func(n int) string {
		return `{"model":"m","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}"
	}
	var many strings.Builder
	for i := range 1100 {
		fmt.Fprintf(&many, `"k%d":1,`, i)
	}
	tests := []struct {
		name, body, field string
	}{
		{"nothing", "", "body"},
		{"white space", " \n", "body"},
		{"byte order mark", "\xef\xbb\xbf{\"model\":\"m\"}", "body"},
		{"array", `[{"model":"m"}]`, "body"},
		{"string", `"m"`, "body"},
		{"null", `null`, "body"},
		{"not JSON", `model=m`, "body"},
		{"cut", `{"model":"m"`, "body"},
		{"trailing comma", `{"model":"m",}`, "body"},
		{"two values", `{"model":"m"}{}`, "body"},
		{"control character", "{\"model\":\"m\",\"x\":\"a\nb\"}", "body"},
		{"bad escape", `{"model":"m","x":"\q"}`, "body"},
		{"no model", `{"messages":[]}`, "model"},
		{"empty object", `{}`, "model"},
		{"model null", `{"model":null}`, "model"},
		{"model number", `{"model":7}`, "model"},
		{"model object", `{"model":{"id":"m"}}`, "model"},
		{"model empty", `{"model":""}`, "model"},
		{"model blank", `{"model":" m"}`, "model"},
		{"model with control characters", `{"model":"a\u0000b"}`, "model"},
		{"model not UTF-8", "{\"model\":\"a\xffb\"}", "model"},
		{"model with half a pair", `{"model":"a\ud800"}`, "model"},
		{"model too long", `{"model":"` + strings.Repeat("a", 257) + `"}`, "model"},
		{"model twice", `{"model":"a","model":"b"}`, "model"},
		{"model twice, the same", `{"model":"a","x":1,"model":"a"}`, "model"},
		{"model twice, escaped", `{"model":"a","\u006dodel":"b"}`, "model"},
		{"model twice, escaped first", `{"\u006dodel":"b","model":"a"}`, "model"},
		{"Model", `{"model":"a","Model":"b"}`, "model"},
		{"MODEL alone", `{"MODEL":"b"}`, "model"},
		{"model, escaped case", `{"model":"a","\u004dodel":"b"}`, "model"},
		{"Stream", `{"model":"a","Stream":true}`, "stream"},
		{"long s", `{"model":"a","` + "\u017f" + `tream":true}`, "stream"},
		{"Stream_Options", `{"model":"a","Stream_Options":{}}`, "stream_options"},
		{"name with NUL", `{"model":"a","model\u0000":"b"}`, "body"},
		{"name not UTF-8", "{\"model\":\"a\",\"mod\xffel\":\"b\"}", "body"},
		{"name with half a pair", `{"model":"a","model\ud800":"b"}`, "body"},
		{"any field twice", `{"model":"a","messages":[],"messages":[]}`, "messages"},
		{"nameless field twice", `{"":1,"":2,"model":"a"}`, "body"},
		{"stream string", `{"model":"a","stream":"true"}`, "stream"},
		{"stream number", `{"model":"a","stream":1}`, "stream"},
		{"options array", `{"model":"a","stream_options":[]}`, "stream_options"},
		{"usage string", `{"model":"a","stream_options":{"include_usage":"yes"}}`, "stream_options.include_usage"},
		{"usage twice", `{"model":"a","stream_options":{"include_usage":true,"include_usage":false}}`, "stream_options.include_usage"},
		{"fallback twice", `{"model":"a","fallbacks":[{"model":"b","model":"c"}]}`, "fallbacks[].model"},
		{"fallback not UTF-8", "{\"model\":\"a\",\"models\":[\"\xff\"]}", "models"},
		{"Tools", `{"model":"a","Tools":[]}`, "tools"},
		{"too many fallbacks", `{"model":"a","models":[` + numbered(65) + `]}`, "models"},
		{"too deep", deep(64), "body"},
		{"absurdly deep", deep(1_000_000), "body"},
		{"too many fields", "{" + many.String() + `"model":"a"}`, "body"},
		{"too many messages", `{"model":"a","messages":[` + strings.Repeat("{},", 10_000) + "{}]}", "body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.Peek(chatRoute(), []byte(tt.body))
			e := tollgate.AsError(err)
			if err == nil || e.Code != tollgate.CodeInvalid || e.Field != tt.field || e.Message == "" {
				t.Errorf("got %+v, want an error about %s", err, tt.field)
			}
		})
	}
	for _, body := range []string{deep(63), `{"model":"a","tokens":[` + strings.Repeat("1,", 200_000) + "1]}"} {
		if _, err := wire.Peek(chatRoute(), []byte(body)); err != nil {
			t.Errorf("refused within the limits: %v", err)
		}
	}
}

func TestPeekRefusesAnotherModelInGeminiBodies(t *testing.T) {
	tests := []struct {
		op          tollgate.Operation
		body, field string
	}{
		{tollgate.OpGenerate, `{"model":"models/other"}`, "model"},
		{tollgate.OpEmbed, `{"model":"other"}`, "model"},
		{tollgate.OpEmbed, `{"Model":"models/g"}`, "model"},
		{tollgate.OpBatchEmbed, `{"requests":[{"model":"models/g"},{"model":"models/other"}]}`, "requests[1].model"},
		{tollgate.OpBatchEmbed, `{"requests":[{"model":"models/g","mod\u0065l":"models/other"}]}`, "requests[0].model"},
		{tollgate.OpBatchEmbed, `{"requests":["x"]}`, "requests[0]"},
		{tollgate.OpCount, `{"generateContentRequest":{"contents":[],"model":"models/other"}}`, "generateContentRequest.model"},
		{tollgate.OpCount, `{"generate_content_request":{"model":7}}`, "generate_content_request.model"},
		{tollgate.OpCount, `{"generateContentRequest":7}`, "generateContentRequest"},
	}
	for _, tt := range tests {
		_, err := wire.Peek(geminiRoute(tt.op, "g"), []byte(tt.body))
		if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != tt.field {
			t.Errorf("%s: %+v, want an error about %s", tt.body, err, tt.field)
		}
	}
}

func TestUserTagIsCutAtACharacter(t *testing.T) {
	p, err := wire.Peek(chatRoute(), []byte(`{"model":"m","user":"`+strings.Repeat("é", 200)+`x"}`))
	if err != nil || len(p.User) != 256 || !utf8.ValidString(p.User) {
		t.Errorf("user is %d bytes, %v", len(p.User), err)
	}
	p, err = wire.Peek(chatRoute(), []byte(`{"model":"m","user":"x`+strings.Repeat("é", 200)+`"}`))
	if err != nil || len(p.User) != 255 || !utf8.ValidString(p.User) {
		t.Errorf("user is %d bytes, %v", len(p.User), err)
	}
}

func TestSplice(t *testing.T) {
	tests := []struct {
		name  string
		route wire.Route
		in    string
		edits wire.Edits
		want  string
	}{
		{"nothing", chatRoute(), `{"model":"a"}`, wire.Edits{}, `{"model":"a"}`},
		{"same model", chatRoute(), `{"model":"\u0061"}`, wire.Edits{Model: "a"}, `{"model":"\u0061"}`},
		{"model", chatRoute(), ` { "x":1, "model" : "a" , "y":"a"} `, wire.Edits{Model: `b"c`}, ` { "x":1, "model" : "b\"c" , "y":"a"} `},
		{"usage absent", chatRoute(), ` { "model":"a","stream":true}`, wire.Edits{IncludeUsage: true}, ` {"stream_options":{"include_usage":true}, "model":"a","stream":true}`},
		{"usage asked", chatRoute(), `{"model":"a","stream_options":{"include_usage": true}}`, wire.Edits{IncludeUsage: true}, `{"model":"a","stream_options":{"include_usage": true}}`},
		{"usage false", chatRoute(), `{"model":"a","stream_options":{"include_usage": false }}`, wire.Edits{IncludeUsage: true}, `{"model":"a","stream_options":{"include_usage": true }}`},
		{"usage null", chatRoute(), `{"stream_options":{"include_usage":null},"model":"a"}`, wire.Edits{IncludeUsage: true, Model: "b"}, `{"stream_options":{"include_usage":true},"model":"b"}`},
		{"options null", chatRoute(), `{"stream_options":null,"model":"a"}`, wire.Edits{IncludeUsage: true}, `{"stream_options":{"include_usage":true},"model":"a"}`},
		{"options empty", chatRoute(), `{"stream_options":{ },"model":"a"}`, wire.Edits{IncludeUsage: true}, `{"stream_options":{"include_usage":true},"model":"a"}`},
		{"other options", chatRoute(), `{"stream_options":{ "x":1 },"model":"a"}`, wire.Edits{IncludeUsage: true}, `{"stream_options":{"include_usage":true, "x":1 },"model":"a"}`},
		{"caps", chatRoute(), `{"max_tokens":100,"model":"a","max_completion_tokens":5}`, wire.Edits{OutputCap: 50}, `{"max_tokens":50,"model":"a","max_completion_tokens":5}`},
		{"no cap is added", chatRoute(), `{"model":"a"}`, wire.Edits{OutputCap: 50}, `{"model":"a"}`},
		{"a cap is added", chatRoute(), `{"model":"a"}`, wire.Edits{OutputCap: 50, CapName: "max_tokens"}, `{"max_tokens":50,"model":"a"}`},
		{"a cap that is none", chatRoute(), `{"model":"a","max_tokens":null,"max_completion_tokens":-1}`, wire.Edits{OutputCap: 50, CapName: "max_tokens"}, `{"model":"a","max_tokens":50,"max_completion_tokens":50}`},
		{"a cap in words", chatRoute(), `{"model":"a","max_tokens":"999"}`, wire.Edits{OutputCap: 50, CapName: "max_tokens"}, `{"model":"a","max_tokens":50}`},
		{"another dialect's cap", chatRoute(), `{"model":"a","max_output_tokens":5}`, wire.Edits{OutputCap: 50, CapName: "max_tokens"}, `{"max_tokens":50,"model":"a","max_output_tokens":5}`},
		{"cap and usage", chatRoute(), `{"model":"a"}`, wire.Edits{OutputCap: 50, CapName: "max_tokens", IncludeUsage: true}, `{"stream_options":{"include_usage":true},"max_tokens":50,"model":"a"}`},
		{"gemini cap", geminiRoute(tollgate.OpGenerate, "a"), `{"contents":[]}`, wire.Edits{OutputCap: 4, CapName: geminiCap}, `{"generationConfig":{"maxOutputTokens":4},"contents":[]}`},
		{"gemini cap alone", geminiRoute(tollgate.OpGenerate, "a"), `{}`, wire.Edits{OutputCap: 4, CapName: geminiCap}, `{"generationConfig":{"maxOutputTokens":4}}`},
		{"gemini cap in a configuration", geminiRoute(tollgate.OpGenerate, "a"), `{"generation_config":{"topK":1}}`, wire.Edits{OutputCap: 4, CapName: geminiCap}, `{"generation_config":{"maxOutputTokens":4,"topK":1}}`},
		{"gemini cap in an empty one", geminiRoute(tollgate.OpGenerate, "a"), `{"generationConfig":null}`, wire.Edits{OutputCap: 4, CapName: geminiCap}, `{"generationConfig":{"maxOutputTokens":4}}`},
		{"moderation", wire.Route{Dialect: chat, Operation: tollgate.OpModerate}, `{"input":"x"}`, wire.Edits{Model: "b"}, `{"model":"b","input":"x"}`},
		{"empty moderation", wire.Route{Dialect: chat, Operation: tollgate.OpModerate}, `{}`, wire.Edits{Model: "b"}, `{"model":"b"}`},
		{"gemini", geminiRoute(tollgate.OpGenerate, "a"), `{"generationConfig":{"maxOutputTokens":9},"model":"models/a"}`, wire.Edits{Model: "b", OutputCap: 4}, `{"generationConfig":{"maxOutputTokens":4},"model":"models/b"}`},
		{
			"gemini nested", geminiRoute(tollgate.OpBatchEmbed, "a"),
			`{"requests":[{"content":1,"model":"models/a"},{"model":"a"},{}]}`,
			wire.Edits{Model: "tunedModels/b"},
			`{"requests":[{"content":1,"model":"tunedModels/b"},{"model":"tunedModels/b"},{}]}`,
		},
		{
			"gemini count", geminiRoute(tollgate.OpCount, "a"),
			`{"generateContentRequest":{"model":"models/a"}}`,
			wire.Edits{Model: "b/c"},
			`{"generateContentRequest":{"model":"models/b/c"}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			p, err := wire.Peek(tt.route, in)
			if err != nil {
				t.Fatal(err)
			}
			got := wire.Splice(in, &p, tt.edits)
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if string(in) != tt.in {
				t.Error("the input was changed")
			}
			if !json.Valid(got) {
				t.Error("the result is not JSON")
			}
			if tt.want == tt.in && len(in) > 0 && &got[0] != &in[0] {
				t.Error("an unchanged body was copied")
			}
		})
	}
}

func TestCompleteData(t *testing.T) {
	for data, want := range map[string]bool{
		"[DONE]": true, " [DONE]": false, "[DONE] ": true, `{"a":1}`: true, `{"a":`: false, "": false, "[DON": false, "<html>": false,
	} {
		if got := wire.CompleteData([]byte(data)); got != want {
			t.Errorf("CompleteData(%q) = %v", data, got)
		}
	}
}

// topLevel decodes the top level of a body by encoding/json alone; repeated
// says that a name comes twice.
func topLevel(body []byte) (members map[string]json.RawMessage, repeated, ok bool) {
	if json.Unmarshal(body, &members) != nil || members == nil {
		return nil, false, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	names := 0
	for depth, isName := 0, true; ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			if depth == 1 {
				isName = true
			}
		default:
			if depth == 1 {
				if isName {
					names++
				}
				isName = !isName
			}
		}
	}
	return members, names != len(members), true
}

func FuzzPeek(f *testing.F) {
	for _, s := range []string{
		`{"model":"m"}`, `{"model":"a","model":"b"}`, `{"mod\u0065l":"x","stream":true}`, `{"Model":"x"}`, `[]`, `{"model":7}`, "",
		`{"model":"m","stream_options":{"include_usage":false},"stream":null,"max_tokens":3}`, `{"model":"m","x":[[[{}]]]}`, "\xef\xbb\xbf{}",
		`{"requests":[{"model":"models/m"}],"generateContentRequest":{"model":"m"}}`, `{"model":"\ud83d\ude00"}`, "{\"model\":\"\xff\"}",
		`{"":{},"":0,`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		fuzzChat(t, body)
		for _, op := range []tollgate.Operation{tollgate.OpGenerate, tollgate.OpBatchEmbed, tollgate.OpCount} {
			r := geminiRoute(op, "m")
			p, err := wire.Peek(r, body)
			if err != nil {
				continue
			}
			out := wire.Splice(body, &p, wire.Edits{Model: "other", OutputCap: 1})
			if _, err := wire.Peek(geminiRoute(op, "other"), out); err != nil {
				t.Fatalf("%s: %q became %q: %v", op, body, out, err)
			}
		}
		if !bytes.Equal(before, body) {
			t.Fatal("the input was changed")
		}
	})
}

func fuzzChat(t *testing.T, body []byte) {
	t.Helper()
	members, repeated, isObject := topLevel(body)
	p, err := wire.Peek(chatRoute(), body)
	if err != nil {
		e := tollgate.AsError(err)
		if e.Code != tollgate.CodeInvalid || e.Field == "" {
			t.Fatalf("%q: %+v", body, err)
		}
		if strings.Contains(e.Message, "not valid JSON") && json.Valid(body) {
			t.Fatalf("%q is JSON, Peek says %v", body, err)
		}
		return
	}
	if !isObject || repeated {
		t.Fatalf("%q accepted (object %v, repeated names %v)", body, isObject, repeated)
	}
	var want struct {
		Model  string
		Stream *bool
	}
	if err := json.Unmarshal(body, &want); err != nil || want.Model != p.Model || (want.Stream != nil && *want.Stream) != p.Stream {
		t.Fatalf("%q: Peek says %q, %v; encoding/json says %q, %v (%v)", body, p.Model, p.Stream, want.Model, want.Stream, err)
	}
	out := wire.Splice(body, &p, wire.Edits{Model: "other model", IncludeUsage: true})
	after, repeated, isObject := topLevel(out)
	if !isObject || repeated {
		t.Fatalf("%q became %q", body, out)
	}
	for name, value := range members {
		if name != "model" && name != "stream_options" && !bytes.Equal(after[name], value) {
			t.Fatalf("%q became %q: %s changed", body, out, name)
		}
	}
	var got struct {
		Model   string
		Options struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(out, &got); err != nil || got.Model != "other model" || !got.Options.Usage {
		t.Fatalf("%q became %q (%v)", body, out, err)
	}
}

// conversation is a chat body of about n bytes.
func conversation(n int) []byte {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4o-mini","stream":true,"temperature":0.7,"messages":[{"role":"system","content":"You are helpful."}`)
	for b.Len() < n-len(text)/2 {
		fmt.Fprintf(&b, `,{"role":"user","content":%q}`, text[:min(len(text), max(n-b.Len()-60, 1))])
	}
	b.WriteString(`],"max_tokens":100,"user":"u-1"}`)
	return []byte(b.String())
}

func BenchmarkPeek(b *testing.B) {
	for _, n := range []int{1 << 10, 100 << 10} {
		b.Run(fmt.Sprintf("%dkB", n>>10), func(b *testing.B) {
			body := conversation(n)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Peek(chatRoute(), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSplice(b *testing.B) {
	for _, n := range []int{1 << 10, 100 << 10} {
		b.Run(fmt.Sprintf("%dkB", n>>10), func(b *testing.B) {
			body := conversation(n)
			p, err := wire.Peek(chatRoute(), body)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if out := wire.Splice(body, &p, wire.Edits{Model: "upstream-model", IncludeUsage: true}); len(out) <= len(body) {
					b.Fatal("nothing was inserted")
				}
			}
		})
	}
}
