package demo_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/internal/demo"
)

// dialects are the generating requests by dialect, %s being the prompt as JSON.
func dialects() map[string]struct{ path, body, streamPath, streamBody string } {
	type d = struct{ path, body, streamPath, streamBody string }
	return map[string]d{
		"chat": {
			"/v1/chat/completions", `{"model":"demo-small","messages":[{"role":"user","content":%s}]}`,
			"/v1/chat/completions", `{"model":"demo-small","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":%s}]}`,
		},
		"completions": {
			"/v1/completions", `{"model":"demo-small","prompt":%s}`,
			"/v1/completions", `{"model":"demo-small","stream":true,"stream_options":{"include_usage":true},"prompt":%s}`,
		},
		"responses": {
			"/v1/responses", `{"model":"demo-small","input":%s}`,
			"/v1/responses", `{"model":"demo-small","stream":true,"input":[{"role":"user","content":%s}]}`,
		},
		"messages": {
			"/v1/messages", `{"model":"demo-small","max_tokens":1000,"messages":[{"role":"user","content":%s}]}`,
			"/v1/messages", `{"model":"demo-small","max_tokens":1000,"stream":true,"messages":[{"role":"user","content":%s}]}`,
		},
		"gemini": {
			"/v1beta/models/demo-small:generateContent", `{"contents":[{"parts":[{"text":%s}]}]}`,
			"/v1beta/models/demo-small:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":%s}]}]}`,
		},
	}
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// post sends body and returns the answer; the transport error if there is none.
func post(t *testing.T, rt http.RoundTripper, url, body string, headers ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Anthropic-Version", "2023-06-01")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := rt.RoundTrip(req)
	if err == nil {
		t.Cleanup(func() { _ = res.Body.Close() })
	}
	return res, err
}

// transports are both ways to reach a vendor: a listener and in-process.
func transports(t *testing.T, v *demo.Vendor) map[string]struct {
	rt   http.RoundTripper
	base string
} {
	t.Helper()
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return map[string]struct {
		rt   http.RoundTripper
		base string
	}{"listener": {tr, srv.URL}, "in-process": {demo.Transport(v), "https://demo.invalid"}}
}

func TestEveryDialectAnswersInBothForms(t *testing.T) {
	for via, tr := range transports(t, &demo.Vendor{}) {
		for name, d := range dialects() {
			t.Run(via+"/"+name, func(t *testing.T) {
				res, err := post(t, tr.rt, tr.base+d.path, fmt.Sprintf(d.body, quoted(t, "Good morning")))
				if err != nil || res.StatusCode != 200 {
					t.Fatalf("plain: %v %v", res, err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil || !json.Valid(body) || !strings.Contains(string(body), "Good morning") {
					t.Fatalf("plain: %s %v", body, err)
				}
				res, err = post(t, tr.rt, tr.base+d.streamPath, fmt.Sprintf(d.streamBody, quoted(t, "Good morning")))
				if err != nil || res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
					t.Fatalf("stream: %v %v", res, err)
				}
				if n := len(events(t, res.Body)); n < 5 {
					t.Fatalf("stream: %d events", n)
				}
			})
		}
	}
}

// events reads the data of every SSE event.
func events(t *testing.T, r io.Reader) []string {
	t.Helper()
	var out []string
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 8<<20)
	for sc.Scan() {
		if data, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
			out = append(out, data)
		}
	}
	return out
}

func TestUsageIsExactAndTheSameInEveryDialect(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	prompt := quoted(t, "one two three [[demo:tokens=7]] [[demo:reasoning=2]] [[demo:cached=3]]")
	// Directives are part of the prompt: three words, three directives.
	want := map[string]string{
		"chat":        `"usage":{"prompt_tokens":%d,"completion_tokens":9,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":3,`,
		"completions": `"usage":{"prompt_tokens":%d,"completion_tokens":9,"total_tokens":%d,`,
		"responses":   `"usage":{"input_tokens":%d,"input_tokens_details":{"cached_tokens":3},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":%d}`,
		"messages":    `"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,`,
		"gemini":      `"usageMetadata":{"promptTokenCount":%d,"candidatesTokenCount":7,"totalTokenCount":%d,"cachedContentTokenCount":3,`,
	}
	const input = 3 + 2 + 2 + 2 // a directive of 17 to 32 bytes is two tokens
	for name, d := range dialects() {
		for _, form := range [][2]string{{d.path, d.body}, {d.streamPath, d.streamBody}} {
			res, err := post(t, rt, "https://demo.invalid"+form[0], fmt.Sprintf(form[1], prompt))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			w := want[name]
			if name == "messages" {
				w = fmt.Sprintf(w, input-3)
			} else {
				w = fmt.Sprintf(w, input, input+9)
			}
			if !strings.Contains(string(body), w) {
				t.Errorf("%s %s: want %s in\n%s", name, form[0], w, body)
			}
			if name == "messages" && !strings.Contains(string(body), `"output_tokens":9`) {
				t.Errorf("messages %s: no output_tokens 9 in\n%s", form[0], body)
			}
		}
	}
}

