package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/upstream/guard"
)

// Catalog holds the rules for changing providers, credentials, models, aliases
// and settings, the same for every surface. Each method runs inside the
// caller's transaction and appends its audit entry there. Who may call it is
// the surface's to decide. Errors are CodeInvalid, CodeNotFound or
// CodeConflict; the caller rolls back.
//
// Values arrive here resolved: `env:` and `file:` are read only from the
// host's own TOML, so a value that still has such a prefix came over the
// network and is refused (CONTRACT 4).
type Catalog struct {
	Sealer tollgate.Sealer
	// MAC is a keyed digest, for fingerprints.
	MAC    func(purpose string, data []byte) [32]byte
	Now    func() time.Time
	Kinds  Kinds
	Policy *guard.Policy // nil = public addresses only
	Prices PriceBook
}

// PriceBook is told of the changes that bear on prices, inside their
// transaction, and knows what a price looks like.
type PriceBook interface {
	// Check returns a price object compact, nil for none. Errors are
	// CodeInvalid and name the key below field.
	Check(field string, raw json.RawMessage) (json.RawMessage, error)
	// ModelSaved is called when a model was inserted or its prices were given.
	ModelSaved(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, m tollgate.Model) error
	// ProviderSaved is called when a provider was saved; moved says that its
	// host is another than before.
	ProviderSaved(ctx context.Context, tx tollgate.Tx, p tollgate.Provider, moved bool) error
}

// ProviderWrite is a change of a provider. Absent fields stay (on insert: take
// their default), null clears.
type ProviderWrite struct {
	ID       int64 // 0 = insert
	Name     tollgate.Opt[string]
	Kind     tollgate.Opt[string]
	BaseURL  tollgate.Opt[string]
	Settings tollgate.Opt[json.RawMessage]
	Enabled  tollgate.Opt[bool] // default true
	// Credentials are saved with the provider; their ProviderID is ignored.
	Credentials []CredentialWrite
	// DropSecrets agrees that a change of origin clears the secrets that do
	// not come anew with it.
	DropSecrets bool
	// ImportDisabled saves a provider of a kind that this version does not
	// know; it is disabled whatever Enabled says.
	ImportDisabled bool
}

// providerRecord is how the audit shows a provider.
type providerRecord struct {
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	BaseURL  string          `json:"base_url"`
	Settings json.RawMessage `json:"settings,omitempty"`
	Enabled  bool            `json:"enabled"`
}

func recordProvider(p tollgate.Provider) *providerRecord {
	return &providerRecord{p.Name, p.Kind, p.BaseURL, p.Settings, p.Enabled}
}

// SaveProvider inserts or changes a provider and the credentials that come
// with it. A stored secret is bound to scheme, host and port: a change of
// origin is refused unless every secret comes anew or DropSecrets is set
// (SECURITY F-08, N-35).
func (c *Catalog) SaveProvider(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w ProviderWrite) (tollgate.Provider, error) {
	var old *tollgate.Provider
	p := tollgate.Provider{Enabled: true, CreatedAt: c.Now()}
	if w.ID != 0 {
		have, err := tx.Providers.Get(ctx, w.ID)
		if err != nil {
			return p, err
		}
		p, old = have, &have
	}
	p.Name, p.Kind = w.Name.Or(p.Name), w.Kind.Or(p.Kind)
	p.BaseURL, p.Settings = w.BaseURL.Or(p.BaseURL), w.Settings.Or(p.Settings)
	if v, ok := w.Enabled.Given(); ok {
		p.Enabled = v
	}
	origin, err := c.checkProvider(&p, w.ImportDisabled)
	if err != nil {
		return p, err
	}
	if old == nil {
		err = tx.Providers.Insert(ctx, &p)
	} else {
		err = tx.Providers.Update(ctx, p)
	}
	if err != nil {
		return p, err
	}
	if err := c.audit(ctx, tx, by, change{"provider", "upsert", p.ID}, nilOr(old, recordProvider), recordProvider(p)); err != nil {
		return p, err
	}
	if old != nil {
		if err := c.rebind(ctx, tx, by, p, origin, w); err != nil {
			return p, err
		}
	}
	moved := old != nil && c.Kinds.Host(*old) != c.Kinds.Host(p)
	if err := c.Prices.ProviderSaved(ctx, tx, p, moved); err != nil {
		return p, err
	}
	for _, cw := range w.Credentials {
		cw.ProviderID = p.ID
		if _, err := c.SaveCredential(ctx, tx, by, cw); err != nil {
			return p, err
		}
	}
	return p, nil
}

