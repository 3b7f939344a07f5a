package ir

import "encoding/json"

// Item is one element of a conversation.
//
//sumtype:decl
type Item interface{ item() }

// Message is something said.
type Message struct {
	Role Role
	// Name tells participants of the same role apart (Chat); empty = none.
	Name string
	// ID is the vendor's id of the message (Responses); empty = none.
	ID string
	// Phase tells a remark between calls ("commentary") from the final answer
	// ("final_answer") (Responses); empty = not said.
	Phase  string
	Parts  []Part
	Extras []Extra
}

// Role says who speaks.
type Role string

// The roles. RoleSystem is also what OpenAI calls developer.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleSystem    Role = "system"
)

// ToolCall is the model's wish to have a tool run. Calls that follow each
// other belong to one turn.
type ToolCall struct {
	// ID pairs the call with its result; never empty once decoded: a dialect
	// without ids makes deterministic ones (see CallIDs).
	ID   string
	Kind ToolKind // ToolFunction or ToolCustom
	Name string
	// Namespace is the tool's, as in Tool.
	Namespace string
	// Arguments is the JSON text of a function's arguments ("{}" where there are
	// none), the free text of a custom tool.
	Arguments string
	// ItemID is the vendor's id of the item itself (Responses); empty = none.
	ItemID string
	Cache  *Cache
	// Private is what the vendor sealed onto the call (Gemini's thoughtSignature).
	Private *Private
	Extras  []Extra
}

// ToolResult is what a tool gave back.
type ToolResult struct {
	CallID string
	Kind   ToolKind
	// Name of the tool, where the dialect says it; CallNames finds it elsewhere.
	Name    string
	Parts   []Part
	IsError bool
	Cache   *Cache
	Extras  []Extra
}

// Thought is what the model thought, as far as it is shown, and its
// sealed form.
type Thought struct {
	// ID is the vendor's id of the item (Responses); empty = none.
	ID string
	// Texts are the readable thoughts, in blocks; none = only the sealed form.
	Texts []string
	// Raw marks the model's own chain of thought; else it is a summary.
	Raw bool
	// Private is the sealed form. Without one the thought can be shown but not
	// be given back to a vendor that verifies it.
	Private *Private
	// Redacted marks a thought that the vendor shows in sealed form only.
	Redacted bool
	Extras   []Extra
}

// Opaque is an item, or a part of a message, that one dialect alone knows: a
// server tool's call or result, a compaction, a reference. It is written back
// to its dialect and a loss elsewhere.
type Opaque struct {
	Dialect string
	Type    string // as the dialect calls it
	Raw     json.RawMessage
}

func (Message) item()    {}
func (ToolCall) item()   {}
func (ToolResult) item() {}
func (Thought) item()    {}
func (Opaque) item()     {}

// Cache marks the end of a prompt prefix that the provider is to keep.
type Cache struct {
	// Life is "5m" or "1h"; empty = the provider's default.
	Life string
}
