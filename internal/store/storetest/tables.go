package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"tollgate"
)

func testTables(b *bench) {
	t := b.t
	f := stored(t, b)
	f.equal(t, b)
	// Every field again, changed, and the optional ones taken away.
	zero := tollgate.Money(0)
	f.team.Name = "Renamed"
	f.user.Email, f.user.Password, f.user.TeamID, f.user.Enabled = "", nil, 0, false
	f.key.Surfaces, f.key.Models, f.key.IPAllow, f.key.Sealed, f.key.Enabled, f.key.TeamID = nil, nil, nil, nil, false, 0
	f.child.CreatedByKeyID, f.child.Label = 0, "was a child"
	f.identity.Email, f.identity.UserID, f.identity.LastUsedAt = "", f.root.ID, time.Time{}
	f.signIn.Settings, f.signIn.Secret, f.signIn.Enabled = json.RawMessage("{}"), nil, false
	f.session.UserAgent, f.session.EnrolOnly = "", false
	f.factor.Sealed, f.factor.Confirmed = nil, false
	f.provider.Settings, f.provider.Enabled = nil, false
	f.credential.Sealed = nil
	f.model.Prices = json.RawMessage("[]")
	f.alias.ProviderID = 0
	f.permission.ProviderID = 0
	f.files.ProviderID = 0
	f.quota.Limit = &zero
	f.keyQuota.Limit = nil
	f.limit.RPM, f.limit.Concurrency = nil, f.limit.RPD
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		return errors.Join(
			tx.Teams.Update(ctx, f.team), tx.Users.Update(ctx, f.user), tx.Keys.Update(ctx, f.key), tx.Keys.Update(ctx, f.child),
			tx.Identities.Update(ctx, f.identity), tx.SignInProviders.Update(ctx, f.signIn), tx.Links.Update(ctx, f.link), tx.Asks.Update(ctx, f.ask), tx.TeamPermissions.Update(ctx, f.teamGrant),
			tx.Sessions.Update(ctx, f.session), tx.Factors.Update(ctx, f.factor), tx.Providers.Update(ctx, f.provider), tx.Credentials.Update(ctx, f.credential),
			tx.Models.Update(ctx, f.model), tx.Aliases.Update(ctx, f.alias), tx.Permissions.Update(ctx, f.permission),
			tx.FilePermissions.Update(ctx, f.files), tx.Quotas.Update(ctx, f.quota), tx.Quotas.Update(ctx, f.keyQuota),
			tx.RateLimits.Update(ctx, f.limit),
		)
	})
	f.equal(t, b)
}

// unknown is an id that no row has.
const unknown = int64(1 << 40)

func testUnknownIDs(b *bench) {
	t := b.t
	f := stored(t, b)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		notFound(ctx, t, tx.Users, func() tollgate.User { u := f.user; u.ID = unknown; u.Name, u.Email = "x", ""; return u }())
		notFound(ctx, t, tx.Keys, func() tollgate.Key { k := f.key; k.ID = unknown; k.Digest = []byte("x"); return k }())
		notFound(ctx, t, tx.Teams, tollgate.Team{ID: unknown, Name: "x"})
		notFound(ctx, t, tx.Sessions, tollgate.Session{ID: unknown, UserID: f.user.ID, Digest: []byte("x")})
		notFound(ctx, t, tx.Identities, tollgate.Identity{ID: unknown, UserID: f.user.ID, Provider: "x", Subject: "x"})
		notFound(ctx, t, tx.SignInProviders, tollgate.SignInProvider{ID: unknown, Name: "x", Kind: "oidc"})
		notFound(ctx, t, tx.TeamPermissions, tollgate.TeamPermission{ID: unknown, TeamID: f.team.ID, ModelPattern: "*"})
		notFound(ctx, t, tx.Asks, tollgate.Ask{ID: unknown, UserID: f.user.ID, Kind: tollgate.AskModel, State: tollgate.AskOpen})
		notFound(ctx, t, tx.Links, tollgate.Link{ID: unknown, Purpose: tollgate.LinkReset, Digest: "x"})
		notFound[tollgate.Factor, tollgate.FactorFilter](ctx, t, tx.Factors, tollgate.Factor{ID: unknown, UserID: f.user.ID, Kind: tollgate.FactorTOTP, Handle: []byte("x")})
		notFound(ctx, t, tx.Permissions, tollgate.Permission{ID: unknown, UserID: f.user.ID, ModelPattern: "*"})
		notFound(ctx, t, tx.FilePermissions, tollgate.FilePermission{ID: unknown, UserID: f.user.ID})
		notFound(ctx, t, tx.Quotas, tollgate.Quota{ID: unknown, Scope: tollgate.ScopeInstance, Window: tollgate.WindowDay})
		notFound(ctx, t, tx.RateLimits, tollgate.RateLimit{ID: unknown, Scope: tollgate.ScopeInstance, ModelPattern: "*"})
		notFound(ctx, t, tx.Providers, tollgate.Provider{ID: unknown, Name: "x"})
		notFound(ctx, t, tx.Credentials, tollgate.Credential{ID: unknown, ProviderID: f.provider.ID})
		notFound(ctx, t, tx.Models, tollgate.Model{ID: unknown, ProviderID: f.provider.ID, ModelID: "x"})
		notFound(ctx, t, tx.Aliases, tollgate.ModelAlias{ID: unknown, Alias: "x", Target: "y"})
		return nil
	})
	f.equal(t, b)
}

