package admin

import (
	"context"
	"fmt"

	"tollgate"
	"tollgate/internal/web/api"
)

func (s *Server) mountDashboard() {
	const tag = "Dashboard"
	d := api.Dashboard{Store: s.Store, Zone: s.Zone, Held: s.Held, Now: s.Now}
	everybody := tollgate.Match[int64]{}
	overview := reads("/admin/dashboard/overview", tag, "Show traffic, spending, errors and latencies over a time")
	api.Handle(s.API, overview, func(ctx context.Context, in *api.Range) (api.Overview, error) {
		return d.Overview(ctx, *in, everybody, []tollgate.QuotaFilter{{}})
	})
	for what, group := range map[string]tollgate.UsageGroup{"models": tollgate.GroupModel, "users": tollgate.GroupUser, "providers": tollgate.GroupProvider} {
		op := reads("/admin/dashboard/top-"+what, tag, "Show the "+what+" that cost most over a time")
		api.Handle(s.API, op, func(ctx context.Context, in *api.TopQuery) ([]api.Top, error) {
			return d.Top(ctx, *in, group, everybody, nameOf(group))
		})
	}
	api.Handle(s.API, reads("/admin/dashboard/slow", tag, "Show the requests that took longest"), func(ctx context.Context, in *api.TopQuery) ([]api.Request, error) {
		return d.Slow(ctx, *in, everybody)
	})
}

// nameOf names what a summary is grouped by; a provider that is gone is named
// by its id, a user by the name that stands for a deleted account.
func nameOf(group tollgate.UsageGroup) func(ctx context.Context, tx tollgate.Tx, id int64) string {
	return func(ctx context.Context, tx tollgate.Tx, id int64) string {
		name := fmt.Sprint("#", id)
		switch {
		case group == tollgate.GroupUser && id == 0:
			name = "service"
		case group == tollgate.GroupUser:
			name = tollgate.TombstoneName(id)
			if u, err := tx.Users.Get(ctx, id); err == nil {
				name = u.Name
			}
		default:
			if p, err := tx.Providers.Get(ctx, id); err == nil {
				name = p.Name
			}
		}
		return name
	}
}
