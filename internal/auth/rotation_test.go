package auth_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func TestARotatedKeyKeepsItsBounds(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	k, _ := w.key(auth.KeyWrite{UserID: u.ID})
	rpm := int64(7)
	var next tollgate.Key
	w.update(func(tx tollgate.Tx) error {
		ctx := t.Context()
		write := auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID, Window: tollgate.WindowDay, Limit: tollgate.Some(5 * tollgate.Dollar), Spent: tollgate.Some(2 * tollgate.Dollar)}
		if _, err := w.accounts.SaveQuota(ctx, tx, host(), write); err != nil {
			return err
		}
		limit := tollgate.RateLimit{Scope: tollgate.ScopeKey, ScopeID: k.ID, ModelPattern: "*", RPM: &rpm}
		if _, err := w.accounts.SaveRateLimit(ctx, tx, host(), limit); err != nil {
			return err
		}
		var err error
		next, _, err = w.accounts.RotateKey(ctx, tx, host(), k.ID, 0)
		return err
	})
	w.update(func(tx tollgate.Tx) error {
		page := tollgate.Page{All: true}
		quotas, _, err := tx.Quotas.Query(t.Context(), tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(next.ID)}, page)
		if err != nil {
			return err
		}
		if len(quotas) != 1 || quotas[0].Limit == nil || *quotas[0].Limit != 5*tollgate.Dollar || quotas[0].Spent != 2*tollgate.Dollar {
			t.Errorf("quotas of the successor: %+v", quotas)
		}
		limits, _, err := tx.RateLimits.Query(t.Context(), tollgate.RateLimitFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(next.ID)}, page)
		if err == nil && (len(limits) != 1 || limits[0].RPM == nil || *limits[0].RPM != rpm) {
			t.Errorf("limits of the successor: %+v", limits)
		}
		return err
	})
}

func TestAReplacedServiceKeyEndsItsCalls(t *testing.T) {
	w := newWorld(t)
	p := w.provider("lab")
	first, second := tollgate.NewSecret("the-first-service-key-24c"), tollgate.NewSecret("the-second-service-key-24")
	if err := w.directory.SetAccess(auth.Access{Key: first}); err != nil {
		t.Fatal(err)
	}
	old := w.principal(bearer(first.Reveal()))
	ended := make(chan error, 1)
	release, err := w.directory.Track(old, p.ID, "m", func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := w.directory.SetAccess(auth.Access{Key: first}); err != nil { // a reload that changes nothing
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Fatalf("a reload with the same key ended the call: %v", err)
	default:
	}
	if err := w.directory.SetAccess(auth.Access{Key: second}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
			t.Errorf("ended with %v", err)
		}
	default:
		t.Error("the call of the replaced key goes on")
	}
	if _, err := w.directory.Track(old, p.ID, "m", func(error) {}); err == nil {
		t.Error("the replaced key may still begin a call")
	}
}