func notFound[T, F any](ctx context.Context, t *testing.T, table tollgate.Table[T, F], absent T) {
	t.Helper()
	_, err := table.Get(ctx, unknown)
	wantCode(t, err, tollgate.CodeNotFound)
	wantCode(t, table.Update(ctx, absent), tollgate.CodeNotFound)
	wantCode(t, table.Delete(ctx, unknown), tollgate.CodeNotFound)
}

func testConflicts(b *bench) {
	t := b.t
	f := stored(t, b)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		user := func(name, email string, role tollgate.Role) error {
			return tx.Users.Insert(ctx, &tollgate.User{Name: name, Email: email, Role: role})
		}
		conflict := func(err error, field string) {
			t.Helper()
			wantField(t, err, tollgate.CodeConflict, field)
		}
		conflict(user("alice", "", tollgate.RoleUser), "name")
		conflict(user("bob", "alice@example.org", tollgate.RoleUser), "email")
		conflict(user("bob", "", tollgate.RoleSuperAdmin), "role")
		must(t, user("bob", "", tollgate.RoleUser))
		must(t, user("carol", "", tollgate.RoleUser)) // two without an e-mail address are no conflict
		conflict(tx.Keys.Insert(ctx, &tollgate.Key{UserID: f.user.ID, Digest: f.key.Digest}), "digest")
		conflict(tx.Sessions.Insert(ctx, &tollgate.Session{UserID: f.user.ID, Digest: f.session.Digest}), "digest")
		conflict(tx.Identities.Insert(ctx, &tollgate.Identity{UserID: f.root.ID, Provider: "corp", Subject: "Alice-1"}), "subject")
		must(t, tx.Identities.Insert(ctx, &tollgate.Identity{UserID: f.root.ID, Provider: "corp", Subject: "alice-1"})) // subjects differ by case
		must(t, tx.Identities.Insert(ctx, &tollgate.Identity{UserID: f.root.ID, Provider: "other", Subject: "Alice-1", Email: f.identity.Email}))
		conflict(tx.SignInProviders.Insert(ctx, &tollgate.SignInProvider{Name: "corp", Kind: "github", Settings: json.RawMessage("{}")}), "name")
		conflict(tx.Links.Insert(ctx, &tollgate.Link{Purpose: tollgate.LinkReset, Digest: f.link.Digest}), "digest")
		conflict(tx.Factors.Insert(ctx, &tollgate.Factor{UserID: f.user.ID, Kind: tollgate.FactorTOTP, Handle: f.factor.Handle}), "handle")
		conflict(tx.Teams.Insert(ctx, &tollgate.Team{Name: f.team.Name}), "name")
		conflict(tx.Providers.Insert(ctx, &tollgate.Provider{Name: "lab"}), "name")
		conflict(tx.Models.Insert(ctx, &tollgate.Model{ProviderID: f.provider.ID, ModelID: "some/model"}), "model_id")
		conflict(tx.Aliases.Insert(ctx, &tollgate.ModelAlias{Alias: "fast", Target: "x"}), "alias")
		conflict(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeUser, ScopeID: f.user.ID, Window: tollgate.WindowMonth}), "window")
		must(t, tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeUser, ScopeID: f.user.ID, Window: tollgate.WindowDay}))
		second := tollgate.Provider{Name: "other"}
		must(t, tx.Providers.Insert(ctx, &second))
		must(t, tx.Models.Insert(ctx, &tollgate.Model{ProviderID: second.ID, ModelID: "some/model"}))
		second.Name = "lab"
		conflict(tx.Providers.Update(ctx, second), "name")
		promoted := f.user
		promoted.Role = tollgate.RoleSuperAdmin
		conflict(tx.Users.Update(ctx, promoted), "role")
		return nil
	})
	f.equal(t, b)
}

