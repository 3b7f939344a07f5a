// Package wiretest judges the codecs: it relays answers through an observer as
// the data plane does, runs cases written as txtar files, reads recordings of
// provider answers, and reads their usage by a plain full decode of its own.
// Only tests import it.
package wiretest

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// Answer is what became of a relayed answer.
type Answer struct {
	Sent     string
	Signals  []wire.Signal // one for each event with data
	Complete bool
	Usage    wire.Usage
	Err      error
}

// Reader returns the reader of a framing.
func Reader(f wire.Framing) sse.Reader {
	if f == wire.FramingJSONArray {
		return sse.NewArrayScanner(sse.Limits{})
	}
	return sse.NewScanner(sse.Limits{})
}

// Relay feeds a stream to w in pieces of cut bytes, as long as the reader's
// buffer lets it.
func Relay(w wire.Observer, f wire.Framing, in string, cut int) Answer {
	var a Answer
	r := Reader(f)
	var out []byte
	pass := func(e sse.Event) {
		if e.Data == nil {
			out = e.AppendTo(out, nil)
			return
		}
		if e.Partial && !wire.CompleteData(e.Data) {
			return
		}
		before := string(e.Data)
		data, signal := w.Event(e.Name, e.Data)
		if string(e.Data) != before {
			a.Err = errors.New("the observer wrote to its input")
		}
		a.Signals = append(a.Signals, signal)
		if signal != wire.SignalDrop {
			out = e.AppendTo(out, data)
		}
	}
	for from := 0; from < len(in) && a.Err == nil; {
		n := copy(r.Buffer(), in[from:min(from+cut, len(in))])
		r.Fill(n)
		from += n
		for a.Err == nil {
			e, ok, err := r.Next()
			if a.Err = errors.Join(a.Err, err); !ok {
				break
			}
			pass(e)
		}
	}
	if e, ok, err := r.Finish(); ok {
		pass(e)
	} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		a.Err = errors.Join(a.Err, err)
	}
	a.Sent, a.Complete, a.Usage = string(out), w.Complete(), w.Usage()
	return a
}

// Whole gives a body that is not streamed to w.
func Whole(w wire.Observer, body string) Answer {
	in := []byte(body)
	out, err := w.Body(in)
	if string(in) != body {
		err = errors.New("the observer wrote to its input")
	}
	return Answer{Sent: string(out), Complete: w.Complete(), Usage: w.Usage(), Err: err}
}

// Summary describes an answer but for what was sent, one fact a line.
func (a Answer) Summary() string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%s: %v\n", name, value) }
	if a.Signals != nil {
		names := make([]string, 0, len(a.Signals))
		for _, s := range a.Signals {
			names = append(names, signalName(s))
		}
		line("signals", strings.Join(names, " "))
	}
	if a.Err != nil {
		line("error", a.Err)
	}
	line("complete", a.Complete)
	if !a.Usage.Reported {
		line("reported", false)
	}
	t := a.Usage.Tokens
	line("tokens", fmt.Sprintf("input %d, cache read %d, cache write %d + %d, output %d, reasoning %d",
		t.Input, t.CacheRead, t.CacheWrite, t.CacheWrite1h, t.Output, t.Reasoning))
	if parts := [4]int64{t.InputAudio, t.InputImage, t.OutputAudio, t.OutputImage}; parts != [4]int64{} {
		line("modalities", fmt.Sprintf("input audio %d, image %d, output audio %d, image %d", parts[0], parts[1], parts[2], parts[3]))
	}
	line("content", a.Usage.Content)
	line("bytes", a.Usage.OutputBytes)
	if a.Usage.ServiceTier != "" {
		line("tier", a.Usage.ServiceTier)
	}
	return b.String()
}

func signalName(s wire.Signal) string {
	switch s {
	case wire.SignalPass:
		return "pass"
	case wire.SignalDrop:
		return "drop"
	case wire.SignalTerminal:
		return "terminal"
	case wire.SignalError:
		return "error"
	default:
		return fmt.Sprintf("signal(%d)", s)
	}
}
