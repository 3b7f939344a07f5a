//go:build profile

package main

import (
	"fmt"
	"os"
	"runtime/pprof"
)

// startProfile records where the CPU time goes, until stop, into the file that
// TOLLGATE_CPU_PROFILE names. The compiler optimises by it when it is
// default.pgo in this folder (docs/decisions/034-profile.md).
func startProfile() (stop func()) {
	f, err := os.Create(os.Getenv("TOLLGATE_CPU_PROFILE"))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tollgate: no profile:", err)
		os.Exit(exitFailure)
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "tollgate: the profile is not whole:", err)
		}
	}
}
