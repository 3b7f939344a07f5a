package tollgate

import "context"

// PayloadMode says of which requests the bodies are kept.
type PayloadMode string

// The modes, each keeping more than the one before.
const (
	PayloadsOff    PayloadMode = "off"
	PayloadsErrors PayloadMode = "errors" // of requests that failed
	PayloadsAll    PayloadMode = "all"
)

// Valid reports whether m is a mode, or empty, which is as good as off.
func (m PayloadMode) Valid() bool { return m == "" || m.rank() > 0 || m == PayloadsOff }

// Or returns the mode that keeps more.
func (m PayloadMode) Or(other PayloadMode) PayloadMode {
	if other.rank() > m.rank() {
		return other
	}
	return m
}

func (m PayloadMode) rank() int {
	switch m {
	case PayloadsErrors:
		return 1
	case PayloadsAll:
		return 2
	case PayloadsOff:
	}
	return 0
}

// PayloadState says whether the bodies of a request can be read.
type PayloadState string

// The states.
const (
	PayloadNone      PayloadState = "none"
	PayloadKept      PayloadState = "kept"
	PayloadTruncated PayloadState = "truncated" // what is kept is not all there was
)

// Payload is what is kept of the bodies of one request.
type Payload struct {
	ID     RequestID
	UserID int64 // 0 = the access key's
	// Truncated says that a body was longer than what is kept of it.
	Truncated bool
	// Bytes is how long the kept bodies are together.
	Bytes int64
	// Chunks are the parts that stand in chunks of the user, in their order; one
	// may occur more than once.
	Chunks []int64
	// Sealed is the rest, bound to ID and UserID.
	Sealed []byte
}

// Chunk is a part of bodies of one user. It is never shared across users.
type Chunk struct {
	ID     int64
	UserID int64
	// Digest is the keyed digest of user and content; unique for the user.
	Digest []byte
	// Sealed is the content, bound to UserID and Digest.
	Sealed []byte
}

// PayloadFilter selects payloads; the zero value selects all.
type PayloadFilter struct {
	ID     Match[RequestID]
	UserID Match[int64]
	// Before, if set, keeps those of earlier requests.
	Before Opt[RequestID]
}

// Payloads keeps the bodies of requests, apart from their rows. It is no part
// of the change feed. Who writes sees to it that chunks are not swept while
// payloads that need them are being put: both are one process's work.
type Payloads interface {
	// Put adds a payload; one of the same request stays as it is.
	Put(ctx context.Context, p *Payload) error
	// Get returns the payload of a request, or CodeNotFound.
	Get(ctx context.Context, id RequestID) (Payload, error)
	// States returns those requests of which something is kept, and how much.
	States(ctx context.Context, ids []RequestID) (map[RequestID]PayloadState, error)
	// AddChunk adds a chunk and sets its ID. A known digest is CodeConflict.
	AddChunk(ctx context.Context, c *Chunk) error
	// Known returns the ids of a user's chunks by their digests, as far as there are.
	Known(ctx context.Context, userID int64, digests [][]byte) (map[string]int64, error)
	// Chunks returns chunks of a user by their ids, as far as there are.
	Chunks(ctx context.Context, userID int64, ids []int64) ([]Chunk, error)
	// Remove removes payloads that f selects, the oldest first, at most limit, and
	// returns their users, one entry for each payload. Their chunks stay until
	// they are swept.
	Remove(ctx context.Context, f PayloadFilter, limit int) ([]int64, error)
	// Unused returns the chunks of a user that no payload needs, by id.
	Unused(ctx context.Context, userID int64) ([]int64, error)
	// RemoveChunks removes chunks by their ids and returns the bytes that became free.
	RemoveChunks(ctx context.Context, ids []int64) (freed int64, err error)
	// Orphans returns the users who are gone and have payloads.
	Orphans(ctx context.Context) ([]int64, error)
	// ChunkOwners returns who has chunks.
	ChunkOwners(ctx context.Context) ([]int64, error)
	// Size returns how many payloads there are, and the bytes that they and all
	// chunks take.
	Size(ctx context.Context) (payloads, bytes int64, err error)
}
