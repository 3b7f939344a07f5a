// Package sdk_test drives the official Go SDKs through a running gateway with
// the demo provider; scripts/test-sdk.sh starts one. It is a module of its own
// because the SDKs take minutes to compile.
package sdk_test

import (
	"encoding/json"
	"os"
	"testing"
)

const (
	chatModel  = "demo-small"
	embedModel = "demo-embed"

	toolName     = "get_weather"
	toolText     = "Tells the weather in a city."
	toolQuestion = "What is the weather in Paris?"
	toolAnswer   = `{"city":"Paris","sky":"clear","celsius":21}`
	toolDetail   = "clear" // stands in the tool's answer alone; the demo vendor quotes it
)

// gateway returns the address of the gateway under test and a key that may
// call every model.
func gateway(t *testing.T) (url, key string) {
	t.Helper()
	url, key = os.Getenv("TOLLGATE_URL"), os.Getenv("TOLLGATE_KEY")
	if url == "" || key == "" {
		t.Fatal("TOLLGATE_URL and TOLLGATE_KEY are not set: run scripts/test-sdk.sh")
	}
	return url, key
}

// wrongKey has the form of key, and nobody has it.
func wrongKey(key string) string {
	last := "A"
	if key[len(key)-1:] == last {
		last = "B"
	}
	return key[:len(key)-1] + last
}

// toolSchema describes the one argument of the tool.
func toolSchema() map[string]any {
	return map[string]any{"type": "object", "properties": toolProperties(), "required": []string{"city"}}
}

func toolProperties() map[string]any {
	return map[string]any{"city": map[string]any{"type": "string", "description": "Name of the city"}}
}

// checkCall fails unless a tool call names the tool and has the argument it asks for.
func checkCall(t *testing.T, name, arguments string) {
	t.Helper()
	if name != toolName {
		t.Errorf("the model called %q, want %q", name, toolName)
	}
	var args struct {
		City *string `json:"city"`
	}
	if err := json.Unmarshal([]byte(arguments), &args); err != nil || args.City == nil {
		t.Errorf("arguments %q have no city: %v", arguments, err)
	}
}

// checkUsage fails unless the counts are there and add up.
func checkUsage(t *testing.T, input, output, total int64) {
	t.Helper()
	if input <= 0 || output <= 0 || total != input+output {
		t.Errorf("usage is %d + %d = %d", input, output, total)
	}
}
