package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/shared"
)

// AnthropicMessage decodes a whole answer with the official SDK and lists what
// the SDK does not know.
func AnthropicMessage(text []byte) Verdict {
	var m anthropic.Message
	return answer(text, &m)
}

// AnthropicEvent does the same for an event of a stream.
func AnthropicEvent(text []byte) Verdict {
	switch member(text, "type") {
	case "ping": // the SDK drops it before it decodes
		return nil
	case "error":
		var e shared.ErrorResponse
		return answer(text, &e)
	}
	var e anthropic.MessageStreamEventUnion
	return answer(text, &e)
}

func answer(text []byte, into any) Verdict {
	if err := json.Unmarshal(text, into); err != nil {
		return Verdict{{Says: err.Error()}}
	}
	var out Verdict
	walk(&out, "", reflect.ValueOf(into).Elem())
	return out
}

// AnthropicRequest decodes a request with the SDK's parameter type, writes it
// again and compares: a member that does not come back is unknown or has the
// wrong type. What the SDK keeps for its beta calls is read with their type.
func AnthropicRequest(text []byte) Verdict {
	var p anthropic.MessageNewParams
	out := params(text, &p)
	if len(out) == 0 {
		return nil
	}
	var beta anthropic.BetaMessageNewParams
	if again := params(text, &beta); len(again) < len(out) {
		return again
	}
	return out
}

func params(text []byte, p any) Verdict {
	if err := json.Unmarshal(text, p); err != nil {
		return Verdict{{Says: err.Error()}}
	}
	again, err := json.Marshal(p)
	if err != nil {
		return Verdict{{Says: err.Error()}}
	}
	var a, b map[string]any
	if json.Unmarshal(text, &a) != nil || json.Unmarshal(again, &b) != nil {
		return Verdict{{Says: "it is no object"}}
	}
	delete(a, "stream") // the SDK asks for streams by its own call
	var out Verdict
	compare(&out, "", a, b)
	walk(&out, "", reflect.ValueOf(p).Elem())
	return out
}

// compare lists what is in a and not in b.
func compare(out *Verdict, at string, a, b any) {
	switch a := a.(type) {
	case map[string]any:
		o, ok := b.(map[string]any)
		if !ok {
			out.add(at, "has another type")
			return
		}
		for _, k := range slices.Sorted(maps.Keys(a)) {
			if _, ok := o[k]; !ok {
				out.add(at+"/"+k, "is not known")
				continue
			}
			compare(out, at+"/"+k, a[k], o[k])
		}
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			out.add(at, "has another type")
			return
		}
		for i, e := range a {
			compare(out, at+"/*", e, l[i])
		}
	case string:
		if list, ok := b.([]any); ok && len(list) == 1 { // a string is short for one text block
			return
		}
		if a != b {
			out.add(at, fmt.Sprintf("%q became %v", a, b))
		}
	default:
		if !reflect.DeepEqual(a, b) {
			out.add(at, fmt.Sprintf("%v became %v", a, b))
		}
	}
}

func (v *Verdict) add(path, says string) {
	f := Finding{Path: path, Says: says}
	if !slices.Contains(*v, f) {
		*v = append(*v, f)
	}
}
