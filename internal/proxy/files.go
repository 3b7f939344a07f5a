package proxy

import (
	"context"
	"encoding/base64"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
)

// maxFiles bounds the files that are fetched for one request.
const maxFiles = 16

// FileFetcher reads a file from the web for a provider that cannot.
type FileFetcher interface {
	// Fetch returns media type and content of an https URL. Errors are
	// CodeInvalid: the file is not to be had, or not to be sent on.
	Fetch(ctx context.Context, url string) (mime string, data []byte, err error)
}

// inline returns items with what they refer to by https in place of the
// references. items itself stays as it is.
func (c *call) inline(items []ir.Item) ([]ir.Item, error) {
	f := inliner{c: c}
	out := make([]ir.Item, len(items))
	for i, it := range items {
		switch x := it.(type) {
		case ir.Message:
			x.Parts = f.parts(x.Parts, ir.ItemPath(i))
			it = x
		case ir.ToolResult:
			x.Parts = f.parts(x.Parts, ir.ItemPath(i))
			it = x
		case ir.ToolCall, ir.Thought, ir.Opaque:
		}
		out[i] = it
	}
	return out, f.err
}

// inliner fetches the files of one request, in order, until one fails.
type inliner struct {
	c     *call
	count int
	bytes int64
	err   error
}

func (f *inliner) parts(parts []ir.Part, at string) []ir.Part {
	out := make([]ir.Part, len(parts))
	for k, p := range parts {
		switch x := p.(type) {
		case ir.Image:
			x.Source = f.source(x.Source, ir.PartPath(at, k))
			p = x
		case ir.File:
			x.Source = f.source(x.Source, ir.PartPath(at, k))
			p = x
		case ir.Audio:
			x.Source = f.source(x.Source, ir.PartPath(at, k))
			p = x
		case ir.Text, ir.Refusal, ir.Opaque:
		}
		out[k] = p
	}
	return out
}

func (f *inliner) source(s ir.Source, at string) ir.Source {
	if f.err != nil || !strings.HasPrefix(s.URL, "https://") {
		return s
	}
	if f.count++; f.count > maxFiles {
		f.err = tollgate.Invalidf(at, "the request refers to more than %d files that would have to be fetched", maxFiles)
		return s
	}
	mime, data, err := f.c.p.Files.Fetch(&f.c.ctx, s.URL)
	if err != nil {
		e := *tollgate.AsError(err)
		e.Field = at
		f.err = &e
		return s
	}
	if f.bytes += int64(len(data)); f.bytes > f.c.p.Limits.MaxBody {
		f.err = tollgate.Invalidf(at, "the files that the request refers to are larger than %d bytes in all", f.c.p.Limits.MaxBody)
		return s
	}
	if s.MIME == "" || strings.HasPrefix(mime, "image/") {
		s.MIME = mime
	}
	s.URL, s.Data = "", base64.StdEncoding.EncodeToString(data)
	return s
}