func testReferences(b *bench) {
	t := b.t
	f := stored(t, b)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		dangles := func(err error, field string) {
			t.Helper()
			wantField(t, err, tollgate.CodeInvalid, field)
		}
		dangles(tx.Users.Insert(ctx, &tollgate.User{Name: "x", Role: tollgate.RoleUser, TeamID: unknown}), "team_id")
		dangles(tx.Keys.Insert(ctx, &tollgate.Key{UserID: unknown, Digest: []byte("x")}), "user_id")
		dangles(tx.Keys.Insert(ctx, &tollgate.Key{Digest: []byte("x")}), "user_id")
		dangles(tx.Keys.Insert(ctx, &tollgate.Key{UserID: f.user.ID, Digest: []byte("x"), CreatedByKeyID: unknown}), "created_by_key_id")
		dangles(tx.Sessions.Insert(ctx, &tollgate.Session{UserID: unknown, Digest: []byte("x")}), "user_id")
		dangles(tx.Identities.Insert(ctx, &tollgate.Identity{UserID: unknown, Provider: "x", Subject: "x"}), "user_id")
		dangles(tx.Keys.Insert(ctx, &tollgate.Key{UserID: f.user.ID, Digest: []byte("x"), TeamID: unknown}), "team_id")
		dangles(tx.Links.Insert(ctx, &tollgate.Link{Purpose: tollgate.LinkReset, Digest: "x", UserID: unknown}), "user_id")
		dangles(tx.Links.Insert(ctx, &tollgate.Link{Purpose: tollgate.LinkInvitation, Digest: "x", TeamID: unknown}), "team_id")
		dangles(tx.TeamPermissions.Insert(ctx, &tollgate.TeamPermission{TeamID: unknown, ModelPattern: "x"}), "team_id")
		dangles(tx.TeamPermissions.Insert(ctx, &tollgate.TeamPermission{TeamID: f.team.ID, ProviderID: unknown, ModelPattern: "x"}), "provider_id")
		dangles(tx.Asks.Insert(ctx, &tollgate.Ask{UserID: unknown, Kind: tollgate.AskModel, State: tollgate.AskOpen}), "user_id")
		dangles(tx.Factors.Insert(ctx, &tollgate.Factor{UserID: unknown, Kind: tollgate.FactorTOTP, Handle: []byte("x")}), "user_id")
		dangles(tx.Permissions.Insert(ctx, &tollgate.Permission{UserID: f.user.ID, ProviderID: unknown, ModelPattern: "*"}), "provider_id")
		dangles(tx.FilePermissions.Insert(ctx, &tollgate.FilePermission{UserID: unknown}), "user_id")
		dangles(tx.Credentials.Insert(ctx, &tollgate.Credential{ProviderID: unknown}), "provider_id")
		dangles(tx.Models.Insert(ctx, &tollgate.Model{ModelID: "x"}), "provider_id")
		dangles(tx.Aliases.Insert(ctx, &tollgate.ModelAlias{Alias: "x", Target: "y", ProviderID: unknown}), "provider_id")
		for _, scope := range []tollgate.Scope{tollgate.ScopeUser, tollgate.ScopeKey, tollgate.ScopeTeam} {
			dangles(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: scope, ScopeID: unknown, Window: tollgate.WindowDay}), "scope_id")
			dangles(tx.RateLimits.Insert(ctx, &tollgate.RateLimit{Scope: scope, ScopeID: unknown, ModelPattern: "*"}), "scope_id")
		}
		moved := f.permission
		moved.ProviderID = unknown
		dangles(tx.Permissions.Update(ctx, moved), "provider_id")
		return nil
	})
	f.equal(t, b)
}

