package sso

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"tollgate"
)

// The bounds of a sign-in that is under way (SECURITY O-01).
const (
	flowLife   = 10 * time.Minute
	flowIDSize = 16 // bytes
	maxCookie  = 4 << 10
	maxSpent   = 50_000 // callbacks within flowLife; beyond it nobody is let in
)

// Intent is what a browser set out to do; it comes back unchanged.
type Intent struct {
	// ReturnTo is where the browser goes afterwards; see the function ReturnTo.
	ReturnTo string `json:"r,omitempty"`
	// Invitation is the token of an invitation that is to be taken up; empty = none.
	Invitation string `json:"i,omitempty"`
	// LinkUser is the user who is signed in, by the session LinkSession, and
	// links the identity; 0 = a sign-in.
	LinkUser    int64 `json:"l,omitempty"`
	LinkSession int64 `json:"k,omitempty"`
}

// flow is one sign-in under way. It is kept by the browser, sealed, in a
// cookie; the state parameter is its id. Epoch is the process's own, so that
// what a former process has already seen does not open in the next.
type flow struct {
	ID       []byte    `json:"id"`
	Epoch    []byte    `json:"e"`
	Provider string    `json:"p"`
	Issuer   string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Begun    time.Time `json:"t"`
	Intent   Intent    `json:"w"`
}

// state is the flow's id as a query parameter.
func (f flow) state() string { return base64.RawURLEncoding.EncodeToString(f.ID) }

// flowLabel separates sealed flows from everything else that is sealed, and
// those of one provider from those of another by what is inside (S-08).
func flowLabel() tollgate.Label { return tollgate.Label{Table: "sso", Column: "flow"} }

func (e *Engine) sealFlow(f flow) (string, error) {
	plain, err := json.Marshal(f)
	if err != nil {
		return "", tollgate.WrapError(tollgate.CodeInternal, err, "write sign-in state")
	}
	sealed, err := e.o.Sealer.Seal(flowLabel(), plain)
	if err != nil {
		return "", tollgate.WrapError(tollgate.CodeInternal, err, "seal sign-in state")
	}
	cookie := base64.RawURLEncoding.EncodeToString(sealed)
	if len(cookie) > maxCookie {
		return "", tollgate.Invalidf("return_to", "what the sign-in has to remember does not fit a cookie")
	}
	return cookie, nil
}

// openFlow returns the flow that cookie holds if it is the one that the answer
// with this state belongs to. Each flow is returned once.
func (e *Engine) openFlow(provider, cookie, state string) (flow, error) {
	var f flow
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if err != nil || cookie == "" || len(cookie) > maxCookie {
		return f, refuse("no_flow", "this browser did not begin this sign-in, or took longer than ten minutes; begin again")
	}
	plain, err := e.o.Sealer.Open(flowLabel(), sealed)
	if err != nil || json.Unmarshal(plain, &f) != nil {
		return f, refuse("no_flow", "this sign-in was not begun here; begin again")
	}
	now := e.o.Now()
	switch {
	case subtle.ConstantTimeCompare([]byte(f.state()), []byte(state)) != 1:
		return f, refuse("state", "the answer of the sign-in provider belongs to another sign-in; begin again")
	case f.Provider != provider:
		return f, refuse("state", "the answer came from another sign-in provider than the one that was asked")
	case subtle.ConstantTimeCompare(f.Epoch, e.epoch) != 1, now.Before(f.Begun), now.Sub(f.Begun) > flowLife:
		return f, refuse("expired", "this sign-in took longer than ten minutes, or the gateway was restarted; begin again")
	case !e.spent.take(f.state(), now):
		return f, refuse("replay", "this sign-in was already completed; begin again")
	}
	return f, nil
}

// refuse returns the error of a sign-in that does not come about. Reason is
// for the page and the audit; the message says what to do.
func refuse(reason, format string, args ...any) *tollgate.Error {
	e := tollgate.Errorf(tollgate.CodeUnauthenticated, format, args...)
	e.Reason = "sso_" + reason
	return e
}

// once remembers what was used within the last flowLife.
type once struct {
	mu   sync.Mutex
	used map[string]time.Time
}

// take reports whether id was not taken before, and takes it. A full memory
// takes nothing: to forget would be to let somebody in twice.
func (o *once) take(id string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, found := o.used[id]; found {
		return false
	}
	if len(o.used) >= maxSpent {
		for k, at := range o.used {
			if now.Sub(at) > flowLife {
				delete(o.used, k)
			}
		}
	}
	if len(o.used) >= maxSpent {
		return false
	}
	o.used[id] = now
	return true
}
