package gemini

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// StreamDecoder implements wire.Back.
func (Codec) StreamDecoder() wire.StreamDecoder { return &decoder{choices: map[int64]*choice{}} }

// DecodeResponse implements wire.Back. A whole answer is a stream of one
// event, so that both are read by the same code.
func (Codec) DecodeResponse(body []byte) (*ir.Response, []ir.Loss, error) {
	d := decoder{choices: map[int64]*choice{}, whole: true}
	events, err := d.Event(nil, nil, body)
	if err == nil {
		events, err = d.End(events)
	}
	if err != nil {
		return nil, nil, err
	}
	var fold ir.Folder
	for _, ev := range events {
		if err := fold.Event(ev); err != nil {
			return nil, nil, err
		}
	}
	resp, _ := fold.Response()
	return resp, d.Losses(), nil
}

// decoder reads an answer. Every event is a whole response with what is new.
// There is no terminator: the answer is over when it ends, and whole when every
// candidate has a finish reason.
type decoder struct {
	out     []ir.Event
	whole   bool // one body rather than a stream
	started bool
	failed  bool
	answer  bool // something of an answer has come
	blocked bool // the prompt was refused
	choices map[int64]*choice
	order   []int64
	ids     ir.CallIDs
	tally   tally
	usage   ir.Usage
	extras  extraBag
	losses  ir.Losses
}

// Losses implements wire.StreamDecoder.
func (d *decoder) Losses() []ir.Loss { return d.losses.List() }

// Event implements wire.StreamDecoder.
func (d *decoder) Event(dst []ir.Event, _, data []byte) ([]ir.Event, error) {
	if d.failed || len(bytes.TrimSpace(data)) == 0 || wire.IsDone(data) {
		return dst, nil
	}
	o, err := parse(data)
	if err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	d.out = dst
	d.response(o)
	dst, d.out = d.out, nil
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	return dst, nil
}

func (d *decoder) emit(ev ir.Event) { d.out = append(d.out, ev) }

func (d *decoder) response(o *jsondoc.Object) {
	if v := o.Get("error"); v.Kind() == jsondoc.IsObject {
		d.failed = true
		d.emit(ir.Failed{Err: readStatus(v.Object(), 0)})
		return
	}
	candidates := list(o.Get("candidates"))
	usage := o.Get("usageMetadata")
	feedback := o.Get("promptFeedback")
	model, id, created := o.Str("modelVersion"), o.Str("responseId"), createTime(o.Get("createTime"))
	d.answer = d.answer || len(candidates) > 0 || usage.Present() || feedback.Present()
	if !d.answer {
		return // an empty object, or news of another kind
	}
	if !d.started {
		d.started = true
		d.emit(ir.Start{ID: id, Model: model, Created: created})
	}
	finished := false
	for _, c := range candidates {
		finished = d.candidate(c) || finished
	}
	if feedback.Present() {
		finished = d.feedback(feedback) || finished
	}
	if usage.Kind() == jsondoc.IsObject {
		d.readUsage(usage, finished)
	}
	o.Rest(func(name string, raw json.RawMessage) { d.extras.put(name, raw, &d.losses) })
}

func createTime(v jsondoc.Value) int64 {
	if at, err := time.Parse(time.RFC3339Nano, v.Str()); err == nil {
		return at.Unix()
	}
	return 0
}

// readUsage counts as the observer of passed answers does.
func (d *decoder) readUsage(v jsondoc.Value, finished bool) {
	raw := v.Raw()
	c, counted, _ := readCounts(raw, 0)
	before := d.usage
	d.tally.take(&c, counted, finished)
	d.usage.Tokens, d.usage.Reported = d.tally.tokens, d.tally.reported
	o := v.Object()
	d.usage.AudioInput, d.usage.ImageInput = modalities(o.Get("promptTokensDetails"))
	d.usage.AudioOutput, d.usage.ImageOutput = modalities(o.Get("candidatesTokensDetails"))
	if d.usage.Reported && d.usage != before && !d.whole {
		d.emit(ir.Progress{Usage: d.usage})
	}
}

func modalities(v jsondoc.Value) (audio, image int64) {
	if v.Kind() != jsondoc.IsArray {
		return 0, 0
	}
	for _, one := range v.Array() {
		if one.Kind() != jsondoc.IsObject {
			continue
		}
		o := one.Object()
		n, _ := wire.TokenCount(o.Get("tokenCount").Raw())
		switch o.Str("modality") {
		case "AUDIO":
			audio += n
		case "IMAGE":
			image += n
		}
	}
	return audio, image
}

