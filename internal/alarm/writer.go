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

// quotas compares how quotas stand with the alarms that there are of them.
func (w *writer) quotas(ctx context.Context, tx tollgate.Tx, standings []tollgate.Standing) error {
	if len(standings) == 0 {
		return nil
	}
	yes, subjects := true, tollgate.Match[string]{Set: true}
	for _, s := range standings {
		for _, percent := range w.settings.Thresholds {
			subjects.Values = append(subjects.Values, subject(s, percent))
		}
	}
	rows, _, err := tx.Alarms.Query(ctx, tollgate.AlarmFilter{Subject: subjects, Open: &yes}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	open := make(map[string]tollgate.Alarm, len(rows))
	for _, a := range rows {
		open[a.Subject] = a
	}
	for _, s := range standings {
		for _, percent := range w.settings.Thresholds {
			a, there := open[subject(s, percent)]
			switch {
			case there:
				err = w.lower(ctx, tx, s, a)
			case s.Reached(percent):
				err = w.raise(ctx, tx, s, percent)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// subject is what there is one alarm of: a quota in a window at a threshold.
func subject(s tollgate.Standing, percent int) string {
	return fmt.Sprintf("quota:%d:%d:%d", s.QuotaID, unix(s.Start), percent)
}

// lower closes an alarm below whose threshold the quota is again, since the
// limit is another one or money was given back. It may then be raised again.
func (w *writer) lower(ctx context.Context, tx tollgate.Tx, s tollgate.Standing, a tollgate.Alarm) error {
	if s.Reached(a.Threshold) || s.Limit != nil && *s.Limit == a.Limit && s.Spent >= a.Spent {
		return nil
	}
	a.Open = false
	return tx.Alarms.Update(ctx, a)
}

// lateFor is how long after its end a window is still worth an alarm: what was
// noticed at the last moment, or by a process that died.
const lateFor = 24 * time.Hour

// raise writes an alarm of a quota down.
func (w *writer) raise(ctx context.Context, tx tollgate.Tx, s tollgate.Standing, percent int) (err error) {
	if !s.End.IsZero() && w.at.Sub(s.End) > lateFor {
		return nil
	}
	a := tollgate.Alarm{
		Kind: tollgate.AlarmQuota, Subject: subject(s, percent), QuotaID: s.QuotaID, Scope: s.Scope, ScopeID: s.ScopeID, Window: s.Window,
		WindowStart: s.Start, WindowEnd: s.End, Threshold: percent, Limit: *s.Limit, Spent: s.Spent,
	}
	if a.UserID, err = ownerOf(ctx, tx, s); err != nil {
		return err
	}
	return w.add(ctx, tx, a)
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
