package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ir"
	"tollgate/internal/wire/gemini"
)

// schemaCase is a JSON schema and what becomes of it in a request: the member
// and its value, and the losses at the schema's path.
type schemaCase struct {
	model, in, member, want, losses string
}

func schemaCases() map[string]schemaCase {
	const js, api = "parametersJsonSchema", "parameters"
	return map[string]schemaCase{
		"plain":            {"gemini-3-pro", `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, js, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, ""},
		"$schema":          {"gemini-3-pro", `{"$schema":"x","type":"object"}`, js, `{"type":"object"}`, "note said in another way or left out, since they allow and forbid nothing: $schema\n"},
		"pattern":          {"gemini-3-pro", `{"type":"object","properties":{"a":{"type":"string","pattern":"^a$","minLength":1}}}`, api, `{"type":"OBJECT","properties":{"a":{"type":"STRING","pattern":"^a$","minLength":1}}}`, ""},
		"pattern and not":  {"gemini-3-pro", `{"type":"object","properties":{"a":{"type":"string","pattern":"^a$","not":{}}}}`, js, `{"type":"object","properties":{"a":{"type":"string"}}}`, "lost Gemini's schemas have no not, pattern: taken out\n"},
		"const":            {"gemini-3-pro", `{"type":"object","properties":{"a":{"const":"x"},"n":{"const":3}}}`, js, `{"type":"object","properties":{"a":{"type":"string","enum":["x"]},"n":{"type":"number","enum":[3]}}}`, "note said in another way or left out, since they allow and forbid nothing: const\n"},
		"exclusive":        {"gemini-3-pro", `{"type":"object","properties":{"n":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}}}`, js, `{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9}}}`, "note said in another way or left out, since they allow and forbid nothing: exclusiveMaximum, exclusiveMinimum\n"},
		"exclusive number": {"gemini-3-pro", `{"type":"object","properties":{"n":{"type":"number","exclusiveMinimum":0}}}`, js, `{"type":"object","properties":{"n":{"type":"number"}}}`, "lost Gemini's schemas have no exclusiveMinimum: taken out\n"},
		"definitions":      {"gemini-3-pro", `{"type":"object","properties":{"a":{"$ref":"#/definitions/A","description":"d"}},"definitions":{"A":{"type":"object","properties":{"a":{"$ref":"#/definitions/A"}}}}}`, js, `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}}}`, "note said in another way or left out, since they allow and forbid nothing: definitions, description beside $ref\n"},
		"single allOf":     {"gemini-3-pro", `{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/A"}],"description":"d"}},"$defs":{"A":{"type":"string"}}}`, js, `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}`, "note said in another way or left out, since they allow and forbid nothing: allOf\n"},
		"true and false":   {"gemini-3-pro", `{"type":"object","properties":{"a":true,"b":false}}`, js, `{"type":"object","properties":{"a":{},"b":{}}}`, "lost Gemini's schemas have no false as a schema: taken out\n"},
		"tuple":            {"gemini-3-pro", `{"type":"array","items":[{"type":"string"}]}`, js, `{"type":"array","prefixItems":[{"type":"string"}]}`, "note said in another way or left out, since they allow and forbid nothing: items as a list\n"},
		"old":              {"gemini-2.0-flash", `{"type":"object","properties":{"a":{"type":["string","null"],"enum":["x",null]},"b":{"anyOf":[{"type":"integer"},{"type":"null"}]},"c":{"$ref":"#/$defs/C"},"d":{"type":"string","format":"uri"}},"additionalProperties":false,"$defs":{"C":{"type":"number"}}}`, api, `{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"enum":["x"]},"b":{"anyOf":[{"type":"INTEGER"}],"nullable":true},"c":{"type":"NUMBER"},"d":{"type":"STRING"}}}`, "lost Gemini's schemas have no format uri: taken out\n"},
		"old, recursive":   {"gemini-1.5-pro", `{"type":"object","properties":{"c":{"$ref":"#/$defs/C"}},"$defs":{"C":{"type":"object","properties":{"c":{"$ref":"#/$defs/C"}}}}}`, api, `{"type":"OBJECT","properties":{"c":{"type":"OBJECT","properties":{"c":{"type":"OBJECT"}}}}}`, "lost Gemini's schemas have no recursive $ref: taken out\n"},
		"old, types":       {"gemini-2.0-flash", `{"type":"object","properties":{"a":{"type":["string","number"]},"e":{"enum":[1,2]},"f":{"patternProperties":{}}}}`, api, `{"type":"OBJECT","properties":{"a":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"}]},"e":{},"f":{}}}`, "lost Gemini's schemas have no enum of other values than texts, patternProperties: taken out\n"},
		"old, empty":       {"gemini-2.0-flash", `{"type":"object","properties":{}}`, api, ``, "note a function without arguments declares none\n"},
	}
}

func TestSchemasAreWrittenInTheFormThatHoldsMost(t *testing.T) {
	for name, tt := range schemaCases() {
		t.Run(name, func(t *testing.T) {
			req := &ir.Request{Model: tt.model, Tools: []ir.Tool{{Kind: ir.ToolFunction, Name: "f", Schema: json.RawMessage(tt.in)}}}
			body, losses, err := gemini.Codec{}.EncodeRequest(req)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Tools []struct {
					FunctionDeclarations []map[string]json.RawMessage
				}
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got.Tools[0].FunctionDeclarations[0][tt.member])); diff != "" {
				t.Errorf("%s\n%s", diff, body)
			}
			var said strings.Builder
			for _, l := range losses {
				if l.Path != "tools[0].schema" {
					t.Errorf("a loss at %s", l.Path)
				}
				kind := "lost "
				if l.Note {
					kind = "note "
				}
				said.WriteString(kind + l.Why + "\n")
			}
			if diff := cmp.Diff(tt.losses, said.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
