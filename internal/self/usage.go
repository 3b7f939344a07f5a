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

type usageSummary struct {
	api.UsageFields
	GroupBy string `json:"group_by,omitempty" enum:"key,provider,model,day" doc:"The default is model."`
}

// filter selects the caller's own rows, whatever the body says.
func filter(ctx context.Context, u api.UsageFields) (tollgate.UsageFilter, error) {
	f, err := u.Filter()
	f.UserID = own(ctx)
	return f, err
}

func (s *Server) mountUsage() {
	mine := func(ctx context.Context, q usageQuery) (tollgate.UsageFilter, error) {
		return filter(ctx, q.UsageFields)
	}
	api.Listing[usageQuery, tollgate.UsageRow, tollgate.UsageFilter, api.Usage]{
		Op: readable("/user/usages/query", "Show what went out to providers for the caller"), Source: api.UsageRows,
		Filter: mine, Records: api.Each(api.UsageRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Listing[usageQuery, tollgate.Request, tollgate.UsageFilter, api.Request]{
		Op: readable("/user/requests/query", "Show the caller's requests"), Source: api.RequestRows,
		Filter: mine,
		Records: api.Each(func(r tollgate.Request) api.Request {
			r.ErrorText = "" // written for admins
			return api.RequestRecord(r)
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, readable("/user/usages/count", "Count the caller's usage rows"), func(ctx context.Context, in *api.UsageFields) (api.Count, error) {
		f, err := filter(ctx, *in)
		if err != nil {
			return api.Count{}, err
		}
		return api.CountUsage(ctx, s.Store, f)
	})
	api.Handle(s.API, readable("/user/usages/summary", "Sum the caller's usage by key, provider, model or day"), func(ctx context.Context, in *usageSummary) ([]api.Sum, error) {
		f, err := filter(ctx, in.UsageFields)
		if err != nil {
			return nil, err
		}
		return api.Summary(ctx, s.Store, f, in.GroupBy)
	})
}
