package gemini

import (
	"encoding/json"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

var _ wire.Translator = Codec{}

// DecodeRequest implements wire.Front. The body of countTokens holds the
// contents alone or, in generateContentRequest, a whole request.
func (Codec) DecodeRequest(r wire.Route, body []byte) (*ir.Request, error) {
	o, err := parse(body)
	if err != nil {
		return nil, err
	}
	if r.Operation == tollgate.OpCount && o.Has("generateContentRequest") {
		o = o.Object("generateContentRequest")
	}
	req := &ir.Request{Model: r.Model, Stream: r.Stream}
	if name := o.Str("model"); req.Model == "" {
		req.Model = modelName(name)
	}
	readRequest(req, o)
	if err := o.Err(); err != nil {
		return nil, err
	}
	return req, nil
}

func readRequest(req *ir.Request, o *jsondoc.Object) {
	var h history
	contents := o.Get("contents")
	if !contents.Present() {
		contents.Fail("is missing")
	}
	for _, c := range list(contents) {
		h.content(c)
	}
	req.Items = h.items
	readSystem(req, o.Get("systemInstruction"))
	for _, t := range list(o.Get("tools")) {
		readTool(req, t)
	}
	if v := o.Get("toolConfig"); v.Present() {
		readToolConfig(req, v.Object())
	}
	if v := o.Get("generationConfig"); v.Present() {
		readConfig(req, v.Object())
	}
	if tier := o.Get("serviceTier"); tier.Present() {
		req.ServiceTier = tierIn(enum(tier, "SERVICE_TIER_"))
	}
	if store := o.Get("store"); store.Kind() == jsondoc.Bool {
		req.Store = store.Bool()
	}
	req.Extras = rest(req.Extras, o, "")
}

// tierIn and tierOut translate the names of service tiers.
func tierIn(tier string) string {
	if tier == "standard" {
		return "default"
	}
	return tier
}

func tierOut(tier string) string {
	if tier == "default" {
		return "standard"
	}
	return tier
}

// readSystem reads the system prompt: a content, or its bare text.
func readSystem(req *ir.Request, v jsondoc.Value) {
	if v.Kind() == jsondoc.String {
		req.System = []ir.Part{ir.Text{Text: v.Str()}}
		return
	}
	o := v.Object()
	for _, p := range list(o.Get("parts")) {
		piece := readPiece(p)
		if piece.kind != pieceText {
			p.Fail("must be text")
		}
		req.System = append(req.System, ir.Text{Text: piece.text})
		req.Extras = append(req.Extras, prefixed(piece.extras, "systemInstruction.parts.")...)
	}
	o.Str("role") // "user" or "system": it says nothing
	req.Extras = rest(req.Extras, o, "systemInstruction.")
}

func prefixed(extras []ir.Extra, at string) []ir.Extra {
	for i := range extras {
		extras[i].Path = at + extras[i].Path
	}
	return extras
}

// readConfig reads generationConfig.
func readConfig(req *ir.Request, o *jsondoc.Object) {
	req.Stop = o.Strings("stopSequences")
	req.Temperature = float(o.Get("temperature"))
	req.TopP = float(o.Get("topP"))
	req.TopK = whole(o.Get("topK"))
	req.MaxOutput = whole(o.Get("maxOutputTokens"))
	req.PresencePenalty = float(o.Get("presencePenalty"))
	req.FrequencyPenalty = float(o.Get("frequencyPenalty"))
	req.Seed = whole(o.Get("seed"))
	readChoices(req, o)
	readFormat(req, o)
	if v := o.Get("thinkingConfig"); v.Present() {
		readThinking(req, v.Object())
	}
	if m := o.Get("responseModalities"); !textAlone(m) {
		req.Extras = append(req.Extras, ir.Extra{Dialect: own, Path: "generationConfig.responseModalities", Raw: m.Raw()})
	}
	req.Extras = rest(req.Extras, o, "generationConfig.")
}

func readChoices(req *ir.Request, o *jsondoc.Object) {
	v := o.Get("candidateCount")
	if n := whole(v); n != nil {
		if *n < 1 || *n > maxChoices {
			v.Fail("must be between 1 and %d", maxChoices)
			return
		}
		req.Choices = int(*n)
	}
	if b := o.Bool("responseLogprobs"); b != nil {
		req.Logprobs = *b
	}
	req.TopLogprobs = whole(o.Get("logprobs"))
}

// maxChoices bounds the candidates of one answer.
const maxChoices = 128

// textAlone reports whether modalities are the default.
func textAlone(v jsondoc.Value) bool {
	if !v.Present() {
		return true
	}
	names := v.Strings()
	return len(names) == 0 || (len(names) == 1 && strings.EqualFold(names[0], "text"))
}

func readFormat(req *ir.Request, o *jsondoc.Object) {
	schema := json.RawMessage(nil)
	for _, name := range []string{"responseJsonSchema", "_responseJsonSchema", "responseSchema"} {
		if v := o.Get(name); schema == nil {
			schema = readSchema(v, name == "responseSchema")
		}
	}
	mime := o.Get("responseMimeType")
	switch kind := mime.Str(); {
	case kind == "application/json" && schema == nil:
		req.Format.Kind = ir.FormatJSON
	case kind == "application/json":
		req.Format = ir.Format{Kind: ir.FormatSchema, Schema: schema}
	default:
		if kind != "" && kind != "text/plain" { // text/x.enum
			req.Extras = append(req.Extras, ir.Extra{Dialect: own, Path: "generationConfig.responseMimeType", Raw: mime.Raw()})
		}
		if schema != nil {
			req.Extras = append(req.Extras, ir.Extra{Dialect: own, Path: "generationConfig.responseJsonSchema", Raw: schema})
		}
	}
}

// readThinking reads thinkingConfig. A budget of 0 is none, -1 lets the model
// decide.
func readThinking(req *ir.Request, o *jsondoc.Object) {
	r := &req.Reasoning
	if show := o.Bool("includeThoughts"); show != nil {
		r.Summary = "none"
		if *show {
			r.Summary = "auto"
		}
	}
	r.Effort = enum(o.Get("thinkingLevel"), "THINKING_LEVEL_")
	if n := whole(o.Get("thinkingBudget")); n != nil {
		switch {
		case *n == 0:
			r.Mode = ir.ReasoningOff
		case *n < 0:
			r.Mode = ir.ReasoningAdaptive
		default:
			r.Mode, r.Budget = ir.ReasoningOn, n
		}
	}
	req.Extras = rest(req.Extras, o, "generationConfig.thinkingConfig.")
}