// checkProvider checks the row and returns its origin, "" for an unknown kind.
func (c *Catalog) checkProvider(p *tollgate.Provider, importDisabled bool) (string, error) {
	if err := tollgate.ValidProviderName(p.Name); err != nil {
		return "", err
	}
	if err := notIndirect("base_url", p.BaseURL); err != nil {
		return "", err
	}
	if len(p.Settings) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, p.Settings); err != nil {
			return "", tollgate.Invalidf("settings", "settings is not JSON")
		}
		p.Settings = compact.Bytes()
	}
	if _, err := c.Kinds.kind(p.Kind); err != nil && importDisabled && p.Kind != "" {
		p.Enabled = false
		return "", nil
	}
	_, b, _, err := c.Kinds.resolve(*p)
	if err != nil {
		return "", err
	}
	if p.Kind != KindDemo {
		if err := b.reachable(c.Policy); err != nil {
			return "", err
		}
	}
	return b.origin(), nil
}

// rebind deals with the secrets that are bound to an origin other than the
// provider's.
func (c *Catalog) rebind(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, p tollgate.Provider, origin string, w ProviderWrite) error {
	rows, _, err := tx.Credentials.Query(ctx, tollgate.CredentialFilter{ProviderID: tollgate.Is(p.ID)}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	var bound []tollgate.Credential
	for _, row := range rows {
		if !row.NeedsSecret() && row.Origin != origin && !comesAnew(row.ID, w.Credentials) {
			bound = append(bound, row)
		}
	}
	if len(bound) == 0 {
		return nil
	}
	if !w.DropSecrets {
		names := make([]string, len(bound))
		for i, row := range bound {
			names[i] = credentialName(row)
		}
		return tollgate.Invalidf("base_url", "base_url: the origin becomes %s, but the secrets of %s are bound to %s and are never sent elsewhere; give their secrets again in the same change, or set drop_secrets to clear and disable them",
			orNone(origin), strings.Join(names, ", "), bound[0].Origin)
	}
	for _, row := range bound {
		before := recordCredential(row)
		row.Sealed, row.Origin, row.Last4, row.Fingerprint, row.Enabled = nil, "", "", "", false
		if err := tx.Credentials.Update(ctx, row); err != nil {
			return err
		}
		if err := c.audit(ctx, tx, by, change{"credential", "drop-secret", row.ID}, before, recordCredential(row)); err != nil {
			return err
		}
	}
	return nil
}

func comesAnew(id int64, writes []CredentialWrite) bool {
	for _, w := range writes {
		if s, ok := w.Secret.Given(); w.ID == id && ok && s != "" {
			return true
		}
	}
	return false
}

func orNone(origin string) string {
	if origin == "" {
		return "unknown"
	}
	return origin
}

// DeleteProvider removes a provider with its credentials, models, permissions
// and the aliases that point at it.
func (c *Catalog) DeleteProvider(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	p, err := tx.Providers.Get(ctx, id)
	if err != nil {
		return err
	}
	aliases, _, err := tx.Aliases.Query(ctx, tollgate.AliasFilter{}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	for _, a := range aliases {
		if a.ProviderID != id {
			continue
		}
		if err := c.DeleteAlias(ctx, tx, by, a.ID); err != nil {
			return err
		}
	}
	if err := tx.Providers.Delete(ctx, id); err != nil {
		return err
	}
	return c.audit(ctx, tx, by, change{"provider", "delete", id}, recordProvider(p), nil)
}

// notIndirect refuses the prefixes that only the host's own TOML may use.
func notIndirect(field, value string) error {
	if strings.HasPrefix(value, "env:") || strings.HasPrefix(value, "file:") {
		return tollgate.Invalidf(field, "%s: env: and file: are resolved only in a configuration file on the gateway's own disk; give the value itself", field)
	}
	return nil
}

// change names what an audit entry is about.
type change struct {
	target, verb string
	id           int64
}

// nilOr returns fn of *p, or nil (not a typed nil) when there is none.
func nilOr[T, R any](p *T, fn func(T) R) any {
	if p == nil {
		return nil
	}
	return fn(*p)
}

// audit appends the entry of a change.
func (c *Catalog) audit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, ch change, before, after any) error {
	detail := struct {
		Before any `json:"before,omitempty"`
		After  any `json:"after,omitempty"`
	}{before, after}
	raw, err := json.Marshal(detail)
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "the change could not be recorded")
	}
	e := by.Entry(c.Now(), ch.target+"."+ch.verb, ch.target, ch.id)
	e.Detail = raw
	return tx.Audit.Append(ctx, &e)
}
