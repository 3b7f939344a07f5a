package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tollgate"
)

func testFilters(b *bench) {
	t := b.t
	f := stored(t, b)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		users := func(want []string, filter tollgate.UserFilter) {
			t.Helper()
			var got []string
			for _, u := range all(ctx, t, tx.Users, filter) {
				got = append(got, u.Name)
			}
			same(t, got, want)
		}
		none := tollgate.Match[int64]{Set: true}
		both := []string{"root", "alice"}
		users(both, tollgate.UserFilter{})
		users(nil, tollgate.UserFilter{ID: none})
		users([]string{"alice"}, tollgate.UserFilter{ID: tollgate.Is(f.user.ID, unknown)})
		users([]string{"alice"}, tollgate.UserFilter{Name: tollgate.Is("alice", "\xff", "x\x00")})
		users(nil, tollgate.UserFilter{Name: tollgate.Is("ALICE")})
		users([]string{"root"}, tollgate.UserFilter{Email: tollgate.Is("")})
		users(both, tollgate.UserFilter{Enabled: tollgate.Is(true)})
		users(both, tollgate.UserFilter{Enabled: tollgate.Is(true, false)})
		users(nil, tollgate.UserFilter{Enabled: tollgate.Match[bool]{Set: true}})
		users([]string{"root"}, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)})
		users([]string{"root"}, tollgate.UserFilter{TeamID: tollgate.Is[int64](0)})
		users(both, tollgate.UserFilter{TeamID: tollgate.Is(0, f.team.ID)})
		users(nil, tollgate.UserFilter{Name: tollgate.Is("alice"), Enabled: tollgate.Is(false)})
		many := tollgate.Is(f.root.ID)
		texts := tollgate.Is("root")
		for i := range 2000 {
			many.Values = append(many.Values, unknown+int64(i))
			texts.Values = append(texts.Values, fmt.Sprintf("%d 'quoted\"", i))
		}
		users([]string{"root"}, tollgate.UserFilter{ID: many})
		users([]string{"root"}, tollgate.UserFilter{Name: texts})
		count := func(n, got int) {
			t.Helper()
			if got != n {
				t.Fatalf("%d rows, want %d", got, n)
			}
		}
		count(1, len(all(ctx, t, tx.Keys, tollgate.KeyFilter{CreatedByKeyID: tollgate.Is(f.key.ID)})))
		count(1, len(all(ctx, t, tx.Keys, tollgate.KeyFilter{Label: tollgate.Is("laptop"), UserID: tollgate.Is(f.user.ID)})))
		count(1, len(all(ctx, t, tx.Keys, tollgate.KeyFilter{Enabled: tollgate.Is(false), ID: tollgate.Is(f.child.ID)})))
		count(1, len(all(ctx, t, tx.Keys, tollgate.KeyFilter{TeamID: tollgate.Is(f.team.ID)})))
		count(1, len(all(ctx, t, tx.Keys, tollgate.KeyFilter{TeamID: tollgate.Is[int64](0), UserID: tollgate.Is(f.user.ID)})))
		count(1, len(all(ctx, t, tx.Teams, tollgate.TeamFilter{Name: tollgate.Is("Forschung äöü")})))
		count(0, len(all(ctx, t, tx.Sessions, tollgate.SessionFilter{ExpiredBefore: f.session.ExpiresAt})))
		count(1, len(all(ctx, t, tx.Sessions, tollgate.SessionFilter{ExpiredBefore: f.session.ExpiresAt.Add(time.Microsecond), UserID: tollgate.Is(f.user.ID)})))
		count(0, len(all(ctx, t, tx.Permissions, tollgate.PermissionFilter{ProviderID: tollgate.Is[int64](0)})))
		count(1, len(all(ctx, t, tx.Permissions, tollgate.PermissionFilter{ProviderID: tollgate.Is(0, f.provider.ID)})))
		count(1, len(all(ctx, t, tx.Quotas, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeUser), ScopeID: tollgate.Is(f.user.ID), Window: tollgate.Is(tollgate.WindowMonth)})))
		count(1, len(all(ctx, t, tx.RateLimits, tollgate.RateLimitFilter{Scope: tollgate.Is(tollgate.ScopeUser)})))
		count(1, len(all(ctx, t, tx.Providers, tollgate.ProviderFilter{Kind: tollgate.Is("openai-compatible"), Enabled: tollgate.Is(true), Name: tollgate.Is("lab")})))
		count(1, len(all(ctx, t, tx.Credentials, tollgate.CredentialFilter{ProviderID: tollgate.Is(f.provider.ID), Enabled: tollgate.Is(true)})))
		count(1, len(all(ctx, t, tx.Models, tollgate.ModelFilter{ModelID: tollgate.Is("some/model")})))
		count(1, len(all(ctx, t, tx.Aliases, tollgate.AliasFilter{Alias: tollgate.Is("fast")})))
		return nil
	})
}

