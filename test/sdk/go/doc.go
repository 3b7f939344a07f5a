// Package sdk runs the official Go SDKs through a running gateway.
package sdk

import (
	_ "github.com/anthropics/anthropic-sdk-go"
	_ "github.com/openai/openai-go/v3"
	_ "google.golang.org/genai"
)
