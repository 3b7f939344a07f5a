package alarm

import (
	"context"
	"fmt"
	"time"

	"tollgate"
)

// writer is one transaction that writes alarms down.
type writer struct {
	keeper   *Keeper
	settings Settings
	at       time.Time
	added    []tollgate.Alarm
}

// quotas compares how quotas stand with their open alarms.
func (w *writer) quotas(ctx context.Context, tx tollgate.Tx, standings []tollgate.Standing) error {
	if len(standings) == 0 {
		return nil
	}
	yes, ids := true, tollgate.Match[int64]{Set: true}
	for _, s := range standings {
		ids.Values = append(ids.Values, s.QuotaID)
	}
	rows, _, err := tx.Alarms.Query(ctx, tollgate.AlarmFilter{QuotaID: ids, Kind: tollgate.Is(tollgate.AlarmQuota), Open: &yes}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	open := map[int64][]tollgate.Alarm{}
	for _, a := range rows {
		open[a.QuotaID] = append(open[a.QuotaID], a)
	}
	for _, s := range standings {
		if err := w.quota(ctx, tx, s, open[s.QuotaID]); err != nil {
			return err
		}
	}
	return nil
}

// quota raises an alarm for each threshold that is reached and has none, and
// closes those that are no longer so: of a window that is over, and, below the
// threshold, when the limit is another one or money was given back.
func (w *writer) quota(ctx context.Context, tx tollgate.Tx, s tollgate.Standing, open []tollgate.Alarm) error {
	has := map[int]bool{}
	for _, a := range open {
		over := !a.WindowEnd.IsZero() && !w.at.Before(a.WindowEnd)
		here := a.WindowStart.Equal(s.Start)
		below := here && !s.Reached(a.Threshold) && (s.Limit == nil || *s.Limit != a.Limit || s.Spent < a.Spent)
		if here {
			has[a.Threshold] = !below
		}
		if below || over && !here {
			a.Open = false
			if err := tx.Alarms.Update(ctx, a); err != nil {
				return err
			}
		}
	}
	for _, percent := range w.settings.Thresholds {
		if has[percent] || !s.Reached(percent) {
			continue
		}
		a := tollgate.Alarm{
			Kind: tollgate.AlarmQuota, Subject: fmt.Sprintf("quota:%d:%d:%d", s.QuotaID, unix(s.Start), percent), QuotaID: s.QuotaID,
			Scope: s.Scope, ScopeID: s.ScopeID, Window: s.Window, WindowStart: s.Start, WindowEnd: s.End, Threshold: percent,
			Limit: *s.Limit, Spent: s.Spent,
		}
		var err error
		if a.UserID, err = ownerOf(ctx, tx, s); err != nil {
			return err
		}
		if err := w.add(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// unix is t in seconds, 0 for the zero time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// ownerOf is the user that a quota of a user or of a key belongs to.
func ownerOf(ctx context.Context, tx tollgate.Tx, s tollgate.Standing) (int64, error) {
	switch s.Scope {
	case tollgate.ScopeUser:
		return s.ScopeID, nil
	case tollgate.ScopeKey:
		key, err := tx.Keys.Get(ctx, s.ScopeID)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
			return 0, nil // deleted meanwhile
		}
		return key.UserID, err
	case tollgate.ScopeTeam, tollgate.ScopeInstance, tollgate.ScopeService:
	}
	return 0, nil
}

// others raises alarms that are about a provider's model.
func (w *writer) others(ctx context.Context, tx tollgate.Tx, events []tollgate.Alarm) error {
	yes := true
	for _, a := range events {
		rows, _, err := tx.Alarms.Query(ctx, tollgate.AlarmFilter{Subject: tollgate.Is(a.Subject), Open: &yes}, tollgate.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			continue
		}
		if err := w.add(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) add(ctx context.Context, tx tollgate.Tx, a tollgate.Alarm) (err error) {
	if a.EventID, err = w.keeper.eventID(); err != nil {
		return err
	}
	a.Open, a.At = true, w.at
	if !w.settings.URL.Empty() {
		a.NextAt = w.at
	}
	if err := tx.Alarms.Insert(ctx, &a); err != nil {
		return err
	}
	w.added = append(w.added, a)
	return nil
}

// keepFor is how long alarms are kept.
const keepFor = 90 * 24 * time.Hour

// Prune deletes alarms that are over and older than 90 days, in small steps.
func (k *Keeper) Prune(ctx context.Context) error {
	f := tollgate.AlarmFilter{Before: k.Now().Add(-keepFor)}
	for page := (tollgate.Page{Limit: pruneAtOnce}); ; {
		var next *tollgate.Cursor
		err := k.Store.Update(ctx, func(tx tollgate.Tx) error {
			rows, after, err := tx.Alarms.Query(ctx, f, page)
			next = after
			for _, a := range rows {
				stands := a.Open && a.Kind == tollgate.AlarmQuota && (a.WindowEnd.IsZero() || a.WindowEnd.After(k.Now()))
				if err == nil && !stands {
					err = tx.Alarms.Delete(ctx, a.ID)
				}
			}
			return err
		})
		if err != nil || next == nil {
			return err
		}
		page.After = next
	}
}

const pruneAtOnce = 200
