package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// turn is what a conversation of any dialect consists of in these tests.
type turn struct {
	text   string // of the user
	image  bool   // the user shows a picture
	stream bool
	tools  bool // two tools are on offer
	think  bool
	schema bool   // JSON that fits a schema is wanted
	begun  func() // called with every event of a stream
	// before is the conversation so far, in the dialect's own spelling, and
	// answers are the results of the calls that it ended with.
	before  []any
	answers []toolCall
}

// toolCall is a call as a client reads it.
type toolCall struct{ id, name, args string }

// reply is an answer as a client of its dialect reads it.
type reply struct {
	status   int
	header   http.Header
	body     string // as it came
	err      error  // of reading it: the connection was cut
	text     string
	thoughts string
	calls    []toolCall
	stop     string
	input    int64 // tokens, as the dialect counts them, caches included
	output   int64
	failure  string // the message of an error, also in a stream
	ended    bool   // the stream had its terminator
	// said is the conversation up to here, to be sent again with the next turn.
	said []any
}

// speaker is a client of one dialect, written by hand after the vendor's
// documentation: it shares no code with the gateway.
type speaker struct {
	name string
	path func(model string, stream bool) string
	ask  func(model string, t turn) map[string]any
	read func(r *reply, sent map[string]any)
	// event reads one event of a stream; done is called at its end.
	event func(r *reply, s *assembly, name string, data []byte)
	done  func(r *reply, s *assembly, sent map[string]any)
}

// assembly is what a client puts together of a stream.
type assembly struct {
	blocks []map[string]any // by index
	json   []strings.Builder
	whole  map[string]any
	parts  []any
}

func speakers() []speaker {
	return []speaker{chatSpeaker(), responsesSpeaker(), messagesSpeaker(), geminiSpeaker()}
}

// tokenPicture is a PNG of one pixel.
const tokenPicture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func toolSchema() map[string]any {
	return map[string]any{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer", "minimum": 2}},
		"required": []any{"city", "days"}, "additionalProperties": false,
	}
}

func answerSchema() map[string]any {
	return map[string]any{
		"type": "object", "properties": map[string]any{"place": map[string]any{"type": "string"}, "good": map[string]any{"type": "boolean"}},
		"required": []any{"place", "good"}, "additionalProperties": false,
	}
}

var toolNames = []string{"get_weather", "find_hotel"}

// say sends a turn to path and reads the answer.
func (s *speaker) say(ctx context.Context, tb testing.TB, g *gateway, provider, key, model string, t turn, header ...string) *reply {
	tb.Helper()
	sent := s.ask(model, t)
	body, err := json.Marshal(sent)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/"+provider+s.path(model, t.stream), bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	if s.name == "anthropic" {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := g.client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	r := &reply{status: resp.StatusCode, header: resp.Header}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		var b []byte
		b, r.err = io.ReadAll(resp.Body)
		r.body = string(b)
		if r.status == http.StatusOK {
			s.read(r, sent)
		} else {
			r.failure = errorText(b)
		}
		return r
	}
	a := &assembly{}
	r.err = events(resp.Body, func(raw, name string, data []byte) {
		r.body += raw
		if data == nil {
			return
		}
		if t.begun != nil {
			t.begun()
		}
		if msg := errorText(data); msg != "" {
			r.failure = msg
		}
		s.event(r, a, name, data)
	})
	s.done(r, a, sent)
	return r
}

// events cuts a stream into events; it returns what ended it, nil for a clean end.
func events(body io.Reader, fn func(raw, name string, data []byte)) error {
	rd := bufio.NewReader(body)
	var raw, name string
	var data []byte
	for {
		line, err := rd.ReadString('\n')
		raw += line
		switch text := strings.TrimRight(line, "\r\n"); {
		case text == "" && line != "":
			fn(raw, name, data)
			raw, name, data = "", "", nil
		case strings.HasPrefix(text, "event: "):
			name = text[len("event: "):]
		case strings.HasPrefix(text, "data: "):
			data = append(data, text[len("data: "):]...)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errorText finds the message of an error in any of the shapes.
func errorText(b []byte) string {
	var m struct {
		Error    struct{ Message string }
		Response struct{ Error struct{ Message string } }
	}
	if json.Unmarshal(b, &m) != nil {
		return ""
	}
	return m.Error.Message + m.Response.Error.Message
}

func decode(b []byte) map[string]any {
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	return m
}

// at walks down into decoded JSON; names are members, numbers are elements.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func str(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}

func num(v any, path ...any) int64 {
	f, _ := at(v, path...).(float64)
	return int64(f)
}

func arr(v any, path ...any) []any {
	l, _ := at(v, path...).([]any)
	return l
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}
