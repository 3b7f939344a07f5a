package wiretest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// Recording is a provider's answer that was recorded elsewhere.
type Recording struct {
	File   string
	URI    string // of the request, where the recording tells
	Body   string // as it was on the wire; "" when the recording holds events
	Events []string
}

// Recordings is ReadRecordings for tests. A missing dir is said and gives none.
func Recordings(t *testing.T, dir string) []Recording {
	t.Helper()
	out, err := ReadRecordings(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Logf("no recordings at %s: this check is left out", dir)
	}
	return out
}

// ReadRecordings reads the recordings under dir: X.chunks.txt (an event's data a
// line), X.json (a body), *.yaml (cassettes whose answers are strings) and
// *.responses (a JSON text a line). A missing dir gives none.
func ReadRecordings(dir string) ([]Recording, error) {
	var out []Recording
	tree := os.DirFS(dir)
	err := fs.WalkDir(tree, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(file, ".chunks.txt"):
			out = append(out, Recording{File: file, Events: strings.Split(strings.TrimSpace(string(text)), "\n")})
		case strings.HasSuffix(file, ".json"):
			out = append(out, Recording{File: file, Body: string(text)})
		case strings.HasSuffix(file, ".yaml"):
			out = append(out, cassette(file, string(text))...)
		case strings.HasSuffix(file, ".responses"):
			out = append(out, scripted(file, text)...)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

// scripted reads lines of {method, response}.
func scripted(file string, text []byte) []Recording {
	var out []Recording
	for line := range bytes.Lines(text) {
		var r struct{ Response json.RawMessage }
		if json.Unmarshal(line, &r) != nil {
			continue
		}
		var events []json.RawMessage
		if json.Unmarshal(r.Response, &events) != nil {
			out = append(out, Recording{File: file, Body: string(r.Response)})
			continue
		}
		rec := Recording{File: file}
		for _, e := range events {
			rec.Events = append(rec.Events, string(e))
		}
		out = append(out, rec)
	}
	return out
}

// cassette picks the request addresses and the answers that are strings out of
// a YAML file as PyYAML writes it. It is no YAML reader: it knows the scalars
// that such files use and skips everything else.
func cassette(file, text string) []Recording {
	var out []Recording
	uri := ""
	lines := strings.Split(text, "\n")
	for i := range lines {
		name, value, ok := strings.Cut(strings.TrimSpace(lines[i]), ": ")
		if !ok || (name != "string" && name != "uri") {
			continue
		}
		body, ok := scalar(value, lines[i+1:])
		if !ok || body == "" {
			continue
		}
		if name == "uri" {
			uri = body
			continue
		}
		out = append(out, Recording{File: file, URI: uri, Body: body})
	}
	return out
}

// scalar reads a scalar that begins with value and goes on in more.
func scalar(value string, more []string) (string, bool) {
	switch {
	case strings.HasPrefix(value, "!!binary"):
		var b strings.Builder
		indent := indentation(more)
		for _, line := range more {
			if len(line)-len(strings.TrimLeft(line, " ")) < indent {
				break
			}
			b.WriteString(strings.TrimSpace(line))
		}
		return unpack(b.String())
	case strings.HasPrefix(value, `"`):
		return doubleQuoted(value[1:], more)
	case strings.HasPrefix(value, "'"):
		return singleQuoted(value[1:], more)
	case strings.HasPrefix(value, "|"):
		return literal(more), true
	default:
		return value, true
	}
}

// literal reads a block scalar: the lines that are indented as its first one.
func literal(more []string) string {
	var b strings.Builder
	indent := indentation(more)
	for _, line := range more {
		switch {
		case len(line)-len(strings.TrimLeft(line, " ")) >= indent:
			b.WriteString(line[indent:])
		case strings.TrimSpace(line) != "":
			return b.String()
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func indentation(lines []string) int {
	if len(lines) == 0 {
		return 1
	}
	return max(len(lines[0])-len(strings.TrimLeft(lines[0], " ")), 1)
}

func unpack(encoded string) (string, bool) {
	packed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return string(packed), true
	}
	plain, err := io.ReadAll(r)
	return string(plain), err == nil
}

// fold joins the lines of a quoted scalar up to its end: a line end is a
// space, an empty line a line feed; with escapes, a backslash at the end of a
// line joins it to the next.
func fold(first string, more []string, escapes bool, end func(string) int) (string, bool) {
	var b strings.Builder
	for line, i := first, 0; ; i++ {
		if at := end(line); at >= 0 {
			b.WriteString(line[:at])
			return b.String(), true
		}
		slashes := len(line) - len(strings.TrimRight(line, `\`))
		joined := escapes && slashes%2 == 1
		if joined {
			line = line[:len(line)-1]
		}
		b.WriteString(line)
		breaks := 0
		for ; i < len(more) && strings.TrimLeft(more[i], " ") == ""; i++ {
			breaks++
		}
		if i >= len(more) {
			return "", false
		}
		line = strings.TrimLeft(more[i], " ")
		switch {
		case breaks > 0:
			b.WriteString(strings.Repeat("\n", breaks))
		case !joined:
			b.WriteByte(' ')
		}
	}
}

func singleQuoted(first string, more []string) (string, bool) {
	text, ok := fold(first, more, false, func(line string) int {
		for i := 0; i < len(line); i++ {
			if line[i] == '\'' {
				if i+1 == len(line) || line[i+1] != '\'' {
					return i
				}
				i++
			}
		}
		return -1
	})
	return strings.ReplaceAll(text, "''", "'"), ok
}

func doubleQuoted(first string, more []string) (string, bool) {
	text, ok := fold(first, more, true, func(line string) int {
		for i := 0; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				return i
			}
		}
		return -1
	})
	if !ok {
		return "", false
	}
	// What is left of YAML's escapes is those of Go, but for the escaped space
	// and \xXX, which is a character and not a byte.
	plain, err := strconv.Unquote(`"` + strings.NewReplacer(`\\`, `\\`, `\ `, " ", "\n", `\n`, `\x`, `\u00`).Replace(text) + `"`)
	return plain, err == nil
}

// Replay gives a recording to w, as a stream or as a whole body, and returns
// the JSON texts it consists of, for a judge.
func Replay(w wire.Observer, r Recording) (texts []string, stream bool) {
	reader := sse.Reader(sse.NewScanner(sse.Limits{Line: 64 << 20, Event: 64 << 20}))
	body := strings.TrimSpace(r.Body)
	switch {
	case r.Events != nil:
		for _, e := range r.Events {
			w.Event(nil, []byte(e))
		}
		return r.Events, true
	case strings.HasPrefix(body, "["):
		reader = sse.NewArrayScanner(sse.Limits{Event: 64 << 20})
	case strings.HasPrefix(body, "{") || body == "":
		if _, err := w.Body([]byte(body)); err != nil {
			return nil, false
		}
		return []string{body}, false
	}
	for from := 0; from < len(r.Body); {
		n := copy(reader.Buffer(), r.Body[from:])
		reader.Fill(n)
		from += n
		for {
			e, ok, err := reader.Next()
			if err != nil || !ok {
				break
			}
			if e.Data != nil {
				texts = append(texts, string(e.Data))
				w.Event(e.Name, e.Data)
			}
		}
	}
	if e, ok, _ := reader.Finish(); ok && e.Data != nil {
		texts = append(texts, string(e.Data))
		w.Event(e.Name, e.Data)
	}
	return texts, true
}
