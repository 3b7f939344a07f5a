package anthropic

import (
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

var _ wire.Translator = Codec{}

// billingLead begins the first system block of Claude Code, which tells the
// vendor whom to bill and is no prompt: it goes to Anthropic alone.
const billingLead = "x-anthropic-billing-header:"

// DecodeRequest implements wire.Front. It reads both API versions: what the
// newer one refuses (temperature, top_p, top_k) is for the back to judge.
func (Codec) DecodeRequest(r wire.Route, body []byte) (*ir.Request, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, err
	}
	req := &ir.Request{Model: o.Need("model")}
	if s := o.Bool("stream"); s != nil {
		req.Stream = *s
	}
	readSystem(req, o.Get("system"))
	for _, v := range o.Array("tools") {
		req.Tools = append(req.Tools, readTool(v))
	}
	readToolChoice(req, o.Get("tool_choice"))
	readReasoning(req, o)
	readSettings(req, o, r.Operation == tollgate.OpGenerate)
	readMessages(req, o.Get("messages"))
	req.Extras = rest(req.Extras, o, "")
	if err := o.Err(); err != nil {
		return nil, err
	}
	return req, nil
}

func readSettings(req *ir.Request, o *jsondoc.Object, generate bool) {
	limit := o.Get("max_tokens")
	req.MaxOutput = limit.Int()
	switch {
	case req.MaxOutput == nil && generate:
		limit.Fail("is missing")
	case req.MaxOutput != nil && *req.MaxOutput < 0:
		limit.Fail("must not be negative")
	}
	req.Temperature, req.TopP, req.TopK = o.Float("temperature"), o.Float("top_p"), o.Int("top_k")
	req.Stop = o.Strings("stop_sequences")
	meta := o.Object("metadata")
	req.User = meta.Str("user_id")
	req.Extras = rest(req.Extras, meta, onMetadata)
	switch tier := o.Get("service_tier"); tier.Str() {
	case "":
	case "auto":
		req.ServiceTier = "auto"
	case "standard_only":
		req.ServiceTier = "default"
	default:
		req.Extras = append(req.Extras, extra("service_tier", tier.Raw()))
	}
}

// readSystem reads the system prompt. The billing header of Claude Code stays
// aside as a hint, so that no other vendor is shown it.
func readSystem(req *ir.Request, v jsondoc.Value) {
	if v.Kind() == jsondoc.String {
		if s := v.Str(); s != "" {
			req.System = []ir.Part{ir.Text{Text: s}}
		}
		return
	}
	k := 0 // the number of the block, those that say nothing left out
	for i, block := range v.Array() {
		at := systemAt(k)
		o := block.Object()
		typ, text := o.Need("type"), ""
		if typ == "text" {
			text = o.Str("text")
		}
		if billing := i == 0 && strings.HasPrefix(text, billingLead); billing || typ != "text" {
			req.Extras, k = append(req.Extras, ir.Extra{Dialect: own, Path: at, Raw: block.Raw(), Hint: billing}), k+1
			continue
		}
		p, extras, _ := contentPart(o, "text")
		if text == "" {
			continue // whatever else stands there
		}
		k++
		for _, e := range extras {
			e.Path = at + "." + e.Path
			req.Extras = append(req.Extras, e)
		}
		req.System = append(req.System, p)
	}
}

func readMessages(req *ir.Request, v jsondoc.Value) {
	if !v.Present() {
		v.Fail("is missing")
	}
	var b blockReader
	for _, m := range v.Array() {
		o := m.Object()
		role := o.Get("role")
		switch r := ir.Role(role.Str()); r {
		case ir.RoleUser, ir.RoleAssistant, ir.RoleSystem:
			b.begin(r)
		default:
			role.Fail("must be user, assistant or system")
		}
		b.content(o.Get("content"))
		b.end(messageExtras(o, req.Reasoning.Effort))
	}
	req.Items = b.items
}

