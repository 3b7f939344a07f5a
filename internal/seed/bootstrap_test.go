package seed_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
	"tollgate/internal/seed"
)

func (f fixture) start(t *testing.T, admin config.Admin, text string) seed.Started {
	t.Helper()
	if admin.User == "" {
		admin.User = "admin"
	}
	s, err := f.im.Start(t.Context(), f.store, admin, parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accounts describes the users of a database, one a line.
func (f fixture) accounts(t *testing.T) string {
	t.Helper()
	return view(t, f, func(ctx context.Context, tx tollgate.Tx) (string, error) {
		users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, tollgate.Page{All: true})
		if err != nil {
			return "", err
		}
		var b strings.Builder
		for _, u := range users {
			keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{UserID: tollgate.Is(u.ID), Enabled: tollgate.Is(true)}, tollgate.Page{All: true})
			if err != nil {
				return "", err
			}
			grants, _, err := tx.Permissions.Query(ctx, tollgate.PermissionFilter{UserID: tollgate.Is(u.ID)}, tollgate.Page{All: true})
			if err != nil {
				return "", err
			}
			b.WriteString(u.Name + " " + []string{"nobody", "user", "admin", "super"}[u.Role])
			if !u.Enabled {
				b.WriteString(" disabled")
			}
			if u.Password != nil {
				b.WriteString(" password")
			}
			b.WriteString(strings.Repeat(" key", len(keys)))
			for _, g := range grants {
				b.WriteString(" " + g.ModelPattern)
			}
			b.WriteString("\n")
		}
		return b.String(), nil
	})
}

