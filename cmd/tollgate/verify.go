package main

import (
	"context"

	"tollgate/internal/ops"
)

type verifyCmd struct{}

// Help says more than the one line.
func (*verifyCmd) Help() string {
	return "A balance is the sum of the settlements and corrections in its window, to the nano-dollar. This adds them up from the rows and compares, also while the gateway runs; it changes nothing."
}

// Run verifies the ledger.
func (*verifyCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		out, err := ops.Call[ops.Verified](ctx, conn, "verify", ops.None{}, nil)
		if err != nil {
			return err
		}
		for _, p := range out.Problems {
			s.notef("tollgate: %s\n", p)
		}
		if len(out.Problems) > 0 {
			return errSilent
		}
		s.printf("drift 0: %d balances, %d dispatches and %d corrections add up\n", out.Quotas, out.Dispatches, out.Adjustments)
		if out.Open > 0 {
			s.notef("%d dispatches are on their way; those of a process that died are closed on the next start.\n", out.Open)
		}
		return nil
	})
}
