package admin

import (
	"context"
	"encoding/json"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/upstream"
	"tollgate/internal/web/api"
)

// model is the JSON of a model.
type model struct {
	ID            int64           `json:"id"`
	ProviderID    int64           `json:"provider_id"`
	ModelID       string          `json:"model_id" doc:"The provider's name for it."`
	DisplayName   string          `json:"display_name"`
	Enabled       bool            `json:"enabled"`
	ContextTokens int64           `json:"context_tokens" doc:"0 = unknown"`
	OutputTokens  int64           `json:"output_tokens" doc:"0 = unknown"`
	Prices        json.RawMessage `json:"prices" doc:"Its own price keys, in dollars per million tokens; null = it has none of its own."`
	Price         *modelPrice     `json:"price" doc:"What calls cost now; null = unpriced."`
}

// modelPrice is the JSON of the price in force for a model.
type modelPrice struct {
	Version      int64           `json:"version"`
	Source       string          `json:"source" enum:"shipped,toml,api,import"`
	ModelPattern string          `json:"model_pattern" doc:"What it was found by."`
	Prices       json.RawMessage `json:"prices"`
}

func (s *Server) modelRecord(m tollgate.Model) model {
	rec := model{m.ID, m.ProviderID, m.ModelID, m.DisplayName, m.Enabled, m.ContextTokens, m.OutputTokens, m.Prices, nil}
	if e, ok := s.Book.Find(m.ProviderID, m.ModelID, s.Now()); ok {
		rec.Price = &modelPrice{e.ID, string(e.Source), e.ModelPattern, e.Prices}
	}
	return rec
}

type modelQuery struct {
	ID         api.Scope[int64]  `json:"id,omitzero"`
	ProviderID api.Scope[int64]  `json:"provider_id,omitzero"`
	ModelID    api.Scope[string] `json:"model_id,omitzero"`
	Enabled    api.Scope[bool]   `json:"enabled,omitzero"`
	api.Page
}

