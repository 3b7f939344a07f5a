package anthropic

import (
	"strconv"

	"tollgate/internal/ir"
)

// callIDs gives calls ids that the vendor takes: of its alphabet, each its own.
// A result goes to the oldest call of its id that has none. The same
// conversation gets the same ids every time. The zero value is ready.
type callIDs struct {
	open map[string][]string // id in ir → ids of calls without a result
	last map[string]string   // id in ir → the latest id written for it
	used map[string]bool
}

func (c *callIDs) call(id string) string {
	if c.used == nil {
		c.open, c.last, c.used = map[string][]string{}, map[string]string{}, map[string]bool{}
	}
	safe := ir.SafeCallID(id)
	for n := 2; c.used[safe]; n++ {
		safe = ir.SafeCallID(id) + "_" + strconv.Itoa(n)
	}
	c.used[safe], c.last[id] = true, safe
	c.open[id] = append(c.open[id], safe)
	return safe
}

func (c *callIDs) result(id string) string {
	if waiting := c.open[id]; len(waiting) > 0 {
		c.open[id] = waiting[1:]
		return waiting[0]
	}
	if safe, ok := c.last[id]; ok {
		return safe
	}
	return ir.SafeCallID(id)
}
