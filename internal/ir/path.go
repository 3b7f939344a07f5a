package ir

import "strconv"

// ItemPath is the path of item i of a request.
func ItemPath(i int) string { return "items[" + strconv.Itoa(i) + "]" }

// PartPath is the path of part k of what stands at path at.
func PartPath(at string, k int) string { return at + ".parts[" + strconv.Itoa(k) + "]" }

// ToolPath is the path of tool i of a request.
func ToolPath(i int) string { return "tools[" + strconv.Itoa(i) + "]" }

// SystemPath is the path of part i of the system prompt.
func SystemPath(i int) string { return "system[" + strconv.Itoa(i) + "]" }

// OutputPath is the path of item i of choice n of a response.
func OutputPath(n, i int) string {
	return "choices[" + strconv.Itoa(n) + "].items[" + strconv.Itoa(i) + "]"
}
