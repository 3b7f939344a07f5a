package tollgate

import (
	"context"
	"time"
)

// Turn is one answer of the Responses API that the gateway keeps so that its
// owner may go on from it: what it said and what was said to it, sealed.
type Turn struct {
	ID int64
	// UserID owns the turn; 0 = the service key.
	UserID int64
	// ResponseID is the id that the client saw.
	ResponseID string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	// Sealed is the content, bound to owner and ResponseID.
	Sealed []byte
}

// Turns keeps turns by owner and response id. A user's turns go with the user.
// It is no part of the change feed: no snapshot is built from it.
type Turns interface {
	// Put adds the turn and sets its ID. It takes the place of one of the same
	// owner and response id. An owner that does not exist is CodeInvalid.
	Put(ctx context.Context, t *Turn) error
	// Get returns the turn, also an expired one that is still there, or
	// CodeNotFound.
	Get(ctx context.Context, userID int64, responseID string) (Turn, error)
	// Delete removes the turn and returns the bytes of its content, or
	// CodeNotFound.
	Delete(ctx context.Context, userID int64, responseID string) (freed int64, err error)
	// Size returns the bytes of content that the owner's turns hold together.
	Size(ctx context.Context, userID int64) (int64, error)
	// Trim removes the owner's oldest turns until at least so many bytes are
	// free, at most limit turns, and returns the bytes that became free.
	Trim(ctx context.Context, userID, bytes int64, limit int) (freed int64, err error)
	// Prune removes turns that expired before a time, at most limit, the first
	// to expire first, and returns how many.
	Prune(ctx context.Context, before time.Time, limit int) (n int64, err error)
}
