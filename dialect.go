package tollgate

// Dialect is a wire protocol between a client and the gateway, or between the
// gateway and a provider. The values are the wire names of CONTRACT 9.
type Dialect string

// The four dialects.
const (
	DialectOpenAIChat      Dialect = "openai-chat"
	DialectOpenAIResponses Dialect = "openai-responses"
	DialectAnthropic       Dialect = "anthropic"
	DialectGemini          Dialect = "gemini"
)

// Dialects lists them all.
func Dialects() []Dialect {
	return []Dialect{DialectOpenAIChat, DialectOpenAIResponses, DialectAnthropic, DialectGemini}
}

// Operation is what a data-plane request asks for, whatever its dialect.
type Operation string

// The operations of CONTRACT 9. Those not yet served answer CodeUnsupported.
const (
	OpGenerate   Operation = "generate"    // chat completions, responses, messages, generateContent
	OpComplete   Operation = "complete"    // legacy /v1/completions (OpenAI only)
	OpCount      Operation = "count"       // count_tokens, responses/input_tokens, countTokens
	OpEmbed      Operation = "embed"       // embeddings, embedContent
	OpBatchEmbed Operation = "batch_embed" // batchEmbedContents (Gemini only)
	OpModerate   Operation = "moderate"    // moderations (OpenAI only)
	OpListModels Operation = "list_models"
	OpGetModel   Operation = "get_model"

	// The further operations of the Responses API.
	OpCompact    Operation = "compact"     // responses/compact: a conversation becomes a summary
	OpConnect    Operation = "connect"     // WebSocket on /v1/responses; each turn is an OpGenerate
	OpRetrieve   Operation = "retrieve"    // a kept response
	OpInputItems Operation = "input_items" // what a kept response answered to
	OpDelete     Operation = "delete"      // of a kept response
	OpCancel     Operation = "cancel"      // of a response in the background

	OpOther Operation = "other" // known path that this version does not serve
)
