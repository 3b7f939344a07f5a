package ascode

// Places reach what is outside.
type Places struct{}
