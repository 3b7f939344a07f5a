package sqlstore

import (
	"time"

	"tollgate"
)

func alarmTable() *spec[tollgate.Alarm, tollgate.AlarmFilter] {
	type row = tollgate.Alarm
	return &spec[row, tollgate.AlarmFilter]{
		name: "alarms", noun: "alarm",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("event_id", func(r *row) *string { return &r.EventID }),
			text("kind", func(r *row) *tollgate.AlarmKind { return &r.Kind }),
			text("subject", func(r *row) *string { return &r.Subject }),
			boolean("open", func(r *row) *bool { return &r.Open }),
			instant("at", func(r *row) *time.Time { return &r.At }),
			integer("quota_id", func(r *row) *int64 { return &r.QuotaID }),
			text("scope", func(r *row) *tollgate.Scope { return &r.Scope }),
			integer("scope_id", func(r *row) *int64 { return &r.ScopeID }),
			integer("user_id", func(r *row) *int64 { return &r.UserID }),
			text("period", func(r *row) *tollgate.Window { return &r.Window }),
			instant("window_start", func(r *row) *time.Time { return &r.WindowStart }),
			instant("window_end", func(r *row) *time.Time { return &r.WindowEnd }),
			integer("threshold", func(r *row) *int { return &r.Threshold }),
			integer("budget", func(r *row) *tollgate.Money { return &r.Limit }),
			integer("spent", func(r *row) *tollgate.Money { return &r.Spent }),
			integer("provider_id", func(r *row) *int64 { return &r.ProviderID }),
			text("model", func(r *row) *string { return &r.Model }),
			integer("attempts", func(r *row) *int { return &r.Attempts }),
			instant("next_at", func(r *row) *time.Time { return &r.NextAt }),
			instant("sent_at", func(r *row) *time.Time { return &r.SentAt }),
			text("failure", func(r *row) *string { return &r.Failure }),
			instant("acknowledged_at", func(r *row) *time.Time { return &r.AcknowledgedAt }),
			integer("acknowledged_by", func(r *row) *int64 { return &r.AcknowledgedBy }),
		},
		filter: alarmFilter,
		sorts:  []string{"at"},
	}
}

func alarmFilter(w *where, f tollgate.AlarmFilter) {
	ints(w, "id", f.ID)
	texts(w, "kind", f.Kind)
	texts(w, "subject", f.Subject)
	ints(w, "quota_id", f.QuotaID)
	texts(w, "scope", f.Scope)
	ints(w, "user_id", f.UserID)
	if f.Open != nil && f.At.IsZero() {
		w.add("open = " + w.arg(*f.Open))
	} else if f.Open != nil {
		w.add("(open AND (window_end = 0 OR window_end > " + w.arg(micros(f.At)) + ")) = " + w.arg(*f.Open))
	}
	if f.Acknowledged != nil {
		w.add("(acknowledged_at > 0) = " + w.arg(*f.Acknowledged))
	}
	if !f.DueBy.IsZero() {
		w.add("next_at > 0")
		w.add("next_at <= " + w.arg(micros(f.DueBy)))
	}
	period(w, "at", time.Time{}, f.Before)
	if f.Pending {
		w.add("next_at > 0")
	}
}