func TestResponsesStreamNumbersAndOrdersItsEvents(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	for _, prompt := range []string{"hello [[demo:tokens=3]]", "hello [[demo:tokens=3]] [[demo:reasoning=2]]"} {
		res, err := post(t, rt, "https://demo.invalid/v1/responses", fmt.Sprintf(`{"model":"demo-small","stream":true,"input":%s}`, quoted(t, prompt)))
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		var sum strings.Builder
		for i, data := range events(t, res.Body) {
			var ev struct {
				Type     string `json:"type"`
				Sequence *int   `json:"sequence_number"`
				Delta    string `json:"delta"`
				Response struct {
					Output []struct {
						Content []struct{ Text string }
					}
				}
			}
			if err := json.Unmarshal([]byte(data), &ev); err != nil || ev.Sequence == nil || *ev.Sequence != i {
				t.Fatalf("event %d: %v %s", i, err, data)
			}
			types = append(types, strings.TrimPrefix(ev.Type, "response."))
			if ev.Type == "response.output_text.delta" {
				sum.WriteString(ev.Delta)
			}
			if ev.Type == "response.completed" {
				last := ev.Response.Output[len(ev.Response.Output)-1]
				if last.Content[0].Text != sum.String() || sum.Len() == 0 {
					t.Errorf("the final text %q is not the sum of the deltas %q", last.Content[0].Text, sum.String())
				}
			}
		}
		got := strings.Join(types, " ")
		want := "created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.delta output_text.done content_part.done output_item.done completed"
		if strings.Contains(prompt, "reasoning") {
			want = strings.Replace(want, "in_progress ", "in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done ", 1)
		}
		if got != want {
			t.Errorf("order:\n got %s\nwant %s", got, want)
		}
	}
}

func TestMessagesStreamOpensOneBlockAtATime(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	body := `{"model":"demo-small","max_tokens":100,"stream":true,"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"messages":[{"role":"user","content":"[[demo:calls=2]] [[demo:reasoning=1]]"}]}`
	res, err := post(t, rt, "https://demo.invalid/v1/messages", body)
	if err != nil {
		t.Fatal(err)
	}
	open, next, last := -1, 0, ""
	for _, data := range events(t, res.Body) {
		var ev struct {
			Type  string
			Index int
		}
		if err := json.Unmarshal([]byte(data), &ev); err != nil {
			t.Fatal(err)
		}
		last = ev.Type
		switch ev.Type {
		case "content_block_start":
			if open != -1 || ev.Index != next {
				t.Fatalf("block %d starts while %d is open (next %d)", ev.Index, open, next)
			}
			open, next = ev.Index, next+1
		case "content_block_delta":
			if open != ev.Index {
				t.Fatalf("delta for block %d while %d is open", ev.Index, open)
			}
		case "content_block_stop":
			open = -1
		}
	}
	if next != 3 || last != "message_stop" {
		t.Errorf("%d blocks, last event %q", next, last)
	}
}

