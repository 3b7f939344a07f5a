package upstream

import (
	"context"
	"encoding/json"
	"strings"

	"tollgate"
)

// maxModelTokens bounds the token limits of a model.
const maxModelTokens = 1 << 40

// ModelWrite is a change of a model.
type ModelWrite struct {
	ID            int64 // 0 = insert
	ProviderID    int64 // insert only
	ModelID       tollgate.Opt[string]
	DisplayName   tollgate.Opt[string]
	Enabled       tollgate.Opt[bool] // default true
	ContextTokens tollgate.Opt[int64]
	OutputTokens  tollgate.Opt[int64]
	Prices        tollgate.Opt[json.RawMessage]
}

// AliasWrite is a change of a model alias.
type AliasWrite struct {
	ID         int64 // 0 = insert
	Alias      tollgate.Opt[string]
	Target     tollgate.Opt[string]
	ProviderID tollgate.Opt[int64] // null or 0 = as the target resolves
	Enabled    tollgate.Opt[bool]  // default true
}

type modelRecord struct {
	ProviderID    int64           `json:"provider_id"`
	ModelID       string          `json:"model_id"`
	DisplayName   string          `json:"display_name,omitempty"`
	Enabled       bool            `json:"enabled"`
	ContextTokens int64           `json:"context_tokens,omitempty"`
	OutputTokens  int64           `json:"output_tokens,omitempty"`
	Prices        json.RawMessage `json:"prices,omitempty"`
}

func recordModel(m tollgate.Model) *modelRecord {
	return &modelRecord{m.ProviderID, m.ModelID, m.DisplayName, m.Enabled, m.ContextTokens, m.OutputTokens, m.Prices}
}

type aliasRecord struct {
	Alias      string `json:"alias"`
	Target     string `json:"target"`
	ProviderID int64  `json:"provider_id,omitempty"`
	Enabled    bool   `json:"enabled"`
}

func recordAlias(a tollgate.ModelAlias) *aliasRecord {
	return &aliasRecord{a.Alias, a.Target, a.ProviderID, a.Enabled}
}

// SaveModel inserts or changes a model.
func (c *Catalog) SaveModel(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w ModelWrite) (tollgate.Model, error) {
	var old *tollgate.Model
	m := tollgate.Model{ProviderID: w.ProviderID, Enabled: true}
	if w.ID != 0 {
		have, err := tx.Models.Get(ctx, w.ID)
		if err != nil {
			return m, err
		}
		if w.ProviderID != 0 && w.ProviderID != have.ProviderID {
			return m, tollgate.Invalidf("provider_id", "provider_id: a model stays with its provider")
		}
		m, old = have, &have
	}
	m.ModelID, m.DisplayName = w.ModelID.Or(m.ModelID), w.DisplayName.Or(m.DisplayName)
	m.ContextTokens, m.OutputTokens = w.ContextTokens.Or(m.ContextTokens), w.OutputTokens.Or(m.OutputTokens)
	if v, ok := w.Enabled.Given(); ok {
		m.Enabled = v
	}
	if w.Prices.Set {
		prices, err := c.Prices.Check("prices", w.Prices.Or(nil))
		if err != nil {
			return m, err
		}
		m.Prices = prices
	}
	if err := checkModel(m); err != nil {
		return m, err
	}
	if old == nil {
		if err := providerExists(ctx, tx, m.ProviderID); err != nil {
			return m, err
		}
		if err := tx.Models.Insert(ctx, &m); err != nil {
			return m, err
		}
	} else if err := tx.Models.Update(ctx, m); err != nil {
		return m, err
	}
	if err := c.audit(ctx, tx, by, change{"model", "upsert", m.ID}, nilOr(old, recordModel), recordModel(m)); err != nil {
		return m, err
	}
	if old != nil && !w.Prices.Set {
		return m, nil
	}
	return m, c.Prices.ModelSaved(ctx, tx, by, m)
}

func checkModel(m tollgate.Model) error {
	if err := tollgate.ValidModelName("model_id", m.ModelID); err != nil {
		return err
	}
	if err := tollgate.ValidLabel("display_name", m.DisplayName); err != nil {
		return err
	}
	if m.ContextTokens < 0 || m.ContextTokens > maxModelTokens {
		return tollgate.Invalidf("context_tokens", "context_tokens is a number of tokens, 0 or more")
	}
	if m.OutputTokens < 0 || m.OutputTokens > maxModelTokens {
		return tollgate.Invalidf("output_tokens", "output_tokens is a number of tokens, 0 or more")
	}
	return nil
}

func providerExists(ctx context.Context, tx tollgate.Tx, id int64) error {
	_, err := tx.Providers.Get(ctx, id)
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return tollgate.Invalidf("provider_id", "provider_id: there is no such provider")
	}
	return err
}