// feedback reads what became of the prompt. One that was blocked has no
// candidates; the client gets a refusal rather than nothing.
func (d *decoder) feedback(v jsondoc.Value) (blocked bool) {
	o := v.Object()
	reason, message := o.Str("blockReason"), o.Str("blockReasonMessage")
	if extras := rest(nil, o, ""); len(extras) > 0 {
		d.extras.put("promptFeedback", v.Raw(), &d.losses)
	}
	if reason == "" || reason == "BLOCK_REASON_UNSPECIFIED" || d.blocked {
		return false
	}
	d.blocked = true
	c := d.choice(0)
	if c.reason == "" {
		c.stop = ir.Stop{Reason: ir.StopFilter, Detail: reason}
	}
	if len(d.order) == 1 && c.next == 0 && c.open == itemNone {
		if message == "" {
			message = "The provider refused the prompt (" + reason + ")."
		}
		c.openMessage()
		d.emit(ir.RefusalDelta{Choice: c.index, Index: c.next, Text: message})
	}
	return true
}

// choice returns the state of candidate n.
func (d *decoder) choice(n int64) *choice {
	c := d.choices[n]
	if c == nil {
		c = &choice{d: d, index: int(n)}
		d.choices[n] = c
		d.order = append(d.order, n)
	}
	return c
}

// candidate reads one candidate and reports whether it is finished.
func (d *decoder) candidate(v jsondoc.Value) (finished bool) {
	o := v.Object()
	at := o.Get("index")
	n := whole(at)
	if n == nil {
		n = new(int64)
	}
	if *n < 0 || *n >= maxChoices {
		at.Fail("must be between 0 and %d", maxChoices-1)
		return false
	}
	c := d.choice(*n)
	content := o.Get("content")
	c.logprobs = readLogprobs(o.Get("logprobsResult"))
	c.citations(o)
	c.content(content.Object())
	c.flushLogprobs()
	c.keepGrounding()
	if reason := o.Str("finishReason"); reason != "" && reason != "FINISH_REASON_UNSPECIFIED" {
		c.reason, c.stop = reason, ir.Stop{}
	}
	o.Rest(func(name string, raw json.RawMessage) {
		d.extras.put("candidates["+strconv.FormatInt(*n, 10)+"]."+name, raw, &d.losses)
	})
	return c.reason != ""
}

// End implements wire.StreamDecoder.
func (d *decoder) End(dst []ir.Event) ([]ir.Event, error) {
	if d.failed {
		return dst, nil
	}
	if !d.started || (len(d.order) == 0 && !d.whole) {
		return dst, wire.NotAnAnswer(errNoAnswer)
	}
	for _, n := range d.order {
		if c := d.choices[n]; c.reason == "" && c.stop.Reason == "" && !d.whole {
			return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer broke off: it has no finish reason")
		}
	}
	d.out = dst
	if len(d.order) == 0 {
		d.choice(0)
	}
	for _, n := range d.order {
		c := d.choices[n]
		c.close()
		if c.stop.Reason == "" {
			c.stop = stopOf(c.reason, c.called)
		}
		d.emit(ir.Stopped{Choice: c.index, Stop: c.stop})
	}
	d.emit(ir.Finish{Usage: d.usage, ServiceTier: tierIn(d.tally.tier), Extras: d.extras.list()})
	dst, d.out = d.out, nil
	return dst, nil
}

// maxExtraBytes bounds what is kept of members without a field.
const maxExtraBytes = 256 << 10

// extraBag keeps the last value of every member that has no field.
type extraBag struct {
	raw   map[string]json.RawMessage
	names []string
	size  int
}

func (b *extraBag) put(path string, raw json.RawMessage, losses *ir.Losses) {
	if b.raw == nil {
		b.raw = map[string]json.RawMessage{}
	}
	old, known := b.raw[path]
	if b.size+len(raw)-len(old) > maxExtraBytes {
		losses.Lose("extras."+path, "too large to be kept")
		return
	}
	if !known {
		b.names = append(b.names, path)
		b.size += len(path)
	}
	b.raw[path] = raw
	b.size += len(raw) - len(old)
}

func (b *extraBag) list() []ir.Extra {
	var out []ir.Extra
	for _, name := range b.names {
		out = append(out, ir.Extra{Dialect: own, Path: name, Raw: b.raw[name]})
	}
	return out
}
