package laws

import (
	"slices"
	"strings"

	"tollgate/internal/ir"
)

// feature is something that a request or an answer may have, by its place in
// package ir. Features of one name are one row of the page.
type feature struct {
	section, name string
	// path is a place without indices; up is how many of its names stand below
	// what the feature is about ("items.parts.source.data" with 2 is the part).
	path string
	up   int
	// of and within are the types of what the feature is about and of its owner,
	// is the value at path; empty is any.
	of, within, is string
	// first and further are about the first answer of several, or those behind it.
	first, further bool
}

// Sections of requests and answers.
const (
	talk     = "The conversation"
	files    = "Images, sound and files"
	thoughts = "Thoughts"
	tools    = "Tools"
	form     = "How to answer"
	account  = "Accounts, caches and storage"
	members  = "Members of one dialect alone"
	ends     = "Ends and counts"
)

func requestFeatures() []feature {
	return []feature{
		{section: talk, name: "System prompt", path: "system", of: "Text"},
		{section: talk, name: "System messages later on", path: "items.role", up: 1, of: "Message", is: "system"},
		{section: talk, name: "Messages of the user", path: "items.role", up: 1, of: "Message", is: "user"},
		{section: talk, name: "Messages of the model", path: "items.role", up: 1, of: "Message", is: "assistant"},
		{section: talk, name: "Texts and their boundaries", path: "items.parts", of: "Text", within: "Message"},
		{section: talk, name: "Names of participants", path: "items.name", of: "", within: "Message"},
		{section: talk, name: "Phases of messages", path: "items.phase"},
		{section: talk, name: "Ids of messages and thoughts", path: "items.id", within: "Message"},
		{section: talk, name: "Ids of messages and thoughts", path: "items.id", within: "Thought"},
		{section: talk, name: "Seals on texts", path: "items.parts.private"},
		{section: talk, name: "Items of the vendor's own tools", path: "items", of: "Opaque"},
		{section: talk, name: "Parts of unknown kinds", path: "items.parts", of: "Opaque"},
		{section: files, name: "Images inline", path: "items.parts.source.data", up: 2, of: "Image", within: "Message"},
		{section: files, name: "Images by address", path: "items.parts.source.url", up: 2, of: "Image"},
		{section: files, name: "Images that the vendor keeps", path: "items.parts.source.id", up: 2, of: "Image"},
		{section: files, name: "Detail of images", path: "items.parts.detail"},
		{section: files, name: "Sound", path: "items.parts", of: "Audio"},
		{section: files, name: "Files inline", path: "items.parts.source.data", up: 2, of: "File"},
		{section: files, name: "Files inline", path: "items.parts.source.text", up: 2, of: "File"},
		{section: files, name: "Files by address", path: "items.parts.source.url", up: 2, of: "File"},
		{section: files, name: "Files that the vendor keeps", path: "items.parts.source.id", up: 2, of: "File"},
		{section: files, name: "Names and titles of files", path: "items.parts.name", within: "File"},
		{section: files, name: "Names and titles of files", path: "items.parts.title"},
		{section: files, name: "Context and citing of files", path: "items.parts.context"},
		{section: files, name: "Context and citing of files", path: "items.parts.cite"},
		{section: thoughts, name: "Thoughts in the history", path: "items", of: "Thought"},
		{section: thoughts, name: "Seals of thoughts", path: "items.private", within: "Thought"},
		{section: thoughts, name: "How hard to think", path: "reasoning.effort"},
		{section: thoughts, name: "Budget of thinking, in tokens", path: "reasoning.budget"},
		{section: thoughts, name: "Thinking on, off or as the model likes", path: "reasoning.mode"},
		{section: thoughts, name: "Summaries of thoughts", path: "reasoning.summary"},
		{section: thoughts, name: "Asking for sealed thoughts", path: "reasoning.sealed"},
		{section: tools, name: "Functions", path: "tools.kind", up: 1, is: "function"},
		{section: tools, name: "Schemas of arguments", path: "tools.schema"},
		{section: tools, name: "Strict arguments", path: "tools.strict"},
		{section: tools, name: "Strict arguments", path: "tools.extras.strict"},
		{section: tools, name: "Tools with free text as input", path: "tools.kind", up: 1, is: "custom"},
		{section: tools, name: "Grammars of free text", path: "tools.grammar"},
		{section: tools, name: "Groups of tools", path: "tools.namespace"},
		{section: tools, name: "Groups of tools", path: "tools.extras.namespace"},
		{section: tools, name: "Tools that the vendor runs", path: "tools.kind", up: 1, is: "server"},
		{section: tools, name: "Whether to call: none, auto, required", path: "tool_choice.mode", up: 1, is: "none"},
		{section: tools, name: "Whether to call: none, auto, required", path: "tool_choice.mode", up: 1, is: "auto"},
		{section: tools, name: "Whether to call: none, auto, required", path: "tool_choice.mode", up: 1, is: "required"},
		{section: tools, name: "A tool that has to be called", path: "tool_choice.name", up: 1},
		{section: tools, name: "A tool of the vendor that has to be called", path: "tool_choice.server", up: 1},
		{section: tools, name: "Some of the tools allowed", path: "tool_choice.allowed"},
		{section: tools, name: "Parallel calls allowed or not", path: "parallel_calls"},
		{section: tools, name: "Calls in the history", path: "items", of: "ToolCall"},
		{section: tools, name: "Groups of tools", path: "items.namespace"},
		{section: tools, name: "Ids of calls", path: "items.id", within: "ToolCall"},
		{section: tools, name: "Ids of calls' items", path: "items.item_id"},
		{section: tools, name: "Seals on calls", path: "items.private", within: "ToolCall"},
		{section: tools, name: "Results of calls", path: "items", of: "ToolResult"},
		{section: tools, name: "Names beside results", path: "items.name", within: "ToolResult"},
		{section: tools, name: "Results that are errors", path: "items.is_error"},
		{section: tools, name: "Texts of results", path: "items.parts", of: "Text", within: "ToolResult"},
		{section: tools, name: "Images in results", path: "items.parts.source.data", up: 2, of: "Image", within: "ToolResult"},
		{section: form, name: "Limit of output, in tokens", path: "max_output"},
		{section: form, name: "Temperature", path: "temperature"},
		{section: form, name: "top_p", path: "top_p"},
		{section: form, name: "top_k", path: "top_k"},
		{section: form, name: "Penalties", path: "frequency_penalty"},
		{section: form, name: "Penalties", path: "presence_penalty"},
		{section: form, name: "Bias of tokens", path: "logit_bias"},
		{section: form, name: "Seed", path: "seed"},
		{section: form, name: "Stop sequences", path: "stop"},
		{section: form, name: "Several answers at once", path: "choices"},
		{section: form, name: "Probabilities of tokens", path: "logprobs"},
		{section: form, name: "Probabilities of tokens", path: "top_logprobs"},
		{section: form, name: "Verbosity", path: "verbosity"},
		{section: form, name: "An answer in JSON", path: "format.kind", up: 1, is: "json"},
		{section: form, name: "An answer that fits a schema", path: "format.kind", up: 1, is: "schema"},
		{section: form, name: "Name and strictness of the schema", path: "format.name"},
		{section: form, name: "Name and strictness of the schema", path: "format.description"},
		{section: form, name: "Name and strictness of the schema", path: "format.strict"},
		{section: form, name: "As a stream", path: "stream"},
		{section: account, name: "End user", path: "user"},
		{section: account, name: "End user", path: "safety_id"},
		{section: account, name: "Metadata", path: "metadata"},
		{section: account, name: "Service tier", path: "service_tier"},
		{section: account, name: "Marks of cached prefixes", path: "system.cache"},
		{section: account, name: "Marks of cached prefixes", path: "tools.cache"},
		{section: account, name: "Marks of cached prefixes", path: "items.cache"},
		{section: account, name: "Marks of cached prefixes", path: "items.parts.cache"},
		{section: account, name: "Keys and lives of caches", path: "cache_key"},
		{section: account, name: "Keys and lives of caches", path: "cache_life"},
		{section: account, name: "Keeping the answer", path: "store"},
		{section: account, name: "Keeping the answer", path: "extras.store"},
		{section: account, name: "Going on from a kept answer", path: "previous_id"},
		{section: account, name: "Name of the model", path: "model"},
	}
}

