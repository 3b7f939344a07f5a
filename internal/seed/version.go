package seed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"slices"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
)

// maxVersions is how many versions of the configuration are kept.
const maxVersions = 200

// applyVersion applies a seed and writes down how the records were before and
// after, without secrets. A seed that changes nothing makes no version.
func (im *Importer) applyVersion(ctx context.Context, tx tollgate.Tx, s config.Seed, by tollgate.Actor, ready map[string]auth.UserWrite, o Options) (Report, error) {
	before, err := im.text(ctx, tx)
	if err != nil {
		return Report{}, err
	}
	report, err := im.applyTx(ctx, tx, s, by, ready, o)
	if err != nil || len(report.Changes) == 0 {
		return report, err
	}
	after, err := im.text(ctx, tx)
	if err != nil {
		return Report{}, err
	}
	v := tollgate.ConfigVersion{At: im.Now(), ActorID: by.Principal.UserID(), ActorName: "host", Via: by.Via, Origin: o.Origin, RolledBackTo: o.RolledBackTo}
	if u := by.Principal.User; u != nil {
		v.ActorName = u.Name
	}
	for _, c := range report.Changes {
		switch c.Action {
		case Create:
			v.Created++
		case Update:
			v.Updated++
		case Delete:
			v.Deleted++
		case Extra:
		}
	}
	if err := im.keep(ctx, tx, &v, before, after); err != nil {
		return Report{}, err
	}
	report.Version = v.ID
	return report, im.auditVersion(ctx, tx, by, v)
}

// text is what the database holds as TOML without secrets.
func (im *Importer) text(ctx context.Context, tx tollgate.Tx) ([]byte, error) {
	st, err := im.loadState(ctx, tx)
	if err != nil {
		return nil, err
	}
	s, err := im.export(st, false)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = config.WriteSeed(&b, s, false)
	return b.Bytes(), err
}

// keep stores a version, with texts that are there already once, and forgets
// the oldest ones.
func (im *Importer) keep(ctx context.Context, tx tollgate.Tx, v *tollgate.ConfigVersion, before, after []byte) error {
	var err error
	if v.BeforeID, err = keepText(ctx, tx, before); err != nil {
		return err
	}
	if v.AfterID, err = keepText(ctx, tx, after); err != nil {
		return err
	}
	if err := tx.ConfigVersions.Insert(ctx, v); err != nil {
		return err
	}
	return forgetVersions(ctx, tx)
}

func keepText(ctx context.Context, tx tollgate.Tx, text []byte) (int64, error) {
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	rows, _, err := tx.ConfigTexts.Query(ctx, tollgate.ConfigTextFilter{Digest: tollgate.Is(digest)}, tollgate.Page{})
	if err != nil {
		return 0, err
	}
	if len(rows) > 0 {
		return rows[0].ID, nil
	}
	row := tollgate.ConfigText{Digest: digest, Text: text}
	err = tx.ConfigTexts.Insert(ctx, &row)
	return row.ID, err
}

