package ledger

import "tollgate"

// Bounds of holds, in output tokens, when nothing else is configured.
const (
	DefaultSlice = 1024
	DefaultFloor = 256
	// clampShare is the part of what is free that one answer may hold.
	clampShare = 4
)

// Clamp decides how many output tokens a request without a stream may ask
// for, and what to hold for it. cost is the whole price with so many output
// tokens, input included, and must not fall with them. When the price of
// output tokens exceeds a quarter of what is free, the cap becomes what that
// quarter pays for, but floor at least; a cap at or below floor stays.
func Clamp(output, floor int64, free tollgate.Money, cost func(output int64) tollgate.Money) (tokens int64, hold tollgate.Money) {
	share := free / clampShare
	if hold = cost(output); hold <= share || output <= floor {
		return output, hold
	}
	// Within (low, high): low is what may be asked for, high costs too much.
	low, high := floor, output
	for low+1 < high {
		if mid := low + (high-low)/2; cost(mid) <= share {
			low = mid
		} else {
			high = mid
		}
	}
	return low, cost(low)
}
