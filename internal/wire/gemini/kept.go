package gemini

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"tollgate/internal/ir"
)

// Gemini's own clients give back the signature of a call and drop the parts
// that are thoughts, signatures included: Gemini signs calls, never thoughts.
// Other vendors seal thoughts, and want them back before the calls of a turn
// that goes on. What they sealed therefore also travels on the next call.

// thoughtsMark begins the signature of a call that brings thoughts along.
const thoughtsMark = "tg1-thoughts-"

// keptThought is a thought on its way through a client.
type keptThought struct {
	Seal     string   `json:"s"` // as ir.Carry wrote it
	Texts    []string `json:"t,omitempty"`
	Redacted bool     `json:"r,omitempty"`
	Apart    bool     `json:"a,omitempty"` // a message stands between it and the call
}

// callSeal is what the signature of a call holds then.
type callSeal struct {
	Call     string        `json:"c,omitempty"` // the call's own, as ir.Carry wrote it
	Thoughts []keptThought `json:"t"`
}

// keepThought adds a thought that its vendor, not Gemini, wants back.
func keepThought(list []keptThought, p *ir.Private, redacted bool, texts []string) []keptThought {
	if p == nil || sealedByUs(p) {
		return list
	}
	return append(list, keptThought{Seal: ir.Carry(*p), Texts: texts, Redacted: redacted})
}

// setApart notes that a message follows the thoughts.
func setApart(list []keptThought) {
	for i := range list {
		list[i].Apart = true
	}
}

// carryThoughts returns the signature of a call.
func carryThoughts(call *ir.Private, thoughts []keptThought) string {
	if len(thoughts) == 0 {
		return carrySeal(call, false)
	}
	seal := callSeal{Thoughts: thoughts}
	if call != nil {
		seal.Call = ir.Carry(*call)
	}
	b, err := json.Marshal(seal)
	if err != nil { // strings and flags always have a JSON form
		return carrySeal(call, false)
	}
	return base64.StdEncoding.EncodeToString(append([]byte(thoughtsMark), b...))
}

// openThoughts undoes carryThoughts; ok says that it made the text.
func openThoughts(text string) (call *ir.Private, thoughts []keptThought, ok bool) {
	body, ok := strings.CutPrefix(text, thoughtsMark)
	if !ok {
		return nil, nil, false
	}
	var seal callSeal
	if json.Unmarshal([]byte(body), &seal) != nil {
		return nil, nil, false
	}
	if found := ir.Open(seal.Call, ""); found.Vendor != "" {
		call = &found
	}
	return call, seal.Thoughts, true
}

// recall puts the thoughts that a call brought along before it, unless the
// client gave them back itself.
func (h *history) recall(thoughts []keptThought) {
	for _, k := range thoughts {
		p := ir.Open(k.Seal, "")
		if p.Vendor == "" || h.has(p) {
			continue
		}
		at := len(h.items)
		for k.Apart && at > 0 && ofModelsText(h.items[at-1]) {
			at--
		}
		h.items = slices.Insert(h.items, at, ir.Item(ir.Thought{Texts: k.Texts, Private: &p, Redacted: k.Redacted}))
	}
}

func ofModelsText(it ir.Item) bool {
	m, ok := it.(ir.Message)
	return ok && m.Role == ir.RoleAssistant
}

// has reports whether the thoughts since the last call or turn hold p.
func (h *history) has(p ir.Private) bool {
	for _, it := range slices.Backward(h.items) {
		t, thought := it.(ir.Thought)
		switch {
		case thought && t.Private != nil && *t.Private == p:
			return true
		case !thought && !ofModelsText(it):
			return false
		}
	}
	return false
}
