package openai

import (
	"strings"

	"tollgate/internal/ir"
)

// toolErrorMark begins the result of a tool that failed: OpenAI's dialects have
// no member for it, so that the model is told in words.
const toolErrorMark = "[tool error] "

// openaiMarkError returns the parts of a result with the mark in front when
// the tool failed.
func openaiMarkError(parts []ir.Part, failed bool) []ir.Part {
	if !failed {
		return parts
	}
	if len(parts) > 0 {
		if first, ok := parts[0].(ir.Text); ok {
			first.Text = toolErrorMark + first.Text
			return append([]ir.Part{first}, parts[1:]...)
		}
	}
	return append([]ir.Part{ir.Text{Text: toolErrorMark}}, parts...)
}

// openaiUnmarkError undoes openaiMarkError.
func openaiUnmarkError(parts []ir.Part) (_ []ir.Part, failed bool) {
	if len(parts) == 0 {
		return parts, false
	}
	first, ok := parts[0].(ir.Text)
	if !ok {
		return parts, false
	}
	rest, failed := strings.CutPrefix(first.Text, toolErrorMark)
	switch {
	case !failed:
		return parts, false
	case rest == "" && len(parts) > 1:
		return parts[1:], true
	}
	first.Text = rest
	return append([]ir.Part{first}, parts[1:]...), true
}
