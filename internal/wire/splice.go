package wire

import (
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/wire/jsonscan"
)

// Edits are the changes that pass-through makes to a request (CONTRACT 9).
type Edits struct {
	// Model is the upstream's name for the model; empty or the same = leave.
	// In Gemini bodies every model field follows.
	Model string
	// IncludeUsage makes stream_options.include_usage true.
	IncludeUsage bool
	// OutputCap lowers caps on output tokens that exceed it; 0 = leave.
	OutputCap int64
	// CapName is the member that OutputCap is written into where the body has
	// no cap, "generationConfig.maxOutputTokens" for Gemini; empty = none is added.
	CapName string
}

// edit replaces a range of the body; an empty range inserts.
type edit struct {
	at   jsonscan.Span
	with string
}

// Splice returns body with the edits at the places that Peek found; every
// other byte stays as it is. It returns body itself when nothing changes, and
// never writes to it.
func Splice(body []byte, p *Peeked, e Edits) []byte {
	var few [4]edit
	edits := few[:0]
	if e.Model != "" && e.Model != p.Model {
		switch {
		case !p.model.Empty():
			edits = append(edits, edit{p.model, quote(e.Model)})
		case p.defaulted:
			edits = append(edits, p.insertModel(e.Model))
		}
		for _, at := range p.nested {
			edits = append(edits, edit{at, quote(resourceName(at.Of(body), e.Model))})
		}
	}
	if e.IncludeUsage && !p.IncludeUsage {
		edits = append(edits, p.includeUsage())
	}
	for _, c := range p.caps[:p.capCount] {
		if e.OutputCap > 0 && c.value > e.OutputCap {
			edits = append(edits, edit{c.at, strconv.FormatInt(e.OutputCap, 10)})
		}
	}
	if e.OutputCap > 0 && e.CapName != "" && p.capCount == 0 {
		edits = append(edits, p.insertCap(body, e))
	}
	if len(edits) == 0 {
		return body
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.at.Start - b.at.Start })
	size := len(body)
	for _, x := range edits {
		size += len(x.with) - (x.at.End - x.at.Start)
	}
	out, from := make([]byte, 0, size), 0
	for _, x := range edits {
		out = append(append(out, body[from:x.at.Start]...), x.with...)
		from = x.at.End
	}
	return append(out, body[from:]...)
}

// insertModel makes the edit that names a model in a body without one.
func (p *Peeked) insertModel(model string) edit {
	text := `"model":` + quote(model)
	if !p.empty {
		text += ","
	}
	return edit{jsonscan.Span{Start: p.open, End: p.open}, text}
}

// insertCap makes the edit that adds a cap on output tokens.
func (p *Peeked) insertCap(body []byte, e Edits) edit {
	name, limit := e.CapName, strconv.FormatInt(e.OutputCap, 10)
	at := p.open
	comma := ","
	if p.empty {
		comma = ""
	}
	if inner, ok := strings.CutPrefix(name, geminiConfig+"."); ok {
		member := `"` + inner + `":` + limit
		switch {
		case p.config.Empty():
			return edit{jsonscan.Span{Start: at, End: at}, `"` + geminiConfig + `":{` + member + "}" + comma}
		case body[p.config.Start] != '{' || p.configEmpty:
			return edit{p.config, "{" + member + "}"}
		}
		at = p.config.Start + 1
		return edit{jsonscan.Span{Start: at, End: at}, member + ","}
	}
	return edit{jsonscan.Span{Start: at, End: at}, `"` + name + `":` + limit + comma}
}

// geminiConfig is the member that Gemini's caps stand in.
const geminiConfig = "generationConfig"

// includeUsage makes the edit that asks for a usage chunk.
func (p *Peeked) includeUsage() edit {
	insert := func(at int, text string) edit { return edit{jsonscan.Span{Start: at, End: at}, text} }
	switch s := p.streamOptions; {
	case s.Empty(): // there is at least a model, so a comma follows
		return insert(p.open, `"stream_options":{"include_usage":true},`)
	case !p.usage.Empty():
		return edit{p.usage, "true"}
	case p.optionsEmpty:
		return edit{s, `{"include_usage":true}`}
	default:
		return insert(s.Start+1, `"include_usage":true,`)
	}
}

func quote(s string) string { return string(jsonscan.AppendString(nil, s)) }

// resourceName gives model the form that the field had: with models/ or bare.
func resourceName(old []byte, model string) string {
	if strings.HasPrefix(string(old), `"models/`) && !strings.HasPrefix(model, "tunedModels/") {
		return "models/" + model
	}
	return model
}
