package ir

import "encoding/json"

// Tool is something that the model may call.
type Tool struct {
	Kind ToolKind
	// Name as the client knows it; unique within Namespace.
	Name string
	// Namespace groups tools (Responses); empty = none.
	Namespace   string
	Description string
	// Schema is the JSON schema of a function's arguments; nil = none given.
	Schema json.RawMessage
	Strict *bool
	// Grammar bounds the input of a custom tool, as Responses spells it
	// ({"type":"grammar",…}); nil = free text.
	Grammar json.RawMessage
	Cache   *Cache
	// Vendor and Raw are a server tool (web search, code execution, computer
	// use, …), which the vendor itself runs: its whole definition in the dialect
	// Extra.Dialect names it.
	Server Extra
	Extras []Extra
}

// ToolKind says who runs a tool and what its input is.
type ToolKind string

// The kinds.
const (
	ToolFunction ToolKind = "function" // the client runs it; JSON arguments
	ToolCustom   ToolKind = "custom"   // the client runs it; free text input
	ToolServer   ToolKind = "server"   // the vendor runs it: see Tool.Server
)

// ToolChoice says whether and which tools the model is to call.
type ToolChoice struct {
	Mode ToolMode
	// Kind, Name and Namespace are the one tool of ToolNamed.
	Kind      ToolKind
	Name      string
	Namespace string
	// Allowed restricts auto and required to these tools by name; empty = all.
	Allowed []string
	// Server is a choice of a server tool, in its dialect's own form.
	Server Extra
}

// ToolMode is the rule of a ToolChoice.
type ToolMode string

// The modes.
const (
	ToolUnset    ToolMode = ""         // the provider's default: auto when there are tools
	ToolAuto     ToolMode = "auto"     // the model decides
	ToolNone     ToolMode = "none"     // no call
	ToolRequired ToolMode = "required" // at least one call
	ToolNamed    ToolMode = "named"    // a call of the tool Name
)
