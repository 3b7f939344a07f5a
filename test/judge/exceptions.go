package judge

import (
	"regexp"
	"slices"
)

// Exception is something that a description does not know or contradicts
// itself about, and that is written all the same.
type Exception struct {
	By   string // the description: "OpenAI", "Open Responses", "Anthropic", "Gemini"
	What string // "request", "answer", "event"; empty for all
	Path string // a regular expression for the whole of Finding.Path
	Says string // a regular expression for the whole of Finding.Says
	Why  string // what is so, and who says it
	// Shared marks what only recordings show, which are not part of this project.
	Shared bool
}

// Court sorts findings by the exceptions and counts what each of them excused.
type Court struct {
	exceptions []Exception
	paths      []*regexp.Regexp
	says       []*regexp.Regexp
	used       []int
}

// NewCourt takes the exceptions that hold.
func NewCourt(exceptions []Exception) *Court {
	c := &Court{exceptions: exceptions, used: make([]int, len(exceptions))}
	for _, e := range exceptions {
		c.paths = append(c.paths, regexp.MustCompile("^(?:"+e.Path+")$"))
		c.says = append(c.says, regexp.MustCompile("^(?:"+e.Says+")$"))
	}
	return c
}

// Sort returns the findings that no exception excuses.
func (c *Court) Sort(by, what string, v Verdict) Verdict {
	var out Verdict
	for _, f := range v {
		if !c.excused(by, what, f) {
			out = append(out, f)
		}
	}
	return out
}

func (c *Court) excused(by, what string, f Finding) bool {
	for i, e := range c.exceptions {
		if e.By == by && (e.What == "" || e.What == what) && c.paths[i].MatchString(f.Path) && c.says[i].MatchString(f.Says) {
			c.used[i]++
			return true
		}
	}
	return false
}

// Counts returns how often each exception was used.
func (c *Court) Counts() []int { return c.used }

// Exceptions are those that hold, in the order of the descriptions.
func Exceptions() []Exception {
	return slices.Concat(openAI(), openResponses(), anthropicSDK(), protobufTypes())
}

func openAI() []Exception {
	return []Exception{
		{
			By: "OpenAI", What: "event", Path: "/usage|/response/usage", Says: "got null, want object",
			Why: "null until it is known: the prose of stream_options says so for chunks, OpenAI's own response.created has it, " +
				"and Open Responses requires the member",
		},
		{
			By: "OpenAI", What: "answer", Path: "/usage", Says: "got null, want object", Shared: true,
			Why: "the provider counted nothing; Open Responses requires the member and lets null through",
		},
		{
			By: "OpenAI", Path: "(/response)?/text/format/description", Says: "got null, want string",
			Why: "Open Responses requires the member and lets null through, as OpenAI does for the description of a function",
		},
		{
			By: "OpenAI", What: "event", Path: "/choices/\\*/delta/tool_calls/\\*/type", Says: "value must be 'function'",
			Why: "calls of custom tools are in ChatCompletionMessageToolCalls, the schema of whole answers, and were forgotten in that of chunks",
		},
		{
			By: "OpenAI", What: "request", Path: "/stop", Says: "maxItems: got 5, want 4",
			Why: "other providers of the dialect take more than four; OpenAI says itself that it does not",
		},
		{
			By: "OpenAI", What: "request", Path: "/input/\\*/content/\\*", Says: `no form has type "input_audio"`,
			Why: "the description has InputAudio beside the forms of a message, and the official Go SDK has ResponseInputAudio",
		},
		{
			By: "OpenAI", What: "request", Path: "/tools/\\*/strict", Says: "is missing",
			Why: "the client said nothing, which is passed on; the official SDKs leave it out as well",
		},
		{
			By: "OpenAI", What: "request", Path: "/input/\\*/call_id", Says: "is missing",
			Why: "LocalShellToolCallOutput requires a member that it does not have",
		},
		{
			By: "OpenAI", What: "event", Path: "/response/error/code", Says: "value must be one of .*",
			Why: "insufficient_quota is not in the list, but Codex reads it there and stops, which it does for no other code",
		},
	}
}

