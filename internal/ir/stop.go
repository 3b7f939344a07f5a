package ir

import (
	"slices"
	"strings"
)

// Stopper applies stop sequences to an answer whose vendor does not know them:
// a text ends before the first of them, and with it the choice. Text that may
// be the beginning of one is held back, at most the longest sequence less one
// byte. What the vendor generates after it is swallowed, but for usage.
type Stopper struct {
	stops   []string
	longest int
	choices map[int]*stopState
}

// stopState is where one choice is.
type stopState struct {
	hit  string // the sequence that ended the choice
	held string // text that waits, of the part below
	at   TextDelta
	open []int // items that have begun and not ended
}

// NewStopper returns a Stopper of the sequences, nil if there is none.
func NewStopper(stops []string) *Stopper {
	s := &Stopper{choices: map[int]*stopState{}}
	for _, stop := range stops {
		if stop != "" {
			s.stops = append(s.stops, stop)
			s.longest = max(s.longest, len(stop))
		}
	}
	if len(s.stops) == 0 {
		return nil
	}
	return s
}

// Event takes the next event and calls yield with those that stand for it.
func (s *Stopper) Event(ev Event, yield func(Event)) {
	choice, ok := choiceOf(ev)
	if !ok {
		yield(ev)
		return
	}
	st := s.choices[choice]
	if st == nil {
		st = &stopState{}
		s.choices[choice] = st
	}
	if stopped, ok := ev.(Stopped); ok {
		s.release(st, yield)
		if st.hit != "" {
			stopped.Stop = Stop{Reason: StopSequence, Sequence: st.hit}
		}
		yield(stopped)
		return
	}
	if st.hit != "" {
		return
	}
	text, ok := ev.(TextDelta)
	if !ok {
		s.pass(st, ev, yield)
		return
	}
	if st.held != "" && (st.at.Index != text.Index || st.at.Part != text.Part) {
		s.release(st, yield)
	}
	s.text(st, text, yield)
}

// pass lets an event through that is no text, after the text before it.
func (s *Stopper) pass(st *stopState, ev Event, yield func(Event)) {
	if begun, ok := ev.(ItemStart); ok {
		st.open = append(st.open, begun.Index)
	}
	if ended, ok := ev.(ItemEnd); ok {
		st.open = slices.DeleteFunc(st.open, func(i int) bool { return i == ended.Index })
	}
	s.release(st, yield)
	yield(ev)
}

func (s *Stopper) text(st *stopState, ev TextDelta, yield func(Event)) {
	whole := st.held + ev.Text
	st.held = ""
	first, hit := -1, ""
	for _, stop := range s.stops {
		if i := strings.Index(whole, stop); i >= 0 && (first < 0 || i < first) {
			first, hit = i, stop
		}
	}
	if first >= 0 {
		ev.Logprobs = within(ev.Logprobs, first-(len(whole)-len(ev.Text)))
		if ev.Text = whole[:first]; ev.Text != "" {
			yield(ev)
		}
		st.hit = hit
		for _, index := range st.open {
			yield(ItemEnd{ev.Choice, index})
		}
		return
	}
	keep := s.beginning(whole)
	st.held, st.at = whole[len(whole)-keep:], ev
	if ev.Text = whole[:len(whole)-keep]; ev.Text != "" || len(ev.Logprobs) > 0 {
		yield(ev)
	}
}

// beginning is how many of the last bytes of text could begin a sequence.
func (s *Stopper) beginning(text string) int {
	for n := min(s.longest-1, len(text)); n > 0; n-- {
		tail := text[len(text)-n:]
		for _, stop := range s.stops {
			if strings.HasPrefix(stop, tail) {
				return n
			}
		}
	}
	return 0
}

// release gives out the text that waits.
func (s *Stopper) release(st *stopState, yield func(Event)) {
	if st.held == "" {
		return
	}
	ev := st.at
	ev.Text, ev.Logprobs, st.held = st.held, nil, ""
	yield(ev)
}

// within returns the log probabilities of the first n bytes of text.
func within(list []Logprob, n int) []Logprob {
	for i, l := range list {
		if n -= len(l.Token); n < 0 {
			return list[:i]
		}
	}
	return list
}

// choiceOf returns the choice that an event belongs to.
func choiceOf(ev Event) (int, bool) {
	switch ev := ev.(type) {
	case ItemStart:
		return ev.Choice, true
	case TextDelta:
		return ev.Choice, true
	case RefusalDelta:
		return ev.Choice, true
	case PartAdded:
		return ev.Choice, true
	case Cited:
		return ev.Choice, true
	case ThoughtDelta:
		return ev.Choice, true
	case ArgumentsDelta:
		return ev.Choice, true
	case Sealed:
		return ev.Choice, true
	case ItemEnd:
		return ev.Choice, true
	case Stopped:
		return ev.Choice, true
	case Start, Progress, Ping, Failed, Finish:
	}
	return 0, false
}

// CutAt returns the answer as far as the first stop sequence of each choice;
// resp itself when there are no sequences.
func CutAt(resp *Response, stops []string) (*Response, error) {
	s := NewStopper(stops)
	if s == nil {
		return resp, nil
	}
	var f Folder
	var err error
	Unfold(resp, func(ev Event) bool {
		s.Event(ev, func(ev Event) {
			if err == nil {
				err = f.Event(ev)
			}
		})
		return err == nil
	})
	out, _ := f.Response()
	return out, err
}
