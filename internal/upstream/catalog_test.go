package upstream_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
)

func cli() tollgate.Actor { return tollgate.HostActor("cli") }

func raw(s string) tollgate.Opt[json.RawMessage] { return some(json.RawMessage(s)) }

// refused checks that err is a CodeInvalid about field.
func refused(t *testing.T, what string, err error, field string) {
	t.Helper()
	if tollgate.ErrorCode(err) != tollgate.CodeInvalid || tollgate.AsError(err).Field != field {
		t.Errorf("%s: %v (field %q, want %q)", what, err, tollgate.AsError(err).Field, field)
	}
}

func TestF05BaseURLsThatTwoParsersCouldReadInTwoWays(t *testing.T) {
	for _, u := range []string{
		"api.example.com", "ftp://a.example", "//a.example", "https://", "https:///v1", "https://user@a.example", "https://user:pw@a.example", "https://a.example@evil.example",
		"https://a.example\\@evil.example", "https://a.example#@evil.example", "https://a.example?x=1", "https://a.example/v1?", "https://a.example/v1#", "https://a.example:0", "https://a.example:", "https://a.example:65536",
		"https://a.example:x", "https://a example", "https://a.example/\tv1", "https://a.example\r\nHost:evil", "https://a.example/%2e%2e/v1", "https://a.example/../v1", "https://a.example/./v1",
		"https://a.example//v1", "https://a.example/a%2fb", "https://ä.example", "https://a..example", "https://-a.example", "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://127.1",
		"https://[::1", "https://[fe80::1%25eth0]", "https://[::ffff:127.0.0.1]", "https://a.example.", "https:a.example", "https://a.example/" + strings.Repeat("x", 3000), "env:BASE", "file:/etc/passwd", "javascript://a.example",
	} {
		w := newWorld(t)
		_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some(u)})
		refused(t, u, err, "base_url")
	}
	for _, u := range []string{
		"https://a.example", "https://A.Example:8443/v1/", "http://127.0.0.1:9000/v1", "http://lab.internal:9000", "https://8.8.8.8/v1", "https://[2606:4700::1111]:443/v1", "https://a_b.example/x-y/v1beta",
	} {
		w := newWorld(t)
		if _, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some(u)}); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func FuzzBaseURL(f *testing.F) {
	for _, s := range []string{"https://a.example/v1", "http://127.0.0.1:9000", "https://[::1]:1/a/b", "https://a@b", "https://a.example\\b", "https://0x7f.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w := newWorld(t)
		p, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some(s)})
		if err != nil {
			return
		}
		if err := w.fleet.Reload(t.Context(), w.store); err != nil {
			t.Fatal(err)
		}
		e, ok := w.fleet.Endpoint(p.ID)
		if !ok {
			t.Fatalf("%q is saved but does not serve", s)
		}
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], generate("{}"))
		if err != nil {
			t.Fatal(err)
		}
		got := req.URL.String()
		host, _, _ := strings.Cut(strings.ToLower(s[strings.Index(s, "//")+2:]), "/")
		if !strings.Contains("//"+host+":", "//"+strings.ToLower(req.URL.Hostname())+":") && !strings.Contains(host, "["+req.URL.Hostname()+"]") {
			t.Fatalf("%q is requested at %q", s, got)
		}
	})
}

func TestAddressesThatTheGuardWouldNeverDialAreRefusedWhenSaved(t *testing.T) {
	w := newWorld(t)
	w.catalog.Policy = guard.NewPolicy(guard.Rules{})
	for _, u := range []string{"http://a.example", "http://8.8.8.8", "http://127.0.0.1:9000", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]"} {
		_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some(u)})
		refused(t, u, err, "base_url")
		if !strings.Contains(err.Error(), "allow_private") {
			t.Errorf("%s: the message does not say what to do: %v", u, err)
		}
	}
	if len(w.store.audit.entries) != 0 {
		t.Error("a refused change is in the audit")
	}
}

