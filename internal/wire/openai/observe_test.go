package openai_test

import (
	"testing"

	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/wiretest"
)

func TestChatObserver(t *testing.T) { wiretest.RunCases(t, openai.Chat{}, "testdata/chat/*.txtar") }

func TestResponsesObserver(t *testing.T) {
	wiretest.RunCases(t, openai.Responses{}, "testdata/responses/*.txtar")
}

func FuzzChatObserver(f *testing.F) { wiretest.FuzzObserver(f, openai.Chat{}, "testdata/chat/*.txtar") }

func FuzzResponsesObserver(f *testing.F) {
	wiretest.FuzzObserver(f, openai.Responses{}, "testdata/responses/*.txtar")
}
