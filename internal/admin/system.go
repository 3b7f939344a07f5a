package admin

import (
	"context"
	"encoding/json"
	"slices"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// systemReset says what is to go. The word is typed by a person.
type systemReset struct {
	What    []string `json:"what" required:"true" minItems:"1" maxItems:"3" enum:"statistics,logs,users" doc:"statistics: usage and what is counted of it; balances begin at 0. logs: the request log, with the bodies that are kept. users: every account but your own, with its keys."`
	Confirm string   `json:"confirm" required:"true" doc:"The word RESET."`
}

// resetDone is what is gone.
type resetDone struct {
	OK         bool  `json:"ok"`
	Dispatches int64 `json:"dispatches"`
	Requests   int64 `json:"requests"`
	Users      int   `json:"users"`
	Balances   int   `json:"balances" doc:"How many were not 0."`
}

func (s *Server) mountSystem() {
	op := writes("/admin/system/reset", "System", "Remove statistics, the request log or all other users; the audit stays", systemReset{What: []string{"logs"}, Confirm: "RESET"})
	op.Policy.Access, op.Policy.RecentSignIn = web.AccessSuperAdmin, true
	api.Handle(s.API, op, s.reset)
}

// reset removes what was asked for in one transaction. The audit is never
// removed, and says who did it.
func (s *Server) reset(ctx context.Context, in *systemReset) (resetDone, error) {
	if in.Confirm != "RESET" {
		return resetDone{}, tollgate.Invalidf("confirm", `confirm must be the word RESET; this cannot be undone`)
	}
	if !slices.Contains(in.What, "logs") {
		return s.resetNow(ctx, in)
	}
	var done resetDone
	err := s.Payloads.Forgetting(ctx, func() (err error) {
		done, err = s.resetNow(ctx, in)
		return err
	})
	return done, err
}

func (s *Server) resetNow(ctx context.Context, in *systemReset) (resetDone, error) {
	done := resetDone{OK: true}
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) (err error) {
		done = resetDone{OK: true}
		if err := s.Accounts.RequireSuperAdmin(ctx, tx, by); err != nil {
			return err
		}
		if slices.Contains(in.What, "users") {
			if done.Users, err = s.removeUsers(ctx, tx, by); err != nil {
				return err
			}
		}
		if slices.Contains(in.What, "statistics") {
			if done.Dispatches, err = tx.Usage.ForgetUsage(ctx); err != nil {
				return err
			}
			if done.Balances, err = ledger.Restart(ctx, tx, by, s.Now(), s.Zone, "system reset"); err != nil {
				return err
			}
		}
		if slices.Contains(in.What, "logs") {
			if done.Requests, err = tx.Usage.ForgetRequests(ctx); err != nil {
				return err
			}
		}
		entry := by.Entry(s.Now(), "system.reset", "system", 0)
		if entry.Detail, err = json.Marshal(map[string]any{"what": in.What, "removed": done}); err != nil {
			return err
		}
		return tx.Audit.Append(ctx, &entry)
	})
	return done, err
}

// removeUsers deletes every account but that of whoever asks.
func (s *Server) removeUsers(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) (int, error) {
	users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, tollgate.Page{All: true})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, u := range users {
		if u.ID == by.Principal.UserID() {
			continue
		}
		if err := s.Accounts.DeleteUser(ctx, tx, by, u.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