// pagedUsers is enough for several pages, with equal sort values and names
// that collations disagree about.
const pagedUsers = 57

func testPaging(b *bench) {
	t := b.t
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range pagedUsers {
			letter := []string{"a", "B", "ä", "_", "Z", "z"}[i%6]
			u := tollgate.User{Name: fmt.Sprintf("%s%02d", letter, i), Role: tollgate.RoleUser, CreatedAt: day().AddDate(0, 0, i%4)}
			must(t, tx.Users.Insert(ctx, &u))
		}
		return nil
	})
	less := map[string]func(x, y tollgate.User) int{
		"id":         func(x, y tollgate.User) int { return int(x.ID - y.ID) },
		"name":       func(x, y tollgate.User) int { return compareBytes(x.Name, y.Name) },
		"email":      func(x, y tollgate.User) int { return int(x.ID - y.ID) },
		"created_at": func(x, y tollgate.User) int { return x.CreatedAt.Compare(y.CreatedAt) },
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		rows := all(ctx, t, tx.Users, tollgate.UserFilter{})
		for name, cmp := range less {
			order := func(x, y tollgate.User) int {
				if c := cmp(x, y); c != 0 {
					return c
				}
				return int(x.ID - y.ID)
			}
			for _, sort := range []string{name, "-" + name} {
				want := slices.Clone(rows)
				slices.SortFunc(want, order)
				if sort != name {
					slices.Reverse(want)
				}
				for _, limit := range []int{1, 7, pagedUsers, pagedUsers + 1} {
					same(t, walk(ctx, t, tx, sort, limit), want)
				}
			}
		}
		same(t, walk(ctx, t, tx, "", 10), rows)
		return nil
	})
}

func compareBytes(x, y string) int { return slices.Compare([]byte(x), []byte(y)) }

// walk reads all users page by page.
func walk(ctx context.Context, t *testing.T, tx tollgate.Tx, sort string, limit int) (out []tollgate.User) {
	t.Helper()
	page := tollgate.Page{Sort: sort, Limit: limit}
	for {
		rows, next, err := tx.Users.Query(ctx, tollgate.UserFilter{}, page)
		must(t, err)
		if len(rows) > limit {
			t.Fatalf("a page of %d rows, limit %d", len(rows), limit)
		}
		out = append(out, rows...)
		if next == nil {
			return out
		}
		if len(rows) == 0 {
			t.Fatal("an empty page with a next one")
		}
		page.After = next
	}
}

func testBadPages(b *bench) {
	t := b.t
	stored(t, b)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		bad := func(p tollgate.Page) {
			t.Helper()
			_, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, p)
			wantCode(t, err, tollgate.CodeInvalid)
		}
		bad(tollgate.Page{Sort: "password"})
		bad(tollgate.Page{Sort: "name; DROP TABLE users"})
		bad(tollgate.Page{Sort: "--id"})
		bad(tollgate.Page{Sort: "name", After: &tollgate.Cursor{Sort: "id", ID: 1}})
		bad(tollgate.Page{Sort: "created_at", After: &tollgate.Cursor{Sort: "created_at", Value: "yesterday"}})
		bad(tollgate.Page{Sort: "name", After: &tollgate.Cursor{Sort: "name", Value: "\xff"}})
		return nil
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range tollgate.MaxPage + 1 {
			must(t, tx.Teams.Insert(ctx, &tollgate.Team{Name: fmt.Sprint("team ", i)}))
		}
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for page, want := range map[tollgate.Page]int{
			{}:                                       tollgate.MaxPage,
			{Limit: tollgate.MaxPage * 2}:            tollgate.MaxPage,
			{Limit: -1}:                              tollgate.MaxPage,
			{All: true}:                              tollgate.MaxPage + 2,
			{All: true, Limit: 3}:                    3,
			{All: true, Limit: 2 * tollgate.MaxPage}: tollgate.MaxPage + 2,
			{All: true, Limit: tollgate.MaxPage + 1}: tollgate.MaxPage + 1,
			{Limit: 5, Sort: "-name"}:                5,
		} {
			rows, next, err := tx.Teams.Query(ctx, tollgate.TeamFilter{}, page)
			must(t, err)
			if len(rows) != want || (next == nil) != (want == tollgate.MaxPage+2) {
				t.Fatalf("page %+v gave %d rows and next %v, want %d rows", page, len(rows), next, want)
			}
		}
		return nil
	})
}
