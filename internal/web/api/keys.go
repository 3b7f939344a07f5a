package api

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"tollgate"
)

// Key is the JSON of an API key (CONTRACT 6). There is no field for the key itself.
type Key struct {
	ID             int64      `json:"id"`
	UserID         int64      `json:"user_id"`
	Label          string     `json:"label"`
	Enabled        bool       `json:"enabled"`
	Prefix         string     `json:"prefix"`
	Last4          string     `json:"last4"`
	ExpiresAt      *time.Time `json:"expires_at" doc:"null = never"`
	LastUsedAt     *time.Time `json:"last_used_at" doc:"null = never; at most a minute old"`
	CreatedAt      time.Time  `json:"created_at"`
	CreatedByKeyID *int64     `json:"created_by_key_id" doc:"The key that made this one; null = none."`
	TeamID         *int64     `json:"team_id" doc:"The team that it is a key of: it uses what the team may and ends with the membership; null = its owner's own."`
	NeedsSecret    bool       `json:"needs_secret" doc:"Imported without its secret: disabled until it is rotated."`
	OnLeave        string     `json:"on_leave" doc:"cancel or drain: what becomes of an answer whose client has left."`
	Payloads       string     `json:"payloads" doc:"off, errors or all: of which requests the bodies are kept, if that is more than [logging] payloads says."`
	Surfaces       []string   `json:"surfaces" doc:"Where the key works: llm, user, admin. Empty = all that its owner may." nullable:"false"`
	Models         []string   `json:"models" doc:"Globs a model name must match one of. Empty = all." nullable:"false"`
	IPAllow        []string   `json:"ip_allow" doc:"Client networks (CIDR) the key works from. Empty = all." nullable:"false"`
	Quotas         []KeyQuota `json:"quotas" nullable:"false"`
	Limits         []KeyLimit `json:"limits" nullable:"false"`
}

// KeyQuota bounds what one key may spend in a window.
type KeyQuota struct {
	Window string `json:"window,omitempty" enum:"total,day,week,month" doc:"The default is total."`
	Quota  *Money `json:"quota" doc:"null = unlimited"`
}

// KeyLimit bounds the rate of one key.
type KeyLimit struct {
	ModelPattern string `json:"model_pattern,omitempty" maxLength:"256" doc:"The default is *."`
	RPM          *int64 `json:"rpm" minimum:"0" doc:"Requests per minute."`
	RPD          *int64 `json:"rpd" minimum:"0" doc:"Requests per day."`
	TotalTokens  *int64 `json:"total_tokens" minimum:"0" doc:"Tokens in a rolling minute."`
	Concurrency  *int64 `json:"concurrency" minimum:"0" doc:"Requests at once."`
}

// KeyFields are what may be said about a key when it is made; on an update,
// an absent field stays as it is and null takes the bound away.
type KeyFields struct {
	Label     Opt[string]    `json:"label,omitzero"`
	ExpiresAt Opt[time.Time] `json:"expires_at,omitzero"`
	Models    Opt[[]string]  `json:"models,omitzero" doc:"Globs over model names."`
	IPAllow   Opt[[]string]  `json:"ip_allow,omitzero" doc:"CIDRs or addresses."`
	Surfaces  Opt[[]string]  `json:"surfaces,omitzero" doc:"Of llm, user, admin."`
	OnLeave   Opt[string]    `json:"on_leave,omitzero" doc:"cancel (the default) or drain: what becomes of an answer whose client has left."`
}

// KeyBounds are KeyFields in the domain's terms; what is absent or null is zero.
type KeyBounds struct {
	Label     string
	ExpiresAt time.Time
	Models    []string
	IPAllow   []netip.Prefix
	Surfaces  []tollgate.Surface
	OnLeave   tollgate.LeavePolicy
}

// Bounds reads the fields. Errors are CodeInvalid.
func (f KeyFields) Bounds() (b KeyBounds, err error) {
	b = KeyBounds{Label: f.Label.Value, ExpiresAt: f.ExpiresAt.Value, Models: f.Models.Value, OnLeave: tollgate.LeavePolicy(f.OnLeave.Value)}
	if b.IPAllow, err = parseNetworks("ip_allow", f.IPAllow.Value); err == nil {
		b.Surfaces, err = parseSurfaces("surfaces", f.Surfaces.Value)
	}
	return b, err
}

// KeyMoney holds the budgets and rates of a key; given, they replace what is there.
type KeyMoney struct {
	Quotas Opt[[]KeyQuota] `json:"quotas,omitzero"`
	Limits Opt[[]KeyLimit] `json:"limits,omitzero"`
}

