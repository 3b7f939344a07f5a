package anthropic

import (
	"encoding/json"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// own is the name that extras and opaque blocks of this dialect carry.
const own = string(tollgate.DialectAnthropic)

// Prefixes of the paths of extras, relative to their owner. What has none of
// them stands directly in the owner's object.
const (
	// onMessage is a member of the message around a call, a result or a thought;
	// a Message owns its members directly.
	onMessage = "message."
	// onContent leads to a member of the n-th part of a message or a result.
	onContent = "content["
	// onSystem leads to a block of the system prompt, or a member of one.
	onSystem       = "system["
	onThinking     = "thinking."
	onOutputConfig = "output_config."
	onMetadata     = "metadata."
	onToolChoice   = "tool_choice."
	onUsage        = "usage."
	onSource       = "source."
	onCitations    = "citations."
)

// nested reports whether an extra's path leads into something.
func nested(path string) bool {
	for _, prefix := range []string{
		onMessage, onContent, onSystem, onThinking, onOutputConfig, onMetadata, onToolChoice, onUsage, onSource, onCitations,
	} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// extra is a member of this dialect that ir has no field for.
func extra(path string, raw json.RawMessage) ir.Extra {
	return ir.Extra{Dialect: own, Path: path, Raw: raw, Hint: isHint(path, raw)}
}

// isHint knows the members whose loss changes no answer.
func isHint(path string, raw json.RawMessage) bool {
	if strings.HasPrefix(path, onUsage) {
		return true
	}
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "cache_control", "eager_input_streaming", "defer_loading", stopUnknown, stopDetails:
		return true
	case "caller": // who called the tool: the model itself
		var c struct{ Type string }
		return json.Unmarshal(raw, &c) == nil && c.Type == "direct"
	case "context_management": // thoughts are not replayed to other vendors anyway
		return clearsThinkingOnly(raw)
	default:
		return false
	}
}

// clearsThinkingOnly reports whether all edits of a context_management, or of
// the report about it in an answer, concern thoughts alone.
func clearsThinkingOnly(raw json.RawMessage) bool {
	var c struct {
		Edits   []struct{ Type string }
		Applied []struct{ Type string } `json:"applied_edits"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return false
	}
	for _, e := range append(c.Edits, c.Applied...) {
		if !strings.HasPrefix(e.Type, "clear_thinking_") {
			return false
		}
	}
	return true
}

// rest appends the members of o that nobody asked for, with prefix before
// their names.
func rest(into []ir.Extra, o *jsondoc.Object, prefix string) []ir.Extra {
	o.Rest(func(name string, raw json.RawMessage) { into = append(into, extra(prefix+escaped(name), raw)) })
	return into
}

// escape stands before the name of a member that looks like a path.
const escape = `\`

func escaped(name string) string {
	if nested(name) || strings.HasPrefix(name, escape) {
		return escape + name
	}
	return name
}

// writeExtras writes the members that stood at prefix.
func writeExtras(w *jsondoc.Writer, extras []ir.Extra, prefix string) {
	for i := range extras {
		e := &extras[i]
		name, ok := strings.CutPrefix(e.Path, prefix)
		if e.Dialect != own || !ok || (prefix == "" && nested(e.Path)) {
			continue
		}
		w.Raw(memberName(name), e.Raw)
	}
}

// memberName undoes escaped.
func memberName(name string) string { return strings.TrimPrefix(name, escape) }

// hasExtras reports whether there is a member that stood at prefix.
func hasExtras(extras []ir.Extra, prefix string) bool {
	for i := range extras {
		if extras[i].Dialect == own && strings.HasPrefix(extras[i].Path, prefix) {
			return true
		}
	}
	return false
}

// findExtra returns the value that stood at path, nil if there is none.
func findExtra(extras []ir.Extra, path string) json.RawMessage {
	for i := range extras {
		if extras[i].Dialect == own && extras[i].Path == path {
			return extras[i].Raw
		}
	}
	return nil
}
