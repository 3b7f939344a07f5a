package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attempt is one round of one way to lose a right.
type attempt struct {
	path, credential string // what is asked for again and again, and by whom
	body             []byte
	revoke           func()
	stream           bool // the credential calls models: an open stream ends as well
}

// way is a way to lose a right.
type way struct {
	name  string
	begin func(g *gateway, name string) attempt
}

// calling is an attempt with a key that calls models.
func calling(key string, revoke func()) attempt {
	return attempt{"/oa/v1/chat/completions", key, chat(false, "hi"), revoke, true}
}

// asking is an attempt with a credential that asks for something of its own, or
// of the administration.
func asking(path, credential string, revoke func()) attempt {
	return attempt{path, credential, []byte("{}"), revoke, false}
}

// keyWays are those by which a key stops calling models.
func keyWays() []way {
	of := func(revoke func(g *gateway, user, keyID int64)) func(*gateway, string) attempt {
		return func(g *gateway, name string) attempt {
			user, key, keyID := g.newUser(name)
			return calling(key, func() { revoke(g, user, keyID) })
		}
	}
	update := func(change string, value any) func(*gateway, string) attempt {
		return of(func(g *gateway, _, keyID int64) {
			g.admin("/admin/user-keys/update", map[string]any{"id": keyID, change: value}, nil)
		})
	}
	return []way{
		{"key disabled", of(func(g *gateway, _, keyID int64) {
			g.admin("/admin/user-keys/update-enabled", map[string]any{"id": keyID, "enabled": false}, nil)
		})},
		{"key deleted", of(func(g *gateway, _, keyID int64) { g.admin("/admin/user-keys/delete", map[string]any{"id": keyID}, nil) })},
		{"key rotated", of(func(g *gateway, _, keyID int64) { g.admin("/admin/user-keys/rotate", map[string]any{"id": keyID}, nil) })},
		{"key for other models", update("models", []string{"demo-large"})},
		{"key for other addresses", update("ip_allow", []string{"192.0.2.0/24"})},
		{"key expired", func(g *gateway, name string) attempt {
			_, key, keyID := g.newUser(name)
			a := calling(key, func() {
				end := time.Now().Add(150 * time.Millisecond)
				g.admin("/admin/user-keys/update", map[string]any{"id": keyID, "expires_at": end.UTC().Format(time.RFC3339Nano)}, nil)
				time.Sleep(time.Until(end))
			})
			a.stream = false // the clock ends streams within a second, which would be most of the test
			return a
		}},
		{"user disabled", of(func(g *gateway, user, _ int64) {
			g.admin("/admin/users/upsert", map[string]any{"id": user, "enabled": false}, nil)
		})},
		{"user deleted", of(func(g *gateway, user, _ int64) { g.admin("/admin/users/delete", map[string]any{"id": user}, nil) })},
		{"permission deleted", of(func(g *gateway, user, _ int64) {
			var perms []struct{ ID int64 }
			g.admin("/admin/user-permissions/query", map[string]any{"user_id": map[string]any{"eq": user}}, &perms)
			g.admin("/admin/user-permissions/delete", map[string]any{"id": perms[0].ID}, nil)
		})},
	}
}

// teamWays are those by which a member loses what the team may.
func teamWays() []way {
	of := func(revoke func(g *gateway, team, user, permission int64)) func(*gateway, string) attempt {
		return func(g *gateway, name string) attempt {
			var team, permission, user struct{ ID int64 }
			g.admin("/admin/teams/upsert", map[string]any{"name": name}, &team)
			g.admin("/admin/teams/permissions/upsert", map[string]any{"team_id": team.ID, "model_pattern": "*"}, &permission)
			g.admin("/admin/users/upsert", map[string]any{"name": name}, &user)
			g.admin("/admin/teams/members/add", map[string]any{"team_id": team.ID, "id": user.ID}, nil)
			key, _ := g.newKey(user.ID)
			return calling(key, func() { revoke(g, team.ID, user.ID, permission.ID) })
		}
	}
	return []way{
		{"member removed", of(func(g *gateway, team, user, _ int64) {
			g.admin("/admin/teams/members/remove", map[string]any{"team_id": team, "id": user}, nil)
		})},
		{"team permission deleted", of(func(g *gateway, _, _, permission int64) {
			g.admin("/admin/teams/permissions/delete", map[string]any{"id": permission}, nil)
		})},
		{"team deleted", of(func(g *gateway, team, _, _ int64) { g.admin("/admin/teams/delete", map[string]any{"id": team}, nil) })},
		{"key of a team, member removed", func(g *gateway, name string) attempt {
			t := g.newLedTeam(name)
			return calling(t.key, func() { g.as(t.token, "/user/team/members/remove", map[string]any{"id": t.member}, nil) })
		}},
		{"key of a team, disabled by its admin", func(g *gateway, name string) attempt {
			t := g.newLedTeam(name)
			return calling(t.key, func() {
				g.as(t.token, "/user/team/keys/update-enabled", map[string]any{"id": t.keyID, "enabled": false}, nil)
			})
		}},
		{"admin of a team demoted", func(g *gateway, name string) attempt {
			t := g.newLedTeam(name)
			return asking("/user/team/keys/query", t.token, func() {
				g.admin("/admin/teams/members/set-role", map[string]any{"team_id": t.id, "id": t.admin, "team_role": "member"}, nil)
			})
		}},
	}
}

