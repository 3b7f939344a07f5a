package book

import (
	"context"

	"tollgate"
	"tollgate/internal/meter"
)

// Lines says what the cost of a dispatch is made of, by the version that it was
// priced with; nothing for one without a price.
func Lines(ctx context.Context, tx tollgate.Tx, op tollgate.Operation, d *tollgate.Dispatch) ([]meter.Line, error) {
	u, billed := usage(op, d)
	if !billed || d.PriceVersion == 0 {
		return nil, nil
	}
	row, err := tx.Prices.Get(ctx, d.PriceVersion)
	if err != nil {
		return nil, err
	}
	prices, priced, err := meter.Parse("price", row.Prices)
	if err != nil || !priced {
		return nil, err
	}
	lines, err := prices.Lines(meter.ModeOf(d.ServiceTier), u)
	if tollgate.ErrorCode(err) == tollgate.CodeInvalid {
		return nil, nil // numbers that no provider can mean
	}
	return lines, err
}
