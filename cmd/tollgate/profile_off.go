//go:build !profile

package main

// startProfile does nothing: only a build with the tag profile records one.
func startProfile() (stop func()) { return func() {} }