func forgetVersions(ctx context.Context, tx tollgate.Tx) error {
	rows, _, err := tx.ConfigVersions.Query(ctx, tollgate.ConfigVersionFilter{}, tollgate.Page{All: true})
	if err != nil || len(rows) <= maxVersions {
		return err
	}
	slices.SortFunc(rows, func(a, b tollgate.ConfigVersion) int { return int(a.ID - b.ID) })
	old, kept := rows[:len(rows)-maxVersions], map[int64]bool{}
	for _, v := range rows[len(old):] {
		kept[v.BeforeID], kept[v.AfterID] = true, true
	}
	for _, v := range old {
		if err := tx.ConfigVersions.Delete(ctx, v.ID); err != nil {
			return err
		}
		for _, id := range []int64{v.BeforeID, v.AfterID} {
			if kept[id] {
				continue
			}
			kept[id] = true // gone; once is enough
			if err := tx.ConfigTexts.Delete(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (im *Importer) auditVersion(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, v tollgate.ConfigVersion) error {
	e := by.Entry(im.Now(), "config."+string(v.Origin), "config_version", v.ID)
	detail, err := json.Marshal(struct {
		Created      int   `json:"created"`
		Updated      int   `json:"updated"`
		Deleted      int   `json:"deleted"`
		RolledBackTo int64 `json:"rolled_back_to,omitempty"`
	}{v.Created, v.Updated, v.Deleted, v.RolledBackTo})
	if err != nil {
		return err
	}
	e.Detail = detail
	return tx.Audit.Append(ctx, &e)
}

// Version returns how the configuration was after a version, or before it, as
// a seed that a rollback applies: what was disabled since stays disabled, so
// that going back never revives what somebody has revoked.
func (im *Importer) Version(ctx context.Context, store tollgate.Store, id int64, before bool) (config.Seed, []byte, error) {
	var out config.Seed
	var text []byte
	err := store.View(ctx, func(tx tollgate.Tx) error {
		v, err := tx.ConfigVersions.Get(ctx, id)
		if err != nil {
			return err
		}
		at := v.AfterID
		if before {
			at = v.BeforeID
		}
		row, err := tx.ConfigTexts.Get(ctx, at)
		if err != nil {
			return err
		}
		if text = row.Text; len(text) > 0 {
			if out, err = config.ParseSeed("version.toml", text); err != nil {
				return tollgate.WrapError(tollgate.CodeInternal, err, "version %d cannot be read", id)
			}
		}
		r, err := im.newRun(ctx, tx, out, Options{})
		if err != nil {
			return err
		}
		r.keepDisabled(&out)
		return nil
	})
	return out, text, err
}

// keepDisabled takes into the seed what is disabled in the database.
func (r *run) keepDisabled(s *config.Seed) {
	for i := range s.SignInProviders {
		p := &s.SignInProviders[i]
		if have, ok := r.state.signIn[p.Name]; ok {
			p.Enabled = p.Enabled && !have.Disabled
		}
	}
	for i := range s.Users {
		u := &s.Users[i]
		row, ok := r.state.users[u.Name]
		if !ok {
			continue
		}
		u.Enabled = u.Enabled && row.Enabled
		for j := range u.Keys {
			if n := r.matchKey(row, u.Keys[j]); n >= 0 {
				u.Keys[j].Enabled = u.Keys[j].Enabled && r.state.keys[n].Enabled
			}
		}
	}
}

// fingerprint32 tells whether the records are those of a plan: everything
// that an import reads or writes, secrets by their sealed form, but not what
// moves by itself: last uses, what was spent.
func (im *Importer) fingerprint32(st *state) [32]byte {
	h := sha256.New()
	for _, u := range inOrder(st.users, func(u tollgate.User) int64 { return u.ID }) {
		hashFields(h, "user", u.ID, u.Name, u.Email, u.Enabled, u.Role, u.TeamID, u.TeamRole, u.Password)
	}
	for _, t := range inOrder(st.teams, func(t tollgate.Team) int64 { return t.ID }) {
		hashFields(h, "team", t.ID, t.Name)
	}
	for _, k := range st.keys {
		hashFields(h, "key", k.ID, k.UserID, k.Label, k.Enabled, k.ExpiresAt, k.Models, k.IPAllow, k.Surfaces, k.TeamID, k.OnLeave, k.Digest)
	}
	for _, p := range inOrder(st.providers, func(p tollgate.Provider) int64 { return p.ID }) {
		hashFields(h, "provider", p.ID, p.Name, p.Kind, p.BaseURL, p.Settings, p.Enabled)
	}
	for _, c := range st.credentials {
		hashFields(h, "credential", c.ID, c.ProviderID, c.Label, c.Enabled, c.Sealed)
	}
	for _, m := range st.models {
		hashFields(h, "model", m.ID, m.ProviderID, m.ModelID, m.DisplayName, m.Enabled, m.ContextTokens, m.OutputTokens, m.Prices)
	}
	for _, p := range st.prices {
		hashFields(h, "price", p.ID)
	}
	for _, a := range inOrder(st.aliases, func(a tollgate.ModelAlias) int64 { return a.ID }) {
		hashFields(h, "alias", a.ID, a.Alias, a.Target, a.ProviderID, a.Enabled)
	}
	for _, p := range st.permissions {
		hashFields(h, "permission", p.ID, p.UserID, p.ProviderID, p.ModelPattern)
	}
	for _, p := range st.teamRights {
		hashFields(h, "team permission", p.ID, p.TeamID, p.ProviderID, p.ModelPattern)
	}
	for _, p := range inOrder(st.signIn, func(p sso.Settings) int64 { return p.Row }) {
		hashFields(h, "sign-in provider", p, p.ClientSecret.Reveal())
	}
	for _, p := range st.files {
		hashFields(h, "file permission", p.ID, p.UserID, p.ProviderID)
	}
	for _, l := range st.limits {
		hashFields(h, "limit", l.ID, l.Scope, l.ScopeID, l.ModelPattern, l.RPM, l.RPD, l.TotalTokens, l.Concurrency)
	}
	for _, q := range st.quotas {
		hashFields(h, "quota", q.ID, q.Scope, q.ScopeID, q.Window, q.Limit)
	}
	return im.Keys.MAC("config-state", h.Sum(nil))
}

// hashFields adds a record to h, each field with its length in front.
func hashFields(h hash.Hash, fields ...any) {
	for _, f := range fields {
		text, err := json.Marshal(f)
		if err != nil { // none of them is of a kind without a JSON form
			text = []byte(err.Error())
		}
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) //nolint:gosec // a field is far below 4 GiB
		h.Write(text)
	}
}
