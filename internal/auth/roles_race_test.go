package auth_test

import (
	"os"
	"slices"
	"sync"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

// rounds is how often a race is run: n with TOLLGATE_TEST_LONG, else a twentieth.
func rounds(n int) int {
	if os.Getenv("TOLLGATE_TEST_LONG") != "" {
		return n
	}
	return max(n/20, 2)
}

// TestRolesB01OneSuperAdminWhateverRaces lets three administrators demote,
// deactivate and delete each other and hand the super admin's role over, all
// at once: after every round there is exactly one super admin, enabled.
func TestRolesB01OneSuperAdminWhateverRaces(t *testing.T) {
	onBothEngines(t, func(w *world) {
		ids, actors := []int64{w.root.ID}, []tollgate.Actor{}
		for _, name := range []string{"ann", "ben"} {
			ids = append(ids, w.user(name, true).ID)
		}
		for _, id := range ids {
			_, plain := w.key(auth.KeyWrite{UserID: id})
			actors = append(actors, w.asKey(plain))
		}
		handed := map[int64]bool{}
		n := rounds(1000)
		for range n {
			w.raceRoles(ids, actors)
			handed[w.onlySuperAdmin().ID] = true
			for _, id := range ids {
				u := auth.UserWrite{ID: id, Enabled: tollgate.Some(true), IsAdmin: tollgate.Some(true)}
				w.update(func(tx tollgate.Tx) error { _, err := w.accounts.SaveUser(w.Context(), tx, host(), u); return err })
			}
		}
		if len(handed) < 2 {
			w.Error("the role was never handed over: the race tests nothing")
		}
		w.Logf("%d rounds, %d holders", n, len(handed))
	})
}

// raceRoles starts everything that everybody can do to the others at once.
func (w *world) raceRoles(ids []int64, actors []tollgate.Actor) {
	w.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, by := range actors {
		for j, id := range ids {
			if i == j {
				continue
			}
			for _, change := range []func(tollgate.Tx) error{
				func(tx tollgate.Tx) error { return w.accounts.HandOver(w.Context(), tx, by, id) },
				func(tx tollgate.Tx) error {
					_, err := w.accounts.SaveUser(w.Context(), tx, by, auth.UserWrite{ID: id, IsAdmin: tollgate.Some(false)})
					return err
				},
				func(tx tollgate.Tx) error {
					_, err := w.accounts.SaveUser(w.Context(), tx, by, auth.UserWrite{ID: id, Enabled: tollgate.Some(false)})
					return err
				},
			} {
				wg.Go(func() {
					<-start
					fair := []tollgate.Code{"", tollgate.CodeForbidden, tollgate.CodeConflict, tollgate.CodeUnauthenticated}
					if code := tollgate.ErrorCode(w.store.Update(w.Context(), change)); !slices.Contains(fair, code) {
						w.Errorf("a change of roles failed with %s", code)
					}
				})
			}
		}
	}
	close(start)
	wg.Wait()
}

// onlySuperAdmin returns the super admin; there must be one, and enabled.
func (w *world) onlySuperAdmin() tollgate.User {
	w.Helper()
	var rows []tollgate.User
	err := w.store.View(w.Context(), func(tx tollgate.Tx) (err error) {
		rows, _, err = tx.Users.Query(w.Context(), tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)}, tollgate.Page{})
		return err
	})
	if err != nil || len(rows) != 1 || !rows[0].Enabled {
		w.Fatalf("super admins: %+v, %v", rows, err)
	}
	return rows[0]
}
