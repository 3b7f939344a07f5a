package anthropic

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// Extras that hold a reason that is not known, and why an answer was refused.
const (
	stopUnknown = "stop_reason"
	stopDetails = "stop_details"
)

// readStop reads stop_reason, stop_sequence and stop_details, and keeps what ir
// has no words for.
func readStop(o *jsondoc.Object, extras []ir.Extra) (ir.Stop, []ir.Extra) {
	word := o.Get("stop_reason")
	s := ir.Stop{Reason: stopReason(word.Str()), Sequence: o.Str("stop_sequence")}
	if s.Reason == ir.StopUnknown && word.Present() {
		s.Detail = word.Str()
		extras = setExtra(extras, extra(stopUnknown, word.Raw()))
	}
	if d := o.Get(stopDetails); d.Present() {
		details := d.Object()
		if s.Detail = details.Str("category"); s.Detail == "" {
			s.Detail = details.Str("explanation")
		}
		extras = setExtra(extras, extra(stopDetails, d.Raw()))
	}
	return s, extras
}

// isStop reports whether writeStop writes the extra of this path.
func isStop(path string) bool { return path == stopUnknown || path == stopDetails }

func stopReason(word string) ir.StopReason {
	switch word {
	case "end_turn":
		return ir.StopEnd
	case "stop_sequence":
		return ir.StopSequence
	case "max_tokens":
		return ir.StopLength
	case "model_context_window_exceeded":
		return ir.StopContext
	case "tool_use":
		return ir.StopTools
	case "refusal":
		return ir.StopRefusal
	case "pause_turn":
		return ir.StopPause
	default:
		return ir.StopUnknown
	}
}

// stopWord returns the vendor's word for a stop. at is the path of the stop;
// calls says that the answer has calls, which other vendors may end like any
// answer.
func stopWord(l *ir.Losses, at string, s ir.Stop, calls bool) string {
	switch s.Reason {
	case ir.StopEnd, ir.StopUnknown:
		if calls {
			l.Note(at+".reason", "the answer waits for tool results")
			return "tool_use"
		}
		if s.Reason == ir.StopUnknown {
			l.Note(at+".reason", "a whole answer without a reason is a finished one")
		}
		return "end_turn"
	case ir.StopSequence:
		return "stop_sequence"
	case ir.StopLength:
		return "max_tokens"
	case ir.StopContext:
		return "model_context_window_exceeded"
	case ir.StopTools:
		return "tool_use"
	case ir.StopFilter:
		l.Note(at+".reason", "what a filter cut off is a refusal to Anthropic")
		return "refusal"
	case ir.StopRefusal:
		return "refusal"
	case ir.StopPause:
		return "pause_turn"
	case ir.StopFailure:
		l.Lose(at+".reason", "Anthropic has no word for a broken answer")
		return "end_turn"
	}
	return "end_turn"
}

// writeStop writes how an answer ended; calls says that it has calls. extras
// are those of the answer.
func writeStop(w *jsondoc.Writer, l *ir.Losses, s ir.Stop, calls bool, extras []ir.Extra) {
	const at = "choices[0].stop"
	details, word := findExtra(extras, stopDetails), ""
	if unknown := findExtra(extras, stopUnknown); unknown != nil && s.Reason == ir.StopUnknown {
		w.Raw("stop_reason", unknown)
	} else {
		word = stopWord(l, at, s, calls)
		w.Str("stop_reason", word)
	}
	optNull(w, "stop_sequence", s.Sequence)
	switch {
	case details != nil:
		w.Raw(stopDetails, details)
	case s.Detail == "" || word == "":
	case word == "refusal":
		w.Object(stopDetails)
		w.Str("type", "refusal")
		w.Null("category")
		w.Str("explanation", s.Detail)
		w.End()
		l.Note("extras."+stopDetails, "made of the reason")
	default:
		l.Note(at+".detail", "Anthropic tells details of refusals alone")
	}
}
