// Package tally estimates the input tokens of a request where no provider
// counts them. Every model is counted with OpenAI's o200k vocabulary, which
// comes within some ten percent for the text of most; it is loaded when the
// first count is asked for.
package tally

import (
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"

	"tollgate"
	"tollgate/internal/ir"
)

// What is counted beyond text, in tokens: the frame of a message or tool, and
// a picture or file of unknown size, about what the vendors charge for one of
// a megapixel or for a page.
const (
	perItem = 4
	perFile = 1000
)

// Counter counts tokens. The zero value is ready; it is safe for concurrent use.
type Counter struct {
	once sync.Once
	o200 *codec.Codec
}

// Count returns the estimated input tokens of req. Errors are CodeInternal.
func (c *Counter) Count(req *ir.Request) (int64, error) {
	c.once.Do(func() { c.o200 = codec.NewO200kBase() })
	s := sum{codec: c.o200}
	s.parts(req.System)
	for _, it := range req.Items {
		s.item(it)
	}
	for _, t := range req.Tools {
		s.n += perItem
		s.text(t.Name)
		s.text(t.Description)
		s.text(string(t.Schema))
		s.text(string(t.Grammar))
		s.text(string(t.Server.Raw))
	}
	s.text(string(req.Format.Schema))
	if s.err != nil {
		return 0, tollgate.WrapError(tollgate.CodeInternal, s.err, "the tokens could not be counted")
	}
	return s.n, nil
}

// sum adds up one request.
type sum struct {
	codec *codec.Codec
	n     int64
	err   error
}

func (s *sum) text(t string) {
	if t == "" || s.err != nil {
		return
	}
	var n int
	n, s.err = s.codec.Count(t)
	s.n += int64(n)
}

func (s *sum) item(it ir.Item) {
	s.n += perItem
	switch it := it.(type) {
	case ir.Message:
		s.parts(it.Parts)
	case ir.ToolCall:
		s.text(it.Name)
		s.text(it.Arguments)
	case ir.ToolResult:
		s.parts(it.Parts)
	case ir.Thought:
		for _, t := range it.Texts {
			s.text(t)
		}
	case ir.Opaque:
		s.text(string(it.Raw))
	}
}

func (s *sum) parts(parts []ir.Part) {
	for _, p := range parts {
		switch p := p.(type) {
		case ir.Text:
			s.text(p.Text)
		case ir.Refusal:
			s.text(p.Text)
		case ir.File:
			s.text(p.Title)
			s.text(p.Context)
			if s.text(p.Source.Text); p.Source.Text == "" {
				s.n += perFile
			}
		case ir.Image, ir.Audio:
			s.n += perFile
		case ir.Opaque:
			s.text(string(p.Raw))
		}
	}
}