// DeleteModel removes a model.
func (c *Catalog) DeleteModel(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	m, err := tx.Models.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := tx.Models.Delete(ctx, id); err != nil {
		return err
	}
	return c.audit(ctx, tx, by, change{"model", "delete", id}, recordModel(m), nil)
}

// SaveAlias inserts or changes a model alias.
func (c *Catalog) SaveAlias(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w AliasWrite) (tollgate.ModelAlias, error) {
	var old *tollgate.ModelAlias
	a := tollgate.ModelAlias{Enabled: true}
	if w.ID != 0 {
		have, err := tx.Aliases.Get(ctx, w.ID)
		if err != nil {
			return a, err
		}
		a, old = have, &have
	}
	a.Alias, a.Target, a.ProviderID = w.Alias.Or(a.Alias), w.Target.Or(a.Target), w.ProviderID.Or(a.ProviderID)
	if v, ok := w.Enabled.Given(); ok {
		a.Enabled = v
	}
	if err := tollgate.ValidModelName("alias", a.Alias); err != nil {
		return a, err
	}
	if err := tollgate.ValidModelName("target", a.Target); err != nil {
		return a, err
	}
	if a.Alias == a.Target && a.ProviderID == 0 {
		return a, tollgate.Invalidf("target", "target: an alias cannot stand for itself; name the provider or another model")
	}
	if a.ProviderID != 0 {
		if err := providerExists(ctx, tx, a.ProviderID); err != nil {
			return a, err
		}
	}
	var err error
	if old == nil {
		err = tx.Aliases.Insert(ctx, &a)
	} else {
		err = tx.Aliases.Update(ctx, a)
	}
	if err != nil {
		return a, err
	}
	return a, c.audit(ctx, tx, by, change{"model_alias", "upsert", a.ID}, nilOr(old, recordAlias), recordAlias(a))
}

// DeleteAlias removes a model alias.
func (c *Catalog) DeleteAlias(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	a, err := tx.Aliases.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := tx.Aliases.Delete(ctx, id); err != nil {
		return err
	}
	return c.audit(ctx, tx, by, change{"model_alias", "delete", id}, recordAlias(a), nil)
}

// maxSettingLength bounds the value of an instance setting, in bytes.
const maxSettingLength = 64 << 10

// SaveSetting inserts or replaces an instance setting.
func (c *Catalog) SaveSetting(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, s tollgate.Setting) error {
	if s.Name == "" || len(s.Name) > 64 || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
		return tollgate.Invalidf("name", "name is 1 to 64 of a-z, 0-9, _, . and -")
	}
	if len(s.Value) > maxSettingLength || !json.Valid(s.Value) {
		return tollgate.Invalidf("value", "value is a JSON value of at most %d bytes", maxSettingLength)
	}
	var text string
	if json.Unmarshal(s.Value, &text) == nil {
		if err := notIndirect("value", text); err != nil {
			return err
		}
	}
	before, err := setting(ctx, tx, s.Name)
	if err != nil {
		return err
	}
	if err := tx.Settings.Put(ctx, s); err != nil {
		return err
	}
	return c.auditSetting(ctx, tx, by, "setting.upsert", s.Name, before, s.Value)
}

// DeleteSetting removes an instance setting; CodeNotFound.
func (c *Catalog) DeleteSetting(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, name string) error {
	before, err := setting(ctx, tx, name)
	if err != nil {
		return err
	}
	if err := tx.Settings.Delete(ctx, name); err != nil {
		return err
	}
	return c.auditSetting(ctx, tx, by, "setting.delete", name, before, nil)
}

// setting returns the running value, nil if there is none.
func setting(ctx context.Context, tx tollgate.Tx, name string) (json.RawMessage, error) {
	all, err := tx.Settings.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Name == name {
			return s.Value, nil
		}
	}
	return nil, nil
}

func (c *Catalog) auditSetting(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, action, name string, before, after json.RawMessage) error {
	if tollgate.SecretName(name) {
		before, after = hidden(before), hidden(after)
	}
	detail, err := json.Marshal(struct {
		Name   string          `json:"name"`
		Before json.RawMessage `json:"before,omitempty"`
		After  json.RawMessage `json:"after,omitempty"`
	}{name, before, after})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "the change could not be recorded")
	}
	e := by.Entry(c.Now(), action, "setting", 0)
	e.Detail = detail
	return tx.Audit.Append(ctx, &e)
}

// hidden says of a value only that there is one.
func hidden(value json.RawMessage) json.RawMessage {
	if value == nil {
		return nil
	}
	return json.RawMessage(`"[redacted]"`)
}
