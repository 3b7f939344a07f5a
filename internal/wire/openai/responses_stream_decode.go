package openai

import (
	"maps"
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// responsesDecoder reads the events of the Responses API. Items are known by
// output_index: some servers change ids from event to event. Whatever the
// deltas left out is taken from the events that repeat it, so that servers
// which send those alone are read as well.
type responsesDecoder struct {
	started, ended bool
	items          map[int64]*responsesIn // open, by output_index
	seen           map[int64]bool         // ended, or told of
	next           int                    // index of the next item in ir
	calls, refused bool
}

// StreamDecoder implements wire.Back.
func (Responses) StreamDecoder() wire.StreamDecoder {
	return &responsesDecoder{items: map[int64]*responsesIn{}, seen: map[int64]bool{}}
}

// maxOutputItems bounds how many items an answer may have.
const maxOutputItems = 4096

// Losses implements wire.StreamDecoder.
func (d *responsesDecoder) Losses() []ir.Loss { return nil }

// End implements wire.StreamDecoder.
func (d *responsesDecoder) End(dst []ir.Event) ([]ir.Event, error) {
	if !d.ended {
		return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's stream ended before the answer was complete")
	}
	return dst, nil
}

// Event implements wire.StreamDecoder.
func (d *responsesDecoder) Event(dst []ir.Event, name, data []byte) ([]ir.Event, error) {
	if d.ended || len(data) == 0 || wire.IsDone(data) {
		return dst, nil // some servers add [DONE]; response.failed follows error
	}
	o, err := jsondoc.Parse(data, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	kind := o.Str("type")
	if kind == "" {
		kind = string(name)
	}
	dst = d.event(dst, kind, o)
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	if len(d.items)+len(d.seen) > maxOutputItems {
		return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer has more than %d items", maxOutputItems)
	}
	return dst, nil
}

func (d *responsesDecoder) event(dst []ir.Event, kind string, o *jsondoc.Object) []ir.Event {
	switch kind {
	case "response.created", "response.in_progress", "response.queued":
		return d.start(dst, o.Object("response"))
	case "response.completed", "response.incomplete", "response.done", "response.failed":
		return d.complete(dst, o.Object("response"))
	case "error":
		return d.fail(dst, responsesFailure(o))
	case "response.output_item.added", "response.output_item.done":
		return d.item(dst, kind == "response.output_item.done", o)
	case "keepalive":
		return append(dst, ir.Ping{})
	}
	if o.Has("error") && !o.Has("item_id") { // a bare error object, as Chat sends it
		return d.fail(dst, responsesFailure(o))
	}
	return d.part(dst, kind, o)
}

func (d *responsesDecoder) fail(dst []ir.Event, err *tollgate.Error) []ir.Event {
	d.ended = true
	return append(dst, ir.Failed{Err: err})
}

// start opens the answer, once.
func (d *responsesDecoder) start(dst []ir.Event, o *jsondoc.Object) []ir.Event {
	if d.started {
		return dst
	}
	d.started = true
	var head ir.Response
	responsesHead(&head, o)
	return append(dst, ir.Start{ID: head.ID, Model: head.Model, Created: head.Created, Usage: head.Usage, ServiceTier: head.ServiceTier})
}

// complete ends the answer with what the whole object adds.
func (d *responsesDecoder) complete(dst []ir.Event, o *jsondoc.Object) []ir.Event {
	if err := responsesUnfinished(o); err != nil {
		return d.fail(dst, tollgate.AsError(err))
	}
	dst = d.start(dst, o)
	output := o.Array("output")
	untold := len(output) > len(d.seen)+len(d.items) // else some server numbers in its own way
	for i, v := range output {
		if index := int64(i); !d.seen[index] && (untold || d.items[index] != nil) {
			dst = d.done(dst, index, v)
		}
	}
	for _, index := range slices.Sorted(maps.Keys(d.items)) {
		dst = d.end(dst, index, d.items[index])
	}
	var end ir.Response
	responsesHead(&end, o)
	stop := responsesStop(o, nil)
	if stop.Reason == ir.StopEnd {
		switch {
		case d.calls:
			stop.Reason = ir.StopTools
		case d.refused:
			stop.Reason = ir.StopRefusal
		}
	}
	d.ended = true
	return append(dst, ir.Stopped{Stop: stop}, ir.Finish{Usage: end.Usage, ServiceTier: end.ServiceTier, Extras: responsesAnswerExtras(o)})
}

// item takes an item that begins or is done.
func (d *responsesDecoder) item(dst []ir.Event, done bool, o *jsondoc.Object) []ir.Event {
	n := o.Int("output_index")
	v := o.Get("item")
	if n == nil || v.Kind() != jsondoc.IsObject {
		o.Get("output_index").Fail("and item belong to an event about an item")
		return dst
	}
	dst = d.start(dst, &jsondoc.Object{})
	switch {
	case d.seen[*n]:
		return dst
	case done:
		return d.done(dst, *n, v)
	case d.items[*n] == nil:
		dst, _ = d.begin(dst, *n, v.Object())
	}
	return dst
}

// done takes a whole item: what of it was not told is told, then it ends.
func (d *responsesDecoder) done(dst []ir.Event, index int64, v jsondoc.Value) []ir.Event {
	o := v.Object()
	in := d.items[index]
	if in == nil {
		dst, in = d.begin(dst, index, o)
	}
	switch in.kind {
	case inMessage:
		for k, p := range o.Array("content") {
			dst = d.wholePart(dst, in, int64(k), p.Object())
		}
	case inCall:
		text := o.Str("arguments")
		if in.custom {
			text = o.Str("input")
		}
		dst = d.arguments(dst, in, text, true)
	case inThought:
		dst = d.wholeThought(dst, in, o)
	case inOpaque:
		for _, it := range responsesItem(nil, v) {
			dst = d.whole(dst, it)
		}
	}
	return d.end(dst, index, in)
}

// whole tells an item that comes as one.
func (d *responsesDecoder) whole(dst []ir.Event, it ir.Item) []ir.Event {
	at := d.number()
	m, ok := it.(ir.Message)
	if !ok {
		return append(dst, ir.ItemStart{Index: at, Item: it}, ir.ItemEnd{Index: at})
	}
	parts := m.Parts
	m.Parts = nil
	dst = append(dst, ir.ItemStart{Index: at, Item: m})
	for k, p := range parts {
		dst = append(dst, ir.PartAdded{Index: at, Part: k, Content: p})
	}
	return append(dst, ir.ItemEnd{Index: at})
}

func (d *responsesDecoder) number() int {
	d.next++
	return d.next - 1
}
