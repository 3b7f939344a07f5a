package seed_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/seal"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/seed"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/upstream"
)

// fixture is an installation on a real SQLite database.
type fixture struct {
	store *sqlstore.Store
	im    *seed.Importer
}

func newFixture(t *testing.T, sealKeys bool) fixture {
	t.Helper()
	now := time.Now
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: "sqlite://" + filepath.Join(t.TempDir(), "t.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ring, stored, err := seal.Create(seal.Master{Key: tollgate.NewSecret("correct horse battery staple"), Source: seal.SourceEnv}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), func(tx tollgate.Tx) error { return stored.Save(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	// Cheap hashes: what is tested here is not Argon2.
	hasher := auth.NewHasher(auth.HasherOptions{}, rand.Reader)
	prices := &book.Rules{Now: now, Host: upstream.Kinds{}.Host}
	return fixture{store: store, im: &seed.Importer{
		Accounts: &auth.Accounts{Sealer: ring, Keys: ring, Hasher: hasher, Now: now, Rand: rand.Reader, SealKeys: sealKeys},
		Catalog:  &upstream.Catalog{Sealer: ring, MAC: ring.MAC, Now: now, Kinds: upstream.Kinds{Demo: true}, Prices: prices},
		Prices:   prices,
		Keys:     ring,
		Now:      now,
	}}
}

func parse(t *testing.T, text string) config.Seed {
	t.Helper()
	s, err := config.ParseSeed("test.toml", []byte(text))
	if err != nil {
		t.Fatalf("the seed does not parse:\n%v", err)
	}
	return s
}

func (f fixture) apply(t *testing.T, text string) seed.Report {
	t.Helper()
	r, err := f.im.Apply(t.Context(), f.store, parse(t, text), tollgate.HostActor("import"), seed.Options{Origin: tollgate.ConfigImported})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f fixture) plan(t *testing.T, text string) []string {
	t.Helper()
	p, err := f.im.Plan(t.Context(), f.store, parse(t, text), seed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Problems) > 0 {
		t.Fatalf("problems: %v", p.Problems)
	}
	return lines(p.Changes)
}

func lines(changes []seed.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, strings.Join(strings.Fields(c.String()), " "))
	}
	return out
}