func answerFeatures() []feature {
	return []feature{
		{section: talk, name: "The order of what is said", path: "choices.stop.reason", up: 2, first: true},
		{section: talk, name: "Several answers at once", path: "choices.stop.reason", up: 2, further: true},
		{section: talk, name: "Messages", path: "choices.items", of: "Message"},
		{section: talk, name: "Texts", path: "choices.items.parts", of: "Text"},
		{section: talk, name: "Refusals", path: "choices.items.parts", of: "Refusal"},
		{section: talk, name: "Images", path: "choices.items.parts", of: "Image"},
		{section: talk, name: "Phases of messages", path: "choices.items.phase"},
		{section: talk, name: "Citations of pages", path: "choices.items.parts.citations.kind", up: 1, is: "url"},
		{section: talk, name: "Citations of given documents", path: "choices.items.parts.citations.kind", up: 1, is: "document"},
		{section: talk, name: "Citations of kept files", path: "choices.items.parts.citations.kind", up: 1, is: "file"},
		{section: talk, name: "Probabilities of tokens", path: "choices.items.parts.logprobs"},
		{section: talk, name: "Seals on texts", path: "choices.items.parts.private"},
		{section: talk, name: "Ids of messages and thoughts", path: "choices.items.id", within: "Message"},
		{section: talk, name: "Ids of messages and thoughts", path: "choices.items.id", within: "Thought"},
		{section: talk, name: "Items of the vendor's own tools", path: "choices.items", of: "Opaque"},
		{section: talk, name: "Parts of unknown kinds", path: "choices.items.parts", of: "Opaque"},
		{section: thoughts, name: "Thoughts", path: "choices.items", of: "Thought"},
		{section: thoughts, name: "Seals of thoughts", path: "choices.items.private", within: "Thought"},
		{section: tools, name: "Calls", path: "choices.items", of: "ToolCall"},
		{section: tools, name: "Groups of tools", path: "choices.items.namespace"},
		{section: tools, name: "Ids of calls", path: "choices.items.id", within: "ToolCall"},
		{section: tools, name: "Ids of calls' items", path: "choices.items.item_id"},
		{section: tools, name: "Seals on calls", path: "choices.items.private", within: "ToolCall"},
		{section: ends, name: "Why it stopped", path: "choices.stop.reason"},
		{section: ends, name: "Why it stopped, in the vendor's words", path: "choices.stop.detail"},
		{section: ends, name: "Why it stopped, in the vendor's words", path: "extras.stop_details"},
		{section: ends, name: "Which stop sequence it met", path: "choices.stop.sequence"},
		{section: ends, name: "The end as a whole", path: "choices.stop"},
		{section: ends, name: "Usage", path: "usage.reported", up: 1},
		{section: ends, name: "Kinds of tokens", path: "usage.tokens"},
		{section: ends, name: "Service tier", path: "service_tier"},
		{section: ends, name: "Id, time and name of the model", path: "id"},
		{section: ends, name: "Id, time and name of the model", path: "created"},
		{section: ends, name: "Id, time and name of the model", path: "model"},
	}
}