// messageExtras are the members of a message that ir has no field for. An
// effort for one turn that is the effort of the whole request says nothing new.
func messageExtras(o *jsondoc.Object, effort string) []ir.Extra {
	var extras []ir.Extra
	if v := o.Get("output_config"); v.Present() {
		c := v.Object()
		same := c.Str("effort") == effort
		e := extra("output_config", v.Raw())
		e.Hint = same && len(rest(nil, c, "")) == 0
		extras = append(extras, e)
	}
	return rest(extras, o, "")
}

// readReasoning reads thinking, output_config and the older output_format.
func readReasoning(req *ir.Request, o *jsondoc.Object) {
	r := &req.Reasoning
	thinking := o.Get("thinking")
	t := thinking.Object()
	switch typ := t.Str("type"); {
	case !thinking.Present():
	case typ == "enabled":
		r.Mode, r.Budget, r.Sealed = ir.ReasoningOn, t.Int("budget_tokens"), true
	case typ == "adaptive":
		r.Mode, r.Sealed = ir.ReasoningAdaptive, true
	case typ == "disabled":
		r.Mode = ir.ReasoningOff
	default:
		req.Extras = append(req.Extras, extra("thinking", thinking.Raw()))
		t.Keys()
	}
	switch display := t.Get("display"); display.Str() {
	case "":
	case "summarized":
		r.Summary = "auto"
	case "omitted":
		r.Summary = "none"
	default:
		req.Extras = append(req.Extras, extra(onThinking+"display", display.Raw()))
	}
	req.Extras = rest(req.Extras, t, onThinking)
	out := o.Object("output_config")
	r.Effort = out.Str("effort")
	if r.Effort != "" && r.Mode == ir.ReasoningUnset { // effort without thinking, which other dialects cannot say
		req.Extras = append(req.Extras, ir.Extra{Dialect: own, Path: effortAlone, Raw: out.Raw("effort"), Hint: true})
	}
	readFormat(req, out.Get("format"), onOutputConfig+"format")
	readFormat(req, o.Get("output_format"), "output_format")
	req.Extras = rest(req.Extras, out, onOutputConfig)
}

// effortAlone is the path of the extra that marks an effort without thinking.
const effortAlone = onOutputConfig + "effort"

func readFormat(req *ir.Request, v jsondoc.Value, path string) {
	if !v.Present() {
		return
	}
	o := v.Object()
	typ, schema := o.Need("type"), o.Raw("schema")
	if more := rest(nil, o, ""); typ != "json_schema" || schema == nil || len(more) > 0 || req.Format.Kind != ir.FormatText {
		req.Extras = append(req.Extras, extra(path, v.Raw()))
		return
	}
	req.Format = ir.Format{Kind: ir.FormatSchema, Schema: schema}
}

func readTool(v jsondoc.Value) ir.Tool {
	o := v.Object()
	if typ := o.Str("type"); typ != "" && typ != "custom" {
		return ir.Tool{
			Kind: ir.ToolServer, Name: o.Str("name"),
			Server: ir.Extra{Dialect: own, Path: typ, Raw: v.Raw()},
		}
	}
	t := ir.Tool{
		Kind: ir.ToolFunction, Name: o.Need("name"), Description: o.Str("description"),
		Schema: o.Object("input_schema").Value().Raw(), Strict: o.Bool("strict"),
	}
	cache, extras := cacheMark(o)
	t.Cache, t.Extras = cache, rest(extras, o, "")
	return t
}

func readToolChoice(req *ir.Request, v jsondoc.Value) {
	if !v.Present() {
		return
	}
	o := v.Object()
	c := &req.ToolChoice
	switch o.Need("type") {
	case "auto":
		c.Mode = ir.ToolAuto
	case "any":
		c.Mode = ir.ToolRequired
	case "none":
		c.Mode = ir.ToolNone
	case "tool":
		*c = ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Name: o.Need("name")}
	default:
		req.Extras = append(req.Extras, extra("tool_choice", v.Raw()))
		return
	}
	if off := o.Bool("disable_parallel_tool_use"); off != nil {
		on := !*off
		req.ParallelCalls = &on
	}
	req.Extras = rest(req.Extras, o, onToolChoice)
}
