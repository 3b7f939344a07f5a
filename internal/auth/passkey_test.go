package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"tollgate"
	"tollgate/internal/auth"
)

const origin = "http://localhost:8787"

// authenticator is a software security key (Web Authentication Level 3,
// sections 6.1 and 6.5) with one ES256 credential.
type authenticator struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
	flags  byte   // 1 = present, 4 = verified
	origin string // where the browser says it is
}

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &authenticator{t: t, key: key, id: id, flags: 5, origin: origin}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *authenticator) client(kind, challenge string) []byte {
	out, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *authenticator) data(flags byte) []byte {
	rp := sha256.Sum256([]byte("localhost"))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), a.count)
}

type asked struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

func (a *authenticator) read(options json.RawMessage) asked {
	a.t.Helper()
	var q asked
	if err := json.Unmarshal(options, &q); err != nil {
		a.t.Fatal(err)
	}
	return q
}

// create answers navigator.credentials.create.
func (a *authenticator) create(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	q := a.read(options)
	a.handle, _ = base64.RawURLEncoding.DecodeString(q.PublicKey.User.ID)
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		a.t.Fatal(err)
	}
	data := append(a.data(a.flags|0x40), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		a.t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": b64(a.client("webauthn.create", q.PublicKey.Challenge)), "attestationObject": b64(object)})
}

// get answers navigator.credentials.get.
func (a *authenticator) get(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	a.count++
	client, data := a.client("webauthn.get", a.read(options).PublicKey.Challenge), a.data(a.flags)
	digest := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), digest[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle),
	})
}

func (a *authenticator) answer(response map[string]any) json.RawMessage {
	out, err := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// register gives a signed-in user a passkey.
func (w *world) register(by tollgate.Actor) (*authenticator, auth.Enrolled) {
	w.Helper()
	w.sessions.Origin = func() string { return origin }
	a := newAuthenticator(w.T)
	q, err := w.sessions.BeginRegister(w.Context(), by)
	if err != nil {
		w.Fatal(err)
	}
	e, err := w.sessions.Register(w.Context(), by, q.Token, "key", a.create(q.Options), from("192.0.2.1"))
	if err != nil {
		w.Fatal(err, tollgate.AsError(err).Err)
	}
	return a, e
}

func (w *world) passkeyLogin(a *authenticator) (auth.LoginResult, error) {
	w.Helper()
	q, err := w.sessions.BeginPasskey()
	if err != nil {
		w.Fatal(err)
	}
	return w.sessions.LoginPasskey(w.Context(), q.Token, a.get(q.Options), from("192.0.2.1"))
}

func TestPasskeySignsInAlone(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	a, e := w.register(w.as("alice"))
	if len(e.Recovery) != 10 || w.authenticate(bearer(e.Token.Reveal())) != nil {
		t.Errorf("enrolled: %+v", e)
	}
	r, err := w.passkeyLogin(a)
	if err != nil || r.User.ID != alice.ID || r.Session.Method != "passkey" {
		t.Fatalf("%+v %v", r, err)
	}
	q, err := w.sessions.BeginPasskey()
	if err != nil {
		t.Fatal(err)
	}
	answer := a.get(q.Options)
	other, err := w.sessions.BeginPasskey()
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, token tollgate.Secret, answer json.RawMessage, want tollgate.Code) {
		t.Helper()
		if _, err := w.sessions.LoginPasskey(t.Context(), token, answer, from("192.0.2.1")); tollgate.ErrorCode(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	try("another challenge", other.Token, answer, tollgate.CodeUnauthenticated)
	try("no answer", q.Token, json.RawMessage(`{}`), tollgate.CodeUnauthenticated)
	try("the answer", q.Token, answer, "")
	try("N-22: the answer again", q.Token, answer, tollgate.CodeUnauthenticated)
	for what, bend := range map[string]func(*authenticator){
		"unverified user": func(a *authenticator) { a.flags = 1 }, "another origin": func(a *authenticator) { a.origin = "https://evil.example" },
		"another key":     func(a *authenticator) { a.key = newAuthenticator(t).key },
		"unknown passkey": func(a *authenticator) { a.id = newAuthenticator(t).id },
		"another handle":  func(a *authenticator) { a.handle = []byte("somebody else") },
	} {
		bent := *a
		bend(&bent)
		if _, err := w.passkeyLogin(&bent); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestACopiedPasskeyIsRefusedAndMarked(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	a, e := w.register(w.as("alice"))
	for range 3 {
		if _, err := w.passkeyLogin(a); err != nil {
			t.Fatal(err)
		}
	}
	a.count = 1
	if _, err := w.passkeyLogin(a); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("a copy: %v", err)
	}
	w.update(func(tx tollgate.Tx) error {
		f, err := tx.Factors.Get(t.Context(), e.ID)
		if err == nil && f.Warned.IsZero() {
			t.Error("the copy left no mark")
		}
		return err
	})
}

func TestN22PasskeyAsSecondFactorAndForStepUp(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	a, e := w.register(w.as("alice"))
	_, err := w.sessions.Login(t.Context(), "alice", tollgate.NewSecret("the own secret of alice"), from("192.0.2.1"))
	need := tollgate.AsError(err).SecondFactor
	if need == nil || len(need.Options) == 0 {
		t.Fatalf("%v", err)
	}
	r, err := w.sessions.LoginSecondFactor(t.Context(), need.LoginToken, auth.Proof{Passkey: a.get(need.Options)}, from("192.0.2.1"))
	if err != nil || r.Session.Method != "password+passkey" {
		t.Fatalf("%+v %v", r, err)
	}
	by := tollgate.Actor{Principal: w.principal(bearer(r.Token.Reveal())), Via: "session"}
	first := tollgate.Actor{Principal: w.principal(bearer(e.Token.Reveal())), Via: "session"}
	q, err := w.sessions.BeginStepUp(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	answer := a.get(q.Options)
	if _, err := w.sessions.StepUpPasskey(t.Context(), first, q.Token, answer, from("192.0.2.1")); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("N-22: another session's challenge: %v", err)
	}
	fresh, err := w.sessions.StepUpPasskey(t.Context(), by, q.Token, answer, from("192.0.2.1"))
	if err != nil || w.authenticate(bearer(fresh.Token.Reveal())) != nil || w.authenticate(bearer(r.Token.Reveal())) == nil {
		t.Errorf("S-02: %v", err)
	}
}

// auditless is a store whose audit can be broken.
type auditless struct {
	tollgate.Store
	broken bool
}

type noAudit struct{ tollgate.Audit }

func (noAudit) Append(context.Context, *tollgate.AuditEntry) error { return errors.New("disk full") }

func (s *auditless) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		if s.broken {
			tx.Audit = noAudit{tx.Audit}
		}
		return fn(tx)
	})
}

