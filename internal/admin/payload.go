package admin

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/web/api"
)

// requestClear selects the requests whose bodies are removed; what is given
// must all hold.
type requestClear struct {
	IDs     []string         `json:"ids,omitempty" maxItems:"1000" doc:"x-tollgate-request-id of answers."`
	Before  time.Time        `json:"before,omitzero" doc:"Of requests that began earlier."`
	UserID  api.Scope[int64] `json:"user_id,omitzero" doc:"Whose requests; 0 = the access key's."`
	All     bool             `json:"all,omitempty" doc:"Of all requests; needs confirm."`
	Confirm string           `json:"confirm,omitempty" maxLength:"16" doc:"CLEAR, with all."`
}

type cleared struct {
	OK      bool  `json:"ok"`
	Removed int64 `json:"removed" doc:"Requests whose bodies are gone."`
}

const clearWord = "CLEAR"

func (s *Server) mountPayloads() {
	view := writes("/admin/requests/payload", usageTag, "Show the bodies that are kept of a request; that is audited", api.ByRequest{ID: "req_0123456789abc"})
	api.Handle(s.API, view, s.viewPayload)
	remove := writes("/admin/requests/clear", usageTag, "Remove the bodies that are kept of requests; their rows stay", map[string]any{"before": "2026-11-01T00:00:00Z"})
	api.Handle(s.API, remove, s.clearPayloads)
}

// viewPayload gives nothing out that is not in the audit (SECURITY U-03).
func (s *Server) viewPayload(ctx context.Context, in *api.ByRequest) (api.Payload, error) {
	id, err := in.RequestID()
	if err != nil {
		return api.Payload{}, err
	}
	out, err := s.ReadPayload(ctx, id, tollgate.Match[int64]{})
	if err != nil {
		return api.Payload{}, err
	}
	err = s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		entry := by.Entry(s.Now(), "payload.view", "request", int64(id))
		detail, err := json.Marshal(map[string]any{"id": out.ID, "user_id": out.UserID})
		if err != nil {
			return tollgate.WrapError(tollgate.CodeInternal, err, "write the audit entry")
		}
		entry.Detail = detail
		return tx.Audit.Append(ctx, &entry)
	})
	if err != nil {
		return api.Payload{}, err
	}
	return out, nil
}

func (s *Server) clearPayloads(ctx context.Context, in *requestClear) (cleared, error) {
	f, err := in.filter()
	if err != nil {
		return cleared{}, err
	}
	by := api.Actor(ctx)
	n, err := s.Payloads.Clear(ctx, f, func(tx tollgate.Tx) error {
		entry := by.Entry(s.Now(), "payload.clear", "request", 0)
		detail, err := json.Marshal(in.detail())
		if err != nil {
			return tollgate.WrapError(tollgate.CodeInternal, err, "write the audit entry")
		}
		entry.Detail = detail
		return tx.Audit.Append(ctx, &entry)
	})
	return cleared{OK: err == nil, Removed: n}, err
}

func (in *requestClear) filter() (f tollgate.PayloadFilter, err error) {
	some := len(in.IDs) > 0 || !in.Before.IsZero() || in.UserID.Set
	switch {
	case in.All && some:
		return f, tollgate.Invalidf("all", "all stands alone: it removes the bodies of every request")
	case in.All && in.Confirm != clearWord:
		return f, tollgate.Invalidf("confirm", "removing the bodies of all requests needs confirm: %q", clearWord)
	case !in.All && !some:
		return f, tollgate.Invalidf("before", "say which requests: ids, before or user_id, or all with confirm")
	}
	if len(in.IDs) > 0 {
		ids, err := api.ParseRequests("ids", in.IDs)
		if err != nil {
			return f, err
		}
		f.ID = tollgate.Is(ids...)
	}
	if !in.Before.IsZero() {
		f.Before = tollgate.Some(tollgate.RequestIDAt(in.Before))
	}
	f.UserID = in.UserID.Match
	return f, nil
}

// detail is what the audit keeps of the selection.
func (in *requestClear) detail() map[string]any {
	out := map[string]any{}
	if len(in.IDs) > 0 {
		out["ids"] = in.IDs
	}
	if !in.Before.IsZero() {
		out["before"] = in.Before.UTC()
	}
	if in.UserID.Set {
		out["user_id"] = in.UserID.Values
	}
	if in.All {
		out["all"] = true
	}
	return out
}
