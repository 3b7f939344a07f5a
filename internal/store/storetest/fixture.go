package storetest

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
)

func comparePrefix() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

// fixture is one row of every table, all fields set, as the store returned it.
type fixture struct {
	team       tollgate.Team
	root, user tollgate.User
	key, child tollgate.Key
	session    tollgate.Session
	identity   tollgate.Identity
	signIn     tollgate.SignInProvider
	factor     tollgate.Factor
	link       tollgate.Link
	ask        tollgate.Ask
	teamGrant  tollgate.TeamPermission
	provider   tollgate.Provider
	credential tollgate.Credential
	model      tollgate.Model
	alias      tollgate.ModelAlias
	permission tollgate.Permission
	files      tollgate.FilePermission
	quota      tollgate.Quota
	keyQuota   tollgate.Quota
	limit      tollgate.RateLimit
}

func newFixture() *fixture {
	at := day()
	money, n := 12*tollgate.Dollar+1, int64(60)
	return &fixture{
		team: tollgate.Team{Name: "Forschung äöü", CreatedAt: at},
		root: tollgate.User{Name: "root", Enabled: true, Role: tollgate.RoleSuperAdmin, CreatedAt: at},
		user: tollgate.User{
			Name: "alice", Email: "alice@example.org", Enabled: true, Role: tollgate.RoleUser, Password: []byte{0, 1, 255},
			SSOProvider: "github", SSOID: "77", TeamRole: "member", CreatedAt: at, LastLoginAt: at.AddDate(0, 0, 1),
		},
		key: tollgate.Key{
			Label: "laptop", Enabled: true, Digest: []byte("digest-1"), Sealed: []byte{9, 8, 0}, Prefix: "sk-tg-ab", Last4: "wxyz",
			ExpiresAt: at.AddDate(1, 0, 0), LastUsedAt: at, CreatedAt: at,
			Surfaces: []tollgate.Surface{tollgate.SurfaceLLM, tollgate.SurfaceUser}, Models: []string{"gpt-*", `"quoted", \`},
			IPAllow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}, NeedsSecret: true,
			OnLeave: tollgate.LeaveDrain, Payloads: tollgate.PayloadsErrors,
		},
		child: tollgate.Key{Digest: []byte("digest-2"), CreatedAt: at},
		session: tollgate.Session{
			Digest: []byte("session-1"), Method: "password", CreatedAt: at, SignedInAt: at, LastSeenAt: at, ExpiresAt: at.AddDate(0, 0, 7),
			IP: "192.0.2.1", UserAgent: "curl/8", EnrolOnly: true,
		},
		factor: tollgate.Factor{
			Kind: tollgate.FactorPasskey, Label: "laptop", Handle: []byte{0, 1, 255}, Sealed: []byte{2, 0}, Confirmed: true, Counter: 1 << 40,
			Warned: at, CreatedAt: at, LastUsedAt: at.AddDate(0, 0, 1),
		},
		teamGrant: tollgate.TeamPermission{ModelPattern: "gpt-*"},
		ask: tollgate.Ask{
			Kind: tollgate.AskBudget, Window: tollgate.WindowMonth, Amount: &money, Model: "m", Note: "why", State: tollgate.AskDeclined, CreatedAt: at,
			DecidedBy: 7, DecidedAt: at.AddDate(0, 0, 1), DecisionNote: "not now",
		},
		link: tollgate.Link{
			Purpose: tollgate.LinkInvitation, Digest: "0123abcd", Role: tollgate.RoleAdmin, TeamRole: "admin", Email: "new@example.org", Label: "for Bob",
			CreatedBy: 7, CreatedAt: at, ExpiresAt: at.AddDate(0, 0, 7), UsedAt: at.AddDate(0, 0, 1), UsedBy: 8,
		},
		identity: tollgate.Identity{Provider: "corp", Subject: "Alice-1", Email: "alice@example.org", CreatedAt: at, LastUsedAt: at.AddDate(0, 0, 1)},
		signIn: tollgate.SignInProvider{
			Name: "corp", Kind: "oidc", Enabled: true, Settings: json.RawMessage(`{"issuer":"https://idp.example.org"}`), Secret: []byte{3, 0, 4}, CreatedAt: at,
		},
		provider: tollgate.Provider{
			Name: "lab", Kind: "openai-compatible", BaseURL: "http://127.0.0.1:9000/v1",
			Settings: json.RawMessage(`{"dialects": ["openai-chat"]}`), Enabled: true, CreatedAt: at,
		},
		credential: tollgate.Credential{
			Label: "a", Sealed: []byte{1, 0, 2}, Origin: "http://127.0.0.1:9000", Last4: "abcd", Fingerprint: "01234567", Enabled: true, CreatedAt: at,
		},
		model: tollgate.Model{
			ModelID: "some/model", Enabled: true, DisplayName: "Some Model", ContextTokens: 128_000, OutputTokens: 4096,
			Prices: json.RawMessage(`{"price_each_call":0.01}`),
		},
		alias:      tollgate.ModelAlias{Alias: "fast", Target: "some/model", Enabled: true},
		permission: tollgate.Permission{ModelPattern: "*", Automatic: true},
		quota: tollgate.Quota{
			Scope: tollgate.ScopeUser, Window: tollgate.WindowMonth, Limit: &money,
		},
		keyQuota: tollgate.Quota{Scope: tollgate.ScopeKey, Window: tollgate.WindowTotal},
		limit:    tollgate.RateLimit{Scope: tollgate.ScopeUser, ModelPattern: "gpt-*", RPM: &n, RPD: &n, TotalTokens: &n},
	}
}

// insert stores the fixture, references first.
func (f *fixture) insert(ctx context.Context, tx tollgate.Tx) error {
	steps := []func() error{
		func() error { return tx.Teams.Insert(ctx, &f.team) },
		func() error { return tx.Users.Insert(ctx, &f.root) },
		func() error { f.user.TeamID = f.team.ID; return tx.Users.Insert(ctx, &f.user) },
		func() error { f.key.UserID, f.key.TeamID = f.user.ID, f.team.ID; return tx.Keys.Insert(ctx, &f.key) },
		func() error {
			f.child.UserID, f.child.CreatedByKeyID = f.user.ID, f.key.ID
			return tx.Keys.Insert(ctx, &f.child)
		},
		func() error { f.session.UserID = f.user.ID; return tx.Sessions.Insert(ctx, &f.session) },
		func() error { f.identity.UserID = f.user.ID; return tx.Identities.Insert(ctx, &f.identity) },
		func() error { return tx.SignInProviders.Insert(ctx, &f.signIn) },
		func() error { f.factor.UserID = f.user.ID; return tx.Factors.Insert(ctx, &f.factor) },
		func() error {
			f.link.UserID, f.link.TeamID = f.user.ID, f.team.ID
			return tx.Links.Insert(ctx, &f.link)
		},
		func() error { f.ask.UserID = f.user.ID; return tx.Asks.Insert(ctx, &f.ask) },
		func() error { return tx.Providers.Insert(ctx, &f.provider) },
		func() error {
			f.teamGrant.TeamID, f.teamGrant.ProviderID = f.team.ID, f.provider.ID
			return tx.TeamPermissions.Insert(ctx, &f.teamGrant)
		},
		func() error {
			f.credential.ProviderID = f.provider.ID
			return tx.Credentials.Insert(ctx, &f.credential)
		},
		func() error { f.model.ProviderID = f.provider.ID; return tx.Models.Insert(ctx, &f.model) },
		func() error { f.alias.ProviderID = f.provider.ID; return tx.Aliases.Insert(ctx, &f.alias) },
		func() error {
			f.permission.UserID, f.permission.ProviderID = f.user.ID, f.provider.ID
			return tx.Permissions.Insert(ctx, &f.permission)
		},
		func() error {
			f.files.UserID, f.files.ProviderID = f.user.ID, f.provider.ID
			return tx.FilePermissions.Insert(ctx, &f.files)
		},
		func() error { f.quota.ScopeID = f.user.ID; return tx.Quotas.Insert(ctx, &f.quota) },
		func() error { f.keyQuota.ScopeID = f.key.ID; return tx.Quotas.Insert(ctx, &f.keyQuota) },
		func() error { f.limit.ScopeID = f.user.ID; return tx.RateLimits.Insert(ctx, &f.limit) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// stored puts a fixture into the store.
func stored(t *testing.T, b *bench) *fixture {
	t.Helper()
	f := newFixture()
	b.update(t, f.insert)
	return f
}

// equal compares the fixture with what the store holds now.
func (f *fixture) equal(t *testing.T, b *bench) {
	t.Helper()
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		row(ctx, t, tx.Teams, f.team.ID, f.team)
		row(ctx, t, tx.Users, f.root.ID, f.root)
		row(ctx, t, tx.Users, f.user.ID, f.user)
		row(ctx, t, tx.Keys, f.key.ID, f.key)
		row(ctx, t, tx.Keys, f.child.ID, f.child)
		row(ctx, t, tx.Sessions, f.session.ID, f.session)
		row[tollgate.Factor, tollgate.FactorFilter](ctx, t, tx.Factors, f.factor.ID, f.factor)
		row(ctx, t, tx.Providers, f.provider.ID, f.provider)
		row(ctx, t, tx.Credentials, f.credential.ID, f.credential)
		row(ctx, t, tx.Models, f.model.ID, f.model)
		row(ctx, t, tx.Identities, f.identity.ID, f.identity)
		row(ctx, t, tx.SignInProviders, f.signIn.ID, f.signIn)
		row(ctx, t, tx.Links, f.link.ID, f.link)
		row(ctx, t, tx.Asks, f.ask.ID, f.ask)
		row(ctx, t, tx.TeamPermissions, f.teamGrant.ID, f.teamGrant)
		row(ctx, t, tx.Aliases, f.alias.ID, f.alias)
		row(ctx, t, tx.Permissions, f.permission.ID, f.permission)
		row(ctx, t, tx.FilePermissions, f.files.ID, f.files)
		row(ctx, t, tx.Quotas, f.quota.ID, f.quota)
		row(ctx, t, tx.Quotas, f.keyQuota.ID, f.keyQuota)
		row(ctx, t, tx.RateLimits, f.limit.ID, f.limit)
		return nil
	})
}

// row fails unless the table's row with id is want.
func row[T, F any](ctx context.Context, t *testing.T, table tollgate.Table[T, F], id int64, want T) {
	t.Helper()
	if id == 0 {
		t.Fatalf("%T was stored without an id", want)
	}
	got, err := table.Get(ctx, id)
	must(t, err)
	same(t, got, want)
}

// all returns every row that f selects.
func all[T, F any](ctx context.Context, t *testing.T, table tollgate.Table[T, F], f F) []T {
	t.Helper()
	rows, _, err := table.Query(ctx, f, tollgate.Page{All: true})
	must(t, err)
	n, err := table.Count(ctx, f)
	must(t, err)
	if n != int64(len(rows)) {
		t.Fatalf("Count says %d rows of %+v, Query returned %d", n, f, len(rows))
	}
	return rows
}
