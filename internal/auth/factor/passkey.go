package factor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Party is this gateway as WebAuthn's relying party (Web Authentication
// Level 3, section 4).
type Party struct{ rp *webauthn.WebAuthn }

// NewParty returns the party of an origin (scheme://host[:port]). A browser
// allows passkeys on HTTPS and on localhost, and on no address in digits: any
// other origin is an error.
func NewParty(origin string) (*Party, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not an origin", origin)
	}
	host := u.Hostname()
	if net.ParseIP(host) != nil || u.Scheme != "https" && host != "localhost" {
		return nil, fmt.Errorf("passkeys need https and a host name, %q has not both", origin)
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Tollgate", RPOrigins: []string{origin},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // password managers send some
	})
	if err != nil {
		return nil, fmt.Errorf("the relying party of %q: %w", origin, err)
	}
	return &Party{rp}, nil
}

// Owner is whose passkeys they are.
type Owner struct {
	// Handle is the opaque name of the account that authenticators keep, at
	// most 64 bytes.
	Handle   []byte
	Name     string
	Passkeys []Passkey
}

// Passkey is a registered credential: what it is found by, its record as it is
// stored, and how often it has signed.
type Passkey struct {
	ID     []byte
	Record []byte
	Count  int64
}

// owner is an Owner as the library sees it.
type owner struct {
	Owner
	credentials []webauthn.Credential
}

func (o owner) WebAuthnID() []byte                         { return o.Handle }
func (o owner) WebAuthnName() string                       { return o.Name }
func (o owner) WebAuthnDisplayName() string                { return o.Name }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

func (o Owner) read() (owner, error) {
	out := owner{Owner: o}
	for _, p := range o.Passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Record, &c); err != nil {
			return out, fmt.Errorf("read a passkey: %w", err)
		}
		c.Authenticator.SignCount = uint32(p.Count) //nolint:gosec // was one when it was stored
		c.Authenticator.CloneWarning = false
		out.credentials = append(out.credentials, c)
	}
	return out, nil
}

// Ceremony is what the browser is asked, and what has to be remembered, in
// secret and unaltered, until it answers.
type Ceremony struct{ Options, State json.RawMessage }

func ceremony(options any, state *webauthn.SessionData, err error) (c Ceremony, _ error) {
	if err == nil {
		c.Options, err = json.Marshal(options)
	}
	if err == nil {
		c.State, err = json.Marshal(state)
	}
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a passkey ceremony: %w", err)
	}
	return c, nil
}

// Register asks for a new passkey of an owner: one that can be found without
// a name where the authenticator can, and not one that is registered already.
func (p *Party) Register(o Owner) (Ceremony, error) {
	who, err := o.read()
	if err != nil {
		return Ceremony{}, err
	}
	var have []protocol.CredentialDescriptor
	for i := range who.credentials {
		have = append(have, who.credentials[i].Descriptor())
	}
	options, state, err := p.rp.BeginRegistration(who, webauthn.WithExclusions(have), webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
		ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
	}))
	return ceremony(options, state, err)
}

// Registered reads the browser's answer to Register.
func (p *Party) Registered(o Owner, state, answer json.RawMessage) (Passkey, error) {
	who, err := o.read()
	if err != nil {
		return Passkey{}, err
	}
	var s webauthn.SessionData
	if err := json.Unmarshal(state, &s); err != nil {
		return Passkey{}, fmt.Errorf("read the state of a ceremony: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, told(err)
	}
	c, err := p.rp.CreateCredential(who, s, parsed)
	if err != nil {
		return Passkey{}, told(err)
	}
	return passkey(c)
}

func passkey(c *webauthn.Credential) (Passkey, error) {
	record, err := json.Marshal(c)
	if err != nil {
		return Passkey{}, fmt.Errorf("store a passkey: %w", err)
	}
	return Passkey{ID: c.ID, Record: record, Count: int64(c.Authenticator.SignCount)}, nil
}

// Ask asks for one of the owner's passkeys, as a second factor.
func (p *Party) Ask(o Owner) (Ceremony, error) {
	who, err := o.read()
	if err != nil {
		return Ceremony{}, err
	}
	options, state, err := p.rp.BeginLogin(who, webauthn.WithUserVerification(protocol.VerificationPreferred))
	return ceremony(options, state, err)
}

// AskAnyone asks for a passkey of whoever sits there. The authenticator has to
// verify them (PIN, fingerprint): the passkey is all they show.
func (p *Party) AskAnyone() (Ceremony, error) {
	options, state, err := p.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return ceremony(options, state, err)
}

// ErrCopied says that a passkey's count of signatures went backwards: there
// is a copy of it.
var ErrCopied = errors.New("the passkey's signature count went backwards")

// Asserted reads the browser's answer to Ask, or to AskAnyone when the state
// is of that, and returns the passkey as it is to be stored now. ErrCopied
// comes with the passkey that it is about.
func (p *Party) Asserted(o Owner, state, answer json.RawMessage) (Passkey, error) {
	who, err := o.read()
	if err != nil {
		return Passkey{}, err
	}
	var s webauthn.SessionData
	if err := json.Unmarshal(state, &s); err != nil {
		return Passkey{}, fmt.Errorf("read the state of a ceremony: %w", err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Passkey{}, told(err)
	}
	var c *webauthn.Credential
	if len(s.UserID) > 0 {
		c, err = p.rp.ValidateLogin(who, s, parsed)
	} else {
		_, c, err = p.rp.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return who, nil }, s, parsed)
	}
	if err != nil {
		return Passkey{}, told(err)
	}
	out, err := passkey(c)
	if err == nil && c.Authenticator.CloneWarning {
		err = ErrCopied
	}
	return out, err
}

// CredentialID returns the id of the passkey that answered, unverified.
func CredentialID(answer json.RawMessage) ([]byte, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, told(err)
	}
	return parsed.RawID, nil
}

// told adds what the library keeps for developers: it goes to the log alone.
func told(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%w: %s", err, e.DevInfo)
	}
	return err
}
