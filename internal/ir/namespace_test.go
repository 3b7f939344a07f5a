package ir_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate/internal/ir"
)

func TestFlatNamesFindTheirToolAgain(t *testing.T) {
	long := strings.Repeat("n", 50)
	tools := []ir.Tool{
		{Kind: ir.ToolServer, Name: "files__read"},
		{Kind: ir.ToolFunction, Namespace: "files", Name: "read"},
		{Kind: ir.ToolFunction, Name: "read"},
		{Kind: ir.ToolCustom, Namespace: long, Name: long + "a"},
		{Kind: ir.ToolFunction, Namespace: long, Name: long + "b"},
		{Kind: ir.ToolFunction, Namespace: "mcp.über", Name: "x"},
		{Kind: ir.ToolFunction, Namespace: "mcp_über", Name: "x"},
		{Kind: ir.ToolFunction, Namespace: "a", Name: "b__c"},
		{Kind: ir.ToolFunction, Name: "a__b__c"},
	}
	seen := map[string]bool{}
	for _, tool := range tools[1:7] {
		flat := ir.FlatName(tool.Namespace, tool.Name)
		if len(flat) > 64 || ir.SafeCallID(flat) != flat || seen[flat] {
			t.Errorf("%s/%s is %q", tool.Namespace, tool.Name, flat)
		}
		seen[flat] = true
		got, ok := ir.FindTool(tools, flat)
		if !ok || got.Name != tool.Name || got.Namespace != tool.Namespace {
			t.Errorf("FindTool(%q) = %s/%s, %v", flat, got.Namespace, got.Name, ok)
		}
	}
	if got, ok := ir.FindTool(tools, "a__b__c"); !ok || got.Namespace != "" {
		t.Errorf("a tool of that very name is hidden by %q/%q", got.Namespace, got.Name)
	}
	if _, ok := ir.FindTool(tools, "write"); ok {
		t.Error("a tool was found that is not there")
	}
	if got := ir.FlatName("files", "read"); got != "files__read" {
		t.Errorf("FlatName = %q", got)
	}
}

func TestRestoreToolGivesNamespaceAndKind(t *testing.T) {
	tools := []ir.Tool{
		{Kind: ir.ToolFunction, Namespace: "files", Name: "read"},
		{Kind: ir.ToolCustom, Name: "patch"},
		{Kind: ir.ToolFunction, Name: "plain"},
	}
	for name, want := range map[string]struct {
		kind            ir.ToolKind
		namespace, name string
		restored        bool
	}{
		"files__read": {ir.ToolFunction, "files", "read", true},
		"patch":       {ir.ToolCustom, "", "patch", true},
		"plain":       {ir.ToolFunction, "", "plain", false},
		"other":       {ir.ToolFunction, "", "other", false},
	} {
		got, restored := ir.RestoreTool(tools, ir.ToolCall{Kind: ir.ToolFunction, Name: name})
		if got.Kind != want.kind || got.Namespace != want.namespace || got.Name != want.name || restored != want.restored {
			t.Errorf("%s: %s %s/%s, %v", name, got.Kind, got.Namespace, got.Name, restored)
		}
	}
	own := ir.ToolCall{Kind: ir.ToolCustom, Name: "files__read"}
	if got, restored := ir.RestoreTool(tools, own); restored || got.Name != own.Name {
		t.Errorf("a custom call became %v", got)
	}
}

func TestInputIsUnwrappedInPiecesOfAnySize(t *testing.T) {
	tests := map[string]string{
		ir.WrapInput("a\n\"b\" \\ \t ä 😀 \u2028 <&>"):               "a\n\"b\" \\ \t ä 😀 \u2028 <&>",
		` { "input" : "x\ud83d\ude00\u00e4\/\b\f\r" , "more": 1 } `: "x😀ä/\b\f\r",
		`{"input":"\ud83dx\ud83d\n\ude00\ud83d"}`:                   "\ufffdx\ufffd\n\ufffd\ufffd",
		`{"input":"cut \u00`:                                        "cut ",
		`{"input":"\uzzzz"}`:                                        "\ufffd",
		`{}`:                                                        "",
		``:                                                          "",
		`{"inp`:                                                     `{"inp`,
		`{"other":"x"}`:                                             `{"other":"x"}`,
		`{"input":7}`:                                               `{"input":7}`,
		`plain text`:                                                `plain text`,
		strings.Repeat(" ", 300) + "x":                              strings.Repeat(" ", 300) + "x",
	}
	for arguments, want := range tests {
		if got := ir.UnwrapInput(arguments); got != want {
			t.Errorf("%q gives %q, want %q", arguments, got, want)
		}
		for size := 1; size < 7; size++ {
			var r ir.InputReader
			var got strings.Builder
			for from := 0; from < len(arguments); from += size {
				got.WriteString(r.Next(arguments[from:min(from+size, len(arguments))]))
			}
			got.WriteString(r.End())
			if got.String() != want {
				t.Errorf("%q by %d gives %q, want %q", arguments, size, got.String(), want)
			}
		}
	}
}

func TestInputSchemaIsJSON(t *testing.T) {
	if !json.Valid([]byte(ir.InputSchema)) {
		t.Error("it is not")
	}
}

func FuzzInput(f *testing.F) {
	f.Add("a\"\\\n😀", uint8(3))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		wrapped := ir.WrapInput(text)
		var plain struct{ Input string }
		if err := json.Unmarshal([]byte(wrapped), &plain); err != nil {
			t.Fatal(err)
		}
		if got := ir.UnwrapInput(wrapped); got != plain.Input {
			t.Errorf("%q gives %q, want %q", wrapped, got, plain.Input)
		}
		var r ir.InputReader
		step := int(size) + 1
		var got strings.Builder
		for from := 0; from < len(text); from += step {
			got.WriteString(r.Next(text[from:min(from+step, len(text))]))
		}
		got.WriteString(r.End())
		if whole := ir.UnwrapInput(text); got.String() != whole {
			t.Errorf("%q by %d gives %q, whole %q", text, step, got.String(), whole)
		}
	})
}
