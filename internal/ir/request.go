package ir

import "encoding/json"

// Request is a call for generated content, or for the count of its input.
// Pointers are nil, strings and slices empty where the client said nothing.
type Request struct {
	// Model is the name as the client sent it until the proxy sets the
	// upstream's own.
	Model string
	// Stream asks for events instead of one whole answer.
	Stream bool
	// NoUsage keeps from asking the provider for the usage of a stream, where its
	// dialect wants that said (Chat) and its server does not know the words. The
	// proxy sets it, no codec reads it from a request.
	NoUsage bool

	// System is the system prompt at the head of the conversation, as Text parts
	// with their boundaries kept. Later system messages are Items.
	System []Part
	Items  []Item

	Tools      []Tool
	ToolChoice ToolChoice
	// ParallelCalls allows or forbids several calls in one turn.
	ParallelCalls *bool

	Format    Format
	Verbosity string // low, medium, high
	Reasoning Reasoning

	// MaxOutput caps generated tokens, reasoning included.
	MaxOutput        *int64
	Temperature      *float64 // 0 to 2
	TopP             *float64
	TopK             *int64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Seed             *int64
	Stop             []string
	// Choices is how many answers are wanted at once; 0 and 1 are one.
	Choices int
	// Logprobs asks for log probabilities of output tokens, TopLogprobs for the
	// likeliest alternatives too.
	Logprobs    bool
	TopLogprobs *int64
	// LogitBias is token id → bias; ids mean something to one vendor's tokenizer
	// alone.
	LogitBias map[string]float64

	// User identifies the client's end user; SafetyID is a hashed form for
	// abuse detection.
	User     string
	SafetyID string
	Metadata map[string]string
	// CacheKey groups requests that share a prompt prefix; CacheLife is how long
	// the provider may keep it ("24h").
	CacheKey  string
	CacheLife string
	// ServiceTier is auto, default, flex, priority or scale (OpenAI's words);
	// standard is default.
	ServiceTier string
	// Store lets the provider keep the answer; PreviousID continues an answer
	// that was kept.
	Store      *bool
	PreviousID string

	// Form is how the client wants the answer written.
	Form AnswerForm

	// Extras are members that have no field here, by their source dialect.
	Extras []Extra
}

// AnswerForm says how the answer is to be written where the client's dialect
// has several ways. It is between the client and the front alone: no back
// reads it, so that nothing of it can be lost.
type AnswerForm struct {
	// StreamUsage asks for the usage chunk at the end of a stream (Chat).
	StreamUsage bool
	// FunctionCall asks for a call in the form that was before tools (Chat).
	FunctionCall bool
}

// Extra is a member of a request, an item or a tool that has no field in this
// package. Its own dialect writes it back; elsewhere it is a loss.
type Extra struct {
	// Dialect is the wire name of the dialect that it was read from.
	Dialect string
	// Path is where it stood, relative to its owner, in that dialect's own
	// spelling ("web_search_options", "generationConfig.speechConfig").
	Path string
	// Raw is its JSON value.
	Raw json.RawMessage
	// Hint marks a member that changes no answer: what it says elsewhere by
	// default, how the answer is delivered, what is counted. Its loss is a Note.
	Hint bool
}

// Format is the form of the answer's text.
type Format struct {
	Kind        FormatKind
	Name        string
	Description string
	Schema      json.RawMessage // for FormatSchema
	Strict      *bool
}

// FormatKind says which form.
type FormatKind string

// The forms.
const (
	FormatText   FormatKind = ""       // free text
	FormatJSON   FormatKind = "json"   // any JSON object
	FormatSchema FormatKind = "schema" // JSON that fits Schema
)

// Reasoning says how much the model is to think before it answers, and what of
// it the client wants to see.
type Reasoning struct {
	// Mode says whether to think at all.
	Mode ReasoningMode
	// Effort is none, minimal, low, medium, high, xhigh or max; empty = not said.
	Effort string
	// Budget bounds thinking in tokens.
	Budget *int64
	// Summary is auto, concise or detailed for readable thoughts, none for
	// sealed ones only; empty = the provider's default.
	Summary string
	// Sealed asks for the sealed form, so that a stateless client can replay it.
	Sealed bool
}

// ReasoningMode says whether to think.
type ReasoningMode string

// The modes.
const (
	ReasoningUnset    ReasoningMode = ""         // the provider's default
	ReasoningOff      ReasoningMode = "off"      // do not think
	ReasoningOn       ReasoningMode = "on"       // think, within Budget if there is one
	ReasoningAdaptive ReasoningMode = "adaptive" // the model decides how much
)
