package auth_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func (w *world) ask(by tollgate.Actor, a tollgate.Ask) (made tollgate.Ask, code tollgate.Code) {
	code = w.try(func(tx tollgate.Tx) (err error) {
		made, err = w.accounts.CreateAsk(w.Context(), tx, by, a)
		return err
	})
	return made, code
}

func (w *world) decide(by tollgate.Actor, d auth.Decision) tollgate.Code {
	return w.try(func(tx tollgate.Tx) error { return w.accounts.DecideAsk(w.Context(), tx, by, d) })
}

func (w *world) budget(userID int64, limit tollgate.Money) {
	w.Helper()
	w.update(func(tx tollgate.Tx) error {
		_, err := w.accounts.SaveQuota(w.Context(), tx, host(), auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: userID, Window: tollgate.WindowMonth, Limit: tollgate.Some(limit)})
		return err
	})
}

func (w *world) limit(userID int64) (limit tollgate.Money) {
	w.Helper()
	w.update(func(tx tollgate.Tx) error {
		rows, _, err := tx.Quotas.Query(w.Context(), tollgate.QuotaFilter{ScopeID: tollgate.Is(userID)}, tollgate.Page{})
		if err == nil && len(rows) == 1 {
			limit = *rows[0].Limit
		}
		return err
	})
	return limit
}

func dollars(n int64) *tollgate.Money { m := tollgate.Money(n) * tollgate.Dollar; return &m }

func TestAskForABudgetIsGrantedOnceAndNeverLowers(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	w.user("boss", true)
	alice, boss := w.as("alice"), w.as("boss")
	want := tollgate.Ask{Kind: tollgate.AskBudget, Window: tollgate.WindowMonth, Amount: dollars(50)}
	if _, code := w.ask(alice, want); code != tollgate.CodeConflict {
		t.Errorf("without a budget: %q", code)
	}
	w.budget(u.ID, *dollars(20))
	first, code := w.ask(alice, want)
	second, _ := w.ask(alice, want)
	if code != "" {
		t.Fatal(code)
	}
	if code := w.decide(alice, auth.Decision{ID: first.ID, Approve: true}); code != tollgate.CodeForbidden {
		t.Errorf("decided by who asks: %q", code)
	}
	if code := w.decide(boss, auth.Decision{ID: first.ID, Approve: true, Note: "fine"}); code != "" || w.limit(u.ID) != *dollars(50) {
		t.Errorf("%q, %d", code, w.limit(u.ID))
	}
	if code := w.decide(boss, auth.Decision{ID: first.ID}); code != tollgate.CodeConflict {
		t.Errorf("decided twice: %q", code)
	}
	w.budget(u.ID, *dollars(80))
	if code := w.decide(boss, auth.Decision{ID: second.ID, Approve: true}); code != "" || w.limit(u.ID) != *dollars(80) {
		t.Errorf("an approval lowered the budget: %q, %d", code, w.limit(u.ID))
	}
	if _, code := w.ask(alice, want); code != tollgate.CodeConflict {
		t.Errorf("less than there is: %q", code)
	}
}

func TestAskForAModelIsGrantedAsAPermission(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	lab := w.provider("lab")
	p := w.as("alice")
	ask, code := w.ask(p, tollgate.Ask{Kind: tollgate.AskModel, Model: "gpt-5"})
	if code != "" || w.directory.Allowed(p.Principal, lab.ID, "gpt-5") {
		t.Fatalf("asking grants: %q", code)
	}
	if code := w.decide(host(), auth.Decision{ID: ask.ID, Approve: true, ProviderID: lab.ID}); code != "" {
		t.Fatal(code)
	}
	if !w.directory.Allowed(p.Principal, lab.ID, "gpt-5") || w.directory.Allowed(p.Principal, lab.ID+1, "gpt-5") || w.directory.Allowed(p.Principal, lab.ID, "gpt-6") {
		t.Error("what was granted is not what was asked for")
	}
	declined, _ := w.ask(p, tollgate.Ask{Kind: tollgate.AskModel, Model: "gpt-6"})
	if code := w.decide(host(), auth.Decision{ID: declined.ID, Note: "too dear"}); code != "" || w.directory.Allowed(p.Principal, lab.ID, "gpt-6") {
		t.Errorf("declined: %q", code)
	}
	if n := len(w.audited("ask.create")) + len(w.audited("ask.approved")) + len(w.audited("ask.declined")); n != 4 || u.ID == 0 {
		t.Errorf("%d audit entries, want 4", n)
	}
}

func TestAsksAreBoundedAndOnesOwn(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	w.user("bob", false)
	alice := w.as("alice")
	for name, a := range map[string]tollgate.Ask{
		"no kind": {}, "wildcard": {Kind: tollgate.AskModel, Model: "*"}, "no model": {Kind: tollgate.AskModel}, "no amount": {Kind: tollgate.AskBudget},
		"both": {Kind: tollgate.AskModel, Model: "m", Amount: dollars(1)}, "nothing": {Kind: tollgate.AskBudget, Amount: dollars(0)},
	} {
		if _, code := w.ask(alice, a); code != tollgate.CodeInvalid {
			t.Errorf("%s: %q", name, code)
		}
	}
	var last tollgate.Ask
	for range 10 {
		var code tollgate.Code
		if last, code = w.ask(alice, tollgate.Ask{Kind: tollgate.AskModel, Model: "m"}); code != "" {
			t.Fatal(code)
		}
	}
	if _, code := w.ask(alice, tollgate.Ask{Kind: tollgate.AskModel, Model: "m"}); code != tollgate.CodeConflict {
		t.Errorf("an eleventh: %q", code)
	}
	withdraw := func(by tollgate.Actor) tollgate.Code {
		return w.try(func(tx tollgate.Tx) error { return w.accounts.WithdrawAsk(w.Context(), tx, by, last.ID) })
	}
	if code := withdraw(w.as("bob")); code != tollgate.CodeNotFound {
		t.Errorf("another's: %q", code)
	}
	if code := withdraw(alice); code != "" {
		t.Error(code)
	}
	if code := withdraw(alice); code != tollgate.CodeConflict {
		t.Errorf("twice: %q", code)
	}
	if _, code := w.ask(alice, tollgate.Ask{Kind: tollgate.AskModel, Model: "m"}); code != "" {
		t.Errorf("in its place: %q", code)
	}
}
