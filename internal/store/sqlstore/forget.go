package sqlstore

import "context"

// ForgetUsage removes every settled dispatch and all that is counted of them.
func (u usage) ForgetUsage(ctx context.Context) (int64, error) {
	n, err := u.forget(ctx, "dispatches", "rerated", "usage_hours", "usage_days", "traffic", "latencies", "removed")
	return n, u.s.fail(ctx, err, "forget usage")
}

// ForgetRequests removes every request row and what is kept of bodies.
func (u usage) ForgetRequests(ctx context.Context) (int64, error) {
	n, err := u.forget(ctx, "requests", "payloads", "payload_chunks")
	return n, u.s.fail(ctx, err, "forget requests")
}

// forget empties a table and those that follow from it, and returns how many
// rows the first had.
func (u usage) forget(ctx context.Context, table string, rest ...string) (int64, error) {
	if e, ok := u.s.engine.(appendHolder); ok {
		if err := e.holdAppends(ctx, u.s.tx); err != nil {
			return 0, err
		}
	}
	n, err := u.s.exec(ctx, "DELETE FROM "+table)
	for _, other := range rest {
		if err == nil {
			_, err = u.s.exec(ctx, "DELETE FROM "+other)
		}
	}
	u.s.touch(0)
	return n, err
}
