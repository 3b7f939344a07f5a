package openai

import (
	"net/http"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// DecodeError implements wire.Back. Compatible servers also say what is wrong
// as detail (a text, or FastAPI's list of {loc, msg}), and have words of their
// own for a prompt that is too long.
func (Chat) DecodeError(status int, h http.Header, body []byte) *tollgate.Error {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return openaiFailure(status, h, body)
	}
	if n := chatStatus(o); n != 0 && (status == 0 || status == http.StatusOK) {
		status = n
	}
	e := openaiFailure(status, h, body)
	if detail := chatDetailText(o.Get("detail")); detail != "" && !o.Has("error") && !o.Has("message") {
		e.Message = openaiScrub(detail)
	}
	if e.Code == tollgate.CodeInvalid && chatTooLong(e.Message) {
		e.Reason = "context_length_exceeded"
	}
	return e
}

// chatStatus is the HTTP status that some servers write as the code of an error
// inside of an answer; 0 = none.
func chatStatus(o *jsondoc.Object) int {
	v := o.Get("error")
	if v.Kind() != jsondoc.IsObject {
		v = o.Value()
	}
	code := v.Object().Get("code")
	if code.Kind() != jsondoc.Number {
		return 0
	}
	n, err := strconv.Atoi(string(code.Raw()))
	if err != nil || n < 400 || n > 599 {
		return 0
	}
	return n
}

func chatDetailText(v jsondoc.Value) string {
	switch v.Kind() {
	case jsondoc.String:
		return v.Str()
	case jsondoc.IsArray:
		var all []string
		for _, p := range v.Array() {
			if p.Kind() == jsondoc.IsObject {
				all = append(all, textOf(p.Object(), "msg"))
			}
		}
		return strings.Join(all, "; ")
	case jsondoc.IsObject:
		return textOf(v.Object(), "message")
	case jsondoc.Absent, jsondoc.Number, jsondoc.Bool:
	}
	return ""
}

// chatTooLong recognises a prompt that does not fit, as vLLM, llama.cpp and
// others say it.
func chatTooLong(message string) bool {
	lower := strings.ToLower(message)
	for _, words := range []string{"maximum context length", "context length exceeded", "available context size", "exceeds the context window"} {
		if strings.Contains(lower, words) {
			return true
		}
	}
	return false
}