// QuotaRows returns the budgets as rows without an owner.
func (m KeyMoney) QuotaRows() tollgate.Opt[[]tollgate.Quota] {
	var rows []tollgate.Quota
	for _, q := range m.Quotas.Value {
		rows = append(rows, tollgate.Quota{Window: cmp.Or(tollgate.Window(q.Window), tollgate.WindowTotal), Limit: (*tollgate.Money)(q.Quota)})
	}
	return WithValue(m.Quotas, rows)
}

// LimitRows returns the rates as rows without an owner.
func (m KeyMoney) LimitRows() tollgate.Opt[[]tollgate.RateLimit] {
	var rows []tollgate.RateLimit
	for _, l := range m.Limits.Value {
		rows = append(rows, tollgate.RateLimit{
			ModelPattern: cmp.Or(l.ModelPattern, "*"), RPM: l.RPM, RPD: l.RPD, TotalTokens: l.TotalTokens, Concurrency: l.Concurrency,
		})
	}
	return WithValue(m.Limits, rows)
}

// NewKey is the answer that shows a key, once.
type NewKey struct {
	OK     bool   `json:"ok"`
	ID     int64  `json:"id"`
	APIKey string `json:"api_key" doc:"The key in clear. It is shown only here."`
}

// parseNetworks reads CIDRs; a bare address stands for itself alone.
func parseNetworks(field string, list []string) ([]netip.Prefix, error) {
	nets := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			nets = append(nets, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return nil, tollgate.Invalidf(field, "%s holds something that is neither a network (10.0.0.0/8) nor an address", field)
		}
		nets = append(nets, netip.PrefixFrom(a, a.BitLen()))
	}
	return nets, nil
}

// parseSurfaces reads the names of surfaces.
func parseSurfaces(field string, list []string) ([]tollgate.Surface, error) {
	surfaces := make([]tollgate.Surface, 0, len(list))
	for _, s := range list {
		switch v := tollgate.Surface(s); v {
		case tollgate.SurfaceLLM, tollgate.SurfaceUser, tollgate.SurfaceAdmin:
			surfaces = append(surfaces, v)
		default:
			return nil, tollgate.Invalidf(field, "a surface is llm, user or admin")
		}
	}
	return surfaces, nil
}

// KeyRecords turns keys into their JSON, with their quotas and limits.
func KeyRecords(ctx context.Context, tx tollgate.Tx, keys []tollgate.Key) ([]Key, error) {
	recs, at := make([]Key, len(keys)), map[int64]int{}
	ids := make([]int64, len(keys))
	for i, k := range keys {
		recs[i], ids[i], at[k.ID] = keyRecord(k), k.ID, i
	}
	if len(keys) == 0 {
		return recs, nil
	}
	quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(ids...)}, tollgate.Page{All: true})
	if err != nil {
		return nil, err
	}
	for _, q := range quotas {
		rec := &recs[at[q.ScopeID]]
		rec.Quotas = append(rec.Quotas, KeyQuota{Window: string(q.Window), Quota: MoneyOf(q.Limit)})
	}
	limits, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(ids...)}, tollgate.Page{All: true})
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		rec := &recs[at[l.ScopeID]]
		rec.Limits = append(rec.Limits, KeyLimit{l.ModelPattern, l.RPM, l.RPD, l.TotalTokens, l.Concurrency})
	}
	return recs, nil
}

func keyRecord(k tollgate.Key) Key {
	rec := Key{
		ID: k.ID, UserID: k.UserID, Label: k.Label, Enabled: k.Enabled, Prefix: k.Prefix, Last4: k.Last4,
		ExpiresAt: Stamp(k.ExpiresAt), LastUsedAt: Stamp(k.LastUsedAt), CreatedAt: k.CreatedAt.UTC(),
		CreatedByKeyID: OrNull(k.CreatedByKeyID), TeamID: OrNull(k.TeamID), NeedsSecret: k.NeedsSecret,
		OnLeave: string(cmp.Or(k.OnLeave, tollgate.LeaveCancel)), Payloads: string(cmp.Or(k.Payloads, tollgate.PayloadsOff)),
		Surfaces: make([]string, len(k.Surfaces)), Models: append([]string{}, k.Models...), IPAllow: make([]string, len(k.IPAllow)),
		Quotas: []KeyQuota{}, Limits: []KeyLimit{},
	}
	for i, s := range k.Surfaces {
		rec.Surfaces[i] = string(s)
	}
	for i, p := range k.IPAllow {
		rec.IPAllow[i] = p.String()
	}
	return rec
}

// OrNull returns id for JSON: null for 0.
func OrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