// TestU01PasskeysNeedTheirAuditEntry: neither is one enrolled nor does one sign
// in while the audit cannot be written.
func TestU01PasskeysNeedTheirAuditEntry(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	store := &auditless{Store: w.store}
	w.sessions = auth.NewSessions(store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 100, Free: 100})
	w.sessions.Origin = func() string { return origin }
	stored := func() (factors, sessions int64) {
		t.Helper()
		err := w.store.View(t.Context(), func(tx tollgate.Tx) error {
			f, _, err := tx.Factors.Query(t.Context(), tollgate.FactorFilter{}, tollgate.Page{All: true})
			s, _, sErr := tx.Sessions.Query(t.Context(), tollgate.SessionFilter{}, tollgate.Page{All: true})
			factors, sessions = int64(len(f)), int64(len(s))
			return errors.Join(err, sErr)
		})
		if err != nil {
			t.Fatal(err)
		}
		return factors, sessions
	}
	by := w.as("alice")
	factors, sessions := stored()
	store.broken = true
	q, err := w.sessions.BeginRegister(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.sessions.Register(t.Context(), by, q.Token, "key", newAuthenticator(t).create(q.Options), from("192.0.2.1")); err == nil {
		t.Error("a passkey was enrolled without an audit entry")
	}
	if f, s := stored(); f != factors || s != sessions {
		t.Errorf("%d factors and %d sessions, had %d and %d", f, s, factors, sessions)
	}
	store.broken = false
	a, _ := w.register(by)
	factors, sessions = stored()
	store.broken = true
	if _, err := w.passkeyLogin(a); err == nil {
		t.Errorf("a passkey signed %d in without an audit entry", alice.ID)
	}
	if f, s := stored(); f != factors || s != sessions {
		t.Errorf("%d factors and %d sessions, had %d and %d", f, s, factors, sessions)
	}
	store.broken = false
	if _, err := w.passkeyLogin(a); err != nil {
		t.Error("afterwards:", err)
	}
}
