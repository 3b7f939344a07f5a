package admin

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/web/api"
)

// auditEntry is the JSON of an audit entry.
type auditEntry struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	ActorID   *int64          `json:"actor_id" doc:"null = the host, or nobody"`
	ActorName string          `json:"actor_name" doc:"At the time."`
	Via       string          `json:"via"`
	KeyID     *int64          `json:"key_id"`
	IP        string          `json:"ip"`
	RequestID string          `json:"request_id"`
	Action    string          `json:"action"`
	Target    string          `json:"target"`
	TargetID  int64           `json:"target_id"`
	Detail    json.RawMessage `json:"detail" doc:"Before and after, without secrets."`
}

type auditQuery struct {
	ActorID  api.Scope[int64]  `json:"actor_id,omitzero"`
	Action   api.Scope[string] `json:"action,omitzero"`
	Target   api.Scope[string] `json:"target,omitzero"`
	TargetID api.Scope[int64]  `json:"target_id,omitzero"`
	Since    *time.Time        `json:"since,omitempty"`
	Until    *time.Time        `json:"until,omitempty"`
	api.Page
}

func (s *Server) mountAudit() {
	api.Listing[auditQuery, tollgate.AuditEntry, tollgate.AuditFilter, auditEntry]{
		Op: reads("/admin/audit/query", "Audit", "Show who changed what"),
		Source: func(ctx context.Context, tx tollgate.Tx, f tollgate.AuditFilter, p tollgate.Page) ([]tollgate.AuditEntry, *tollgate.Cursor, error) {
			return tx.Audit.Query(ctx, f, p)
		},
		Filter: func(_ context.Context, q auditQuery) (tollgate.AuditFilter, error) {
			return tollgate.AuditFilter{
				ActorID: q.ActorID.Match, Action: q.Action.Match, Target: q.Target.Match, TargetID: q.TargetID.Match,
				Since: api.Deref(q.Since), Until: api.Deref(q.Until),
			}, nil
		},
		Records: api.Each(auditRecord),
	}.Mount(s.API, s.Store, s.Cursors)
}

func auditRecord(e tollgate.AuditEntry) auditEntry {
	rec := auditEntry{
		ID: e.ID, At: e.At.UTC(), ActorID: api.OrNull(e.ActorID), ActorName: e.ActorName, Via: e.Via, KeyID: api.OrNull(e.KeyID),
		IP: e.IP, Action: e.Action, Target: e.Target, TargetID: e.TargetID, Detail: orObject(e.Detail),
	}
	if e.RequestID != 0 {
		rec.RequestID = e.RequestID.String()
	}
	return rec
}
