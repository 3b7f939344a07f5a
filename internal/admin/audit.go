package admin

import (
	"bufio"
	"context"
	"time"

	"tollgate"
	"tollgate/internal/audit"
	"tollgate/internal/web/api"
)

// AuditFields select entries.
type AuditFields struct {
	ActorID   api.Scope[int64]  `json:"actor_id,omitzero"`
	Action    api.Scope[string] `json:"action,omitzero" doc:"Patterns: * is any text, ? any character, as in user.*"`
	Target    api.Scope[string] `json:"target,omitzero"`
	TargetID  api.Scope[int64]  `json:"target_id,omitzero"`
	IP        api.Scope[string] `json:"ip,omitzero" doc:"Patterns, as in 192.0.2.*"`
	RequestID api.Scope[string] `json:"request_id,omitzero" doc:"x-tollgate-request-id of an answer."`
	Text      string            `json:"text,omitempty" maxLength:"200" doc:"Looked for in names, action, target, address and detail, in whatever case."`
	Since     *time.Time        `json:"since,omitempty"`
	Until     *time.Time        `json:"until,omitempty"`
}

type auditQuery struct {
	AuditFields
	api.Page
}

func (q AuditFields) filter() (tollgate.AuditFilter, error) {
	f := tollgate.AuditFilter{
		ActorID: q.ActorID.Match, Action: q.Action.Match, Target: q.Target.Match, TargetID: q.TargetID.Match,
		IP: q.IP.Match, Text: q.Text, Since: api.Deref(q.Since), Until: api.Deref(q.Until),
	}
	var err error
	f.RequestID, err = api.RequestIDs(q.RequestID)
	return f, err
}

// mountAudit shows the record of changes and exports it. What is asked for is
// no secret: nothing in an entry is.
func (s *Server) mountAudit() {
	const tag = "Audit"
	api.Listing[auditQuery, tollgate.AuditEntry, tollgate.AuditFilter, audit.Record]{
		Op: reads("/admin/audit/query", tag, "Show who changed what"),
		Source: func(ctx context.Context, tx tollgate.Tx, f tollgate.AuditFilter, p tollgate.Page) ([]tollgate.AuditEntry, *tollgate.Cursor, error) {
			return tx.Audit.Query(ctx, f, p)
		},
		Filter:  func(_ context.Context, q auditQuery) (tollgate.AuditFilter, error) { return q.filter() },
		Records: api.Each(audit.NewRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.HandleStream(s.API, reads("/admin/audit/export", tag, "Export who changed what, as JSON Lines; the last line is the head of the chain"),
		[]string{jsonLines}, s.Attend, s.exportAudit)
}

const jsonLines = "application/x-ndjson"

func (s *Server) exportAudit(ctx context.Context, in *AuditFields) (api.Stream, error) {
	f, err := in.filter()
	if err != nil {
		return api.Stream{}, err
	}
	head, err := audit.CurrentHead(ctx, s.Store)
	if err != nil {
		return api.Stream{}, err
	}
	return api.Stream{ContentType: jsonLines, FileName: "audit.jsonl", Send: func(w *api.Sender) error {
		buf := bufio.NewWriterSize(w, 64<<10)
		if err := audit.Export(ctx, s.Store, f, head, buf); err != nil {
			return err
		}
		return buf.Flush()
	}}, nil
}