func TestKindsAndSettingsAreStrict(t *testing.T) {
	for _, c := range []struct{ kind, base, settings, field string }{
		{"vertex", "", "", "kind"},
		{"", "", "", "kind"},
		{"openai-compatible", "", "", "base_url"},
		{"openai", "", `[]`, "settings"},
		{"openai", "", `{"nope":1}`, "settings"},
		{"openai", "", `{"include_usage":"yes"}`, "settings"},
		{"openai", "", `{"dialects":[]}`, "settings.dialects"},
		{"openai", "", `{"dialects":["anthropic"]}`, "settings.dialects"},
		{"openai", "", `{"dialects":["openai-chat","openai-chat"]}`, "settings.dialects"},
		{"gemini", "", `{"dialects":["openai-chat"]}`, "settings.dialects"},
		{"openai", "", `{"version_path":"../x"}`, "settings.version_path"},
		{"openai", "", `{"version_path":"a?b"}`, "settings.version_path"},
		{"openai", "https://a.example/v1", `{"version_path":"v2"}`, "settings.version_path"},
		{"openai", "", `{"responses_state":"nobody"}`, "settings.responses_state"},
		{"openai", "", `{"forward_headers":["Authorization"]}`, "settings.forward_headers"},
		{"openai", "", `{"forward_headers":["x-forwarded-for"]}`, "settings.forward_headers"},
		{"openai", "", `{"forward_headers":["Openai-Organization"]}`, "settings.forward_headers"},
		{"openai", "", `{"forward_headers":["a b"]}`, "settings.forward_headers"},
		{"openai", "", `{"forward_headers":["Cookie"]}`, "settings.forward_headers"},
		{"openai", "", `{`, "settings"},
	} {
		w := newWorld(t)
		_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some(c.kind), BaseURL: some(c.base), Settings: raw(c.settings)})
		refused(t, fmt.Sprintf("%s %s %s", c.kind, c.base, c.settings), err, c.field)
	}
	w := newWorld(t)
	w.catalog.Kinds.Demo = false
	_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("p"), Kind: some("demo")})
	refused(t, "demo without --demo", err, "kind")
	for _, name := range []string{"", "Admin", "v1", "a/b", "admin"} {
		_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some(name), Kind: some("openai")})
		refused(t, "name "+name, err, "name")
	}
}

func TestN35OriginEditNeedsTheSecretAgain(t *testing.T) {
	const secret = "sk-stored-0123456789"
	w := newWorld(t)
	e := w.save(t, upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some("https://a.example/v1")}, secret)
	id := e.Provider().ID
	edit := func(write upstream.ProviderWrite) error {
		write.ID = id
		_, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), write)
		return err
	}
	cred := func() tollgate.Credential {
		rows, _, err := w.store.tx.Credentials.Query(t.Context(), tollgate.CredentialFilter{}, tollgate.Page{})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v %v", rows, err)
		}
		return rows[0]
	}
	row, err := w.store.tx.Providers.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := w.store.tx.Providers.Update(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range []string{"https://evil.example/v1", "https://a.example:8443/v1", "https://a.example.evil.example/v1", "http://127.0.0.1/v1", "https://b.a.example/v1"} {
		refused(t, u, edit(upstream.ProviderWrite{BaseURL: some(u)}), "base_url")
		restore() // a real store rolls back
	}
	refused(t, "kind with another default", edit(upstream.ProviderWrite{Kind: some("openai"), BaseURL: tollgate.Null[string]()}), "base_url")
	restore()
	// The same origin, however spelled, keeps it.
	for _, u := range []string{"https://A.example:443/other/v1", "https://a.example"} {
		if err := edit(upstream.ProviderWrite{BaseURL: some(u)}); err != nil || cred().NeedsSecret() {
			t.Errorf("%s: %v", u, err)
		}
	}
	// The secret comes with the change.
	change := upstream.ProviderWrite{BaseURL: some("https://b.example"), Credentials: []upstream.CredentialWrite{{ID: cred().ID, Secret: some("sk-new-0123456789")}}}
	if err := edit(change); err != nil || cred().Origin != "https://b.example:443" || cred().NeedsSecret() {
		t.Errorf("%v %+v", err, cred())
	}
	// Or it is dropped.
	if err := edit(upstream.ProviderWrite{BaseURL: some("https://c.example"), DropSecrets: true}); err != nil || !cred().NeedsSecret() || cred().Enabled || cred().Last4 != "" || cred().Fingerprint != "" {
		t.Errorf("%v %+v", err, cred())
	}
}

