package self

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type alarmQuery struct {
	api.AlarmFields
	api.Page
}

// mountAlarms shows the alarms of the caller's own budgets and of those of the
// caller's keys.
func (s *Server) mountAlarms() {
	api.Listing[alarmQuery, tollgate.Alarm, tollgate.AlarmFilter, api.Alarm]{
		Op:     reads("/user/alarms/query", "Show what was noticed of the own budgets"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Alarms { return tx.Alarms }),
		Filter: func(ctx context.Context, q alarmQuery) (tollgate.AlarmFilter, error) {
			f, err := q.Filter(s.Now())
			f.UserID = own(ctx)
			return f, err
		},
		Records: api.Each(func(a tollgate.Alarm) api.Alarm {
			rec := api.AlarmRecord(a, s.Now())
			rec.Webhook, rec.AcknowledgedBy = nil, nil // are the admins'
			return rec
		}),
	}.Mount(s.API, s.Store, s.Cursors)
}
