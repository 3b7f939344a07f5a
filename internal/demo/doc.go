// Package demo is a simulated model vendor: one http.Handler that answers in
// every dialect that the gateway speaks (OpenAI chat and legacy completions,
// responses, embeddings, moderations and models; Anthropic messages and token
// counting; Gemini generateContent, streams as SSE and as JSON array, token
// counting and embeddings). `--demo` runs it inside the process, so that a
// newcomer can send a real request without an account anywhere; the tests use
// it as their fake vendor, in-process or behind a real listener.
//
// # Models
//
// demo-small and demo-large generate, demo-embed embeds. Any other name is the
// vendor's own "no such model" error, unless Vendor.AnyModel is set.
//
// # Answers
//
// A text answer greets, names the model and quotes the last user message. When
// tools are offered and the message asks for one (it says "call", "tool" or
// "function", or a word of a tool's name, or tool_choice forces it) the answer
// is a call with arguments made up from the tool's JSON schema; after a tool
// result the answer quotes the result. Pictures and files in the last message
// are counted out loud. A requested JSON schema is answered
// with JSON that fits it.
//
// # What it checks
//
// A request that the real vendors refuse gets their error, in about their
// words: members that they do not know, ids that do not fit, calls without
// results and results without calls, roles and parts in the wrong place,
// schemas that break their rules, numbers out of range. It signs its thoughts,
// reasoning and (Gemini) calls, and refuses signatures that it did not make;
// models with gemini-3 in their name refuse a call that came without one. The
// documented stand-in skip_thought_signature_validator passes.
//
// # Usage
//
// A token is a word with the white space before it; a word longer than 16
// bytes counts one token per 16 bytes begun. Input tokens are those of all
// text of the prompt (messages, system text, tool results, earlier calls'
// arguments, and names and descriptions of tools). Output tokens are those of
// the text or, per call, one and those of its arguments. A text stream sends
// one token per event.
//
// # Directives
//
// The last user message (for embeddings, counting and moderation: the input)
// may hold directives, which are taken out of what the answer quotes. N is a
// number, D a duration such as 50ms.
//
//	[[demo:status=503]]     answer with this status and the protocol's error
//	[[demo:retry-after=2]]  … and this header
//	[[demo:delay=D]]        wait before the answer's headers
//	[[demo:silence=D]]      wait in the middle of the answer
//	[[demo:slow=D]]         wait before each content event
//	[[demo:tokens=N]]       a text of exactly N tokens
//	[[demo:big=N]]          a text of N bytes in one event
//	[[demo:tool]]           call a tool; =NAME that tool
//	[[demo:calls=N]]        call N tools at once
//	[[demo:parallel=N]]     … but answer their results with text
//	[[demo:call=NAME ARGS]] call that tool with these arguments (JSON without
//	                        "]]"); given again: at once. Results get text
//	[[demo:text]]           call no tool
//	[[demo:reasoning=N]]    think N tokens first
//	[[demo:cached=N]]       report N input tokens as read from a cache
//	[[demo:finish=length]]  end as if a limit was hit; filter: as if filtered
//	[[demo:error]]          a stream reports an error after its first content
//	                        event (=N: after N events); else a 500
//	[[demo:cut=N]]          break the connection after N events (default 3)
//	[[demo:eof=N]]          end cleanly after N events, without the terminator
//	[[demo:half]]           end cleanly in the middle of an event
//	[[demo:badjson]]        one event, or the body, is not JSON
//	[[demo:noise]]          comments, retry fields and CRLF line ends
//	[[demo:html]]           an HTML page with status 200
//	[[demo:empty]]          status 200 and no body
//	[[demo:nothing]]        close the connection without any answer
//	[[demo:nousage]]        leave the usage out
//	[[demo:flagged]]        moderation finds something
package demo
