package auth_test

import (
	"slices"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

func TestQuotas(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	k, _ := w.key(auth.KeyWrite{UserID: alice.ID})
	save := func(by tollgate.Actor, q auth.QuotaWrite) (got tollgate.Quota, code tollgate.Code) {
		code = w.try(func(tx tollgate.Tx) (err error) {
			got, err = w.accounts.SaveQuota(t.Context(), tx, by, q)
			return err
		})
		return got, code
	}
	user := auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: alice.ID}
	with := func(q auth.QuotaWrite, change func(*auth.QuotaWrite)) auth.QuotaWrite {
		change(&q)
		return q
	}
	first, code := save(host(), with(user, func(q *auth.QuotaWrite) { q.Limit = tollgate.Some(5 * tollgate.Dollar) }))
	if code != "" || first.Window != tollgate.WindowTotal || *first.Limit != 5*tollgate.Dollar || first.Spent != 0 {
		t.Fatalf("first: %+v, %q", first, code)
	}
	second, _ := save(host(), with(user, func(q *auth.QuotaWrite) { q.Spent = tollgate.Some(tollgate.Dollar) }))
	if second.ID != first.ID || *second.Limit != 5*tollgate.Dollar || second.Spent != tollgate.Dollar {
		t.Errorf("absent limit: %+v", second)
	}
	zero, _ := save(host(), with(user, func(q *auth.QuotaWrite) { q.Limit = tollgate.Some(tollgate.Money(0)) }))
	if zero.Limit == nil || *zero.Limit != 0 || zero.Spent != tollgate.Dollar {
		t.Errorf("limit 0: %+v", zero)
	}
	unlimited, _ := save(host(), with(user, func(q *auth.QuotaWrite) { q.Limit = tollgate.Null[tollgate.Money]() }))
	if unlimited.Limit != nil || unlimited.ID != first.ID {
		t.Errorf("limit null: %+v", unlimited)
	}
	daily, _ := save(host(), with(user, func(q *auth.QuotaWrite) { q.Window = tollgate.WindowDay }))
	if daily.ID == first.ID {
		t.Error("two windows share a row")
	}
	for name, c := range map[string]struct {
		q    auth.QuotaWrite
		want tollgate.Code
	}{
		"negative":        {with(user, func(q *auth.QuotaWrite) { q.Limit = tollgate.Some(tollgate.Money(-1)) }), tollgate.CodeInvalid},
		"too much":        {with(user, func(q *auth.QuotaWrite) { q.Limit = tollgate.Some(tollgate.MaxMoney + 1) }), tollgate.CodeInvalid},
		"negative spent":  {with(user, func(q *auth.QuotaWrite) { q.Spent = tollgate.Some(tollgate.Money(-1)) }), tollgate.CodeInvalid},
		"window":          {with(user, func(q *auth.QuotaWrite) { q.Window = "year" }), tollgate.CodeInvalid},
		"scope":           {auth.QuotaWrite{Scope: "planet"}, tollgate.CodeInvalid},
		"unknown user":    {auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: 99}, tollgate.CodeNotFound},
		"unknown key":     {auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: 99}, tollgate.CodeNotFound},
		"unknown team":    {auth.QuotaWrite{Scope: tollgate.ScopeTeam, ScopeID: 99}, tollgate.CodeNotFound},
		"instance and id": {auth.QuotaWrite{Scope: tollgate.ScopeInstance, ScopeID: 1}, tollgate.CodeInvalid},
		"instance":        {auth.QuotaWrite{Scope: tollgate.ScopeInstance}, ""},
		"service":         {auth.QuotaWrite{Scope: tollgate.ScopeService}, ""},
		"key":             {auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID}, ""},
	} {
		if _, code := save(host(), c.q); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	bySelf := w.as("alice")
	for name, q := range map[string]auth.QuotaWrite{
		"own": user, "instance": {Scope: tollgate.ScopeInstance}, "spent of the own key": {Scope: tollgate.ScopeKey, ScopeID: k.ID, Spent: tollgate.Some(tollgate.Money(0))}, "no key": {Scope: tollgate.ScopeKey, ScopeID: 99},
	} {
		if _, code := save(bySelf, q); code != tollgate.CodeForbidden {
			t.Errorf("a user sets the %s quota: %q", name, code)
		}
	}
	if _, code := save(bySelf, auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID, Limit: tollgate.Some(tollgate.Dollar)}); code != "" {
		t.Errorf("a user bounds the own key: %q", code)
	}
	remove := func() tollgate.Code {
		return w.try(func(tx tollgate.Tx) error {
			return w.accounts.DeleteQuota(t.Context(), tx, host(), tollgate.ScopeUser, alice.ID, "")
		})
	}
	if code := remove(); code != "" {
		t.Error(code)
	}
	if code := remove(); code != tollgate.CodeNotFound {
		t.Errorf("again: %q", code)
	}
	if n := len(w.audited("quota.upsert")); n != 9 {
		t.Errorf("%d audit entries, want 9", n)
	}
}

