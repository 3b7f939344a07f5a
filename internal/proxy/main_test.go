package proxy_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a call, a stream or a timer outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