func openResponses() []Exception {
	return []Exception{
		{
			By: "Open Responses", Path: "(/response)?/output/\\*|/item|/input/\\*",
			Says: `no form has type "(custom_tool_call|custom_tool_call_output|web_search_call|image_generation_call|local_shell_call|local_shell_call_output|mcp_call)"`,
			Why:  "it has functions alone and leaves other items to the vendors; these are OpenAI's",
		},
		{
			By: "Open Responses", Path: "(/response)?/tools/\\*", Says: `no form has type "(custom|namespace|web_search|file_search|local_shell)"`,
			Why: "it has functions alone and leaves other tools to the vendors; these are OpenAI's",
		},
		{
			By: "Open Responses", Path: "(/response)?/tool_choice", Says: `no form has type "file_search"`,
			Why: "it has functions alone and leaves other tools to the vendors; this is OpenAI's",
		},
		{
			By: "Open Responses", Path: "(/response)?/text/format/schema", Says: "got object, which no form has",
			Why: "its schema of a schema lets null through alone, which nobody can mean; OpenAI has an object",
		},
		{
			By: "Open Responses", What: "request", Path: "/text/format", Says: `no form has type "json_object"`,
			Why: "it has the form in answers and forgot it in requests",
		},
		{
			By: "Open Responses", What: "request", Path: "/input/\\*/content/\\*", Says: `no form has type "input_audio"`,
			Why: "it has no audio; OpenAI's SDKs do",
		},
		{
			By: "Open Responses", What: "request", Path: "/reasoning/effort", Says: "value must be one of .*",
			Why: "its list is older than minimal and max, which OpenAI's has",
		},
	}
}

func anthropicSDK() []Exception {
	return []Exception{
		{
			By: "Anthropic", Path: "(/message|/delta)?/(container|diagnostics|stop_details)", Says: "is missing",
			Why: "null when there is none; older answers of the API leave it out (the recordings), so that clients have to",
		},
		{
			By: "Anthropic", Path: "(/message)?/usage/(cache_creation|inference_geo|output_tokens_details|server_tool_use|service_tier|speed)", Says: "is missing",
			Why: "null when it is not known, and another vendor's answer does not say it; older answers of the API leave it out (the recordings)",
		},
		{
			By: "Anthropic", Path: "(/message)?/usage/server_tool_use/web_fetch_requests", Says: "is missing",
			Why: "the case is an answer of the API from before it could fetch",
		},
		{
			By: "Anthropic", Path: "/content/\\*/citations|/content_block/citations", Says: "is missing",
			Why: "null for a text without; older answers of the API leave it out (the recordings)",
		},
		{
			By: "Anthropic", Path: "/content/\\*/caller|/content_block/caller", Says: "is missing",
			Why: "newer than most answers of the API (the recordings), and said to be direct when it is not there",
		},
		{
			By: "Anthropic", Path: "/error/type", Says: `no form has "(request_too_large|conflict_error)"`,
			Why: "the SDK's list lacks two of the types that the page on errors of the API has",
		},
		{
			By: "Anthropic", What: "models", Path: "(/data/\\*)?/(capabilities|deprecated_at|lifecycle|line|max_input_tokens|max_tokens|retires_at)", Says: "is missing",
			Why: "the gateway does not know it of another vendor's model; older lists of the API have none of them",
		},
	}
}

func protobufTypes() []Exception {
	const older = "version 0.13.0, the last one, is older; the official Go SDK google.golang.org/genai has "
	return []Exception{
		{By: "Gemini", What: "answer", Path: "/candidates/\\*/finishMessage", Says: "is not known", Why: older + "Candidate.FinishMessage"},
		{By: "Gemini", Path: "/usageMetadata/serviceTier", Says: "is not known", Why: older + "UsageMetadata.ServiceTier"},
		{By: "Gemini", What: "request", Path: "(/generateContentRequest)?/serviceTier", Says: "is not known", Why: older + "GenerateContentConfig.ServiceTier"},
		{
			By: "Gemini", What: "request", Path: "(/generateContentRequest)?/contents/\\*/parts/\\*/functionResponse/parts", Says: "is not known",
			Why: older + "FunctionResponse.Parts",
		},
		{
			By: "Gemini", What: "request", Path: "(/generateContentRequest)?/generationConfig/thinkingConfig/thinkingLevel", Says: "is not known",
			Why: older + "ThinkingConfig.ThinkingLevel",
		},
	}
}
