package ir

import (
	"hash/fnv"
	"strconv"
	"strings"
)

// maxFlatName is how long a tool's name may be in every dialect, in characters.
const maxFlatName = 64

// FlatName returns the name of a tool for dialects without namespaces:
// "namespace__name", shortened to 64 characters and brought into the alphabet
// of tool names ([a-zA-Z0-9_-]) with a checksum where that is needed. A tool
// without a namespace keeps its name. FindTool finds the tool again.
func FlatName(namespace, name string) string {
	if namespace == "" {
		return name
	}
	flat := namespace + "__" + name
	if len(flat) <= maxFlatName && plainID(flat) {
		return flat
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(namespace + "\x00" + name)) // a hash takes everything
	mark := "_" + strconv.FormatUint(uint64(sum.Sum32()), 36)
	return toolAlphabet(flat)[:min(len(flat), maxFlatName-len(mark))] + mark
}

// toolAlphabet replaces every byte that is not in the alphabet of tool names.
func toolAlphabet(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if plainID(name[i : i+1]) {
			b.WriteByte(name[i])
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// FindTool returns the tool among those that the client runs whose FlatName is
// flat. One without a namespace goes before one that only looks like it.
func FindTool(tools []Tool, flat string) (Tool, bool) {
	found := -1
	for i := range tools {
		t := &tools[i]
		if t.Kind == ToolServer || FlatName(t.Namespace, t.Name) != flat {
			continue
		}
		if t.Namespace == "" {
			return *t, true
		}
		if found < 0 {
			found = i
		}
	}
	if found < 0 {
		return Tool{}, false
	}
	return tools[found], true
}

// RestoreTool gives a call of an answer the namespace and the kind that its
// tool has in the request; restored is false for a call that has its own
// already, or whose tool is not found. The caller unwraps the arguments of a
// call that turned out to be one of a custom tool (UnwrapInput, InputReader).
func RestoreTool(tools []Tool, call ToolCall) (_ ToolCall, restored bool) {
	if call.Kind == ToolCustom || call.Namespace != "" {
		return call, false
	}
	t, ok := FindTool(tools, call.Name)
	if !ok || (t.Namespace == "" && t.Kind == call.Kind) {
		return call, false
	}
	call.Kind, call.Name, call.Namespace = t.Kind, t.Name, t.Namespace
	return call, true
}
