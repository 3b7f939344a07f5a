package wire_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/wire"
	anthropiccodec "tollgate/internal/wire/anthropic"
	geminicodec "tollgate/internal/wire/gemini"
	openaicodec "tollgate/internal/wire/openai"
)

func catalogue(n int) []wire.ModelInfo {
	out := make([]wire.ModelInfo, n)
	for i := range out {
		out[i] = wire.ModelInfo{ID: fmt.Sprintf("m%03d", i), Provider: "lab"}
	}
	return out
}

func TestModelListsHaveTheShapeOfTheCaller(t *testing.T) {
	models := []wire.ModelInfo{
		{ID: "gpt-4o", Provider: "openai", DisplayName: "GPT-4o", Created: 1_700_000_000, ContextTokens: 128_000, OutputTokens: 16_384},
		{ID: "lab/embed-1", Provider: "lab"},
	}
	tests := []struct {
		name, got, want string
	}{
		{
			"openai", string(openaicodec.Chat{}.EncodeModels(models, nil)),
			`{"object":"list","data":[{"id":"gpt-4o","object":"model","created":1700000000,"owned_by":"openai"},{"id":"lab/embed-1","object":"model","created":0,"owned_by":"lab"}]}`,
		},
		{"openai, one", string(openaicodec.Responses{}.EncodeModel(models[0])), `{"id":"gpt-4o","object":"model","created":1700000000,"owned_by":"openai"}`},
		{"openai, none", string(openaicodec.Responses{}.EncodeModels(nil, nil)), `{"object":"list","data":[]}`},
		{
			"anthropic", string(anthropiccodec.Codec{}.EncodeModels(models, nil)),
			`{"data":[{"type":"model","id":"gpt-4o","display_name":"GPT-4o","created_at":"2023-11-14T22:13:20Z","max_input_tokens":128000,"max_tokens":16384},` +
				`{"type":"model","id":"lab/embed-1","display_name":"lab/embed-1","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"gpt-4o","last_id":"lab/embed-1"}`,
		},
		{"anthropic, one", string(anthropiccodec.Codec{}.EncodeModel(models[1])), `{"type":"model","id":"lab/embed-1","display_name":"lab/embed-1","created_at":"1970-01-01T00:00:00Z"}`},
		{"anthropic, none", string(anthropiccodec.Codec{}.EncodeModels(nil, nil)), `{"data":[],"has_more":false,"first_id":null,"last_id":null}`},
		{
			"gemini", string(geminicodec.Codec{}.EncodeModels(models, nil)),
			`{"models":[{"name":"models/gpt-4o","version":"001","displayName":"GPT-4o","inputTokenLimit":128000,"outputTokenLimit":16384,"supportedGenerationMethods":["generateContent","streamGenerateContent","countTokens"]},` +
				`{"name":"models/lab/embed-1","version":"001","displayName":"lab/embed-1","supportedGenerationMethods":["embedContent","batchEmbedContents","countTokens"]}]}`,
		},
		{"gemini, none", string(geminicodec.Codec{}.EncodeModels(nil, nil)), `{"models":[]}`},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestAnthropicPages(t *testing.T) {
	type page struct {
		Data    []struct{ ID string }
		HasMore bool   `json:"has_more"`
		LastID  string `json:"last_id"`
		FirstID string `json:"first_id"`
	}
	get := func(query string) (p page) {
		q, _ := url.ParseQuery(query)
		if err := json.Unmarshal(anthropiccodec.Codec{}.EncodeModels(catalogue(45), q), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var ids []string
	for p := get(""); ; p = get("after_id=" + p.LastID) {
		for _, m := range p.Data {
			ids = append(ids, m.ID)
		}
		if !p.HasMore {
			break
		}
	}
	if len(ids) != 45 || !slices.IsSorted(ids) || ids[44] != "m044" {
		t.Errorf("pages give %v", ids)
	}
	if p := get("limit=1000"); len(p.Data) != 45 || p.HasMore {
		t.Errorf("limit 1000 gives %d", len(p.Data))
	}
	if p := get("limit=3&before_id=m010"); len(p.Data) != 3 || p.FirstID != "m007" || p.LastID != "m009" || !p.HasMore {
		t.Errorf("before: %+v", p)
	}
	for _, odd := range []string{"limit=0", "limit=-4", "limit=x", "limit=99999999999999999999", "after_id=unknown"} {
		if p := get(odd); len(p.Data) != 20 || p.FirstID != "m000" {
			t.Errorf("%s: %+v", odd, p)
		}
	}
	if p := get("after_id=m044"); len(p.Data) != 0 || p.HasMore {
		t.Errorf("after the last: %+v", p)
	}
	if p := get("after_id=m040&before_id=m010"); len(p.Data) != 0 || p.HasMore {
		t.Errorf("crossed: %+v", p)
	}
}

func TestGeminiPages(t *testing.T) {
	type page struct {
		Models []struct{ Name string }
		Next   string `json:"nextPageToken"`
	}
	get := func(query string) (p page) {
		q, _ := url.ParseQuery(query)
		if err := json.Unmarshal(geminicodec.Codec{}.EncodeModels(catalogue(120), q), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var names []string
	for p := get("pageSize=7"); ; p = get("pageSize=7&pageToken=" + p.Next) {
		for _, m := range p.Models {
			names = append(names, m.Name)
		}
		if p.Next == "" {
			break
		}
	}
	if len(names) != 120 || !slices.IsSorted(names) {
		t.Errorf("pages give %v", names)
	}
	for query, want := range map[string]int{"": 50, "pageSize=1000": 120, "pageSize=-1": 50, "pageSize=x": 50, "pageToken=unknown": 50} {
		if p := get(query); len(p.Models) != want || p.Models[0].Name != "models/m000" {
			t.Errorf("%q gives %d", query, len(p.Models))
		}
	}
}
