package auth_test

import (
	"net/netip"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/store/sqlstore"
)

// TestA05GuessedLinksAreThrottledPerAddress: whatever a link is for, tokens that
// are not good use an address's attempts up; then the good one is refused there
// too, before it is looked at, and taken from elsewhere.
func TestA05GuessedLinksAreThrottledPerAddress(t *testing.T) {
	type use func(w *world, token tollgate.Secret, from auth.SignIn) error
	for name, c := range map[string]struct {
		issue func(*world) tollgate.Secret
		use   use
	}{
		"reset": {issueReset, func(w *world, token tollgate.Secret, from auth.SignIn) error {
			return w.sessions.Reset(w.Context(), token, tollgate.NewSecret("another new secret"), from)
		}},
		"invitation": {issueInvitation, func(w *world, token tollgate.Secret, from auth.SignIn) error {
			_, err := w.sessions.Invitation(w.Context(), token, from)
			return err
		}},
		"invitation/accept": {issueInvitation, func(w *world, token tollgate.Secret, from auth.SignIn) error {
			_, err := w.sessions.Accept(w.Context(), token, "newcomer", tollgate.NewSecret("the own secret of newcomer"), from)
			return err
		}},
		"setup/check": {issueSetup, func(w *world, token tollgate.Secret, from auth.SignIn) error {
			return w.sessions.CheckSetup(w.Context(), token, from)
		}},
		"setup": {issueSetup, func(w *world, token tollgate.Secret, from auth.SignIn) error {
			_, err := w.sessions.SetUp(w.Context(), token, auth.UserWrite{Name: tollgate.Some("first"), Password: password("the own secret of first")}, from)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEmptyWorld(t, sqlstore.Options{Dir: t.TempDir()})
			good := c.issue(w)
			w.sessions = auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 3})
			for i, wrong := range []string{"", "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
				if code := tollgate.ErrorCode(c.use(w, tollgate.NewSecret(wrong), here())); code != tollgate.CodeNotFound {
					t.Errorf("guess %d: %q", i, code)
				}
			}
			for what, token := range map[string]tollgate.Secret{"a guess": tollgate.NewSecret("guess"), "the good one": good} {
				err := c.use(w, token, here())
				if tollgate.ErrorCode(err) != tollgate.CodeRateLimited || tollgate.AsError(err).RetryAfter <= 0 {
					t.Errorf("%s after too many: %v", what, err)
				}
			}
			if err := c.use(w, good, auth.SignIn{IP: netip.MustParseAddr("198.51.100.7")}); err != nil {
				t.Errorf("the good one from elsewhere: %v", err)
			}
		})
	}
}

// TestGoodLinksCostNothing: who looks at an invitation again and again, or
// cannot think of a password, is not turned away.
func TestGoodLinksCostNothing(t *testing.T) {
	w := newEmptyWorld(t, sqlstore.Options{Dir: t.TempDir()})
	token := issueInvitation(w)
	w.sessions = auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 3})
	for range 5 {
		if _, err := w.sessions.Invitation(t.Context(), token, here()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.sessions.Accept(t.Context(), token, "ann", tollgate.NewSecret("short"), here()); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Fatal(err)
		}
	}
}

// TestLinksArePrunedAMonthAfterTheyAreOver on both engines.
func TestLinksArePrunedAMonthAfterTheyAreOver(t *testing.T) {
	onBothEngines(t, func(w *world) {
		used, expired := issueInvitation(w), issueReset(w)
		_, _, code := w.invite(w.as("root"), auth.InvitationWrite{Label: "long", Life: auth.MaxInvitationLife})
		if code != "" {
			w.Fatal(code)
		}
		if _, code := w.accept(used, "ann"); code != "" {
			w.Fatal(code)
		}
		left := func(after time.Duration) (labels []string) {
			w.clock.advance(after)
			if err := w.sessions.Prune(w.Context()); err != nil {
				w.Fatal(err)
			}
			w.update(func(tx tollgate.Tx) error {
				rows, _, err := tx.Links.Query(w.Context(), tollgate.LinkFilter{}, tollgate.Page{All: true})
				for _, l := range rows {
					labels = append(labels, string(l.Purpose)+" "+l.Label)
				}
				return err
			})
			return labels
		}
		if got := left(29 * 24 * time.Hour); len(got) != 3 {
			w.Errorf("before a month is over: %q", got)
		}
		if got := left(2 * 24 * time.Hour); len(got) != 1 || got[0] != "invitation long" {
			w.Errorf("after a month: %q", got)
		}
		if got := left(31 * 24 * time.Hour); len(got) != 0 {
			w.Errorf("after two: %q", got)
		}
		if code := w.reset(expired, fresh); code != tollgate.CodeNotFound {
			w.Errorf("a link that is gone: %q", code)
		}
	})
}

func issueReset(w *world) tollgate.Secret {
	token, code := w.resetLink(host(), w.user("alice", false).ID)
	if code != "" {
		w.Fatal(code)
	}
	return token
}

func issueInvitation(w *world) tollgate.Secret {
	_, token, code := w.invite(host(), auth.InvitationWrite{Label: "for Ann"})
	if code != "" {
		w.Fatal(code)
	}
	return token
}

func issueSetup(w *world) tollgate.Secret {
	token, code := w.openSetup()
	if code != "" {
		w.Fatal(code)
	}
	return token
}