// ledTeam is a team with its admin, who is signed in, and a member with a key
// that the admin has made.
type ledTeam struct {
	id, admin, member, keyID int64
	token, key               string
}

func (g *gateway) newLedTeam(name string) (t ledTeam) {
	g.t.Helper()
	const password = "Correct horse battery 9"
	put := func(path string, in map[string]any) int64 {
		var out struct{ ID int64 }
		g.admin(path, in, &out)
		return out.ID
	}
	t.id = put("/admin/teams/upsert", map[string]any{"name": name})
	put("/admin/teams/permissions/upsert", map[string]any{"team_id": t.id, "model_pattern": "*"})
	t.admin = put("/admin/users/upsert", map[string]any{"name": name + " admin", "password": password, "team_id": t.id})
	put("/admin/teams/members/set-role", map[string]any{"team_id": t.id, "id": t.admin, "team_role": "admin"})
	t.member = put("/admin/users/upsert", map[string]any{"name": name + " member", "team_id": t.id})
	t.token = g.login(name+" admin", password)
	var key struct {
		ID     int64
		APIKey string `json:"api_key"`
	}
	g.as(t.token, "/user/team/keys/generate", map[string]any{"user_id": t.member}, &key)
	t.key, t.keyID = key.APIKey, key.ID
	return t
}