// roots are the places in v that the feature is about.
func (f feature) roots(v flat) map[string]bool {
	names := strings.Count(f.path, ".") + 1
	out := map[string]bool{}
	for k, value := range v {
		at, isType := strings.CutSuffix(k, "!type")
		place := ir.Loss{Path: at}.Feature()
		if place != f.path && !strings.HasPrefix(place, f.path+".") || (isType && place != f.path) {
			continue
		}
		root := firstNames(at, names-f.up)
		switch {
		case f.first && !strings.HasSuffix(root, "[0]") || f.further && strings.HasSuffix(root, "[0]"):
		case f.is != "" && (value != f.is || place != f.path):
		case f.of != "" && v[root+"!type"] != f.of:
		case f.within != "" && v[firstNames(root, names-f.up-1)+"!type"] != f.within:
		default:
			out[root] = true
		}
	}
	return out
}

// firstNames is the beginning of a path, n names long with their indices.
func firstNames(path string, n int) string {
	for i := range len(path) {
		if path[i] == '.' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}

// extraFeatures are the members without a field that v has and that none of the
// features names.
func extraFeatures(v flat, named []feature) []feature {
	var out []feature
	for k := range v {
		place := ir.Loss{Path: k}.Feature()
		i := strings.Index("."+place, ".extras.")
		if i < 0 || slices.ContainsFunc(named, func(f feature) bool { return (ir.Loss{Path: f.path}).Covers(place) }) {
			continue
		}
		name := place[i+len("extras."):]
		out = append(out, feature{section: members, name: "`" + name + "`", path: place})
	}
	return out
}
