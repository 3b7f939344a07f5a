package gemini

import (
	"strings"

	"tollgate/internal/ir"
)

// stopOf reads a finishReason; called says that the choice holds a call, for
// which Gemini has no reason of its own.
func stopOf(reason string, called bool) ir.Stop {
	switch reason {
	case "STOP":
		if called {
			return ir.Stop{Reason: ir.StopTools}
		}
		return ir.Stop{Reason: ir.StopEnd}
	case "MAX_TOKENS":
		return ir.Stop{Reason: ir.StopLength}
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "NO_IMAGE":
		return ir.Stop{Reason: ir.StopFailure, Detail: reason}
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR":
		return ir.Stop{Reason: ir.StopFilter, Detail: reason}
	case "":
		return ir.Stop{}
	default:
		if strings.HasPrefix(reason, "IMAGE_") {
			return ir.Stop{Reason: ir.StopFilter, Detail: reason}
		}
		return ir.Stop{Detail: reason} // OTHER, and what comes later
	}
}

// finishReason writes a stop. What it cannot say is lost at at.
func finishReason(s ir.Stop, called bool, losses *ir.Losses, at string) string {
	if s.Sequence != "" {
		losses.Lose(at+".sequence", "Gemini does not say which stop sequence came")
	}
	reason := reasonWord(s)
	back := stopOf(reason, called)
	if back.Reason != s.Reason {
		losses.Note(at+".reason", "the nearest that Gemini has is "+reason)
	}
	if back.Detail != s.Detail {
		losses.Note(at+".detail", "the word is Gemini's own")
	}
	return reason
}

func reasonWord(s ir.Stop) string {
	if s.Detail != "" && stopOf(s.Detail, false) == s {
		return s.Detail
	}
	switch s.Reason {
	case ir.StopUnknown, ir.StopEnd, ir.StopSequence, ir.StopTools, ir.StopPause:
		return "STOP"
	case ir.StopLength, ir.StopContext:
		return "MAX_TOKENS"
	case ir.StopFilter, ir.StopRefusal:
		return "SAFETY"
	case ir.StopFailure:
		return "MALFORMED_FUNCTION_CALL"
	}
	return "STOP"
}
