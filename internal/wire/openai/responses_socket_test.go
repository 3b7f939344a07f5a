package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/wire/openai"
)

func TestATurnIsReadFromAMessage(t *testing.T) {
	for message, want := range map[string]openai.Create{
		`{"type":"response.create","model":"m","input":"x"}`: {Generate: true, Body: []byte(`{"model":"m","input":"x","stream":true}`)},
		`{"type":"response.create","stream":false,"stream_options":{},"background":false,"generate":false,"stream_id":"a.1","model":"m","store":false,"previous_response_id":"resp_1"}`: {
			StreamID: "a.1", Body: []byte(`{"model":"m","store":false,"previous_response_id":"resp_1","stream":true}`),
		},
		`{"model":"m","type":"response.create","generate":null,"client_metadata":{"a":"b"}}`: {Generate: true, Body: []byte(`{"model":"m","client_metadata":{"a":"b"},"stream":true}`)},
	} {
		got, err := openai.Responses{}.ReadCreate([]byte(message))
		if err != nil || string(got.Body) != string(want.Body) || got.Generate != want.Generate || got.StreamID != want.StreamID {
			t.Errorf("%s: %+v %s, %v", message, got, got.Body, err)
		}
	}
	for message, field := range map[string]string{
		`{"type":"response.steer"}`: "type", `{}`: "type", `{"type":"response.create","background":true}`: "background",
		`{"type":"response.create","stream_id":"a/b"}`: "stream_id", `{"type":"response.create","generate":1}`: "generate",
	} {
		_, err := openai.Responses{}.ReadCreate([]byte(message))
		if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != field {
			t.Errorf("%s: %v, field %q", message, err, e.Field)
		}
	}
}

func TestErrorsOfATurnHaveTheShapeOfTheProtocol(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"}}`: `{"type":"error","status":400,"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"},"headers":{"retry-after":"2"},"stream_id":"a"}`,
		`{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}`:                 `{"type":"error","status":400,"error":{"message":"no","type":"invalid_request_error","param":null,"code":"invalid_request_error"},"headers":{"retry-after":"2"},"stream_id":"a"}`,
		`{"type":"error","sequence_number":3,"code":"server_error","message":"half","param":null}`:           `{"type":"error","status":400,"error":{"message":"half","type":"server_error","param":null,"code":"server_error"},"headers":{"retry-after":"2"},"stream_id":"a"}`,
		`<html>`: `{"type":"error","status":400,"error":{"message":"the turn failed","type":"server_error","param":null,"code":"server_error"},"headers":{"retry-after":"2"},"stream_id":"a"}`,
	} {
		got := openai.Responses{}.SocketError(400, http.Header{"Retry-After": {"2"}, "Set-Cookie": {"x"}}, []byte(body), "a")
		if string(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
	if got := string(openai.Responses{}.SocketEvent([]byte("{\"type\":\"x\",\r\n \"a\": 1 }"), "l-1")); got != `{"type":"x","a":1,"stream_id":"l-1"}` {
		t.Error(got)
	}
	if got := string(openai.Responses{}.SocketWhole(json.RawMessage(`{"id":"r","status":"incomplete"}`), "")); got != `{"type":"response.incomplete","sequence_number":0,"response":{"id":"r","status":"incomplete"}}` {
		t.Error(got)
	}
}

func FuzzReadCreate(f *testing.F) {
	for _, s := range []string{
		`{"type":"response.create","model":"m","input":"x","stream":true}`, `{"type":"response.create","stream_id":"a","generate":false}`, `{"type":7}`, `[`, `{"type":"response.create","a":"\ud800"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		c, err := openai.Responses{}.ReadCreate([]byte(message))
		if err != nil {
			if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
				t.Fatalf("%q: %v", message, err)
			}
			return
		}
		if !json.Valid(c.Body) || !strings.HasSuffix(string(c.Body), `"stream":true}`) {
			t.Fatalf("%q became %q", message, c.Body)
		}
		if got := (openai.Responses{}).SocketError(500, nil, []byte(message), c.StreamID); !json.Valid(got) {
			t.Fatalf("%q as an error is %q", message, got)
		}
	})
}

func TestInputItemsAreListedInTheAPIsForm(t *testing.T) {
	items := []json.RawMessage{
		json.RawMessage(`{"role":"user","content":"hi"}`), json.RawMessage(`{"type":"function_call_output","call_id":"c","output":"x"}`),
		json.RawMessage(`{"type":"reasoning","id":"rs_1","summary":[]}`),
	}
	got, err := openai.Responses{}.EncodeInputItems("resp_1", items, openai.InputQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Data    []struct{ ID, Type, Status string }
		HasMore bool   `json:"has_more"`
		LastID  string `json:"last_id"`
	}
	if err := json.Unmarshal(got, &page); err != nil || len(page.Data) != 2 || !page.HasMore || page.Data[0].Status != "completed" || page.Data[0].Type != "message" || page.Data[1].ID == "" {
		t.Fatalf("%s, %v", got, err)
	}
	got, err = openai.Responses{}.EncodeInputItems("resp_1", items, openai.InputQuery{Limit: 2, After: page.LastID})
	if err != nil || string(got) != `{"object":"list","data":[{"type":"reasoning","id":"rs_1","summary":[]}],"first_id":"rs_1","last_id":"rs_1","has_more":false}` {
		t.Errorf("%s, %v", got, err)
	}
	if got, err = (openai.Responses{}).EncodeInputItems("resp_1", nil, openai.InputQuery{Limit: 2}); err != nil || !strings.Contains(string(got), `"data":[]`) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAnItemTellsItsAnswerOnlyIfItWasMadeHere(t *testing.T) {
	for id, want := range map[string]string{"msg_06z5bmntg0010_0": "resp_06z5bmntg0010", "rs_06z5bmntg0010_12": "resp_06z5bmntg0010", "msg_06z5bmntg0010": "", "msg_68ab_1": "", "": ""} {
		if got, made := openai.ResponseOfItem(id); got != want || made != (want != "") {
			t.Errorf("%s: %q, %t", id, got, made)
		}
	}
}
