package main

import (
	"context"
	"strconv"
	"time"

	"tollgate/internal/ops"
)

type pricesRerateCmd struct {
	Since    time.Time `required:"" help:"From then on, RFC 3339."`
	Until    time.Time `required:"" help:"Up to then, not included."`
	Provider string    `placeholder:"NAME" help:"Only usage of this provider."`
	Model    string    `placeholder:"NAME" help:"Only usage of this model, as sent to the provider."`
	User     int64     `placeholder:"ID" help:"Only usage of this user."`
	Price    int64     `name:"price-version" placeholder:"ID" help:"Rate what this price version covers by it (default: all, by the book as it is)."`
	Reason   string    `placeholder:"TEXT" help:"Kept with the adjustments."`
	Apply    bool      `help:"Book the difference; else it is shown only."`
	JSON     bool      `name:"json" help:"Print JSON."`
}

// Help says more than the one line.
func (*pricesRerateCmd) Help() string {
	return "Usage rows stay as they were settled. What they cost otherwise is added to the budgets they count in, as corrections; the same difference is never booked twice."
}

// Run shows or books a re-rating.
func (c *pricesRerateCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		out, err := ops.Call[ops.RerateDone](ctx, conn, "price.re-rate", ops.RerateArgs{
			Since: c.Since, Until: c.Until, Provider: c.Provider, Model: c.Model, UserID: c.User, PriceVersion: c.Price, Reason: c.Reason, Apply: c.Apply,
		}, nil)
		if err != nil || c.JSON {
			return s.printJSON(out, err)
		}
		var rows [][]string
		for _, b := range out.Balances {
			whose := b.Scope
			if b.ScopeID != 0 {
				whose += " " + strconv.FormatInt(b.ScopeID, 10)
			}
			window := b.Window
			if !b.WindowStart.IsZero() {
				window += " of " + b.WindowStart.Format(time.DateOnly)
			}
			rows = append(rows, []string{whose, window, b.Difference.String(), b.Booked.String()})
		}
		s.table([]string{"BUDGET", "WINDOW", "DIFFERENCE", "BOOKED"}, rows)
		s.printf("%d of %d dispatches cost something else: %s dollars before, %s after\n", out.Changed, out.Dispatches, out.Before, out.After)
		switch {
		case out.ReratingID != 0:
			s.notef("Booked as re-rating %d.\n", out.ReratingID)
		case out.Changed > 0:
			s.notef("Nothing was booked; --apply does.\n")
		}
		return nil
	})
}
