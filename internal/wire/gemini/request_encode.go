package gemini

import (
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// EncodeRequest implements wire.Back.
func (Codec) EncodeRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	e := newEncoder(req)
	e.w.Object("")
	e.body()
	e.w.End()
	return e.done()
}

// EncodeCountRequest implements wire.Back: the whole request is counted, with
// its system prompt and tools, which contents alone would leave out.
func (Codec) EncodeCountRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	e := newEncoder(req)
	e.w.Object("")
	e.w.Object("generateContentRequest")
	e.w.Str("model", resourceName(req.Model))
	e.body()
	e.w.End()
	e.w.End()
	return e.done()
}

// encoder writes one request.
type encoder struct {
	parts parts
	w     *jsondoc.Writer
	req   *ir.Request
	fam   family
	calls map[string]ir.ToolCall
	err   *tollgate.Error
}

func newEncoder(req *ir.Request) *encoder {
	e := &encoder{w: jsondoc.NewWriter(make([]byte, 0, 1024)), req: req, fam: familyOf(req.Model), calls: ir.CallNames(req.Items)}
	e.parts = parts{w: e.w, refuse: e.refuse}
	return e
}

// refuse keeps the first thing that cannot be asked at all.
func (e *encoder) refuse(path, message string) {
	if e.err == nil {
		e.err = tollgate.Invalidf(path, "%s: %s", path, message)
	}
}

func (e *encoder) done() ([]byte, []ir.Loss, error) {
	if e.err != nil {
		return nil, nil, e.err
	}
	return e.w.Bytes(), e.parts.losses.List(), nil
}

func (e *encoder) lose(path, why string) { e.parts.losses.Lose(path, why) }
func (e *encoder) note(path, why string) { e.parts.losses.Note(path, why) }

func (e *encoder) body() {
	e.w.Array("contents")
	e.contents()
	e.w.End()
	e.system()
	e.tools()
	e.toolConfig()
	e.config()
	e.tier()
	e.hints()
	withExtras(e.w, e.req.Extras, "")
	e.parts.losses.Extras("", e.req.Extras, own)
}

func (e *encoder) system() {
	if len(e.req.System) == 0 {
		return
	}
	e.w.Object("systemInstruction")
	e.w.Array("parts")
	for i, p := range e.req.System {
		at := ir.SystemPath(i)
		t, ok := p.(ir.Text)
		if !ok {
			e.lose(at, "Gemini's system prompt takes text alone")
			continue
		}
		e.cache(at, t.Cache)
		e.w.Object("")
		e.w.Str("text", t.Text)
		withExtras(e.w, e.req.Extras, "systemInstruction.parts.")
		e.w.End()
	}
	e.w.End()
	withExtras(e.w, e.req.Extras, "systemInstruction.")
	e.w.End()
}

func (e *encoder) cache(at string, c *ir.Cache) {
	if c != nil {
		e.note(at+".cache", "Gemini caches prefixes by itself")
	}
}

// tier writes the service tier, where Gemini has one of that name.
func (e *encoder) tier() {
	switch e.req.ServiceTier {
	case "":
	case "auto":
		e.note("service_tier", "auto is what Gemini does when no tier is named")
	case "default", "flex", "priority":
		e.w.Str("serviceTier", tierOut(e.req.ServiceTier))
	default:
		e.lose("service_tier", "Gemini has no tier of that name")
	}
}

// hints goes over what has no place in a request to Gemini.
func (e *encoder) hints() {
	r := e.req
	const unknown = "Gemini does not take it; it changes no answer"
	for _, h := range []struct {
		path string
		set  bool
	}{
		{"user", r.User != ""},
		{"safety_id", r.SafetyID != ""},
		{"metadata", len(r.Metadata) > 0},
		{"cache_key", r.CacheKey != ""},
		{"cache_life", r.CacheLife != ""},
	} {
		if h.set {
			e.note(h.path, unknown)
		}
	}
	switch {
	case r.Store == nil:
	case *r.Store:
		e.lose("store", "Gemini keeps no answers")
	default:
		e.note("store", "Gemini keeps no answers anyhow")
	}
	if r.PreviousID != "" {
		e.refuse("previous_id", "Gemini keeps no answers to go on from; send the conversation")
	}
	if r.Stream {
		e.note("stream", "said by the address")
	}
}

// tools writes all functions into one tool, in their order, and every tool of
// Google's own into one of its own.
func (e *encoder) tools() {
	if len(e.req.Tools) == 0 {
		return
	}
	e.w.Array("tools")
	inFunctions := false
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		isFunction := t.Kind != ir.ToolServer
		if inFunctions && !isFunction {
			e.w.End()
			e.w.End()
		}
		if isFunction && !inFunctions {
			e.w.Object("")
			e.w.Array("functionDeclarations")
		}
		inFunctions = isFunction
		if isFunction {
			e.function(ir.ToolPath(i), t)
		} else {
			e.server(ir.ToolPath(i), t)
		}
	}
	if inFunctions {
		e.w.End()
		e.w.End()
	}
	e.w.End()
}

