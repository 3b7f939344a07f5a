package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

// Owners select by whose usage it is.
type Owners struct {
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	TeamID api.Scope[int64] `json:"team_id,omitzero"`
}

// UsageFilter selects usage, of any user.
type UsageFilter struct {
	Owners
	api.UsageFields
}

func (u UsageFilter) filter() (tollgate.UsageFilter, error) {
	f, err := u.Filter()
	f.UserID, f.TeamID = u.UserID.Match, u.TeamID.Match
	return f, err
}

// RequestFilter selects requests, of any user.
type RequestFilter struct {
	Owners
	api.RequestFields
	ErrorText string `json:"error_text,omitempty" maxLength:"256" doc:"A part of the error, whatever the case."`
}

func (r RequestFilter) filter() (tollgate.RequestFilter, error) {
	f, err := r.RequestFilter()
	f.UserID, f.TeamID, f.ErrorText = r.UserID.Match, r.TeamID.Match, r.ErrorText
	return f, err
}

type usageQuery struct {
	UsageFilter
	api.Page
}

type requestQuery struct {
	RequestFilter
	api.Page
}

// Groups are what a summary is grouped by.
type Groups struct {
	GroupBy string `json:"group_by,omitempty" enum:"user,team,key,provider,model,day,hour,tag" doc:"The default is model."`
	ThenBy  string `json:"then_by,omitempty" enum:"user,team,key,provider,model,day,hour" doc:"A second group within the first."`
}

type usageSummary struct {
	UsageFilter
	Groups
}

type usageExport struct {
	UsageFilter
	Groups
	api.Format
}

type requestExport struct {
	RequestFilter
	api.Format
}

const usageTag = "Usage"

func (s *Server) mountUsage() {
	api.Listing[usageQuery, tollgate.UsageRow, tollgate.UsageFilter, api.Usage]{
		Op: reads("/admin/usages/query", usageTag, "Show what went out to providers"), Source: api.UsageRows,
		Filter:  func(_ context.Context, q usageQuery) (tollgate.UsageFilter, error) { return q.filter() },
		Records: api.Each(api.UsageRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, reads("/admin/usages/count", usageTag, "Count usage rows"), func(ctx context.Context, in *UsageFilter) (api.Count, error) {
		f, err := in.filter()
		if err != nil {
			return api.Count{}, err
		}
		return api.CountUsage(ctx, s.Store, f)
	})
	summary := reads("/admin/usages/summary", usageTag, "Sum usage by user, team, key, provider, model, tag, day or hour")
	api.Handle(s.API, summary, func(ctx context.Context, in *usageSummary) ([]api.Sum, error) {
		f, err := in.filter()
		if err != nil {
			return nil, err
		}
		return api.Summary(ctx, s.Store, s.Now(), f, in.GroupBy, in.ThenBy)
	})
	export := reads("/admin/usages/export", usageTag, "Download usage rows, or with group_by their sums, as CSV or JSON")
	api.HandleStream(s.API, export, api.Formats(), s.Attend, func(ctx context.Context, in *usageExport) (api.Stream, error) {
		f, err := in.filter()
		if err != nil {
			return api.Stream{}, err
		}
		if in.GroupBy == "" {
			return api.Export(ctx, in.Format, "usage", api.AllPages(s.Store, api.UsageRows, f, "id", api.Each(api.UsageRecord)))
		}
		sums, err := api.Summary(ctx, s.Store, s.Now(), f, in.GroupBy, in.ThenBy)
		if err != nil {
			return api.Stream{}, err
		}
		return api.Export(ctx, in.Format, "usage-by-"+in.GroupBy, api.OnePage(sums))
	})
}

func (s *Server) mountRequests() {
	s.mountPayloads()
	api.Listing[requestQuery, tollgate.Request, tollgate.RequestFilter, api.Request]{
		Op: reads("/admin/requests/query", usageTag, "Show the requests of clients"), Source: api.RequestRows,
		Filter:  func(_ context.Context, q requestQuery) (tollgate.RequestFilter, error) { return q.filter() },
		Records: api.WithPayloads(api.RequestRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, reads("/admin/requests/count", usageTag, "Count requests"), func(ctx context.Context, in *RequestFilter) (api.Count, error) {
		f, err := in.filter()
		if err != nil {
			return api.Count{}, err
		}
		return api.CountRequests(ctx, s.Store, f)
	})
	get := reads("/admin/requests/get", usageTag, "Show a request with what went out for it and what its cost is made of")
	get.Example = api.ByRequest{ID: "req_0123456789abc"}
	api.Handle(s.API, get, func(ctx context.Context, in *api.ByRequest) (api.RequestDetail, error) {
		return api.GetRequest(ctx, s.Store, tollgate.UsageFilter{}, *in, s.CostLines)
	})
	export := reads("/admin/requests/export", usageTag, "Download requests as CSV or JSON")
	api.HandleStream(s.API, export, api.Formats(), s.Attend, func(ctx context.Context, in *requestExport) (api.Stream, error) {
		f, err := in.filter()
		if err != nil {
			return api.Stream{}, err
		}
		return api.Export(ctx, in.Format, "requests", api.AllPages(s.Store, api.RequestRows, f, "id", api.WithPayloads(api.RequestRecord)))
	})
	live := reads("/admin/requests/live", usageTag, "Watch requests begin and end")
	live.Notes = "Server-sent events: new (a request began), update (it ended), lagged (so many events were lost), end (why the feed ends)."
	api.HandleStream(s.API, live, api.LiveTypes(), s.Attend, func(ctx context.Context, in *liveQuery) (api.Stream, error) {
		return s.Live.Stream(ctx, in.LiveFields, func(r *tollgate.Request) bool { return in.UserID == 0 || r.UserID == in.UserID }, api.RequestRecord), nil
	})
}

type liveQuery struct {
	api.LiveFields
	UserID int64 `json:"user_id,omitempty" minimum:"0"`
}
