package proxy

import (
	"math"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/meter"
	"tollgate/internal/wire"
)

// paid is how far the output of a streamed answer is paid for.
type paid struct {
	// tokens of output are covered by what is held; more is claimed a little
	// before they are used up, margin. math.MaxInt64 = nobody counts.
	tokens, margin int64
	cutter         wire.Cutter // nil: a translation ends the answer itself
}

// meter starts counting the output of a stream whose caller's money is limited.
func (s *stream) meter() {
	c, q := s.c, &s.t.offer
	s.paid = paid{tokens: math.MaxInt64}
	if !c.limited || q.prices == nil || !c.peeked.Stream || s.collects() || c.claim == nil {
		return
	}
	s.paid.tokens, s.paid.margin = q.prices.Fit(q.ask, c.claim.Held()), c.p.Limits.Slice/4
	if s.tr == nil {
		s.paid.cutter = s.t.codec.Outbound.Cutter(s.t.op, s.framing)
	}
}

// pay claims the next slice of output if the answer nears the end of what is
// paid for. What is ready goes out first, since the claim may have to wait.
func (s *stream) pay() *halt {
	if s.paid.tokens == math.MaxInt64 || s.phase != phaseOpen || s.c.held == nil {
		return nil
	}
	u := s.obs.Usage()
	output := generated(&u)
	if output+s.paid.margin <= s.paid.tokens {
		return nil
	}
	output += s.c.p.Limits.Slice
	more := s.price(&u, output) - s.c.claim.Held()
	if more > 0 {
		if h := s.flush(); h != nil {
			return h
		}
	}
	err := s.c.extend(&s.c.ctx, more)
	if err == nil {
		s.paid.tokens = output
		return nil
	}
	if e := s.c.stopped(); e != nil {
		return broke(e, s.c.stopClass(e))
	}
	e := tollgate.AsError(err)
	return &halt{err: e, class: classCanceled, length: e.Code == tollgate.CodeQuota}
}

// price is what the answer costs with so many tokens of output: by the
// provider's own count of the input where there is one.
func (s *stream) price(u *wire.Usage, output int64) tollgate.Money {
	q := &s.t.offer
	if !u.Reported {
		return q.bound(output)
	}
	t := u.Tokens
	t.Output = output
	amount, _ := q.prices.Cost(q.ask.Mode, meter.Usage{Tokens: t, Calls: 1})
	return amount
}

// generated is how many tokens of output an answer has come to, at least.
func generated(u *wire.Usage) int64 {
	return max(u.Tokens.Output, (u.OutputBytes+bytesPerToken-1)/bytesPerToken)
}

// follow shows the cutter what the client reads.
func (s *stream) follow(name, data []byte) {
	if s.paid.cutter != nil {
		s.paid.cutter.Event(name, data)
	}
}

// cutShort ends the answer, for which no money is left, as its protocol ends
// one that has reached its cap. It reports false when that cannot be done,
// since nothing of the answer has gone out.
func (s *stream) cutShort(e *tollgate.Error) bool {
	c := s.c
	if s.tr != nil && !s.tr.begun || s.tr == nil && s.events == 0 {
		return false
	}
	var end []byte
	var whole bool
	if s.tr != nil {
		end, whole = s.tr.cut(nil, s.d.Tokens)
	} else {
		end, whole = s.paid.cutter.Cut(nil, s.d.Tokens, c.peeked.IncludeUsage)
	}
	if !whole {
		return false
	}
	c.served(s.t, s.d)
	c.failed(s.d.Status, e)
	if s.tr != nil {
		c.lose(s.tr.losses())
	}
	if c.record() != nil {
		return false
	}
	s.release()
	s.out = append(s.out, end...)
	c.abort = s.flush() != nil
	return true
}

// cut ends a translated answer at its length.
func (x *translation) cut(dst []byte, used tollgate.Tokens) ([]byte, bool) {
	if x.over() || x.enc == nil {
		return dst, false
	}
	usage := ir.Usage{Tokens: used, Reported: true}
	var events []ir.Event
	for _, at := range x.open {
		events = append(events, at)
	}
	for choice := range x.choices {
		if !x.stopped[choice] {
			events = append(events, ir.Stopped{Choice: choice, Stop: ir.Stop{Reason: ir.StopLength}})
		}
	}
	events = append(events, ir.Finish{Usage: usage})
	dst, err := x.write(dst, events, nil)
	if err != nil || x.finish == nil {
		return dst, false
	}
	dst, err = x.close(dst)
	return dst, err == nil
}
