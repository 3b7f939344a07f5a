package laws

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
)

// id names answers that the gateway writes in the laws.
const id tollgate.RequestID = 0x0190_0000_0000_0010

// RequestLaw says that nothing of a request is lost silently: what the case's
// request is in the target's dialect, read again, is what it was, but for what
// the losses name. It also says that encoding does not change its input, and
// that the own dialect loses nothing at all.
func RequestLaw(c Case, target tollgate.Dialect) error {
	req, err := c.decode()
	if err != nil {
		return err
	}
	before := flatten(*req)
	to := Translators()[target]
	body, losses, err := to.EncodeRequest(req)
	if err != nil {
		return refusal(err, c.Dialect == target)
	}
	if diff := compareFlat("", before, flatten(*req), never); len(diff) > 0 {
		return fmt.Errorf("encoding changed its input: %v", diff)
	}
	if c.Dialect == target {
		for _, l := range losses {
			if !l.Note {
				return fmt.Errorf("the own dialect loses %s: %s", l.Path, l.Why)
			}
		}
	}
	r, err := Case{Dialect: target, Parts: map[string]string{"path": c.pathFor(target, req)}}.Route()
	if err != nil {
		return err
	}
	again, err := to.DecodeRequest(r, body)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w\n%s", err, body)
	}
	return report(unexplained(requests(req, again), losses), losses, body)
}

// refusal accepts a refusal that is a clear error, except in the own dialect.
func refusal(err error, own bool) error {
	e := tollgate.AsError(err)
	ok := e.Code == tollgate.CodeInvalid && e.Field != "" || e.Code == tollgate.CodeUnsupported
	if own || !ok || e.Message == "" {
		return fmt.Errorf("it is refused: %w (code %s, field %q)", err, e.Code, e.Field)
	}
	return nil
}

// pathFor is the path in the target's dialect where the path says more than
// the dialect does.
func (c Case) pathFor(target tollgate.Dialect, req *ir.Request) string {
	switch {
	case target != tollgate.DialectGemini:
		return ""
	case req.Stream:
		return "/v1beta/models/model-x:streamGenerateContent?alt=sse"
	default:
		return ""
	}
}

func (c Case) decode() (*ir.Request, error) {
	r, err := c.Route()
	if err != nil {
		return nil, err
	}
	req, err := Translators()[c.Dialect].DecodeRequest(r, []byte(c.Parts["request"]))
	if err != nil {
		return nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	return req, nil
}

// asked is the request that the case's answer is to.
func (c Case) asked() (*ir.Request, error) {
	if c.Parts["request"] == "" {
		return &ir.Request{Model: "model-x"}, nil
	}
	return c.decode()
}

// AnswerLaw is RequestLaw for whole answers: from the case's dialect to a
// client of the target's.
func AnswerLaw(c Case, target tollgate.Dialect) error {
	req, err := c.asked()
	if err != nil {
		return err
	}
	resp, lost, err := Translators()[c.Dialect].DecodeResponse([]byte(c.Parts["answer"]))
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	before := flatten(*resp)
	to := Translators()[target]
	body, losses := to.EncodeResponse(req, resp, id)
	if diff := compareFlat("", before, flatten(*resp), never); len(diff) > 0 {
		return fmt.Errorf("encoding changed its input: %v", diff)
	}
	again, _, err := to.DecodeResponse(body)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w\n%s", err, body)
	}
	losses = append(losses, lost...)
	return report(unexplained(responses(resp, again), losses), losses, body)
}

// UnfoldLaw says that a whole answer written as a stream says the same as
// written whole.
func UnfoldLaw(c Case, target tollgate.Dialect) error {
	req, err := c.asked()
	if err != nil {
		return err
	}
	resp, _, err := Translators()[c.Dialect].DecodeResponse([]byte(c.Parts["answer"]))
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	to := Translators()[target]
	body, _ := to.EncodeResponse(req, resp, id)
	whole, _, err := to.DecodeResponse(body)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w\n%s", err, body)
	}
	enc := to.StreamEncoder(req, wire.FramingSSE, id)
	var out []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		out = enc.Event(out, ev)
		return true
	})
	folded, err := fold(target, string(out), wire.FramingSSE)
	if err != nil {
		return fmt.Errorf("the stream that was written cannot be read: %w\n%s", err, out)
	}
	return report(unexplained(responses(whole, folded), enc.Losses()), enc.Losses(), out)
}

