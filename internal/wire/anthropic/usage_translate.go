package anthropic

import (
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// usageMember reports whether a member of a usage object is read into counts.
func usageMember(name string) bool {
	switch name {
	case "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
		"output_tokens_details", "service_tier":
		return true
	default:
		return false
	}
}

// readUsage adds a usage object to the counts of an answer, with the observer's
// own reading, so that a translated answer is billed as a passed one. Members
// that are no counts become extras, in place of those of an earlier object.
func readUsage(c *counts, v jsondoc.Value, extras []ir.Extra) (ir.Usage, []ir.Extra) {
	if v.Kind() != jsondoc.IsObject {
		return ir.Usage{}, extras
	}
	reported := c.read(v.Raw())
	o := v.Object()
	for _, name := range o.Keys() {
		raw := o.Raw(name)
		if usageMember(name) || raw == nil {
			continue
		}
		extras = setExtra(extras, extra(onUsage+name, raw))
	}
	return ir.Usage{Tokens: c.tokens(), Reported: reported}, extras
}

// setExtra appends e, in place of an extra of the same path.
func setExtra(extras []ir.Extra, e ir.Extra) []ir.Extra {
	for i := range extras {
		if extras[i].Path == e.Path {
			extras[i] = e
			return extras
		}
	}
	return append(extras, e)
}

// tierWord returns ir's word for the tier that an answer was given in.
func tierWord(tier string) string {
	if tier == "standard" {
		return "default"
	}
	return tier
}

// writeUsage writes the usage of a whole answer, or what is known of it at the
// start of a stream.
func (b *blockWriter) writeUsage(w *jsondoc.Writer, u ir.Usage, tier string, extras []ir.Extra) {
	t := beside(u.Tokens, extras)
	w.Object("usage")
	writeCounts(w, t)
	if t.CacheWrite1h > 0 {
		w.Object("cache_creation")
		w.Int("ephemeral_5m_input_tokens", t.CacheWrite)
		w.Int("ephemeral_1h_input_tokens", t.CacheWrite1h)
		w.End()
	}
	switch tier {
	case "":
	case "auto": // what was asked for, as the Responses API says at the start of a stream
		b.Note("service_tier", "what was asked for, not what served")
	case "default":
		w.Str("service_tier", "standard")
	case "priority", "batch":
		w.Str("service_tier", tier)
	default:
		b.Lose("service_tier", "Anthropic has no such tier")
	}
	writeExtras(w, extras, onUsage)
	w.End()
	b.usageNotes(u)
}

// writeDeltaUsage writes the usage at the end of a stream, which has fewer
// members: lives of caches and the tier are told at its start.
func (e *streamEncoder) writeDeltaUsage(w *jsondoc.Writer, tier string, extras []ir.Extra) {
	t := beside(e.usage.Tokens, extras)
	w.Object("usage")
	writeCounts(w, t)
	for _, x := range extras {
		switch x.Path {
		case onUsage + "iterations", onUsage + "server_tool_use":
			w.OptRaw(x.Path[len(onUsage):], findExtra(extras, x.Path))
		default:
			e.noteIf(x.Dialect == own && strings.HasPrefix(x.Path, onUsage), "extras."+x.Path, "told at the start of a stream alone")
		}
	}
	w.End()
	if t.CacheWrite1h != e.told.Tokens.CacheWrite1h {
		e.Note("usage.tokens.cache_write1h", "lives of caches are told at the start of a stream alone")
		e.Note("usage.tokens.cache_write", "lives of caches are told at the start of a stream alone")
	}
	const why = "the tier is told at the start of a stream alone"
	switch {
	case tier == "auto" || tier == "" && e.tier == "auto":
		e.Note("service_tier", whyAuto)
	case tier == "" || tier == e.tier:
	case tier == "default": // which saying nothing means too
		e.Note("service_tier", why)
	default:
		e.Lose("service_tier", why)
	}
	e.usageNotes(e.usage)
}

// whyAuto is why an answer does not tell the tier auto.
const whyAuto = "it is what was asked for, not what was given"

func writeCounts(w *jsondoc.Writer, t tollgate.Tokens) {
	w.Int("input_tokens", t.Input)
	w.Int("cache_creation_input_tokens", t.CacheWrite+t.CacheWrite1h)
	w.Int("cache_read_input_tokens", t.CacheRead)
	w.Int("output_tokens", t.Output)
	if t.Reasoning > 0 {
		w.Object("output_tokens_details")
		w.Int("thinking_tokens", t.Reasoning)
		w.End()
	}
}

func (b *blockWriter) usageNotes(u ir.Usage) {
	const why = "counted with the other tokens"
	b.noteIf(u.AudioInput != 0, "usage.audio_input", why)
	b.noteIf(u.AudioOutput != 0, "usage.audio_output", why)
	b.noteIf(u.ImageInput != 0, "usage.image_input", why)
	b.noteIf(u.ImageOutput != 0, "usage.image_output", why)
	b.noteIf(!u.Reported, "usage.reported", "Anthropic always gives numbers")
}

// beside takes out the tokens of rounds that the extras tell beside the rest.
func beside(t tollgate.Tokens, extras []ir.Extra) tollgate.Tokens {
	rounds := findExtra(extras, onUsage+"iterations")
	if rounds == nil {
		return t
	}
	var c counts
	c.iterations(rounds)
	return tollgate.Tokens{
		Input: max(t.Input-c.aside.Input, 0), CacheRead: max(t.CacheRead-c.aside.CacheRead, 0),
		CacheWrite: max(t.CacheWrite-c.aside.CacheWrite, 0), CacheWrite1h: max(t.CacheWrite1h-c.aside.CacheWrite1h, 0),
		Output: max(t.Output-c.aside.Output, 0), Reasoning: max(t.Reasoning-c.aside.Reasoning, 0),
	}
}