func TestToolsAreCalledWhenAskedAndResultsQuoted(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	const schema = `{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":2}},"required":["city","unit","days"]}`
	const args = `{\"city\":\"Oslo\",\"unit\":\"celsius\",\"days\":2}`
	cases := map[string]struct{ path, body, want string }{
		"chat": {
			"/v1/chat/completions",
			`{"model":"demo-small","messages":[{"role":"user","content":"What is the weather in Oslo?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":` + schema + `}}]}`,
			`"function":{"name":"get_weather","arguments":"` + args + `"}`,
		},
		"chat result": {
			"/v1/chat/completions",
			`{"model":"demo-small","messages":[{"role":"user","content":"What is the weather in Oslo?"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"rain, 4 degrees"}],"tool_choice":"required","tools":[{"type":"function","function":{"name":"get_weather","parameters":` + schema + `}}]}`,
			`According to get_weather: rain, 4 degrees`,
		},
		"chat without a reason": {
			"/v1/chat/completions",
			`{"model":"demo-small","messages":[{"role":"user","content":"Good day"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":` + schema + `}}]}`,
			`"finish_reason":"stop"`,
		},
		"responses": {
			"/v1/responses",
			`{"model":"demo-small","input":"hi Oslo","tool_choice":{"type":"function","name":"get_weather"},"tools":[{"type":"function","name":"get_weather","parameters":` + schema + `}]}`,
			`"arguments":"` + args + `"`,
		},
		"messages": {
			"/v1/messages",
			`{"model":"demo-small","max_tokens":50,"messages":[{"role":"user","content":"Weather in Oslo?"}],"tools":[{"name":"get_weather","input_schema":` + schema + `}]}`,
			`"input":{"city":"Oslo","unit":"celsius","days":2}`,
		},
		"messages result": {
			"/v1/messages",
			`{"model":"demo-small","max_tokens":50,"messages":[{"role":"user","content":"Weather in Oslo?"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"get_weather","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"snow"}]}],"tools":[{"name":"get_weather","input_schema":` + schema + `}]}`,
			`According to get_weather: snow`,
		},
		"gemini with capital types": {
			"/v1beta/models/demo-small:generateContent",
			`{"contents":[{"role":"user","parts":[{"text":"hi Oslo"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"tools":[{"functionDeclarations":[{"name":"get_weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"},"days":{"type":"INTEGER"}}}}]}]}`,
			`"functionCall":{"name":"get_weather","args":{"city":"Oslo","days":1}}`,
		},
	}
	for name, c := range cases {
		res, err := post(t, rt, "https://demo.invalid"+c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: want %s in\n%s (%v)", name, c.want, body, err)
		}
	}
}

func TestFaultDirectives(t *testing.T) {
	v := &demo.Vendor{}
	for via, tr := range transports(t, v) {
		for name, d := range dialects() {
			t.Run(via+"/"+name, func(t *testing.T) {
				get := func(stream bool, directive string) (string, error) {
					path, body := d.path, d.body
					if stream {
						path, body = d.streamPath, d.streamBody
					}
					res, err := post(t, tr.rt, tr.base+path, fmt.Sprintf(body, quoted(t, "hello "+directive)))
					if err != nil {
						return "", err
					}
					b, err := io.ReadAll(res.Body)
					return fmt.Sprintf("%d %s", res.StatusCode, b), err
				}
				if got, err := get(true, "[[demo:status=503]]"); err != nil || !strings.HasPrefix(got, "503 {") {
					t.Errorf("status: %s %v", got, err)
				}
				if got, err := get(true, "[[demo:cut=4]]"); err == nil || strings.Count(got, "data: ") != 4 {
					t.Errorf("cut: no error, or not 4 events: %s %v", got, err)
				}
				if _, err := get(false, "[[demo:cut]]"); err == nil {
					t.Error("cut of a body: no error")
				}
				if got, err := get(true, "[[demo:eof=4]]"); err != nil || strings.Count(got, "data: ") != 4 {
					t.Errorf("eof: %s %v", got, err)
				}
				if got, err := get(true, "[[demo:half]]"); err != nil || strings.HasSuffix(got, "\n") {
					t.Errorf("half: %q %v", got, err)
				}
				if got, err := get(true, "[[demo:error]]"); err != nil || !strings.Contains(got, `"error"`) || strings.Contains(got, "[DONE]") || strings.Contains(got, "message_stop") {
					t.Errorf("error: %s %v", got, err)
				}
				if got, err := get(true, "[[demo:html]]"); err != nil || !strings.Contains(got, "<html>") {
					t.Errorf("html: %s %v", got, err)
				}
				if got, err := get(false, "[[demo:empty]]"); err != nil || got != "200 " {
					t.Errorf("empty: %q %v", got, err)
				}
				if _, err := get(false, "[[demo:nothing]]"); err == nil {
					t.Error("nothing: an answer came")
				}
				if got, err := get(false, "[[demo:badjson]]"); err != nil || json.Valid([]byte(got[4:])) {
					t.Errorf("badjson: %s %v", got, err)
				}
				if got, err := get(true, "[[demo:noise]]"); err != nil || !strings.Contains(got, "\r\n: keep-alive\r\n") {
					t.Errorf("noise: %s %v", got, err)
				}
				if got, err := get(true, "[[demo:big=100000]]"); err != nil || !strings.Contains(got, strings.Repeat("x", 100000)) {
					t.Errorf("big: %d bytes %v", len(got), err)
				}
			})
		}
	}
}