func testChecks(b *bench) {
	t := b.t
	f := stored(t, b)
	minus, less := tollgate.Money(-1), int64(-1)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		refused := func(err error, field string) {
			t.Helper()
			wantField(t, err, tollgate.CodeInvalid, field)
		}
		refused(tx.Users.Insert(ctx, &tollgate.User{Name: "x"}), "role")
		refused(tx.Users.Insert(ctx, &tollgate.User{Role: tollgate.RoleUser}), "name")
		refused(tx.Users.Insert(ctx, &tollgate.User{Name: "nul\x00", Role: tollgate.RoleUser}), "name")
		refused(tx.Users.Insert(ctx, &tollgate.User{Name: "\xff", Role: tollgate.RoleUser}), "name")
		refused(tx.Providers.Insert(ctx, &tollgate.Provider{Name: "x", Settings: json.RawMessage("{")}), "settings")
		refused(tx.Factors.Insert(ctx, &tollgate.Factor{UserID: f.user.ID, Kind: "luck", Handle: []byte("x")}), "kind")
		refused(tx.Permissions.Insert(ctx, &tollgate.Permission{UserID: f.user.ID}), "model_pattern")
		refused(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: "planet", Window: tollgate.WindowDay}), "scope")
		refused(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeInstance, ScopeID: 1, Window: tollgate.WindowDay}), "scope_id")
		refused(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeInstance, Window: "year"}), "window")
		refused(tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeInstance, Window: tollgate.WindowDay, Limit: &minus}), "limit")
		refused(tx.RateLimits.Insert(ctx, &tollgate.RateLimit{Scope: tollgate.ScopeInstance, ModelPattern: "*", RPM: &less}), "rpm")
		return nil
	})
	f.equal(t, b)
}

func testRefusedStatement(b *bench) {
	t := b.t
	f := stored(t, b)
	team := tollgate.Team{Name: "after"}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		wantCode(t, tx.Teams.Insert(ctx, &tollgate.Team{Name: f.team.Name}), tollgate.CodeConflict)
		wantCode(t, tx.Keys.Insert(ctx, &tollgate.Key{UserID: unknown, Digest: []byte("x")}), tollgate.CodeInvalid)
		return tx.Teams.Insert(ctx, &team)
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		row(ctx, t, tx.Teams, team.ID, team)
		return nil
	})
}

func testIDsNeverReused(b *bench) {
	t := b.t
	seen := map[int64]bool{}
	for range 3 {
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			team := tollgate.Team{ID: 5, Name: "again"} // a given id is not taken over
			must(t, tx.Teams.Insert(ctx, &team))
			if seen[team.ID] || team.ID == 0 {
				t.Fatalf("id %d was given out again after %v", team.ID, seen)
			}
			seen[team.ID] = true
			return tx.Teams.Delete(ctx, team.ID)
		})
		b.reopen(t)
	}
}