func view[T any](t *testing.T, f fixture, fn func(context.Context, tollgate.Tx) (T, error)) T {
	t.Helper()
	var out T
	err := f.store.View(t.Context(), func(tx tollgate.Tx) (err error) {
		out, err = fn(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// whole is a file with every section.
const whole = `
[[teams]]
name = "research"

[[users]]
name = "root"
password = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$fRXpUBPFhkIpoX3aNcQKFf5LhxYkGeNYlCzYJIb5Mm8"
is_admin = true
[[users.keys]]
api_key = "sk-root-key-1"
label = "main"

[[users]]
name = "alice"
password = "plain-or-argon2-phc"
email = "alice@example.com"
team = "research"
team_role = "admin"
enabled = true
[[users.keys]]
api_key = "sk-user-alice-1"
label = "default"
enabled = true
[[users.keys]]
api_key = "sk-user-alice-ci"
label = "ci-runner"
enabled = false
models = ["gpt-*"]
ip_allow = ["10.0.0.0/8"]
surfaces = ["llm"]
expires_at = 2099-01-01T00:00:00Z
[[users.keys]]
api_key = "sk-research-alice"
label = "of the team"
surfaces = ["llm"]
team_key = true

[[providers]]
name = "main"
kind = "openai"
[[providers.credentials]]
label = "a"
api_key = "sk-provider-secret-a"
[[providers.credentials]]
api_key = "sk-provider-secret-b"
enabled = false

[[providers]]
name = "lab"
kind = "openai-compatible"
base_url = "https://lab.example.com/v1"
enabled = false
settings = { include_usage = false, dialects = ["openai-chat"] }

[[models]]
provider_name = "main"
model_id = "gpt-small"
display_name = "Small"
context_tokens = 128_000
price_each_call = 0.001
[[models.price_tiers]]
input_tokens_up_to = 200000
price_input_tokens = 1.25
price_output_tokens = 10.0
[[models.price_tiers]]
price_input_tokens = 2.50

[[model_aliases]]
alias = "small"
provider_name = "main"
model_id = "gpt-small"

[[model_aliases]]
alias = "any"
model_id = "gpt-small"
enabled = false

[[permissions]]
user_name = "alice"
provider_name = "main"
model_pattern = "gpt-*"
[[permissions]]
user_name = "alice"
model_pattern = "small"

[[permissions]]
team_name = "research"
provider_name = "main"
model_pattern = "gpt-*"
[[permissions]]
team_name = "research"
model_pattern = "any"

[[sso_providers]]
name = "corp"
kind = "oidc"
display_name = "Corp login"
client_id = "tollgate"
client_secret = "the client secret of corp"
issuer = "https://id.example.com/"
scopes = ["groups"]
allowed_domains = ["example.com", "example.org"]
sign_up = true
trusts_second_factor = true
groups_claim = "memberof"
[[sso_providers.roles]]
group = "ops"
is_admin = true
[[sso_providers.roles]]
group = "plat"
team = "research"
[[sso_providers]]
name = "hub"
kind = "github"
enabled = false
client_id = "tollgate"
client_secret = "the client secret of hub"
allowed_orgs = ["acme", "acme-labs/platform"]

[[file_permissions]]
user_name = "alice"
provider_name = "main"

[[rate_limits]]
user_name = "alice"
model_pattern = "gpt-*"
rpm = 60
rpd = 10000
total_tokens = 200000
[[rate_limits]]
team_name = "research"
concurrency = 4

[[prices]]
provider_name = "main"
model_pattern = "gpt-*"
price_input_tokens = 1.5
flex_price_input_tokens = 0.75
price_reasoning_tokens = 12
[[prices]]
model_pattern = "*"
price_each_call = 0.001
price_each_image = 0.04
batch_price_each_image = 0.02
[[prices.price_tiers]]
input_tokens_up_to = 200_000
price_input_tokens = 1
price_input_audio_tokens = 4
[[prices.price_tiers]]
price_input_tokens = 2
[[prices.priority_price_tiers]]
price_output_image_tokens = 30
[[prices]]
model_pattern = "announced"
valid_from = 2099-01-01T00:00:00Z
price_input_tokens = 1

[[quotas]]
user_name = "alice"
quota = 100.0
cost_used = 1.5
[[quotas]]
scope = "instance"
window = "month"
quota = 0.000000001
`

func TestImportIsCompleteAndStable(t *testing.T) {
	f := newFixture(t, true)
	f.apply(t, whole)
	if got := f.plan(t, whole); len(got) != 0 {
		t.Errorf("after the import the file still differs:\n%s", strings.Join(got, "\n"))
	}
	if r := f.apply(t, whole); len(r.Changes) != 0 {
		t.Errorf("a second import changed %v", lines(r.Changes))
	}
}

func TestExportWithSecretsIsIdenticalAfterApply(t *testing.T) {
	from, to := newFixture(t, true), newFixture(t, true)
	from.apply(t, whole)
	first := from.export(t, true)
	to.apply(t, first)
	if diff := cmp.Diff(first, to.export(t, true)); diff != "" {
		t.Errorf("the exports differ (-first +second):\n%s", diff)
	}
	for _, secret := range []string{"sk-user-alice-1", "sk-provider-secret-b", "$argon2id$", "the client secret of corp", "the client secret of hub"} {
		if !strings.Contains(first, secret) {
			t.Errorf("the export with secrets lacks %s", secret)
		}
	}
}

func TestExportWithoutSecretsHoldsNone(t *testing.T) {
	from, to := newFixture(t, true), newFixture(t, true)
	from.apply(t, whole)
	text := from.export(t, false)
	for _, secret := range []string{"sk-user-alice", "sk-root", "sk-provider", "argon2", "plain-or", "the client secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the export holds %q", secret)
		}
	}
	if got := from.plan(t, text); len(got) != 0 {
		t.Errorf("the export differs from its own database:\n%s", strings.Join(got, "\n"))
	}
	report := to.apply(t, text)
	want := []string{
		"credential main/a", "credential main/", "key root/main", "key alice/default", "key alice/ci-runner", "key alice/of the team",
		"sign-in provider corp", "sign-in provider hub",
	}
	if diff := cmp.Diff(want, report.NeedSecret); diff != "" {
		t.Errorf("need a secret (-want +got):\n%s", diff)
	}
	for _, k := range view(t, to, func(ctx context.Context, tx tollgate.Tx) ([]tollgate.Key, error) {
		rows, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{}, tollgate.Page{All: true})
		return rows, err
	}) {
		if k.Enabled || !k.NeedsSecret {
			t.Errorf("key %q of an export without secrets is enabled or has a secret: %+v", k.Label, k)
		}
	}
	for _, c := range view(t, to, func(ctx context.Context, tx tollgate.Tx) ([]tollgate.Credential, error) {
		rows, _, err := tx.Credentials.Query(ctx, tollgate.CredentialFilter{}, tollgate.Page{All: true})
		return rows, err
	}) {
		if c.Enabled || !c.NeedsSecret() {
			t.Errorf("credential %q of an export without secrets is enabled or has a secret", c.Label)
		}
	}
}

// TestSignInProvidersOfADocument: without a secret a provider is disabled, what
// is there keeps its own, and another issuer never gets it.
func TestSignInProvidersOfADocument(t *testing.T) {
	from, to := newFixture(t, true), newFixture(t, true)
	from.apply(t, whole)
	public := from.export(t, false)
	to.apply(t, public)
	if got := to.signIn(t, "corp"); !got.Disabled || !got.ClientSecret.Empty() || got.Issuer != "https://id.example.com/" || len(got.Roles) != 2 {
		t.Errorf("corp of an export without secrets is %+v", got)
	}
	from.apply(t, strings.Replace(public, `display_name = "Corp login"`, `display_name = "Corp"`, 1))
	if got := from.signIn(t, "corp"); got.Label != "Corp" || got.Disabled || got.ClientSecret.Reveal() != "the client secret of corp" {
		t.Errorf("after a change of the label corp is %+v", got)
	}
	for name, edit := range map[string][2]string{
		"another issuer":  {`issuer = "https://id.example.com/"`, `issuer = "https://evil.example.net"`},
		"no issuer":       {`issuer = "https://id.example.com/"`, ``},
		"another kind":    {`kind = "github"`, `kind = "google"`},
		"unknown kind":    {`kind = "github"`, `kind = "saml"`},
		"sign-up for all": {`allowed_domains = ["example.com", "example.org"]`, ``},
	} {
		p, err := from.im.Plan(t.Context(), from.store, parse(t, strings.Replace(public, edit[0], edit[1], 1)), seed.Options{})
		if err != nil || len(p.Problems) != 1 {
			t.Errorf("%s: %v, problems %v", name, err, p.Problems)
		}
	}
	if _, err := config.ParseSeed("x.toml", []byte("[[sso_providers]]\nname = 'x'\nkind = 'github'\nclient_id = 'y'\nclient_secret = 'env:HOME'\n")); err == nil {
		t.Error("a document reads the environment")
	}
}

// TestRollbackRevivesNoSignInProvider: what was disabled since stays so, and
// what was deleted comes back without its secret.
func TestRollbackRevivesNoSignInProvider(t *testing.T) {
	f := newFixture(t, true)
	version := f.apply(t, whole).Version
	f.apply(t, "[[sso_providers]]\nname = 'corp'\nkind = 'oidc'\nissuer = 'https://id.example.com/'\nclient_id = 'tollgate'\nneeds_secret = true\nenabled = false\n")
	err := f.store.Update(t.Context(), func(tx tollgate.Tx) error {
		return f.im.Accounts.DeleteSignInProvider(t.Context(), tx, tollgate.HostActor("test"), f.signIn(t, "hub").Row)
	})
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := f.im.Version(t.Context(), f.store, version, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.im.Apply(t.Context(), f.store, back, tollgate.HostActor("test"), seed.Options{Prune: true, Exact: true, Origin: tollgate.ConfigRolledBack}); err != nil {
		t.Fatal(err)
	}
	if got := f.signIn(t, "corp"); !got.Disabled || got.Label != "Corp login" || got.ClientSecret.Empty() {
		t.Errorf("corp came back as %+v", got)
	}
	if got := f.signIn(t, "hub"); !got.Disabled || !got.ClientSecret.Empty() {
		t.Errorf("hub came back as %+v", got)
	}
}

func (f fixture) signIn(t *testing.T, name string) sso.Settings {
	t.Helper()
	list := view(t, f, f.im.Accounts.SignInProviders)
	i := slices.IndexFunc(list, func(s sso.Settings) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no sign-in provider %s", name)
	}
	return list[i]
}

func (f fixture) export(t *testing.T, secrets bool) string {
	t.Helper()
	s, err := f.im.Export(t.Context(), f.store, secrets)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := config.WriteSeed(&b, s, secrets); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