func TestAWrittenBalanceIsAnAdjustment(t *testing.T) {
	w := newWorld(t)
	w.accounts.Zone = time.FixedZone("Honolulu", -10*3600)
	alice := w.user("alice", false)
	save := func(q auth.QuotaWrite) (got tollgate.Quota) {
		t.Helper()
		q.Scope, q.ScopeID = tollgate.ScopeUser, alice.ID
		w.update(func(tx tollgate.Tx) (err error) {
			got, err = w.accounts.SaveQuota(t.Context(), tx, host(), q)
			return err
		})
		return got
	}
	day := save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(5 * tollgate.Dollar), Reason: "from the old system"})
	save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(2 * tollgate.Dollar)})
	save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(2 * tollgate.Dollar)}) // nothing changes
	save(auth.QuotaWrite{Window: tollgate.WindowDay, Limit: tollgate.Some(9 * tollgate.Dollar)})
	w.clock.at = w.clock.at.Add(24 * time.Hour)
	save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(tollgate.Dollar)}) // of a new day, which began with nothing
	w.clock.at = w.clock.at.Add(-5 * time.Hour)
	save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(3 * tollgate.Dollar)}) // set back, not over the border
	w.clock.at = w.clock.at.Add(-24 * time.Hour)
	last := save(auth.QuotaWrite{Window: tollgate.WindowDay, Spent: tollgate.Some(4 * tollgate.Dollar)}) // set back over it
	type fact struct {
		amount tollgate.Money
		start  string
		reason string
		by     string
	}
	var got []fact
	w.update(func(tx tollgate.Tx) error {
		rows, _, err := tx.Ledger.Adjustments(t.Context(), tollgate.AdjustmentFilter{QuotaID: tollgate.Is(day.ID)}, tollgate.Page{All: true})
		for _, a := range rows {
			if a.At.Before(a.WindowStart) || a.Kind != tollgate.AdjustCorrection || a.ScopeID != alice.ID {
				t.Errorf("adjustment %+v", a)
			}
			got = append(got, fact{a.Amount / tollgate.Dollar, a.WindowStart.Format(time.RFC3339), a.Reason, a.ActorName + " " + a.Via})
		}
		return err
	})
	const first, next = "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"
	want := []fact{
		{5, first, "from the old system", "host cli"},
		{-3, first, "cost_used was written", "host cli"},
		{1, next, "cost_used was written", "host cli"},
		{2, next, "cost_used was written", "host cli"},
		{1, next, "cost_used was written", "host cli"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("adjustments %v, want %v", got, want)
	}
	w.update(func(tx tollgate.Tx) error {
		q, err := tx.Quotas.Get(t.Context(), day.ID)
		if q.Spent != 4*tollgate.Dollar || q.Spent != last.Spent || !q.WindowStart.Equal(last.WindowStart) {
			t.Errorf("stored %+v, returned %+v", q, last)
		}
		return err
	})
}

func TestRateLimits(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	ten, negative := int64(10), int64(-1)
	save := func(by tollgate.Actor, r tollgate.RateLimit) (got tollgate.RateLimit, code tollgate.Code) {
		code = w.try(func(tx tollgate.Tx) (err error) {
			got, err = w.accounts.SaveRateLimit(t.Context(), tx, by, r)
			return err
		})
		return got, code
	}
	limit := tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: alice.ID, ModelPattern: "*", RPM: &ten}
	first, code := save(host(), limit)
	if code != "" || first.ID == 0 {
		t.Fatal(code)
	}
	limit.RPM, limit.RPD = nil, &ten
	again, _ := save(host(), limit)
	if again.ID != first.ID || again.RPM != nil || *again.RPD != 10 {
		t.Errorf("the same scope and pattern again: %+v", again)
	}
	for name, c := range map[string]struct {
		r    tollgate.RateLimit
		want tollgate.Code
	}{
		"negative":   {tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: alice.ID, ModelPattern: "*", RPM: &negative}, tollgate.CodeInvalid},
		"no pattern": {tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: alice.ID}, tollgate.CodeInvalid},
		"unknown id": {tollgate.RateLimit{ID: 99, Scope: tollgate.ScopeUser, ScopeID: alice.ID, ModelPattern: "*"}, tollgate.CodeNotFound},
	} {
		if _, code := save(host(), c.r); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	if _, code := save(w.as("alice"), limit); code != tollgate.CodeForbidden {
		t.Errorf("a user sets a limit: %q", code)
	}
	remove := func(by tollgate.Actor, id int64) tollgate.Code {
		return w.try(func(tx tollgate.Tx) error { return w.accounts.DeleteRateLimit(t.Context(), tx, by, id) })
	}
	if got := remove(w.as("alice"), 99); got != tollgate.CodeForbidden {
		t.Errorf("a user learns that there is no limit 99: %q", got)
	}
	if got := remove(host(), first.ID); got != "" {
		t.Error(got)
	}
}