func TestTimingDirectivesWait(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	for _, directive := range []string{"[[demo:delay=60ms]]", "[[demo:silence=60ms]]", "[[demo:tokens=3]] [[demo:slow=20ms]]"} {
		start := time.Now()
		res, err := post(t, rt, "https://demo.invalid/v1/chat/completions",
			fmt.Sprintf(`{"model":"demo-small","stream":true,"messages":[{"role":"user","content":%s}]}`, quoted(t, directive)))
		if err != nil {
			t.Fatal(err)
		}
		all := events(t, res.Body)
		if d := time.Since(start); d < 60*time.Millisecond || all[len(all)-1] != "[DONE]" {
			t.Errorf("%s: %v, last %q", directive, d, all[len(all)-1])
		}
	}
}

func TestUnknownModelIsTheVendorsOwn404(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	for path, want := range map[string]string{
		"/v1/chat/completions":                `"code":"model_not_found"`,
		"/v1/messages":                        `"type":"not_found_error"`,
		"/v1beta/models/nope:generateContent": `"status":"NOT_FOUND"`,
	} {
		res, err := post(t, rt, "https://demo.invalid"+path, `{"model":"nope","max_tokens":1,"messages":[{"role":"user","content":"x"}],"contents":[{"parts":[{"text":"x"}]}]}`)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 404 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

func TestRequireKeyRefusesInEveryForm(t *testing.T) {
	v := &demo.Vendor{RequireKey: func(key string) int {
		return map[string]int{"good": 200, "limited": 429, "broken": 500}[key] + map[bool]int{true: 401}[key == "bad" || key == ""]
	}}
	rt := demo.Transport(v)
	body := `{"model":"demo-small","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Authorization", "Bearer good", 200},
		{"X-Api-Key", "good", 200},
		{"X-Goog-Api-Key", "good", 200},
		{"Authorization", "Bearer bad", 401},
		{"Authorization", "Bearer limited", 429},
		{"Authorization", "Bearer broken", 500},
		{"X-Other", "good", 401},
	} {
		res, err := post(t, rt, "https://demo.invalid/v1/messages", body, c.header, c.value)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(res.Body); res.StatusCode != c.status {
			t.Errorf("%s: %s: %d %s", c.header, c.value, res.StatusCode, b)
		}
	}
}

func TestRecordingKeepsWhatCame(t *testing.T) {
	v := &demo.Vendor{}
	rt := demo.Transport(v)
	send := func() *http.Response {
		res, err := post(t, rt, "https://demo.invalid/v1/chat/completions?a=b", `{"model":"demo-small","messages":[{"role":"user","content":"hi"}]}`, "X-Test", "yes")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res
	}
	send()
	v.Record(true)
	res := send()
	got := v.Requests()
	if len(got) != 1 || got[0].Number != 2 || got[0].Path != "/v1/chat/completions" || got[0].Query != "a=b" || got[0].Header.Get("X-Test") != "yes" || got[0].Method != "POST" {
		t.Fatalf("%+v", got)
	}
	if id := res.Header.Get("X-Request-Id"); id != "req_demo000000000002" {
		t.Errorf("request id %q does not carry the dispatch number", id)
	}
	if v.Dispatches() != 2 {
		t.Errorf("dispatches: %d", v.Dispatches())
	}
	v.Reset()
	if len(v.Requests()) != 0 {
		t.Error("reset forgot nothing")
	}
}

func TestGeminiStreamsAsArrayWithoutAltSSE(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	res, err := post(t, rt, "https://demo.invalid/v1/models/demo-small:streamGenerateContent", `{"contents":[{"parts":[{"text":"[[demo:tokens=3]]"}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Candidates []struct{ FinishReason string }
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list) != 4 || list[3].Candidates[0].FinishReason != "STOP" {
		t.Fatalf("%v %+v", err, list)
	}
}

func TestOtherOperations(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	for _, c := range []struct{ path, body, want string }{
		{"/v1/embeddings", `{"model":"demo-embed","input":["a b","c"],"dimensions":4}`, `"usage":{"prompt_tokens":3,"total_tokens":3}`},
		{"/v1/embeddings", `{"model":"demo-embed","input":"a","dimensions":2,"encoding_format":"base64"}`, `"embedding":"`},
		{"/v1/moderations", `{"input":"be nice"}`, `"flagged":false`},
		{"/v1/responses/input_tokens", `{"model":"demo-small","input":"one two"}`, `{"object":"response.input_tokens","input_tokens":2}`},
		{"/v1/messages/count_tokens", `{"model":"demo-small","messages":[{"role":"user","content":"one two"}]}`, `{"input_tokens":2}`},
		{"/v1beta/models/demo-small:countTokens", `{"contents":[{"parts":[{"text":"one two"}]}]}`, `"totalTokens":2`},
		{"/v1beta/models/demo-embed:embedContent", `{"content":{"parts":[{"text":"x"}]}}`, `{"embedding":{"values":[`},
		{"/v1beta/models/demo-embed:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"x"}]}},{"content":{"parts":[{"text":"y"}]}}]}`, `{"embeddings":[{"values":[`},
		{"/v1/messages", `{"model":"demo-small","messages":[{"role":"user","content":"x"}]}`, `max_tokens: Field required`},
	} {
		res, err := post(t, rt, "https://demo.invalid"+c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(res.Body); !strings.Contains(string(b), c.want) {
			t.Errorf("%s: want %s in %s", c.path, c.want, b)
		}
	}
}

func TestModelsInThreeProtocols(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	for _, c := range []struct{ path, header, want string }{
		{"/v1/models", "X-Other", `{"object":"list","data":[{"id":"demo-small","object":"model",`},
		{"/v1/models", "Anthropic-Version", `"first_id":"demo-small"`},
		{"/v1/models", "X-Goog-Api-Key", `{"models":[{"name":"models/demo-small",`},
		{"/v1beta/models", "X-Other", `{"models":[{"name":"models/demo-small",`},
		{"/v1/models/demo-large", "X-Other", `"id":"demo-large"`},
		{"/v1beta/models/demo-embed", "X-Other", `"name":"models/demo-embed"`},
		{"/v1/models/nope", "X-Other", `"code":"model_not_found"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://demo.invalid"+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(c.header, "2023-06-01")
		res, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if !strings.Contains(string(b), c.want) {
			t.Errorf("%s %s: want %s in %s", c.path, c.header, c.want, b)
		}
	}
}

// A prompt may spell the calls out; a result is answered with text.
func TestCallsAreMadeAsThePromptSpellsThem(t *testing.T) {
	rt := demo.Transport(&demo.Vendor{})
	const tools = `"tools":[{"functionDeclarations":[{"name":"read"},{"name":"list"}]}]`
	question := `{"role":"user","parts":[{"text":"[[demo:call=read {\"path\":\"a=b\"}]] [[demo:call=absent {}]]"}]},` +
		`{"role":"user","parts":[{"text":"A remark behind it. [[demo:call=list]]"}]}`
	ask := func(contents string) string {
		t.Helper()
		res, err := post(t, rt, "http://demo/v1beta/models/demo-small:generateContent", `{`+tools+`,"contents":[`+contents+`]}`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := ask(question)
	for _, want := range []string{`{"name":"read","args":{"path":"a=b"}}`, `{"name":"list","args":{}}`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	if strings.Contains(first, "absent") {
		t.Errorf("a tool that is not on offer was called: %s", first)
	}
	second := ask(question + `,{"role":"model","parts":[{"functionCall":{"name":"read"}},{"functionCall":{"name":"list"}}]},` +
		`{"role":"user","parts":[{"functionResponse":{"name":"read","response":{"x":1}}},{"functionResponse":{"name":"list","response":{}}}]}`)
	if strings.Contains(second, "functionCall") || !strings.Contains(second, "According to read") {
		t.Errorf("the results got %s", second)
	}
}
