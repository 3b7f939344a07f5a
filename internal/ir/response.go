package ir

import "tollgate"

// Response is a whole answer.
type Response struct {
	ID          string // the vendor's; empty = none
	Model       string // the vendor's name of what answered
	Created     int64  // Unix seconds; 0 = not said
	Choices     []Choice
	Usage       Usage
	ServiceTier string // as in Request
	Extras      []Extra
}

// Choice is one answer of those asked for.
type Choice struct {
	Items []Item
	Stop  Stop
}

// Stop is why an answer ended.
type Stop struct {
	Reason StopReason
	// Sequence is the stop sequence that fired, where the vendor says it.
	Sequence string
	// Detail is the vendor's own word for the reason, for filters and errors.
	Detail string
}

// StopReason is the reason in a closed vocabulary.
type StopReason string

// The reasons.
const (
	StopUnknown  StopReason = ""         // the vendor did not say
	StopEnd      StopReason = "end"      // the model was done
	StopSequence StopReason = "sequence" // a stop sequence came
	StopLength   StopReason = "length"   // MaxOutput was reached
	StopContext  StopReason = "context"  // the context window is full
	StopTools    StopReason = "tools"    // it waits for tool results
	StopFilter   StopReason = "filter"   // the vendor's filter cut it off
	StopRefusal  StopReason = "refusal"  // the model refused
	StopPause    StopReason = "pause"    // send the answer back to go on (Anthropic)
	StopFailure  StopReason = "failure"  // the model's output was broken (Gemini's MALFORMED_FUNCTION_CALL)
)

// Usage is what an answer cost in tokens.
type Usage struct {
	Tokens tollgate.Tokens
	// Reported is set when the vendor gave numbers.
	Reported bool
	// Details are counts that are part of Tokens and shown where the dialect has
	// a place: audio and image tokens by direction.
	AudioInput, AudioOutput, ImageInput, ImageOutput int64
}
