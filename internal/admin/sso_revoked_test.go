package admin_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate"
)

// TestWhatCameByAProviderEndsWithIt races the ways to take a sign-in by a
// provider away against requests of it (issue 5 Shown by 4): once the call has
// returned, the session is nobody's.
func TestWhatCameByAProviderEndsWithIt(t *testing.T) {
	n := 20
	if os.Getenv("TOLLGATE_TEST_LONG") != "" {
		n = 1000
	}
	r, p := newRig(t), newOP(t)
	provider := r.corp(p, `,"trusts_second_factor":true`)
	p.says(person("a-1"))
	link := func() int64 {
		row := tollgate.Identity{UserID: r.users["alice"], Provider: "corp", Subject: "a-1"}
		r.update(func(tx tollgate.Tx) error { return tx.Identities.Insert(t.Context(), &row) })
		return row.ID
	}
	must := func(who, path, body string) {
		t.Helper()
		if a := r.post(who, path, body); a.status != http.StatusOK {
			t.Fatalf("%s as %s: %d %s", path, who, a.status, a.body)
		}
	}
	enable := func(on bool) {
		must("root/session", "/admin/sso-providers/upsert", fmt.Sprintf(`{"id":%d,"enabled":%t}`, provider, on))
	}
	identity := link()
	for _, way := range []struct {
		name          string
		revoke, again func()
	}{
		{
			"unlinked by an administrator",
			func() { must("root/session", "/admin/user-identities/delete", fmt.Sprintf(`{"id":%d}`, identity)) },
			func() { identity = link() },
		},
		{"provider disabled", func() { enable(false) }, func() { enable(true) }},
		{
			"provider deleted",
			func() { must("root/session", "/admin/sso-providers/delete", fmt.Sprintf(`{"id":%d}`, provider)) },
			func() {
				provider = r.corp(p, `,"trusts_second_factor":true`)
				identity = link()
			},
		},
	} {
		t.Run(way.name, func(t *testing.T) {
			var served, refused atomic.Int64
			for i := range n {
				b := r.browser()
				if to := b.through("corp", "/console/"); to != "/console/" {
					t.Fatalf("round %d: the sign-in led to %s", i, to)
				}
				var ended atomic.Bool
				var all sync.WaitGroup
				for range 3 {
					again := r.browser()
					maps.Copy(again.cookies, b.cookies)
					all.Go(func() {
						for after := 0; after < 2; {
							late := ended.Load()
							switch a := again.do(http.MethodPost, "/user/me", "{}"); {
							case a.status == http.StatusOK && late:
								t.Errorf("round %d: served after the call returned", i)
							case a.status == http.StatusOK:
								served.Add(1)
							case a.status == http.StatusUnauthorized:
								refused.Add(1)
							default:
								t.Errorf("round %d: %d %s", i, a.status, a.body)
							}
							if late {
								after++
							}
						}
					})
				}
				func() {
					defer all.Wait()
					defer ended.Store(true)
					way.revoke()
				}()
				if t.Failed() {
					return
				}
				way.again()
			}
			t.Logf("%d rounds: %d requests served before, %d refused, 0 served after", n, served.Load(), refused.Load())
		})
	}
}