// StreamLaw is AnswerLaw for streams, event by event. A stream that says itself
// that it failed is one that fails for the client.
func StreamLaw(c Case, target tollgate.Dialect) error {
	req, err := c.asked()
	if err != nil {
		return err
	}
	events, lost, err := Decode(c, 1<<20)
	if err != nil {
		return err
	}
	if fails(events) {
		return failureLaw(req, events, target)
	}
	var f ir.Folder
	for _, ev := range events {
		if err := f.Event(ev); err != nil {
			return fmt.Errorf("the stream is out of order: %w", err)
		}
	}
	resp, whole := f.Response()
	if !whole {
		return errors.New("the stream has no end")
	}
	to := Translators()[target]
	for _, framing := range framings(target) {
		enc := to.StreamEncoder(req, framing, id)
		var out []byte
		for _, ev := range events {
			out = enc.Event(out, ev)
		}
		again, err := fold(target, string(out), framing)
		if err != nil {
			return fmt.Errorf("the stream that was written cannot be read: %w\n%s", err, out)
		}
		losses := append(enc.Losses(), lost...)
		if err := report(unexplained(responses(resp, again), losses), losses, out); err != nil {
			return err
		}
	}
	return nil
}

func fails(events []ir.Event) bool {
	return slices.ContainsFunc(events, func(ev ir.Event) bool {
		_, failed := ev.(ir.Failed)
		return failed
	})
}

func failureLaw(req *ir.Request, events []ir.Event, target tollgate.Dialect) error {
	for _, framing := range framings(target) {
		enc := Translators()[target].StreamEncoder(req, framing, id)
		var out []byte
		for _, ev := range events {
			out = enc.Event(out, ev)
		}
		list, err := frames(string(out), framing, len(out)+1)
		if err != nil {
			return err
		}
		if again, _, err := decode(target, list); err == nil && !fails(again) {
			return fmt.Errorf("the stream failed, and is written as a whole one\n%s", out)
		}
	}
	return nil
}

func framings(d tollgate.Dialect) []wire.Framing {
	if d == tollgate.DialectGemini {
		return []wire.Framing{wire.FramingSSE, wire.FramingJSONArray}
	}
	return []wire.Framing{wire.FramingSSE}
}

// Decode returns the events of the case's stream, read in pieces of n bytes,
// and what they lost.
func Decode(c Case, n int) ([]ir.Event, []ir.Loss, error) {
	text, framing := c.stream()
	list, err := frames(text, framing, n)
	if err != nil {
		return nil, nil, fmt.Errorf("the stream cannot be cut into events: %w", err)
	}
	return decode(c.Dialect, list)
}

func (c Case) stream() (string, wire.Framing) {
	text := c.Parts["stream"]
	if strings.HasPrefix(text, "[") {
		return text, wire.FramingJSONArray
	}
	return text, wire.FramingSSE
}

func decode(d tollgate.Dialect, list []frame) ([]ir.Event, []ir.Loss, error) {
	dec := Translators()[d].StreamDecoder()
	var events []ir.Event
	var err error
	for _, f := range list {
		if events, err = dec.Event(events, f.name, f.data); err != nil {
			return events, dec.Losses(), fmt.Errorf("the event %q cannot be read: %w", f.data, err)
		}
	}
	if events, err = dec.End(events); err != nil {
		return events, dec.Losses(), fmt.Errorf("the stream does not end: %w", err)
	}
	return events, dec.Losses(), nil
}

func fold(d tollgate.Dialect, text string, f wire.Framing) (*ir.Response, error) {
	list, err := frames(text, f, len(text)+1)
	if err != nil {
		return nil, err
	}
	events, _, err := decode(d, list)
	if err != nil {
		return nil, err
	}
	var folder ir.Folder
	for _, ev := range events {
		if err := folder.Event(ev); err != nil {
			return nil, err
		}
	}
	resp, whole := folder.Response()
	if !whole {
		return nil, errors.New("it has no end")
	}
	return resp, nil
}

// FoldLaw says that the case's stream, folded, is the case's answer.
func FoldLaw(c Case) error {
	resp, _, err := Translators()[c.Dialect].DecodeResponse([]byte(c.Parts["answer"]))
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	text, framing := c.stream()
	folded, err := fold(c.Dialect, text, framing)
	if err != nil {
		return err
	}
	return report(responses(resp, folded), nil, []byte(text))
}

// ChunkLaw says that the case's stream means the same in whatever pieces it
// comes; sizes are those that are tried, in bytes.
func ChunkLaw(c Case, sizes ...int) error {
	text, framing := c.stream()
	want, err := frames(text, framing, len(text)+1)
	if err != nil {
		return err
	}
	for _, n := range sizes {
		got, err := frames(text, framing, n)
		if err != nil {
			return fmt.Errorf("in pieces of %d: %w", n, err)
		}
		if !reflect.DeepEqual(want, got) {
			return fmt.Errorf("in pieces of %d it has other events: %q, want %q", n, got, want)
		}
	}
	return nil
}

