package self

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type usageQuery struct {
	api.UsageFields
	api.Page
}

type requestQuery struct {
	api.RequestFields
	api.Page
}

// Groups are what a summary is grouped by.
type Groups struct {
	GroupBy string `json:"group_by,omitempty" enum:"key,provider,model,day,hour,tag" doc:"The default is model."`
	ThenBy  string `json:"then_by,omitempty" enum:"key,provider,model,day,hour" doc:"A second group within the first."`
}

type usageSummary struct {
	api.UsageFields
	Groups
}

type usageExport struct {
	api.UsageFields
	Groups
	api.Format
}

type requestExport struct {
	api.RequestFields
	api.Format
}

// filter selects the caller's own rows, whatever the body says.
func filter(ctx context.Context, u api.UsageFields) (tollgate.UsageFilter, error) {
	f, err := u.Filter()
	f.UserID = own(ctx)
	return f, err
}

// requestFilter is filter for requests.
func requestFilter(ctx context.Context, r api.RequestFields) (tollgate.RequestFilter, error) {
	f, err := r.RequestFilter()
	f.UserID = own(ctx)
	return f, err
}

// ownRequest is the JSON of a request for who sent it: the error's text is
// written for admins.
func ownRequest(r tollgate.Request) api.Request {
	r.ErrorText = ""
	return api.RequestRecord(r)
}

func (s *Server) mountUsage() {
	api.Listing[usageQuery, tollgate.UsageRow, tollgate.UsageFilter, api.Usage]{
		Op: readable("/user/usages/query", "Show what went out to providers for the caller"), Source: api.UsageRows,
		Filter: func(ctx context.Context, q usageQuery) (tollgate.UsageFilter, error) {
			return filter(ctx, q.UsageFields)
		},
		Records: api.Each(api.UsageRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, readable("/user/usages/count", "Count the caller's usage rows"), func(ctx context.Context, in *api.UsageFields) (api.Count, error) {
		f, err := filter(ctx, *in)
		if err != nil {
			return api.Count{}, err
		}
		return api.CountUsage(ctx, s.Store, f)
	})
	summary := readable("/user/usages/summary", "Sum the caller's usage by key, provider, model, tag, day or hour")
	api.Handle(s.API, summary, func(ctx context.Context, in *usageSummary) ([]api.Sum, error) {
		f, err := filter(ctx, in.UsageFields)
		if err != nil {
			return nil, err
		}
		return api.Summary(ctx, s.Store, s.Now(), f, in.GroupBy, in.ThenBy)
	})
	export := readable("/user/usages/export", "Download the caller's usage rows, or with group_by their sums, as CSV or JSON")
	api.HandleStream(s.API, export, api.Formats(), s.Attend, func(ctx context.Context, in *usageExport) (api.Stream, error) {
		f, err := filter(ctx, in.UsageFields)
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
		Op: readable("/user/requests/query", "Show the caller's requests"), Source: api.RequestRows,
		Filter: func(ctx context.Context, q requestQuery) (tollgate.RequestFilter, error) {
			return requestFilter(ctx, q.RequestFields)
		},
		Records: api.WithPayloads(ownRequest),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, readable("/user/requests/count", "Count the caller's requests"), func(ctx context.Context, in *api.RequestFields) (api.Count, error) {
		f, err := requestFilter(ctx, *in)
		if err != nil {
			return api.Count{}, err
		}
		return api.CountRequests(ctx, s.Store, f)
	})
	get := readable("/user/requests/get", "Show a request of the caller with what went out for it and what its cost is made of")
	get.Example = api.ByRequest{ID: "req_0123456789abc"}
	api.Handle(s.API, get, func(ctx context.Context, in *api.ByRequest) (api.RequestDetail, error) {
		d, err := api.GetRequest(ctx, s.Store, tollgate.UsageFilter{UserID: own(ctx)}, *in, s.CostLines)
		d.ErrorText = ""
		return d, err
	})
	export := readable("/user/requests/export", "Download the caller's requests as CSV or JSON")
	api.HandleStream(s.API, export, api.Formats(), s.Attend, func(ctx context.Context, in *requestExport) (api.Stream, error) {
		f, err := requestFilter(ctx, in.RequestFields)
		if err != nil {
			return api.Stream{}, err
		}
		return api.Export(ctx, in.Format, "requests", api.AllPages(s.Store, api.RequestRows, f, "id", api.WithPayloads(ownRequest)))
	})
	live := readable("/user/requests/live", "Watch the caller's requests begin and end")
	live.Notes = "Server-sent events: new (a request began), update (it ended), lagged (so many events were lost), end (why the feed ends)."
	api.HandleStream(s.API, live, api.LiveTypes(), s.Attend, func(ctx context.Context, in *api.LiveFields) (api.Stream, error) {
		me := caller(ctx)
		return s.Live.Stream(ctx, *in, func(r *tollgate.Request) bool { return r.UserID == me }, ownRequest), nil
	})
}

func (s *Server) mountDashboard() {
	d := api.Dashboard{Store: s.Store, Zone: s.Zone, Held: s.Held, Now: s.Now}
	api.Handle(s.API, readable("/user/dashboard/overview", "Show the caller's traffic and budgets over a time"), func(ctx context.Context, in *api.Range) (api.Overview, error) {
		budgets, err := s.ownQuotas(ctx)
		if err != nil {
			return api.Overview{}, err
		}
		return d.Overview(ctx, *in, own(ctx), budgets)
	})
}
