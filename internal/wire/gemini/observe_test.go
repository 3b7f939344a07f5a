package gemini_test

import (
	"testing"

	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/wiretest"
)

func TestObserver(t *testing.T) { wiretest.RunCases(t, gemini.Codec{}, "testdata/*.txtar") }

func FuzzObserver(f *testing.F) { wiretest.FuzzObserver(f, gemini.Codec{}, "testdata/*.txtar") }