func TestPermissionRows(t *testing.T) {
	w := newWorld(t)
	alice, ada := w.user("alice", false), w.user("ada", true)
	lab := w.provider("lab")
	save := func(p tollgate.Permission) (got tollgate.Permission, code tollgate.Code) {
		code = w.try(func(tx tollgate.Tx) (err error) {
			got, err = w.accounts.SavePermission(t.Context(), tx, host(), p)
			return err
		})
		return got, code
	}
	first, _ := save(tollgate.Permission{UserID: alice.ID, ProviderID: lab.ID, ModelPattern: "a"})
	again, code := save(tollgate.Permission{UserID: alice.ID, ProviderID: lab.ID, ModelPattern: "a"})
	if code != "" || again != first {
		t.Errorf("the same again: %+v, %q", again, code)
	}
	changed, code := save(tollgate.Permission{ID: first.ID, UserID: alice.ID, ModelPattern: "b", Automatic: true})
	if code != "" || changed.ID != first.ID || changed.ProviderID != 0 || changed.Automatic {
		t.Errorf("changed to %+v, %q", changed, code)
	}
	for name, c := range map[string]struct {
		p    tollgate.Permission
		want tollgate.Code
	}{
		"unknown provider": {tollgate.Permission{UserID: alice.ID, ProviderID: 99, ModelPattern: "*"}, tollgate.CodeNotFound},
		"unknown user":     {tollgate.Permission{UserID: 99, ModelPattern: "*"}, tollgate.CodeNotFound},
		"unknown id":       {tollgate.Permission{ID: 99, UserID: alice.ID, ModelPattern: "*"}, tollgate.CodeNotFound},
		"empty pattern":    {tollgate.Permission{UserID: alice.ID}, tollgate.CodeInvalid},
	} {
		if _, code := save(c.p); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	// A row of the super admin cannot be taken over by giving it to another user.
	theirs := w.permit(w.root.ID, lab.ID, "z")
	byAda := w.as("ada")
	code = w.try(func(tx tollgate.Tx) error {
		_, err := w.accounts.SavePermission(t.Context(), tx, byAda, tollgate.Permission{ID: theirs.ID, UserID: ada.ID, ModelPattern: "z"})
		return err
	})
	if code != tollgate.CodeForbidden {
		t.Errorf("an admin moved the super admin's permission: %q", code)
	}
}

func TestFilePermissions(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	lab, other := w.provider("lab"), w.provider("other")
	_, plain := w.key(auth.KeyWrite{UserID: alice.ID})
	p := w.principal(bearer(plain))
	if w.directory.FilesAllowed(p, lab.ID) {
		t.Error("files are allowed by default")
	}
	var row tollgate.FilePermission
	save := func(f tollgate.FilePermission) {
		w.update(func(tx tollgate.Tx) (err error) {
			row, err = w.accounts.SaveFilePermission(t.Context(), tx, host(), f)
			return err
		})
	}
	save(tollgate.FilePermission{UserID: alice.ID, ProviderID: lab.ID})
	first := row
	save(tollgate.FilePermission{UserID: alice.ID, ProviderID: lab.ID})
	if row != first || !w.directory.FilesAllowed(p, lab.ID) || w.directory.FilesAllowed(p, other.ID) || w.directory.FilesAllowed(tollgate.Principal{}, lab.ID) {
		t.Errorf("granted for one provider: %+v", row)
	}
	save(tollgate.FilePermission{ID: row.ID, UserID: alice.ID})
	if !w.directory.FilesAllowed(p, other.ID) {
		t.Error("not granted for every provider")
	}
	w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteFilePermission(t.Context(), tx, host(), row.ID) })
	if w.directory.FilesAllowed(p, lab.ID) {
		t.Error("granted after it was taken away")
	}
}

func TestTeams(t *testing.T) {
	w := newWorld(t)
	var team tollgate.Team
	w.update(func(tx tollgate.Tx) (err error) {
		if team, err = w.accounts.SaveTeam(t.Context(), tx, host(), tollgate.Team{Name: "blue"}); err != nil {
			return err
		}
		team, err = w.accounts.SaveTeam(t.Context(), tx, host(), tollgate.Team{ID: team.ID, Name: "red"})
		return err
	})
	if team.Name != "red" || team.CreatedAt.IsZero() {
		t.Errorf("team is %+v", team)
	}
	alice := w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("alice"), TeamID: tollgate.Some(team.ID), TeamRole: tollgate.Some("admin")})
	if alice.TeamRole != "admin" {
		t.Errorf("member is %+v", alice)
	}
	w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteTeam(t.Context(), tx, host(), team.ID) })
	if u, ok := w.directory.User(alice.ID); !ok || u.TeamID != 0 || u.TeamRole != "" {
		t.Errorf("after the team is gone: %+v", u)
	}
	if got := w.try(func(tx tollgate.Tx) error { return w.accounts.DeleteTeam(t.Context(), tx, host(), team.ID) }); got != tollgate.CodeNotFound {
		t.Errorf("again: %q", got)
	}
}
