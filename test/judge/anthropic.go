package judge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
)

// AnthropicMessage decodes a whole answer with the official SDK and lists what
// the SDK does not know.
func AnthropicMessage(text []byte) Verdict {
	var m anthropic.Message
	if err := json.Unmarshal(text, &m); err != nil {
		return Verdict{Failures: []string{err.Error()}}
	}
	return unknown(reflect.ValueOf(m))
}

// AnthropicEvent does the same for an event of a stream.
func AnthropicEvent(text []byte) Verdict {
	var e anthropic.MessageStreamEventUnion
	if err := json.Unmarshal(text, &e); err != nil {
		return Verdict{Failures: []string{err.Error()}}
	}
	return unknown(reflect.ValueOf(e.AsAny()))
}

// AnthropicRequest decodes a request with the SDK's parameter type, writes it
// again and compares: a member that does not come back is unknown or has the
// wrong type.
func AnthropicRequest(text []byte) Verdict {
	var p anthropic.MessageNewParams
	if err := json.Unmarshal(text, &p); err != nil {
		return Verdict{Failures: []string{err.Error()}}
	}
	again, err := json.Marshal(p)
	if err != nil {
		return Verdict{Failures: []string{err.Error()}}
	}
	var a, b any
	if json.Unmarshal(text, &a) != nil || json.Unmarshal(again, &b) != nil {
		return Verdict{Failures: []string{"it cannot be compared"}}
	}
	var v Verdict
	v.missing("", a, b)
	return v
}

// missing lists what is in a and not in b.
func (v *Verdict) missing(at string, a, b any) {
	switch a := a.(type) {
	case map[string]any:
		o, ok := b.(map[string]any)
		if !ok {
			v.Failures = append(v.Failures, at+" has another type")
			return
		}
		for k, e := range a {
			if _, ok := o[k]; !ok {
				if k != "stream" || at != "" { // the SDK asks for streams by its own call
					v.Failures = append(v.Failures, at+"."+k+" is not known")
				}
				continue
			}
			v.missing(at+"."+k, e, o[k])
		}
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			if s, isString := b.(string); !isString || s == "" {
				v.Failures = append(v.Failures, at+" has another type")
			}
			return
		}
		for i, e := range a {
			v.missing(fmt.Sprintf("%s[%d]", at, i), e, l[i])
		}
	case string:
		if list, ok := b.([]any); ok && len(list) == 1 { // a string is short for one text block
			return
		}
		if a != b {
			v.Failures = append(v.Failures, fmt.Sprintf("%s became %v", at, b))
		}
	default:
		if !reflect.DeepEqual(a, b) {
			v.Failures = append(v.Failures, fmt.Sprintf("%s became %v", at, b))
		}
	}
}

// unknown walks the SDK's response types, each of which says in its JSON
// member what came along without a field.
func unknown(v reflect.Value) Verdict {
	var out Verdict
	walk("", v, &out)
	return out
}

func walk(at string, v reflect.Value, out *Verdict) {
	switch v.Kind() {
	case reflect.Struct:
		if j := v.FieldByName("JSON"); j.IsValid() && j.Kind() == reflect.Struct {
			if extra := j.FieldByName("ExtraFields"); extra.IsValid() {
				for _, k := range extra.MapKeys() {
					out.Failures = append(out.Failures, at+"."+k.String()+" is not known")
				}
			}
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Name != "JSON" {
				walk(at+"."+strings.ToLower(f.Name), v.Field(i), out)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(fmt.Sprintf("%s[%d]", at, i), v.Index(i), out)
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			walk(at, v.Elem(), out)
		}
	default:
	}
}