func testCascades(b *bench) {
	t := b.t
	f := stored(t, b)
	now := day()
	ids := new(tollgate.RequestIDs)
	request := tollgate.Request{ID: ids.Next(now), UserID: f.user.ID, KeyID: f.key.ID, StartedAt: now, Dispatches: []tollgate.Dispatch{
		{ProviderID: f.provider.ID, StartedAt: now},
	}}
	must(t, b.s.Append(t.Context(), []tollgate.Request{request}))
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		e := tollgate.HostActor("cli").Entry(now, "user.upsert", "user", f.user.ID)
		return tx.Audit.Append(ctx, &e)
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Providers.Delete(ctx, f.provider.ID) })
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		empty(ctx, t, tx.Credentials, tollgate.CredentialFilter{})
		empty(ctx, t, tx.Models, tollgate.ModelFilter{})
		empty(ctx, t, tx.Aliases, tollgate.AliasFilter{})
		empty(ctx, t, tx.Permissions, tollgate.PermissionFilter{}) // never widened to every provider
		empty(ctx, t, tx.FilePermissions, tollgate.PermissionFilter{})
		return nil
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Permissions.Insert(ctx, &tollgate.Permission{UserID: f.user.ID, ModelPattern: "*"}))
		must(t, tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeTeam, ScopeID: f.team.ID, Window: tollgate.WindowDay}))
		must(t, tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeKey, ScopeID: f.child.ID, Window: tollgate.WindowDay}))
		return tx.Teams.Delete(ctx, f.team.ID)
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		f.user.TeamID = 0 // a member outlives its team
		row(ctx, t, tx.Users, f.user.ID, f.user)
		empty(ctx, t, tx.Quotas, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeTeam)})
		empty(ctx, t, tx.Quotas, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(f.key.ID)})
		empty(ctx, t, tx.Keys, tollgate.KeyFilter{ID: tollgate.Is(f.key.ID)}) // a key of the team goes with it
		f.child.CreatedByKeyID = 0
		row(ctx, t, tx.Keys, f.child.ID, f.child)
		return nil
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Users.Delete(ctx, f.user.ID) })
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		empty(ctx, t, tx.Keys, tollgate.KeyFilter{})
		empty(ctx, t, tx.Sessions, tollgate.SessionFilter{})
		empty(ctx, t, tx.Identities, tollgate.IdentityFilter{Provider: tollgate.Is("corp"), Subject: tollgate.Is("Alice-1")})
		empty(ctx, t, tx.Links, tollgate.LinkFilter{})
		empty(ctx, t, tx.Asks, tollgate.AskFilter{})
		empty[tollgate.Factor](ctx, t, tx.Factors, tollgate.FactorFilter{})
		empty(ctx, t, tx.Permissions, tollgate.PermissionFilter{})
		empty(ctx, t, tx.Quotas, tollgate.QuotaFilter{}) // its key's quota too
		empty(ctx, t, tx.RateLimits, tollgate.RateLimitFilter{})
		n, err := tx.Usage.CountDispatches(ctx, tollgate.UsageFilter{UserID: tollgate.Is(f.user.ID)})
		must(t, err)
		entries, _, err := tx.Audit.Query(ctx, tollgate.AuditFilter{TargetID: tollgate.Is(f.user.ID)}, tollgate.Page{})
		must(t, err)
		if n != 1 || len(entries) != 1 {
			t.Fatalf("%d usage rows and %d audit entries outlived the user, want 1 and 1", n, len(entries))
		}
		return nil
	})
}

func empty[T, F any](ctx context.Context, t *testing.T, table tollgate.Table[T, F], f F) {
	t.Helper()
	if rows := all(ctx, t, table, f); len(rows) != 0 {
		t.Fatalf("rows are left: %+v", rows)
	}
}

func testSettingsAndMeta(b *bench) {
	t := b.t
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, name := range []string{"b", "a", "c"} {
			must(t, tx.Settings.Put(ctx, tollgate.Setting{Name: name, Value: json.RawMessage(`"` + name + `"`)}))
		}
		must(t, tx.Settings.Put(ctx, tollgate.Setting{Name: "a", Value: json.RawMessage(`{"x": 1}`)}))
		must(t, tx.Settings.Delete(ctx, "b"))
		wantCode(t, tx.Settings.Delete(ctx, "b"), tollgate.CodeNotFound)
		wantCode(t, tx.Settings.Put(ctx, tollgate.Setting{Name: "d", Value: json.RawMessage("nonsense")}), tollgate.CodeInvalid)
		must(t, tx.Meta.Put(ctx, "seal.salt", []byte{0, 1, 2}))
		must(t, tx.Meta.Put(ctx, "seal.salt", []byte{3, 0}))
		must(t, tx.Meta.Put(ctx, "gone", nil))
		must(t, tx.Meta.Delete(ctx, "gone"))
		must(t, tx.Meta.Delete(ctx, "gone"))
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		got, err := tx.Settings.All(ctx)
		must(t, err)
		same(t, got, []tollgate.Setting{{Name: "a", Value: json.RawMessage(`{"x": 1}`)}, {Name: "c", Value: json.RawMessage(`"c"`)}})
		value, err := tx.Meta.Get(ctx, "seal.salt")
		must(t, err)
		same(t, value, []byte{3, 0})
		_, err = tx.Meta.Get(ctx, "gone")
		wantCode(t, err, tollgate.CodeNotFound)
		return nil
	})
}