// as sends a command as whoever a token is, which must succeed.
func (g *gateway) as(token, path string, in, out any) {
	g.t.Helper()
	status, body := g.adminAs(token, path, in)
	if status/100 != 2 {
		g.t.Fatalf("POST %s: %d %s", path, status, body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(body, out); err != nil {
		g.t.Fatal(err)
	}
}

// signedInWays are those by which a sign-in ends, or stops being an administrator's.
func signedInWays() []way {
	const password, own, all = "Correct horse battery 7", "/user/me", "/admin/users/query"
	of := func(path string, admin bool, revoke func(g *gateway, user int64, name, token string)) func(*gateway, string) attempt {
		return func(g *gateway, name string) attempt {
			var user struct{ ID int64 }
			g.admin("/admin/users/upsert", map[string]any{"name": name, "password": password, "is_admin": admin}, &user)
			token := g.login(name, password)
			return asking(path, token, func() { revoke(g, user.ID, name, token) })
		}
	}
	write := func(change string, value any) func(*gateway, int64, string, string) {
		return func(g *gateway, user int64, _, _ string) {
			g.admin("/admin/users/upsert", map[string]any{"id": user, change: value}, nil)
		}
	}
	return []way{
		{"signed out", of(own, false, func(g *gateway, _ int64, _, token string) { g.as(token, "/logout", map[string]any{}, nil) })},
		{"own sign-ins ended", of(own, false, func(g *gateway, _ int64, _, token string) {
			g.as(token, "/user/sessions/delete", map[string]any{"all": true}, nil)
		})},
		{"sign-ins ended by an administrator", of(own, false, func(g *gateway, user int64, _, _ string) {
			g.admin("/admin/user-sessions/delete", map[string]any{"user_id": user}, nil)
		})},
		{"one sign-in ended by an administrator", of(own, false, func(g *gateway, user int64, _, _ string) {
			var found []struct{ ID int64 }
			g.admin("/admin/user-sessions/query", map[string]any{"user_id": map[string]any{"eq": user}}, &found)
			g.admin("/admin/user-sessions/delete", map[string]any{"id": found[0].ID}, nil)
		})},
		{"password changed elsewhere", of(own, false, func(g *gateway, _ int64, name, _ string) {
			g.as(g.login(name, password), "/user/password", map[string]any{"current_password": password, "new_password": password + "!"}, nil)
		})},
		{"password set by an administrator", of(own, false, write("password", password+"?"))},
		{"user disabled, signed in", of(own, false, write("enabled", false))},
		{"administrator demoted", of(all, true, write("is_admin", false))},
		{"administrator demoted, own page", of(own, true, write("is_admin", false))},
		{"administrator deleted", of(all, true, func(g *gateway, user int64, _, _ string) {
			g.admin("/admin/users/delete", map[string]any{"id": user}, nil)
		})},
		{"administrator demoted, by key", func(g *gateway, name string) attempt {
			var user struct{ ID int64 }
			g.admin("/admin/users/upsert", map[string]any{"name": name, "is_admin": true}, &user)
			key, _ := g.newKey(user.ID)
			return asking(all, key, func() { write("is_admin", false)(g, user.ID, "", "") })
		}},
	}
}

// TestRevokedMeansRevoked races every way to lose a right against load (issue 2
// Shown by 4, issue 5 Shown by 4, K-04): a request that starts after the call
// returned is never served, and open streams end within a second with an error
// event.
func TestRevokedMeansRevoked(t *testing.T) {
	n := rounds(1000, 8)
	for _, ways := range [][]way{keyWays(), teamWays(), signedInWays()} {
		for _, w := range ways {
			t.Run(w.name, func(t *testing.T) {
				g := start(t, newVendor(t), "")
				var served, refused atomic.Int64
				for i := range n {
					if race(t, g, i, w.begin(g, fmt.Sprintf("%s %d", w.name, i)), &served, &refused); t.Failed() {
						return
					}
				}
				t.Logf("%d rounds: %d requests served before, %d refused, 0 served after", n, served.Load(), refused.Load())
			})
		}
	}
}

// race revokes while requests are under way.
func race(t *testing.T, g *gateway, round int, a attempt, served, refused *atomic.Int64) {
	t.Helper()
	ends, opened := make(chan streamEnd, 1), make(chan struct{})
	if a.stream {
		go func() { ends <- g.readStream(t.Context(), a.credential, opened) }()
		<-opened
	}
	var acked atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for after := 0; after < 3; {
				isAfter := acked.Load()
				status, _, body, err := g.post(context.Background(), a.path, a.credential, a.body)
				switch {
				case err != nil:
					t.Errorf("round %d: %v", round, err)
					return
				case status == http.StatusOK && isAfter:
					t.Errorf("round %d: served after the call returned", round)
				case status == http.StatusOK:
					served.Add(1)
				case status == http.StatusUnauthorized || status == http.StatusForbidden:
					refused.Add(1)
				default:
					t.Errorf("round %d: status %d %s", round, status, body)
					return
				}
				if isAfter {
					after++
				}
			}
		})
	}
	time.Sleep(time.Duration(round%7) * time.Millisecond)
	var ack time.Time
	func() {
		defer wg.Wait()
		defer acked.Store(true) // also when the call fails and ends the test
		a.revoke()
		ack = time.Now()
	}()
	if !a.stream {
		return
	}
	select {
	case end := <-ends:
		if late := end.at.Sub(ack); late > time.Second {
			t.Errorf("round %d: the stream ended %v after the call", round, late)
		}
		if !strings.Contains(end.last, `"error"`) || end.clean {
			t.Errorf("round %d: the stream ended with %q, clean %v", round, end.last, end.clean)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("round %d: the stream did not end", round)
	}
}

type streamEnd struct {
	at    time.Time
	last  string // the last data line
	clean bool   // the body ended without an error
}

// readStream opens a slow, long stream and reads it to its end.
func (g *gateway) readStream(ctx context.Context, key string, opened chan<- struct{}) streamEnd {
	return g.readStreamOf(ctx, key, "[[demo:slow=50ms]] [[demo:tokens=2000]] tell me a story", opened)
}

func (g *gateway) readStreamOf(ctx context.Context, key, text string, opened chan<- struct{}) streamEnd {
	body := chat(true, text)
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/oa/v1/chat/completions", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		close(opened)
		return streamEnd{at: time.Now(), last: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	end := streamEnd{}
	lines := bufio.NewScanner(resp.Body)
	once := sync.OnceFunc(func() { close(opened) })
	for lines.Scan() {
		once()
		if line := lines.Text(); strings.HasPrefix(line, "data:") {
			end.last = line
		}
	}
	once()
	end.at, end.clean = time.Now(), lines.Err() == nil
	return end
}
