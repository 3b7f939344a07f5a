package openai

import (
	"slices"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesOut is an output item in the making.
type responsesOut struct {
	kind  outKind
	id    string
	index int // of the output, on the wire
	at    string
	added bool
	shell ir.Item
	parts []*responsesOutPart
	text  strings.Builder // a call's arguments or input
	input *ir.InputReader // takes a custom tool's input out of a function's arguments
	done  []byte          // the whole item, once it ended
}

type outKind uint8

const (
	outMessage outKind = iota
	outThought
	outFunction
	outCustom
	outRaw // an item of this dialect, as it is
)

func (k outKind) prefix() string {
	switch k {
	case outMessage:
		return "msg_"
	case outThought:
		return "rs_"
	case outFunction:
		return "fc_"
	case outCustom:
		return "ctc_"
	case outRaw:
		return "item_"
	}
	return ""
}

// itemStart opens an item. A message is told with its first part, which may be
// a picture instead, a call with its first arguments: until then its id may be
// given something to carry.
func (e *responsesEncoder) itemStart(dst []byte, ev ir.ItemStart) []byte {
	if !e.ours(ev.Choice) {
		return dst
	}
	dst = e.begin(dst)
	out := &responsesOut{at: ir.OutputPath(0, ev.Index), shell: ev.Item}
	e.items = append(e.items, out)
	var id string
	switch x := ev.Item.(type) {
	case ir.Message:
		out.kind, id = outMessage, x.ID
		if x.Name != "" {
			e.losses.Lose(out.at+".name", "messages have no name")
		}
		e.losses.Extras(out.at, x.Extras, responsesDialect)
	case ir.Thought:
		out.kind, id = outThought, x.ID
	case ir.ToolCall:
		e.callStart(out, x)
		id = x.ItemID
	case ir.Opaque:
		if x.Dialect != responsesDialect {
			e.losses.Lose(out.at, "only "+x.Dialect+" has "+x.Type)
			e.items[len(e.items)-1] = nil
			return dst
		}
		out.kind = outRaw
	case ir.ToolResult:
		e.losses.Lose(out.at, "a model's answer has no tool results")
		e.items[len(e.items)-1] = nil
		return dst
	}
	out.id = id
	if out.kind == outThought || out.kind == outRaw {
		return e.add(dst, out)
	}
	return dst
}

// callStart gives a call back the kind and namespace that its tool has.
func (e *responsesEncoder) callStart(out *responsesOut, c ir.ToolCall) {
	call, restored := ir.RestoreTool(e.req.Tools, c)
	if restored {
		e.losses.Note(out.at, "a call of the tool as the client knows it")
	}
	out.kind = outFunction
	if call.Kind == ir.ToolCustom {
		out.kind = outCustom
		if c.Kind != ir.ToolCustom {
			out.input = &ir.InputReader{}
		}
	}
	out.shell = call
	e.losses.Extras(out.at, c.Extras, responsesDialect)
}

// add numbers an item and tells of it, unless that is done.
func (e *responsesEncoder) add(dst []byte, out *responsesOut) []byte {
	if out.added {
		return dst
	}
	out.added, out.index = true, len(e.output)
	taken := slices.ContainsFunc(e.output, func(x *responsesOut) bool { return x.id == out.id })
	e.output = append(e.output, out)
	if out.id == "" || taken {
		out.id = responsesMadeItemID(out.kind.prefix(), e.id, out.index)
	}
	if e.silent {
		return dst
	}
	return e.itemEvent(dst, "response.output_item.added", out, func(w *jsondoc.Writer) { out.write(w, "item", "in_progress") })
}

func (e *responsesEncoder) itemEvent(dst []byte, kind string, out *responsesOut, item func(*jsondoc.Writer)) []byte {
	w, at := e.open(dst, kind)
	w.Int("output_index", int64(out.index))
	item(w)
	return e.close(w, at)
}

// item returns the item that an event is about; nil = it was lost.
func (e *responsesEncoder) item(choice, index int) *responsesOut {
	if choice != 0 || index >= len(e.items) {
		return nil
	}
	return e.items[index]
}

// sealed takes what a vendor sealed. That of a call travels in its id, that of
// a thought in encrypted_content when the item is done.
func (e *responsesEncoder) sealed(dst []byte, ev ir.Sealed) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	switch x := out.shell.(type) {
	case ir.Thought:
		x.Private, x.Redacted = &ev.Private, x.Redacted || ev.Redacted
		out.shell = x
	case ir.ToolCall:
		if out.added {
			e.losses.Lose(out.at+".private", "the call was told before it was sealed")
			return dst
		}
		x.Private = &ev.Private
		out.shell = x
	case ir.Message:
		e.losses.Note(ir.PartPath(out.at, ev.Part)+".private", "texts carry nothing for another vendor")
	case ir.ToolResult, ir.Opaque:
	}
	return dst
}

// argumentsDelta adds to a call.
func (e *responsesEncoder) argumentsDelta(dst []byte, ev ir.ArgumentsDelta) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	dst = e.add(dst, out)
	text := ev.Text
	if out.input != nil {
		text = out.input.Next(text)
	}
	return e.callText(dst, out, text)
}