type modelWrite struct {
	ID            int64                    `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	ProviderID    int64                    `json:"provider_id,omitempty" minimum:"0" doc:"Required for a new one."`
	ModelID       api.Val[string]          `json:"model_id,omitzero" maxLength:"256"`
	DisplayName   api.Opt[string]          `json:"display_name,omitzero" maxLength:"256"`
	Enabled       api.Val[bool]            `json:"enabled,omitzero" doc:"The default is true."`
	ContextTokens api.Opt[int64]           `json:"context_tokens,omitzero" minimum:"0"`
	OutputTokens  api.Opt[int64]           `json:"output_tokens,omitzero" minimum:"0"`
	Prices        api.Opt[json.RawMessage] `json:"prices,omitzero" doc:"An object of price keys: price_input_tokens, price_output_tokens, price_tiers…"`
}

func (s *Server) mountModels() {
	const tag = "Models"
	api.Listing[modelQuery, tollgate.Model, tollgate.ModelFilter, model]{
		Op:     reads("/admin/models/query", tag, "Find models"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Models { return tx.Models }),
		Filter: func(_ context.Context, q modelQuery) (tollgate.ModelFilter, error) {
			return tollgate.ModelFilter{ID: q.ID.Match, ProviderID: q.ProviderID.Match, ModelID: q.ModelID.Match, Enabled: q.Enabled.Match}, nil
		},
		Records: api.Each(s.modelRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"provider_id": 1, "model_id": "some-model", "prices": map[string]any{"price_input_tokens": 2.5, "price_output_tokens": 10}}
	api.Handle(s.API, writes("/admin/models/upsert", tag, "Create or change a model", example), func(ctx context.Context, in *modelWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			if err := providerThere(ctx, tx, in.ProviderID); err != nil {
				return 0, err
			}
			m, err := s.Catalog.SaveModel(ctx, tx, by, upstream.ModelWrite{
				ID: in.ID, ProviderID: in.ProviderID, ModelID: in.ModelID.Opt, DisplayName: in.DisplayName.Opt, Enabled: in.Enabled.Opt,
				ContextTokens: in.ContextTokens.Opt, OutputTokens: in.OutputTokens.Opt, Prices: in.Prices.Opt,
			})
			return m.ID, err
		})
	})
	s.mountDelete(writes("/admin/models/delete", tag, "Delete a model", nil), s.Catalog.DeleteModel)
}

// alias is the JSON of a model alias.
type alias struct {
	ID         int64  `json:"id"`
	Alias      string `json:"alias"`
	Target     string `json:"target" doc:"The model name that the alias stands for."`
	ProviderID *int64 `json:"provider_id" doc:"null = as the target's name resolves"`
	Enabled    bool   `json:"enabled"`
}

type aliasQuery struct {
	ID    api.Scope[int64]  `json:"id,omitzero"`
	Alias api.Scope[string] `json:"alias,omitzero"`
	api.Page
}

type aliasWrite struct {
	ID         int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	Alias      api.Val[string] `json:"alias,omitzero" maxLength:"256"`
	Target     api.Val[string] `json:"target,omitzero" maxLength:"256"`
	ProviderID api.Opt[int64]  `json:"provider_id,omitzero" minimum:"1" doc:"null = as the target's name resolves"`
	Enabled    api.Val[bool]   `json:"enabled,omitzero" doc:"The default is true."`
}

func (s *Server) mountAliases() {
	const tag = "Model aliases"
	api.Listing[aliasQuery, tollgate.ModelAlias, tollgate.AliasFilter, alias]{
		Op:     reads("/admin/model-aliases/query", tag, "Find aliases"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Aliases { return tx.Aliases }),
		Filter: func(_ context.Context, q aliasQuery) (tollgate.AliasFilter, error) {
			return tollgate.AliasFilter{ID: q.ID.Match, Alias: q.Alias.Match}, nil
		},
		Records: api.Each(func(a tollgate.ModelAlias) alias {
			return alias{a.ID, a.Alias, a.Target, api.OrNull(a.ProviderID), a.Enabled}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"alias": "fast", "target": "some-model"}
	api.Handle(s.API, writes("/admin/model-aliases/upsert", tag, "Create or change an alias", example), func(ctx context.Context, in *aliasWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			if err := providerThere(ctx, tx, in.ProviderID.Value); err != nil {
				return 0, err
			}
			a, err := s.Catalog.SaveAlias(ctx, tx, by, upstream.AliasWrite{
				ID: in.ID, Alias: in.Alias.Opt, Target: in.Target.Opt, ProviderID: in.ProviderID.Opt, Enabled: in.Enabled.Opt,
			})
			return a.ID, err
		})
	})
	s.mountDelete(writes("/admin/model-aliases/delete", tag, "Delete an alias", nil), s.Catalog.DeleteAlias)
}

// setting is the JSON of an instance setting.
type setting struct {
	Name  string          `json:"name" required:"true" minLength:"1" maxLength:"128"`
	Value json.RawMessage `json:"value" required:"true"`
}

type settingQuery struct {
	Name api.Scope[string] `json:"name,omitzero"`
}

type settingName struct {
	Name string `json:"name" required:"true" minLength:"1" maxLength:"128"`
}

func (s *Server) mountSettings() {
	const tag = "Settings"
	api.Handle(s.API, reads("/admin/settings/query", tag, "Show the settings that have no key in the configuration file"), func(ctx context.Context, in *settingQuery) ([]setting, error) {
		recs := []setting{}
		err := s.Store.View(ctx, func(tx tollgate.Tx) error {
			rows, err := tx.Settings.All(ctx)
			for _, row := range rows {
				if fits(in.Name, row.Name) {
					recs = append(recs, setting{row.Name, row.Value})
				}
			}
			return err
		})
		return recs, err
	})
	api.Handle(s.API, writes("/admin/settings/upsert", tag, "Set a setting", map[string]any{"name": "include_usage", "value": true}), func(ctx context.Context, in *setting) (api.Done, error) {
		row := tollgate.Setting{Name: in.Name, Value: in.Value}
		if err := auth.CheckSetting(row); err != nil {
			return api.Done{}, err
		}
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			if err := s.SSO.allows(row); err != nil {
				return 0, err
			}
			if err := s.Catalog.SaveSetting(ctx, tx, by, row); err != nil {
				return 0, err
			}
			return 0, s.Accounts.SettleSetting(ctx, tx, row)
		})
	})
	api.Handle(s.API, writes("/admin/settings/delete", tag, "Set a setting back to its default", map[string]any{"name": "include_usage"}), func(ctx context.Context, in *settingName) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			return 0, s.Catalog.DeleteSetting(ctx, tx, by, in.Name)
		})
	})
}