func testAudit(b *bench) {
	t := b.t
	var want []tollgate.AuditEntry
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range 5 {
			e := tollgate.AuditEntry{
				At: day().AddDate(0, 0, i), ActorID: int64(i % 2), ActorName: "host", Via: "cli", KeyID: 3, IP: "::1", RequestID: 16,
				Action: "user.upsert", Target: "user", TargetID: int64(i), Detail: json.RawMessage(`{"after":{}}`),
			}
			must(t, tx.Audit.Append(ctx, &e))
			want = append(want, e)
		}
		return nil
	})
	var before []byte
	for i := range want {
		if !bytes.Equal(want[i].Hash, want[i].Chained(before)) {
			t.Fatalf("entry %d is not chained to the one before", want[i].ID)
		}
		before = want[i].Hash
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		head, err := tx.Audit.Head(ctx)
		must(t, err)
		same(t, head, tollgate.AuditHead{ID: want[4].ID, Entries: 5, Hash: want[4].Hash, Sealed: true})
		query := func(f tollgate.AuditFilter, p tollgate.Page) []tollgate.AuditEntry {
			rows, _, err := tx.Audit.Query(ctx, f, p)
			must(t, err)
			return rows
		}
		same(t, query(tollgate.AuditFilter{}, tollgate.Page{}), want)
		newest := slices.Clone(want)
		slices.Reverse(newest)
		same(t, query(tollgate.AuditFilter{}, tollgate.Page{Sort: "-id"}), newest)
		same(t, query(tollgate.AuditFilter{ActorID: tollgate.Is[int64](1)}, tollgate.Page{}), []tollgate.AuditEntry{want[1], want[3]})
		same(t, query(tollgate.AuditFilter{Since: want[1].At, Until: want[3].At}, tollgate.Page{}), want[1:3])
		same(t, query(tollgate.AuditFilter{Action: tollgate.Is("login")}, tollgate.Page{}), nil)
		for pattern, n := range map[string]int{"user.*": 5, "user.upser?": 5, "*": 5, "user.%": 0, "user_upsert": 0, "us?r.upsert": 5, "": 0, `user\.*`: 0, "user.upsert": 5} {
			if got := query(tollgate.AuditFilter{Action: tollgate.Is(pattern, "other")}, tollgate.Page{}); len(got) != n {
				t.Fatalf("action %q selects %d entries, want %d", pattern, len(got), n)
			}
		}
		for text, n := range map[string]int{"UPSERT": 5, "HOST": 5, `"after"`: 5, "::1": 5, "%": 0, "nothing": 0, "a\x00": 0} {
			if got := query(tollgate.AuditFilter{Text: text}, tollgate.Page{}); len(got) != n {
				t.Fatalf("text %q selects %d entries, want %d", text, len(got), n)
			}
		}
		same(t, query(tollgate.AuditFilter{IP: tollgate.Is("::?"), RequestID: tollgate.Is[tollgate.RequestID](16)}, tollgate.Page{}), want)
		same(t, query(tollgate.AuditFilter{RequestID: tollgate.Is[tollgate.RequestID](32)}, tollgate.Page{}), nil)
		same(t, query(tollgate.AuditFilter{Target: tollgate.Is("user"), TargetID: tollgate.Is[int64](4)}, tollgate.Page{}), want[4:])
		return nil
	})
}