func TestFirstStartChoosesTheSuperAdmin(t *testing.T) {
	secret := tollgate.NewSecret
	for _, c := range []struct {
		name, file string
		admin      config.Admin
		want       string
		generated  string // what is to be shown once
	}{
		{"nothing given", "", config.Admin{}, "admin super password key *\n", "password key"},
		{
			"everything given", "",
			config.Admin{User: "root", UserGiven: true, Password: secret("a long enough one"), APIKey: secret("sk-given-1234")},
			"root super password key *\n", "",
		},
		{"password given", "", config.Admin{Password: secret("a long enough one")}, "admin super password key *\n", "key"},
		{
			"the seed has an admin with a key",
			"[[users]]\nname='u'\n[[users.keys]]\napi_key='sk-u-12345'\n[[users]]\nname='boss'\nis_admin=true\n[[users.keys]]\napi_key='sk-boss-123'\n",
			config.Admin{},
			"u user key\nboss super key *\n", "",
		},
		{
			"the seed's admin has no key", "[[users]]\nname='boss'\nis_admin=true\npassword='plain words here'\n",
			config.Admin{},
			"boss super password *\nadmin admin password key *\n", "password key",
		},
		{
			"the seed's admin has a disabled key", "[[users]]\nname='boss'\nis_admin=true\n[[users.keys]]\napi_key='sk-boss-123'\nenabled=false\n",
			config.Admin{},
			"boss super *\nadmin admin password key *\n", "password key",
		},
		{
			"the seed's first admin is disabled", "[[users]]\nname='boss'\nis_admin=true\nenabled=false\n[[users.keys]]\napi_key='sk-boss-123'\n[[users]]\nname='vice'\nis_admin=true\n",
			config.Admin{},
			"boss admin disabled key *\nvice super *\nadmin admin password key *\n", "password key",
		},
		{
			"a user of the admin's name is promoted", "[[users]]\nname='admin'\npassword='plain words here'\n[[users.keys]]\napi_key='sk-admin-77'\n",
			config.Admin{},
			"admin super password key *\n", "",
		},
		{
			"a user's wish to be super admin is not heard", "[[users]]\nname='u'\nis_super_admin=true\n[[users.keys]]\napi_key='sk-u-12345'\n",
			config.Admin{},
			"u user key\nadmin super password key *\n", "password key",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, false)
			s := f.start(t, c.admin, c.file)
			if diff := cmp.Diff(c.want, f.accounts(t)); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			var shown []string
			if !s.Password.Empty() {
				shown = append(shown, "password")
			}
			if !s.APIKey.Empty() {
				shown = append(shown, "key")
			}
			if got := strings.Join(shown, " "); got != c.generated || !s.First {
				t.Errorf("generated %q, want %q; first start: %t", got, c.generated, s.First)
			}
			if again := f.start(t, c.admin, c.file); again.First || again.Admin != "" || !again.Password.Empty() || !again.APIKey.Empty() {
				t.Errorf("the second start did something: %+v", again)
			}
			if diff := cmp.Diff(c.want, f.accounts(t)); diff != "" {
				t.Errorf("accounts after the second start (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGivenAdminValuesAreAppliedOncePerValue(t *testing.T) {
	f := newFixture(t, false)
	secret := tollgate.NewSecret
	given := config.Admin{User: "admin", Password: secret("the first password"), APIKey: secret("sk-first-key-1")}
	f.start(t, given, "")
	ctx := t.Context()
	disable := func() {
		t.Helper()
		err := f.store.Update(ctx, func(tx tollgate.Tx) error {
			keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{}, tollgate.Page{})
			if err != nil {
				return err
			}
			for _, k := range keys { // as the row: the last way in cannot be disabled by the rules
				k.Enabled = false
				if err := tx.Keys.Update(ctx, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	disable()
	f.start(t, given, "")
	if got := f.accounts(t); got != "admin super password *\n" {
		t.Errorf("an unchanged value brought the key back: %s", got)
	}
	given.APIKey = secret("sk-second-key-2")
	if s := f.start(t, given, ""); s.Admin != "admin" || !s.APIKey.Empty() || !s.Password.Empty() {
		t.Errorf("a new value was not applied, or was to be shown: %+v", s)
	}
	if got := f.accounts(t); got != "admin super password key *\n" {
		t.Errorf("after a new key: %s", got)
	}
	given.Password = secret("the second password")
	f.start(t, given, "")
	phc := view(t, f, func(ctx context.Context, tx tollgate.Tx) (tollgate.Secret, error) {
		u, err := tx.Users.Get(ctx, 1)
		if err != nil {
			return tollgate.Secret{}, err
		}
		plain, err := f.im.Accounts.Sealer.Open(tollgate.Label{Table: "users", Column: "password", Row: 1}, u.Password)
		return tollgate.NewSecret(string(plain)), err
	})
	if ok, _, err := f.im.Accounts.Hasher.Verify(ctx, phc.Reveal(), secret("the second password")); err != nil || !ok {
		t.Errorf("the new password is not in force: %t %v", ok, err)
	}
	entries := view(t, f, func(ctx context.Context, tx tollgate.Tx) ([]tollgate.AuditEntry, error) {
		rows, _, err := tx.Audit.Query(ctx, tollgate.AuditFilter{}, tollgate.Page{All: true})
		return rows, err
	})
	for _, e := range entries {
		if e.Via != "bootstrap" || strings.Contains(string(e.Detail), "second") {
			t.Errorf("audit entry by %q: %s", e.Via, e.Detail)
		}
	}
	if len(entries) < 4 {
		t.Errorf("%d audit entries", len(entries))
	}
}

func TestAnotherUsersKeyIsNotTaken(t *testing.T) {
	f := newFixture(t, false)
	text := "[[users]]\nname='u'\n[[users.keys]]\napi_key='sk-u-12345'\n"
	admin := config.Admin{User: "admin", APIKey: tollgate.NewSecret("sk-u-12345")}
	_, err := f.im.Start(t.Context(), f.store, admin, parse(t, text))
	if tollgate.ErrorCode(err) != tollgate.CodeConflict || !strings.Contains(err.Error(), "user u") {
		t.Errorf("got %v", err)
	}
	if got := f.accounts(t); got != "" {
		t.Errorf("a refused start left accounts: %s", got)
	}
}

func TestEnsureDemoIsIdempotentAndLeavesChangesAlone(t *testing.T) {
	f := newFixture(t, false)
	ctx := t.Context()
	for range 3 {
		if err := f.im.EnsureDemo(ctx, f.store); err != nil {
			t.Fatal(err)
		}
	}
	models := func() []tollgate.Model {
		return view(t, f, func(ctx context.Context, tx tollgate.Tx) ([]tollgate.Model, error) {
			rows, _, err := tx.Models.Query(ctx, tollgate.ModelFilter{}, tollgate.Page{All: true})
			return rows, err
		})
	}
	if got := models(); len(got) != 3 || got[0].ModelID != "demo-small" || len(got[0].Prices) == 0 {
		t.Fatalf("models: %+v", got)
	}
	err := f.store.Update(ctx, func(tx tollgate.Tx) error {
		m := models
		row := m()[1]
		row.Enabled = false
		return tx.Models.Update(ctx, row)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.im.EnsureDemo(ctx, f.store); err != nil || models()[1].Enabled {
		t.Errorf("a disabled demo model came back: %v", err)
	}
	if got := f.plan(t, ""); len(got) != 0 {
		t.Errorf("the demo records are reported as extra: %v", got)
	}
}

func TestEnsureDemoRefusesAnotherKindOfThatName(t *testing.T) {
	f := newFixture(t, false)
	f.apply(t, "[[providers]]\nname='demo'\nkind='openai'\n")
	if err := f.im.EnsureDemo(t.Context(), f.store); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("got %v", err)
	}
}

func TestGeneratedPasswordsAreLongAndDiffer(t *testing.T) {
	f := newFixture(t, false)
	seen := map[string]bool{}
	for range 100 {
		p, err := seed.GeneratePassword(f.im.Accounts.Rand)
		if err != nil {
			t.Fatal(err)
		}
		if s := p.Reveal(); len(s) != 27 || strings.Trim(s, "abcdefghjkmnpqrstuvwxyz23456789-") != "" || seen[s] {
			t.Errorf("password %q", s)
		}
		seen[p.Reveal()] = true
		if err := auth.CheckPassword("password", p, "admin"); err != nil {
			t.Errorf("%q is refused: %v", p.Reveal(), err)
		}
	}
}

func TestB01RegisterMakesALinkInsteadOfAnAdmin(t *testing.T) {
	f := newFixture(t, false)
	register := config.Admin{Register: true}
	first := f.start(t, register, "")
	if first.Setup.Empty() || first.Admin != "" || !first.Password.Empty() || !first.APIKey.Empty() || f.accounts(t) != "" {
		t.Fatalf("%+v\n%s", first, f.accounts(t))
	}
	second := f.start(t, register, "")
	if second.Setup.Empty() || second.Setup.Reveal() == first.Setup.Reveal() {
		t.Error("the link is not renewed at the next start")
	}
	given := f.start(t, config.Admin{Register: true, APIKey: tollgate.NewSecret("sk-given-by-the-operator")}, "")
	if !given.Setup.Empty() || given.SuperAdmin != "admin" {
		t.Errorf("a value that was given makes the admin: %+v", given)
	}
	if last := f.start(t, register, ""); !last.Setup.Empty() {
		t.Error("there is a link although there is a super admin")
	}
}

func TestRegisterIsNotAskedWhereTheFileBringsAnAdmin(t *testing.T) {
	f := newFixture(t, false)
	if s := f.start(t, config.Admin{Register: true}, "[[users]]\nname = \"boss\"\nis_admin = true\n"); !s.Setup.Empty() || s.SuperAdmin != "boss" {
		t.Errorf("%+v", s)
	}
}

func TestAdminInsteadOfRegisterEndsTheLink(t *testing.T) {
	f := newFixture(t, false)
	f.start(t, config.Admin{Register: true}, "")
	if s := f.start(t, config.Admin{}, ""); !s.Setup.Empty() || s.SuperAdmin != "admin" || s.Password.Empty() {
		t.Errorf("%+v", s)
	}
	if s := f.start(t, config.Admin{Register: true}, ""); !s.Setup.Empty() {
		t.Error("the link came back")
	}
}
