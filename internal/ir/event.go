package ir

import "tollgate"

// Event is one step of an answer in the making. A stream is
//
//	Start (ItemStart Delta… ItemEnd | Ping | Progress)… Stopped… Finish
//
// where every item is named by choice and index: indices of a choice count from
// 0 without gaps, in the order of the ItemStarts. Items may overlap; the deltas
// of one item are in order. Every open item ends before its choice stops; each
// choice stops once. After Failed nothing follows. Checker judges this.
//
//sumtype:decl
type Event interface{ event() }

// Start opens the answer.
type Start struct {
	ID      string
	Model   string
	Created int64 // Unix seconds; 0 = not said
	// Usage is what is known of the input at this time (Anthropic); else zero.
	Usage       Usage
	ServiceTier string
}

// ItemStart opens an item. Item is its shell: a Message without parts, a
// ToolCall without arguments, a Thought without texts; an Opaque is whole.
type ItemStart struct {
	Choice, Index int
	Item          Item
}

// TextDelta adds text to part Part of a message; a new part begins with the
// next number.
type TextDelta struct {
	Choice, Index, Part int
	Text                string
	Logprobs            []Logprob
}

// RefusalDelta adds to a refusal in part Part of a message.
type RefusalDelta struct {
	Choice, Index, Part int
	Text                string
}

// PartAdded adds a part that comes whole (an image, audio, something opaque).
type PartAdded struct {
	Choice, Index, Part int
	Content             Part
}

// Cited adds a citation to text part Part.
type Cited struct {
	Choice, Index, Part int
	Citation            Citation
}

// ThoughtDelta adds to text Part of a thought.
type ThoughtDelta struct {
	Choice, Index, Part int
	Text                string
}

// ArgumentsDelta adds to the arguments of a call.
type ArgumentsDelta struct {
	Choice, Index int
	Text          string
}

// Sealed gives an item its Private: a thought or a call, or text part Part of
// a message. That of a call comes before its arguments, since other dialects
// carry it in the call's id.
type Sealed struct {
	Choice, Index, Part int
	Private             Private
	// Redacted marks a thought that has no readable form.
	Redacted bool
}

// ItemEnd closes an item.
type ItemEnd struct{ Choice, Index int }

// Stopped says why a choice ended.
type Stopped struct {
	Choice int
	Stop   Stop
}

// Progress reports usage known so far; it replaces what was reported before.
type Progress struct{ Usage Usage }

// Ping keeps the connection alive.
type Ping struct{}

// Failed is the vendor's own report that it could not go on.
type Failed struct{ Err *tollgate.Error }

// Finish ends a complete answer.
type Finish struct {
	Usage       Usage
	ServiceTier string
	Extras      []Extra
}

func (Start) event()          {}
func (ItemStart) event()      {}
func (TextDelta) event()      {}
func (RefusalDelta) event()   {}
func (PartAdded) event()      {}
func (Cited) event()          {}
func (ThoughtDelta) event()   {}
func (ArgumentsDelta) event() {}
func (Sealed) event()         {}
func (ItemEnd) event()        {}
func (Stopped) event()        {}
func (Progress) event()       {}
func (Ping) event()           {}
func (Failed) event()         {}
func (Finish) event()         {}
