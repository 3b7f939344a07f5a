//go:build !linux && !darwin

package journal

import "os"

// newMedium writes by calls to the kernel.
func newMedium(f *os.File, _ int64) (medium, error) { return f, nil }