func TestCredentialRules(t *testing.T) {
	w := newWorld(t)
	e := w.provider(t, "openai", "")
	save := func(write upstream.CredentialWrite) (tollgate.Credential, error) {
		if write.ID == 0 && write.ProviderID == 0 {
			write.ProviderID = e.Provider().ID
		}
		return w.catalog.SaveCredential(t.Context(), w.store.tx, cli(), write)
	}
	for what, c := range map[string]struct {
		w     upstream.CredentialWrite
		field string
	}{
		"no secret":         {upstream.CredentialWrite{}, "api_key"},
		"env":               {upstream.CredentialWrite{Secret: some("env:LAB_KEY")}, "api_key"},
		"file":              {upstream.CredentialWrite{Secret: some("file:/etc/shadow")}, "api_key"},
		"white space":       {upstream.CredentialWrite{Secret: some("sk a")}, "api_key"},
		"new line":          {upstream.CredentialWrite{Secret: some("sk-a\r\nx: y")}, "api_key"},
		"not ASCII":         {upstream.CredentialWrite{Secret: some("schlüssel")}, "api_key"},
		"long":              {upstream.CredentialWrite{Secret: some(strings.Repeat("x", 9000))}, "api_key"},
		"label":             {upstream.CredentialWrite{Secret: some("sk-0123456789"), Label: some(" a")}, "label"},
		"no such provider":  {upstream.CredentialWrite{ProviderID: 999, Secret: some("sk-0123456789")}, "provider_id"},
		"enabled, no value": {upstream.CredentialWrite{Enabled: some(true)}, "enabled"},
	} {
		_, err := save(c.w)
		refused(t, what, err, c.field)
	}
	c, err := save(upstream.CredentialWrite{Label: some("a"), Secret: some("sk-0123456789-last")})
	if err != nil || c.Last4 != "last" || len(c.Fingerprint) != 8 || !c.Enabled || c.Origin != "https://api.openai.com:443" {
		t.Fatalf("%v %+v", err, c)
	}
	if c2, err := save(upstream.CredentialWrite{ID: c.ID, Label: some("b"), Secret: some("")}); err != nil || string(c2.Sealed) != string(c.Sealed) || c2.Label != "b" {
		t.Errorf("an empty secret keeps the stored one: %v %+v", err, c2)
	}
	if c2, err := save(upstream.CredentialWrite{ID: c.ID, Secret: tollgate.Null[string]()}); err != nil || !c2.NeedsSecret() || c2.Enabled {
		t.Errorf("null clears it: %v %+v", err, c2)
	}
	_, err = save(upstream.CredentialWrite{ID: c.ID, Enabled: some(true)})
	refused(t, "enabled without a secret", err, "enabled")
	_, err = save(upstream.CredentialWrite{ID: c.ID, ProviderID: 77})
	refused(t, "moved", err, "provider_id")
	if c, err := save(upstream.CredentialWrite{NeedsSecret: true}); err != nil || c.Enabled || !c.NeedsSecret() {
		t.Errorf("import without secrets: %v %+v", err, c)
	}
	if _, err := save(upstream.CredentialWrite{ID: 12345}); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("%v", err)
	}
	if err := w.catalog.DeleteCredential(t.Context(), w.store.tx, cli(), c.ID); err != nil {
		t.Error(err)
	}
}