func (e *encoder) server(at string, t *ir.Tool) {
	if t.Server.Dialect != own {
		e.lose(at, t.Server.Dialect+"'s own tool, which Gemini does not have")
		return
	}
	e.w.Object("")
	e.w.Raw(t.Server.Path, t.Server.Raw)
	e.w.End()
}

func (e *encoder) function(at string, t *ir.Tool) {
	e.w.Object("")
	e.w.Str("name", e.flatName(at, t.Namespace, t.Name))
	e.w.OptStr("description", t.Description)
	schema := t.Schema
	if t.Kind == ir.ToolCustom {
		e.note(at+".kind", "Gemini has no tools with free text: a function with one text called input")
		e.note(at+".schema", "of the function that stands for it")
		schema = []byte(ir.InputSchema)
		if t.Grammar != nil {
			e.lose(at+".grammar", "Gemini does not bound texts by a grammar")
		}
	}
	e.parameters(at, schema)
	withExtras(e.w, t.Extras, "")
	e.w.End()
	e.parts.losses.Extras(at, t.Extras, own)
	e.cache(at, t.Cache)
	switch {
	case t.Strict == nil:
	case *t.Strict:
		e.lose(at+".strict", "Gemini does not promise that arguments fit their schema")
	default:
		e.note(at+".strict", "Gemini is never strict")
	}
}

// flatName returns the name of a tool without namespaces.
func (e *encoder) flatName(at, namespace, name string) string {
	if namespace != "" {
		e.note(at+".namespace", "Gemini has no namespaces: part of the name")
		e.note(at+".name", "with its namespace in front")
	}
	return ir.FlatName(namespace, name)
}

func (e *encoder) parameters(at string, schema []byte) {
	if len(schema) == 0 {
		return
	}
	s, err := writeSchema(schema, e.fam)
	if err != nil {
		e.refuse(at+".schema", "is no JSON schema")
		return
	}
	s.report(&e.parts.losses, at+".schema")
	switch {
	case s.form == formJSON:
		e.w.Raw("parametersJsonSchema", s.raw)
	case !hasProperties(s.raw): // which the API refuses in an object
		e.note(at+".schema", "a function without arguments declares none")
	default:
		e.w.Raw("parameters", s.raw)
	}
}

func hasProperties(schema []byte) bool {
	properties, ok := wireLimits().Member(schema, "properties")
	return ok && len(properties) > len("{}")
}

// toolConfig writes which functions may be called.
func (e *encoder) toolConfig() {
	c := &e.req.ToolChoice
	mode, allowed := "", e.allowed(c.Allowed)
	switch c.Mode {
	case ir.ToolUnset:
	case ir.ToolAuto:
		mode = "AUTO"
		if len(allowed) > 0 {
			mode = "VALIDATED" // AUTO takes no names
		}
	case ir.ToolNone:
		mode = "NONE"
		if len(allowed) > 0 {
			e.note("tool_choice.allowed", "none may be called anyhow")
			allowed = nil
		}
	case ir.ToolRequired:
		mode = "ANY"
		if len(allowed) == 1 {
			e.note("tool_choice", "a required call of the one allowed tool is a call of that tool")
		}
	case ir.ToolNamed:
		mode, allowed = "ANY", []string{e.flatName("tool_choice", c.Namespace, c.Name)}
		if c.Kind != ir.ToolFunction {
			e.note("tool_choice.kind", "Gemini has functions alone")
		}
	}
	if c.Server.Dialect != "" {
		e.lose("tool_choice", "Gemini cannot be told to use a tool of "+c.Server.Dialect)
		mode, allowed = "", nil
	}
	switch p := e.req.ParallelCalls; {
	case p == nil:
	case *p:
		e.note("parallel_calls", "Gemini always may")
	default:
		e.lose("parallel_calls", "Gemini cannot be told to make one call at a time")
	}
	if mode == "" && !extrasBelow(e.req.Extras, "toolConfig.") {
		return
	}
	e.w.Object("toolConfig")
	if mode != "" || extrasBelow(e.req.Extras, callingConfig) {
		e.w.Object("functionCallingConfig")
		if !extrasBelow(e.req.Extras, callingConfig+"mode") {
			e.w.OptStr("mode", mode)
		}
		if len(allowed) > 0 {
			e.w.Strings("allowedFunctionNames", allowed)
		}
		withExtras(e.w, e.req.Extras, callingConfig)
		e.w.End()
	}
	withExtras(e.w, e.req.Extras, "toolConfig.")
	e.w.End()
}

// allowed returns the flat names of the allowed tools.
func (e *encoder) allowed(names []string) []string {
	out := slices.Clone(names)
	for i, name := range out {
		for _, t := range e.req.Tools {
			if t.Namespace != "" && t.Name == name {
				out[i] = e.flatName("tool_choice.allowed", t.Namespace, name)
				e.note("tool_choice.allowed", "with their namespaces in front")
			}
		}
	}
	return out
}
