package sqlstore

import (
	"encoding/json"
	"time"

	"tollgate"
)

func providerTable() *spec[tollgate.Provider, tollgate.ProviderFilter] {
	type row = tollgate.Provider
	return &spec[row, tollgate.ProviderFilter]{
		name: "providers", noun: "provider",
		area: tollgate.AreaCatalogue, owns: tollgate.AreaIdentity,
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("name", func(r *row) *string { return &r.Name }),
			text("kind", func(r *row) *string { return &r.Kind }),
			text("base_url", func(r *row) *string { return &r.BaseURL }),
			document("settings", func(r *row) *json.RawMessage { return &r.Settings }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.ProviderFilter) {
			ints(w, "id", f.ID)
			texts(w, "name", f.Name)
			texts(w, "kind", f.Kind)
			enabled(w, f.Enabled)
		},
		sorts: []string{"name", "kind", "created_at"},
	}
}

func credentialTable() *spec[tollgate.Credential, tollgate.CredentialFilter] {
	type row = tollgate.Credential
	return &spec[row, tollgate.CredentialFilter]{
		name: "credentials", noun: "credential",
		area: tollgate.AreaCatalogue,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
			text("label", func(r *row) *string { return &r.Label }),
			blob("sealed", func(r *row) *[]byte { return &r.Sealed }),
			text("origin", func(r *row) *string { return &r.Origin }),
			text("last4", func(r *row) *string { return &r.Last4 }),
			text("fingerprint", func(r *row) *string { return &r.Fingerprint }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.CredentialFilter) {
			ints(w, "id", f.ID)
			ints(w, "provider_id", f.ProviderID)
			enabled(w, f.Enabled)
		},
		sorts: []string{"provider_id", "label", "created_at"},
	}
}

func modelTable() *spec[tollgate.Model, tollgate.ModelFilter] {
	type row = tollgate.Model
	return &spec[row, tollgate.ModelFilter]{
		name: "models", noun: "model",
		area: tollgate.AreaCatalogue,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
			text("model_id", func(r *row) *string { return &r.ModelID }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			text("display_name", func(r *row) *string { return &r.DisplayName }),
			integer("context_tokens", func(r *row) *int64 { return &r.ContextTokens }),
			integer("output_tokens", func(r *row) *int64 { return &r.OutputTokens }),
			document("prices", func(r *row) *json.RawMessage { return &r.Prices }),
		},
		filter: func(w *where, f tollgate.ModelFilter) {
			ints(w, "id", f.ID)
			ints(w, "provider_id", f.ProviderID)
			texts(w, "model_id", f.ModelID)
			enabled(w, f.Enabled)
		},
		sorts: []string{"provider_id", "model_id", "display_name"},
	}
}

func aliasTable() *spec[tollgate.ModelAlias, tollgate.AliasFilter] {
	type row = tollgate.ModelAlias
	return &spec[row, tollgate.AliasFilter]{
		name: "aliases", noun: "model alias",
		area: tollgate.AreaCatalogue,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("alias", func(r *row) *string { return &r.Alias }),
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
			text("target", func(r *row) *string { return &r.Target }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
		},
		filter: func(w *where, f tollgate.AliasFilter) {
			ints(w, "id", f.ID)
			texts(w, "alias", f.Alias)
		},
		sorts: []string{"alias", "target"},
	}
}