func TestN72AuditOfTheCatalogueHoldsNoSecret(t *testing.T) {
	const secret = "sk-CANARY-5ecret-0123456789"
	w := newWorld(t)
	e := w.save(t, upstream.ProviderWrite{Name: some("p"), Kind: some("openai-compatible"), BaseURL: some("https://a.example")}, secret)
	ctx, tx, id := t.Context(), w.store.tx, e.Provider().ID
	m, err := w.catalog.SaveModel(ctx, tx, cli(), upstream.ModelWrite{ProviderID: id, ModelID: some("m")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.catalog.SaveAlias(ctx, tx, cli(), upstream.AliasWrite{Alias: some("x"), Target: some("m"), ProviderID: some(id)})
	if err != nil {
		t.Fatal(err)
	}
	steps := []error{
		w.catalog.SaveSetting(ctx, tx, cli(), tollgate.Setting{Name: "console.theme", Value: json.RawMessage(`"dark"`)}),
		w.catalog.DeleteSetting(ctx, tx, cli(), "console.theme"),
		w.catalog.DeleteModel(ctx, tx, cli(), m.ID),
		w.catalog.DeleteProvider(ctx, tx, cli(), id),
	}
	for i, err := range steps {
		if err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if _, err := tx.Aliases.Get(ctx, a.ID); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("the alias outlives its provider: %v", err)
	}
	var actions []string
	for _, entry := range w.store.audit.entries {
		actions = append(actions, entry.Action)
		if strings.Contains(string(entry.Detail), "CANARY") || !json.Valid(entry.Detail) || entry.Via != "cli" || entry.At.IsZero() {
			t.Errorf("%+v", entry)
		}
	}
	want := "provider.upsert credential.upsert model.upsert model_alias.upsert setting.upsert setting.delete model.delete model_alias.delete provider.delete"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := string(w.store.audit.entries[1].Detail); !strings.Contains(d, `"last4":"6789"`) || strings.Contains(d, `"before"`) {
		t.Errorf("%s", d)
	}
}

func TestModelAliasAndSettingRules(t *testing.T) {
	w := newWorld(t)
	e := w.provider(t, "openai", "")
	ctx, tx, id := t.Context(), w.store.tx, e.Provider().ID
	for what, c := range map[string]struct {
		w     upstream.ModelWrite
		field string
	}{
		"no id":            {upstream.ModelWrite{ProviderID: id}, "model_id"},
		"control":          {upstream.ModelWrite{ProviderID: id, ModelID: some("a\nb")}, "model_id"},
		"no such provider": {upstream.ModelWrite{ProviderID: 99, ModelID: some("m")}, "provider_id"},
		"tokens":           {upstream.ModelWrite{ProviderID: id, ModelID: some("m"), ContextTokens: some(int64(-1))}, "context_tokens"},
		"prices":           {upstream.ModelWrite{ProviderID: id, ModelID: some("m"), Prices: raw(`{"price_input_tokens":-1}`)}, "prices.price_input_tokens"},
	} {
		_, err := w.catalog.SaveModel(ctx, tx, cli(), c.w)
		refused(t, what, err, c.field)
	}
	m, err := w.catalog.SaveModel(ctx, tx, cli(), upstream.ModelWrite{ProviderID: id, ModelID: some("m"), Prices: raw(`{"price_input_tokens": 1}`)})
	if err != nil || string(m.Prices) != `{"price_input_tokens":1}` || !m.Enabled {
		t.Fatalf("%v %+v", err, m)
	}
	if _, err := w.catalog.SaveModel(ctx, tx, cli(), upstream.ModelWrite{ProviderID: id, ModelID: some("m")}); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("twice: %v", err)
	}
	if m2, err := w.catalog.SaveModel(ctx, tx, cli(), upstream.ModelWrite{ID: m.ID, Enabled: some(false)}); err != nil || m2.Enabled || string(m2.Prices) != string(m.Prices) {
		t.Errorf("absent fields stay: %v %+v", err, m2)
	}
	if m2, err := w.catalog.SaveModel(ctx, tx, cli(), upstream.ModelWrite{ID: m.ID, Prices: tollgate.Null[json.RawMessage]()}); err != nil || m2.Prices != nil {
		t.Errorf("null clears: %v %+v", err, m2)
	}
	_, err = w.catalog.SaveAlias(ctx, tx, cli(), upstream.AliasWrite{Alias: some("a"), Target: some("a")})
	refused(t, "self", err, "target")
	_, err = w.catalog.SaveAlias(ctx, tx, cli(), upstream.AliasWrite{Alias: some("a"), Target: some("m"), ProviderID: some(int64(99))})
	refused(t, "no such provider", err, "provider_id")
	if _, err := w.catalog.SaveAlias(ctx, tx, cli(), upstream.AliasWrite{Alias: some("m"), Target: some("m"), ProviderID: some(id)}); err != nil {
		t.Errorf("an alias of the same name at one provider: %v", err)
	}
	for what, s := range map[string]tollgate.Setting{
		"name":  {Name: "A b", Value: json.RawMessage(`1`)},
		"value": {Name: "a", Value: json.RawMessage(`{`)},
	} {
		refused(t, what, w.catalog.SaveSetting(ctx, tx, cli(), s), what)
	}
	refused(t, "env", w.catalog.SaveSetting(ctx, tx, cli(), tollgate.Setting{Name: "a", Value: json.RawMessage(`"env:X"`)}), "value")
}

func TestUnknownKindsAreKeptDisabledOnImport(t *testing.T) {
	w := newWorld(t)
	p, err := w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{Name: some("v"), Kind: some("vertex"), ImportDisabled: true, Enabled: some(true)})
	if err != nil || p.Enabled {
		t.Fatalf("%v %+v", err, p)
	}
	_, err = w.catalog.SaveProvider(t.Context(), w.store.tx, cli(), upstream.ProviderWrite{ID: p.ID, Enabled: some(true)})
	refused(t, "enabled later", err, "kind")
}