func (e *responsesEncoder) callText(dst []byte, out *responsesOut, text string) []byte {
	if text == "" {
		return dst
	}
	out.text.WriteString(text)
	kind := "response.function_call_arguments.delta"
	if out.kind == outCustom {
		kind = "response.custom_tool_call_input.delta"
	}
	return e.delta(dst, kind, out, "", 0, text)
}

// delta appends an event that is about an item, its part number n where part
// names one ("content_index"), and adds text to it.
func (e *responsesEncoder) delta(dst []byte, kind string, out *responsesOut, part string, n int, text string) []byte {
	return e.about(dst, kind, out, part, n, func(w *jsondoc.Writer) { w.Str("delta", text) })
}

// about appends an event about an item or a part of it.
func (e *responsesEncoder) about(dst []byte, kind string, out *responsesOut, part string, n int, rest func(*jsondoc.Writer)) []byte {
	if e.silent {
		return dst
	}
	w, at := e.open(dst, kind)
	w.Str("item_id", out.id)
	w.Int("output_index", int64(out.index))
	if part != "" {
		w.Int(part, int64(n))
	}
	rest(w)
	return e.close(w, at)
}

// itemEnd closes an item with the twins of its deltas.
func (e *responsesEncoder) itemEnd(dst []byte, ev ir.ItemEnd) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	if out.kind == outFunction || out.kind == outCustom {
		dst = e.callEnd(dst, out)
	}
	if out.kind == outMessage && !out.added && len(out.parts) > 0 {
		return dst // all of its parts were something else
	}
	dst = e.add(dst, out)
	for k := range out.parts {
		dst = e.partEnd(dst, out, k)
	}
	w := jsondoc.NewWriter(nil)
	out.write(w, "", "completed")
	out.done = w.Bytes()
	if e.silent {
		return dst
	}
	return e.itemEvent(dst, "response.output_item.done", out, func(w *jsondoc.Writer) { w.Raw("item", out.done) })
}

func (e *responsesEncoder) callEnd(dst []byte, out *responsesOut) []byte {
	dst = e.add(dst, out)
	if out.input != nil {
		dst = e.callText(dst, out, out.input.End())
	}
	if out.kind == outCustom {
		return e.about(dst, "response.custom_tool_call_input.done", out, "", 0, func(w *jsondoc.Writer) { w.Str("input", out.text.String()) })
	}
	if out.text.Len() == 0 {
		dst = e.callText(dst, out, "{}")
	}
	return e.about(dst, "response.function_call_arguments.done", out, "", 0, func(w *jsondoc.Writer) {
		if call, ok := out.shell.(ir.ToolCall); ok {
			w.Str("name", call.Name)
		}
		w.Str("arguments", out.text.String())
	})
}

// write writes the item as it is now.
func (out *responsesOut) write(w *jsondoc.Writer, name, status string) {
	switch x := out.shell.(type) {
	case ir.Message:
		out.writeMessage(w, name, status, &x)
	case ir.Thought:
		w.Object(name)
		w.Str("id", out.id)
		w.Str("type", "reasoning")
		for _, p := range out.parts {
			x.Texts = append(x.Texts, p.text.String())
		}
		writeThoughtTexts(w, &x)
		w.OptStr("encrypted_content", responsesSeal(&x))
		w.End()
	case ir.ToolCall:
		out.writeCall(w, name, status, &x)
	case ir.Opaque:
		w.Raw(name, x.Raw)
	case ir.ToolResult:
	}
}

func (out *responsesOut) writeMessage(w *jsondoc.Writer, name, status string, m *ir.Message) {
	w.Object(name)
	w.Str("id", out.id)
	w.Str("type", "message")
	w.Str("status", status)
	w.Str("role", "assistant")
	w.OptStr("phase", m.Phase)
	w.Array("content")
	for _, p := range out.parts {
		p.write(w, "")
	}
	w.End()
	writeOwnExtras(w, m.Extras)
	w.End()
}

func (out *responsesOut) writeCall(w *jsondoc.Writer, name, status string, c *ir.ToolCall) {
	kind, member := "function_call", "arguments"
	if out.kind == outCustom {
		kind, member = "custom_tool_call", "input"
	}
	w.Object(name)
	w.Str("id", out.id)
	w.Str("type", kind)
	w.Str("status", status)
	w.Str("call_id", ir.CarryID(c.ID, c.Private))
	w.OptStr("namespace", c.Namespace)
	w.Str("name", c.Name)
	w.Str(member, out.text.String())
	writeOwnExtras(w, c.Extras)
	w.End()
}

// writeOwnExtras writes the extras of this dialect that stand on an item itself.
func writeOwnExtras(w *jsondoc.Writer, extras []ir.Extra) {
	for i := range extras {
		if e := &extras[i]; e.Dialect == responsesDialect && !strings.Contains(e.Path, "[") {
			w.Raw(e.Path, e.Raw)
		}
	}
}
