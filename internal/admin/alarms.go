package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type alarmQuery struct {
	UserID api.Scope[int64]  `json:"user_id,omitzero" doc:"Whose budget, or whose key's."`
	Scope  api.Scope[string] `json:"scope,omitzero" doc:"user, key, team, instance or service"`
	api.AlarmFields
	api.Page
}

type alarmIDs struct {
	ID  int64   `json:"id,omitempty" minimum:"1"`
	IDs []int64 `json:"ids,omitempty" maxItems:"1000"`
}

type alarmTest struct {
	Delivered bool   `json:"delivered"`
	EventID   string `json:"event_id" doc:"The webhook-id of the event."`
	Status    int    `json:"status" doc:"The receiver's; 0 = none came."`
	Failure   string `json:"failure" doc:"Why it was not delivered; empty when it was."`
	TookMS    int64  `json:"took_ms"`
}

// mountAlarms shows what was noticed, and what became of the webhook.
func (s *Server) mountAlarms() {
	const tag = "Alarms"
	api.Listing[alarmQuery, tollgate.Alarm, tollgate.AlarmFilter, api.Alarm]{
		Op:     reads("/admin/alarms/query", tag, "Show what was noticed: budgets, models without a price, overruns"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Alarms { return tx.Alarms }),
		Filter: func(_ context.Context, q alarmQuery) (tollgate.AlarmFilter, error) {
			f, err := q.Filter(s.Now())
			f.UserID, f.Scope.Set = q.UserID.Match, q.Scope.Set
			for _, v := range q.Scope.Values {
				f.Scope.Values = append(f.Scope.Values, tollgate.Scope(v))
			}
			return f, err
		},
		Records: api.Each(func(a tollgate.Alarm) api.Alarm { return api.AlarmRecord(a, s.Now()) }),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/admin/alarms/acknowledge", tag, "Note that alarms were seen", map[string]any{"ids": []int64{7}}), s.acknowledge)
	api.Handle(s.API, writes("/admin/alarms/test", tag, "Send a test to the webhook and say what happened", map[string]any{}),
		func(ctx context.Context, _ *struct{}) (alarmTest, error) {
			err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
				entry := by.Entry(s.Now(), "alarm.test", "alarm", 0)
				return tx.Audit.Append(ctx, &entry)
			})
			if err != nil {
				return alarmTest{}, err
			}
			done, err := s.Alarms.Test(ctx)
			return alarmTest{err == nil && done.Failure == "", done.EventID, done.Status, done.Failure, done.Took.Milliseconds()}, err
		})
}

// acknowledge notes who has seen alarms first, and when. Once more changes nothing.
func (s *Server) acknowledge(ctx context.Context, in *alarmIDs) (api.DoneMany, error) {
	ids := in.IDs
	if in.ID != 0 {
		ids = append(ids, in.ID)
	}
	return batch(ctx, s, ids, func(tx tollgate.Tx, by tollgate.Actor, id int64) (int64, error) {
		a, err := tx.Alarms.Get(ctx, id)
		if err != nil || !a.AcknowledgedAt.IsZero() {
			return id, err
		}
		a.AcknowledgedAt, a.AcknowledgedBy = s.Now(), by.Principal.UserID()
		if err := tx.Alarms.Update(ctx, a); err != nil {
			return id, err
		}
		entry := by.Entry(s.Now(), "alarm.acknowledge", "alarm", id)
		return id, tx.Audit.Append(ctx, &entry)
	})
}
