package upstream

import (
	"context"
	"encoding/hex"
	"strconv"

	"tollgate"
)

// maxSecretLength bounds a provider secret, in bytes.
const maxSecretLength = 8192

// CredentialWrite is a change of a provider credential.
type CredentialWrite struct {
	ID         int64 // 0 = insert
	ProviderID int64 // insert only; a credential stays with its provider
	Label      tollgate.Opt[string]
	// Secret: absent or "" keeps it, null clears it and disables the credential.
	Secret  tollgate.Opt[string]
	Enabled tollgate.Opt[bool] // default true
	// NeedsSecret lets an insert come without a secret (an import of an export
	// that left them out): the row is disabled until it gets one.
	NeedsSecret bool
}

// credentialRecord is how the audit shows a credential.
type credentialRecord struct {
	ProviderID  int64  `json:"provider_id"`
	Label       string `json:"label"`
	Origin      string `json:"origin,omitempty"`
	Last4       string `json:"last4,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Enabled     bool   `json:"enabled"`
	NeedsSecret bool   `json:"needs_secret"`
}

func recordCredential(c tollgate.Credential) *credentialRecord {
	return &credentialRecord{c.ProviderID, c.Label, c.Origin, c.Last4, c.Fingerprint, c.Enabled, c.NeedsSecret()}
}

func credentialName(c tollgate.Credential) string {
	if c.Label != "" {
		return strconv.Quote(c.Label)
	}
	return "credential " + strconv.FormatInt(c.ID, 10)
}

// SaveCredential inserts or changes a credential. Its secret is sealed for
// this row and the provider's origin and cannot be read back.
func (c *Catalog) SaveCredential(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w CredentialWrite) (tollgate.Credential, error) {
	var old *tollgate.Credential
	row := tollgate.Credential{ProviderID: w.ProviderID, Enabled: true, CreatedAt: c.Now()}
	if w.ID != 0 {
		have, err := tx.Credentials.Get(ctx, w.ID)
		if err != nil {
			return row, err
		}
		if w.ProviderID != 0 && w.ProviderID != have.ProviderID {
			return row, tollgate.Invalidf("provider_id", "provider_id: a credential stays with its provider")
		}
		row, old = have, &have
	}
	p, err := tx.Providers.Get(ctx, row.ProviderID)
	if err != nil {
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
			return row, tollgate.Invalidf("provider_id", "provider_id: there is no such provider")
		}
		return row, err
	}
	row.Label = w.Label.Or(row.Label)
	if err := tollgate.ValidLabel("label", row.Label); err != nil {
		return row, err
	}
	secret, err := checkSecret(w.Secret)
	if err != nil {
		return row, err
	}
	if err := decideEnabled(&row, w, secret != ""); err != nil {
		return row, err
	}
	if old == nil { // the seal is bound to the row's id
		if err := tx.Credentials.Insert(ctx, &row); err != nil {
			return row, err
		}
	}
	if secret != "" {
		if err := c.seal(&row, p, secret); err != nil {
			return row, err
		}
	}
	if old != nil || secret != "" {
		if err := tx.Credentials.Update(ctx, row); err != nil {
			return row, err
		}
	}
	return row, c.audit(ctx, tx, by, change{"credential", "upsert", row.ID}, nilOr(old, recordCredential), recordCredential(row))
}

// checkSecret returns the secret that the change brings, "" if none.
func checkSecret(o tollgate.Opt[string]) (string, error) {
	s, ok := o.Given()
	if !ok || s == "" {
		return "", nil
	}
	if err := notIndirect("api_key", s); err != nil {
		return "", err
	}
	if len(s) > maxSecretLength {
		return "", tollgate.Invalidf("api_key", "api_key is longer than %d bytes", maxSecretLength)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return "", tollgate.Invalidf("api_key", "api_key must be visible ASCII characters without white space")
		}
	}
	return s, nil
}

// decideEnabled applies the change's Enabled and the rule that a credential
// without a secret is disabled; it clears the secret when the change says so.
func decideEnabled(row *tollgate.Credential, w CredentialWrite, brings bool) error {
	if w.Secret.Set && w.Secret.Null {
		row.Sealed, row.Origin, row.Last4, row.Fingerprint = nil, "", "", ""
	}
	has := brings || !row.NeedsSecret()
	wants, given := w.Enabled.Given()
	switch {
	case given && wants && !has && !w.NeedsSecret:
		return tollgate.Invalidf("enabled", "enabled: %s has no secret; give it one with api_key", credentialName(*row))
	case !has && w.ID == 0 && !w.NeedsSecret:
		return tollgate.Invalidf("api_key", "api_key must be given")
	case !has:
		row.Enabled = false
	case given:
		row.Enabled = wants
	}
	return nil
}

// seal encrypts secret for row at the provider's origin.
func (c *Catalog) seal(row *tollgate.Credential, p tollgate.Provider, secret string) error {
	_, b, _, err := c.Kinds.resolve(p)
	if err != nil {
		return err
	}
	row.Origin = b.origin()
	sealed, err := c.Sealer.Seal(CredentialLabel(row.ID, row.Origin), []byte(secret))
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "the secret could not be encrypted")
	}
	row.Sealed, row.Last4 = sealed, ""
	if len(secret) >= 12 {
		row.Last4 = secret[len(secret)-4:]
	}
	mac := c.MAC("credential-fingerprint", []byte(secret))
	row.Fingerprint = hex.EncodeToString(mac[:4])
	return nil
}

// DeleteCredential removes a credential.
func (c *Catalog) DeleteCredential(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	row, err := tx.Credentials.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := tx.Credentials.Delete(ctx, id); err != nil {
		return err
	}
	return c.audit(ctx, tx, by, change{"credential", "delete", id}, recordCredential(row), nil)
}
