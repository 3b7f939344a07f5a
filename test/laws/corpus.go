package laws

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

// Case is one file of the corpus, in one dialect. Its parts may be
//
//	request   the body of a generate call
//	path      the path it is sent to, where it says more than the dialect does
//	answer    the body of a whole answer to it
//	stream    the same as a stream (text/event-stream)
//	error     the body of an error answer, its status in the comment
//
// The comment says which hard points the case is about (lines "point: …") and
// otherwise what it is.
type Case struct {
	Name    string // dialect/file
	Dialect tollgate.Dialect
	Points  []string
	Title   string
	Parts   map[string]string
}

// Translators are the four dialects.
func Translators() map[tollgate.Dialect]wire.Translator {
	return map[tollgate.Dialect]wire.Translator{
		tollgate.DialectOpenAIChat:      openai.Chat{},
		tollgate.DialectOpenAIResponses: openai.Responses{},
		tollgate.DialectAnthropic:       anthropic.Codec{},
		tollgate.DialectGemini:          gemini.Codec{},
	}
}

// Load reads every case below dir.
func Load(dir string) ([]Case, error) {
	var out []Case
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".txtar") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := parseCase(dir, path, txtar.Parse(data))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, c)
		return nil
	})
	return out, err
}

func parseCase(dir, path string, a *txtar.Archive) (Case, error) {
	name, err := filepath.Rel(dir, strings.TrimSuffix(path, ".txtar"))
	if err != nil {
		return Case{}, err
	}
	c := Case{Name: filepath.ToSlash(name), Parts: map[string]string{}}
	c.Dialect = tollgate.Dialect(filepath.Base(filepath.Dir(path)))
	if Translators()[c.Dialect] == nil {
		return Case{}, fmt.Errorf("folder %q is no dialect", c.Dialect)
	}
	for line := range strings.Lines(string(a.Comment)) {
		if point, ok := strings.CutPrefix(line, "point:"); ok {
			c.Points = append(c.Points, strings.TrimSpace(point))
		} else if c.Title == "" {
			c.Title = strings.TrimSpace(line)
		}
	}
	for _, f := range a.Files {
		c.Parts[f.Name] = string(f.Data)
	}
	return c, nil
}

// Route is what the path of the case's request tells.
func (c Case) Route() (wire.Route, error) {
	path := strings.TrimSpace(c.Parts["path"])
	if path == "" {
		path = map[tollgate.Dialect]string{
			tollgate.DialectOpenAIChat:      "/v1/chat/completions",
			tollgate.DialectOpenAIResponses: "/v1/responses",
			tollgate.DialectAnthropic:       "/v1/messages",
			tollgate.DialectGemini:          "/v1beta/models/model-x:generateContent",
		}[c.Dialect]
	}
	r, err := http.NewRequest(http.MethodPost, path, nil)
	if err != nil {
		return wire.Route{}, err
	}
	return wire.Classify(r.Method, r.URL, r.Header)
}

// frame is one event of a stream.
type frame struct{ name, data []byte }

// frames cuts a stream into events, reading it in pieces of size n.
func frames(text string, f wire.Framing, n int) ([]frame, error) {
	var in sse.Reader = sse.NewScanner(sse.Limits{})
	if f == wire.FramingJSONArray {
		in = sse.NewArrayScanner(sse.Limits{})
	}
	var out []frame
	for rest := text; rest != ""; {
		k := copy(in.Buffer(), rest[:min(n, len(rest))])
		in.Fill(k)
		rest = rest[k:]
		for {
			ev, ok, err := in.Next()
			if err != nil {
				return out, err
			}
			if !ok {
				break
			}
			if ev.Data != nil {
				out = append(out, frame{name: append([]byte(nil), ev.Name...), data: append([]byte(nil), ev.Data...)})
			}
		}
	}
	ev, ok, err := in.Finish()
	if err == nil && ok && ev.Data != nil && wire.CompleteData(ev.Data) {
		out = append(out, frame{name: append([]byte(nil), ev.Name...), data: append([]byte(nil), ev.Data...)})
	}
	return out, err
}
