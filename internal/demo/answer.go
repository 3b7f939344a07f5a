package demo

import (
	"fmt"
	"slices"
	"strings"
)

// prompt is what a request of any dialect comes down to.
type prompt struct {
	model     string
	last      string   // text of the last user message, directives included
	input     int64    // tokens
	results   []string // tool results that the last turn brings
	resultsOf []string // … and the tools' names, where known
	tools     []tool
	choice    choice
	maxOutput int64 // tokens; 0 = no limit
	schema    raw   // of the JSON answer asked for; empty = text
	stop      []string
	media     int // pictures, sounds and files of the last user message
}

// tool is a tool on offer.
type tool struct {
	name, description string
	schema            raw
	custom            bool // takes free text (OpenAI)
}

// choice is what the client says about using tools.
type choice struct {
	none, force bool
	name        string // the one tool to call
}

// stopReason says why an answer ends.
type stopReason uint8

const (
	stopEnd stopReason = iota
	stopTools
	stopLength
	stopSequence
	stopFilter
)

// call is a tool call.
type call struct {
	id, name string
	args     string // JSON; the text itself for a custom tool
	custom   bool
}

// usage counts tokens as the package documentation says.
type usage struct {
	input, cached, output, reasoning int64
}

// answer is what any dialect writes out.
type answer struct {
	text      string
	parts     []string // of text, one per event
	reasoning string
	calls     []call
	stop      stopReason
	sequence  string // the stop sequence met
	usage     usage
}

// add counts text into the prompt's tokens.
func (p *prompt) add(text string) { p.input += count(text) }

// offer adds a tool.
func (p *prompt) offer(t tool) {
	p.tools = append(p.tools, t)
	p.add(t.name)
	p.add(t.description)
}

// answer makes the answer up. It sets the exchange's directives.
func (x *exchange) answer(p *prompt) answer {
	d, text := parseDirectives(p.last)
	x.d = d
	a := answer{usage: usage{input: max(p.input, 1)}}
	a.usage.cached = min(d.cached, a.usage.input)
	if d.reasoning > 0 {
		a.reasoning = filler(int(d.reasoning))
	}
	a.usage.reasoning = d.reasoning
	a.calls = x.calls(p, d, text)
	if len(a.calls) > 0 {
		a.stop = stopTools
		for _, c := range a.calls {
			a.usage.output += 1 + count(c.args)
		}
	} else {
		a.write(p, d, text)
	}
	switch d.finish {
	case "length":
		a.stop = stopLength
	case "filter":
		a.stop = stopFilter
	}
	a.usage.output += a.usage.reasoning
	return a
}

// write makes the text, cut at stop sequences and at the limit.
func (a *answer) write(p *prompt, d directives, text string) {
	switch {
	case d.tokens >= 0:
		a.text = filler(d.tokens)
	case d.big >= 0:
		a.text = strings.Repeat("x", d.big)
	case len(p.schema) > 0:
		a.text = string(example(p.schema, text))
	default:
		a.text = prose(p, text)
	}
	for _, s := range p.stop {
		if i := strings.Index(a.text, s); s != "" && i >= 0 {
			a.text, a.stop, a.sequence = a.text[:i], stopSequence, s
		}
	}
	a.parts = pieces(a.text)
	if left := p.maxOutput - a.usage.reasoning; p.maxOutput > 0 && d.big < 0 && int64(len(a.parts)) > left {
		a.parts = a.parts[:max(left, 0)]
		a.text, a.stop, a.sequence = strings.Join(a.parts, ""), stopLength, ""
	}
	a.usage.output = int64(len(a.parts))
	if d.big >= 0 {
		a.parts = []string{a.text}
	}
}

func prose(p *prompt, text string) string {
	if len(p.results) > 0 {
		var b strings.Builder
		for i, r := range p.results {
			name := "the tool"
			if i < len(p.resultsOf) && p.resultsOf[i] != "" {
				name = p.resultsOf[i]
			}
			fmt.Fprintf(&b, "According to %s: %s\n", name, clip(strings.TrimSpace(r), 500))
		}
		return b.String() + "That answers your question."
	}
	if p.media > 0 {
		return fmt.Sprintf("Hello from %s, a simulated model. You wrote: \"%s\" and sent along %d file(s) that I cannot see.", p.model, clip(text, 2000), p.media)
	}
	if text == "" {
		return fmt.Sprintf("Hello from %s, a simulated model. You wrote nothing; try asking me something.", p.model)
	}
	return fmt.Sprintf("Hello from %s, a simulated model. You wrote: \"%s\" I cannot think, but your request went all the way: the gateway knew your key, allowed the model, relayed the call and counted its tokens.",
		p.model, clip(text, 2000))
}

// calls decides which tools are called, none for a text answer.
func (x *exchange) calls(p *prompt, d directives, text string) []call {
	if len(p.tools) == 0 || p.choice.none || d.text {
		return nil
	}
	if len(d.script) > 0 {
		return x.scripted(p, d.script)
	}
	forced := d.tool || d.parallel || p.choice.force || p.choice.name != ""
	if !forced && (len(p.results) > 0 || !asks(p.tools, text)) {
		return nil
	}
	// A forced choice is forced in the turn after the result too; answering
	// with a call again would never end, so a result is answered with text.
	if len(p.results) > 0 && !d.tool {
		return nil
	}
	t := pick(p, d, text)
	out := make([]call, 0, d.calls)
	for i := range d.calls {
		if i > 0 {
			t = p.tools[i%len(p.tools)]
		}
		c := call{id: x.callID(i), name: t.name, custom: t.custom}
		if t.custom {
			c.args = clip(text, 200)
		} else {
			c.args = string(example(or(t.schema, `{"type":"object"}`), text))
		}
		out = append(out, c)
	}
	return out
}

// callID is the id of the i-th call of an answer, without the dialect's prefix.
func (x *exchange) callID(i int) string { return fmt.Sprintf("demo%012d_%d", x.number, i) }

// scripted makes the calls that a prompt spells out, of tools that are on
// offer; their results are answered with text.
func (x *exchange) scripted(p *prompt, script []call) []call {
	if len(p.results) > 0 {
		return nil
	}
	var out []call
	for _, c := range script {
		at := slices.IndexFunc(p.tools, func(t tool) bool { return t.name == c.name })
		if at < 0 {
			continue
		}
		c.id, c.custom = x.callID(len(out)), p.tools[at].custom
		if !c.custom {
			c.args = string(or(raw(c.args), "{}"))
		}
		out = append(out, c)
	}
	return out
}

// asks reports whether the text wants a tool.
func asks(tools []tool, text string) bool {
	lower := strings.ToLower(text)
	for _, w := range []string{"call", "tool", "function"} {
		if strings.Contains(lower, w) {
			return true
		}
	}
	for _, t := range tools {
		if mentions(lower, t.name) {
			return true
		}
	}
	return false
}

// mentions reports whether lower holds a word of a tool's name that says
// something ("weather" of get_weather).
func mentions(lower, name string) bool {
	for w := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
		if len(w) >= 4 && strings.Contains(lower, w) {
			return true
		}
	}
	return false
}

// pick chooses the tool: the one named, else the one mentioned, else the first.
func pick(p *prompt, d directives, text string) tool {
	name := d.toolName
	if name == "" {
		name = p.choice.name
	}
	for _, t := range p.tools {
		if t.name == name {
			return t
		}
	}
	for _, t := range p.tools {
		if mentions(strings.ToLower(text), t.name) {
			return t
		}
	}
	return p.tools[0]
}
