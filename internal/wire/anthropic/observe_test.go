package anthropic_test

import (
	"testing"

	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/wiretest"
)

func TestObserver(t *testing.T) { wiretest.RunCases(t, anthropic.Codec{}, "testdata/*.txtar") }

func FuzzObserver(f *testing.F) { wiretest.FuzzObserver(f, anthropic.Codec{}, "testdata/*.txtar") }