// TruncationLaw says that a stream that ends before its end is an error, at
// whatever event it ends. Of a long stream only the beginning, the end and some
// places between are tried, unless all is set: each of them is read from the
// start.
func TruncationLaw(c Case, all bool) error {
	text, framing := c.stream()
	list, err := frames(text, framing, len(text)+1)
	if err != nil {
		return err
	}
	last := len(list)
	for n := range list { // the events after the terminator may be missing
		if middle := n >= closely && n < len(list)-closely; middle && !all && n%seldom != 0 {
			continue
		}
		if events, _, err := decode(c.Dialect, list[:n]); err == nil && !fails(events) {
			last = n
			break
		}
	}
	if last == len(list) {
		return nil
	}
	events, _, _ := decode(c.Dialect, list[:last])
	var check ir.Checker
	for _, ev := range events {
		if err := check.Event(ev); err != nil {
			return err
		}
	}
	full, _, err := decode(c.Dialect, list)
	if err != nil {
		return err
	}
	if !check.Whole() || !reflect.DeepEqual(content(events), content(full)) {
		return fmt.Errorf("cut after %d of %d events it is taken for whole", last, len(list))
	}
	return nil
}

// Where a long stream is cut: before each of so many events at either end, and
// before every so manyth between.
const (
	closely = 30
	seldom  = 11
)

// content leaves out what may follow the last content: usage and tier.
func content(events []ir.Event) []ir.Event {
	var out []ir.Event
	for _, ev := range events {
		switch ev.(type) {
		case ir.Progress, ir.Ping, ir.Finish:
		case ir.Start, ir.ItemStart, ir.TextDelta, ir.RefusalDelta, ir.PartAdded, ir.Cited, ir.ThoughtDelta, ir.ArgumentsDelta,
			ir.Sealed, ir.ItemEnd, ir.Stopped, ir.Failed:
			out = append(out, ev)
		}
	}
	return out
}

// UsageLaw says that a translated answer is billed as a passed one.
func UsageLaw(c Case, part string) error {
	tr := Translators()[c.Dialect]
	back, ok := tr.(wire.Outbound)
	if !ok {
		return fmt.Errorf("%T observes nothing", tr)
	}
	obs := back.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
	var got ir.Usage
	if part == "answer" {
		if _, err := obs.Body([]byte(c.Parts[part])); err != nil {
			return err
		}
		resp, _, err := tr.DecodeResponse([]byte(c.Parts[part]))
		if err != nil {
			return err
		}
		got = resp.Usage
	} else {
		text, framing := c.stream()
		list, err := frames(text, framing, len(text)+1)
		if err != nil {
			return err
		}
		for _, f := range list {
			obs.Event(f.name, f.data)
		}
		events, _, err := decode(c.Dialect, list)
		if err != nil {
			return err
		}
		got = told(events)
	}
	if want := obs.Usage(); got.Tokens != want.Tokens || got.Reported != want.Reported {
		return fmt.Errorf("decoded %+v, observed %+v", got, want)
	}
	return nil
}

// told is the usage that events end with.
func told(events []ir.Event) ir.Usage {
	var u ir.Usage
	for _, ev := range events {
		switch ev := ev.(type) {
		case ir.Start:
			u = ev.Usage
		case ir.Progress:
			u = ev.Usage
		case ir.Finish:
			u = ev.Usage
		case ir.ItemStart, ir.TextDelta, ir.RefusalDelta, ir.PartAdded, ir.Cited, ir.ThoughtDelta, ir.ArgumentsDelta,
			ir.Sealed, ir.ItemEnd, ir.Stopped, ir.Ping, ir.Failed:
		}
	}
	return u
}

// ErrorLaw says that a provider's error becomes one of the gateway's with a
// code that fits its status and the provider's own words.
func ErrorLaw(c Case) error {
	var status int
	if _, err := fmt.Sscanf(c.Parts["status"], "%d", &status); err != nil {
		return fmt.Errorf("the case has no status: %w", err)
	}
	e := Translators()[c.Dialect].DecodeError(status, http.Header{}, []byte(c.Parts["error"]))
	if e == nil || e.Message == "" {
		return fmt.Errorf("status %d has no message", status)
	}
	want := strings.TrimSpace(c.Parts["code"])
	if string(e.Code) != want {
		return fmt.Errorf("status %d became %s, want %s", status, e.Code, want)
	}
	if text := strings.TrimSpace(c.Parts["message"]); text != "" && !strings.Contains(e.Message, text) {
		return fmt.Errorf("the message became %q, want %q in it", e.Message, text)
	}
	return nil
}

// Unexplained lists the differences of two requests that no loss covers.
func Unexplained(a, b *ir.Request, losses []ir.Loss) []string {
	var out []string
	for _, d := range unexplained(requests(a, b), losses) {
		out = append(out, d.String())
	}
	return out
}

func never(string) bool { return false }

func report(diffs []difference, losses []ir.Loss, body []byte) error {
	if len(diffs) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("lost silently:\n")
	for _, d := range diffs {
		fmt.Fprintf(&b, "  %s\n", d)
	}
	for _, l := range losses {
		fmt.Fprintf(&b, "  (said: %s: %s, note %v)\n", l.Path, l.Why, l.Note)
	}
	fmt.Fprintf(&b, "  %s", body[:min(len(body), 4000)])
	return errors.New(b.String())
}
