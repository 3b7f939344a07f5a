package tollgate

import "time"

// Tokens counts what one dispatch used, by kind, each token in one kind only
// (MONEY: never bill a token twice): Input excludes cache reads and writes,
// Output includes Reasoning. Reasoning and the counts by modality are parts,
// given apart because some models price them apart.
type Tokens struct {
	Input        int64 // uncached prompt tokens
	CacheRead    int64 // prompt tokens read from a cache
	CacheWrite   int64 // prompt tokens written to a cache, 5-minute or unspecified life
	CacheWrite1h int64 // prompt tokens written to a cache, 1-hour life
	Output       int64 // generated tokens, reasoning included
	Reasoning    int64 // part of Output

	// Parts by modality, where the provider counts them apart. Audio and
	// images that were read from a cache are CacheRead and nothing else.
	InputAudio, InputImage   int64 // parts of Input
	OutputAudio, OutputImage int64 // parts of Output, and not of Reasoning
}

// Add returns the sum by kind.
func (t Tokens) Add(u Tokens) Tokens {
	t.Input += u.Input
	t.CacheRead += u.CacheRead
	t.CacheWrite += u.CacheWrite
	t.CacheWrite1h += u.CacheWrite1h
	t.Output += u.Output
	t.Reasoning += u.Reasoning
	t.InputAudio += u.InputAudio
	t.InputImage += u.InputImage
	t.OutputAudio += u.OutputAudio
	t.OutputImage += u.OutputImage
	return t
}

// Exactness says how far a usage row can be trusted.
type Exactness string

// The exactness values of MONEY.
const (
	ExactMeasured       Exactness = "measured"        // the provider's own numbers
	ExactEstimated      Exactness = "estimated"       // the provider gave none, or the stream was cut
	ExactUnknownOutcome Exactness = "unknown_outcome" // the process died in between
	ExactUnpriced       Exactness = "unpriced"        // measured, but the model has no price
)

// MaxDispatches bounds the upstream dispatches of one request.
const MaxDispatches = 15

// Dispatch is the usage row: one per request that went out to a provider.
type Dispatch struct {
	// ID is RequestID | attempt, attempt counted from 1.
	ID           RequestID
	ProviderID   int64
	CredentialID int64
	Model        string // as sent to the provider
	StartedAt    time.Time
	Latency      time.Duration
	Status       int    // the provider's HTTP status; 0 = none came
	ErrorClass   string // "" | connect | timeout | status | cut | invalid | canceled | revoked
	Tokens       Tokens
	Exactness    Exactness
	ServiceTier  string
	Cost         Money
	PriceVersion int64 // 0 = unpriced
	// Overrun is what Cost is above the money that was held: the provider went
	// over its cap, or worked where nobody could see it.
	Overrun Money
	// Charges are the quotas that Cost counts in, which the commit adds it to.
	// They are not read back.
	Charges []Charge
}

// MaxCost bounds the cost of one dispatch, so that balances cannot overflow: a
// million dollars.
const MaxCost Money = 1_000_000 * Dollar

// Request is the request row: one per client request on the data plane,
// refused and failed ones included.
type Request struct {
	ID         RequestID // made when the request came: time ranges are looked up by it, give or take a day
	UserID     int64     // 0 = service or nobody
	KeyID      int64     // 0 = session or service
	SessionID  int64
	TeamID     int64
	Service    bool // by the access key
	StartedAt  time.Time
	ClientIP   string
	UserAgent  string // at most 256 bytes
	Dialect    Dialect
	Operation  Operation
	Stream     bool
	Model      string // as the client sent it, at most 256 bytes
	ProviderID int64  // that answered, 0 = none
	Served     string // model as sent to the provider that answered
	Status     int    // what the client got
	ErrorClass Code   // "" = none
	ErrorText  string // for admins, scrubbed, at most 512 bytes
	FirstToken time.Duration
	Latency    time.Duration
	Tags       string
	// Losses names what the translation between the client's dialect and the
	// provider's did not carry, separated by ", "; at most 1 KiB.
	Losses     string
	Tokens     Tokens // sum over dispatches; its parts by modality are not kept
	Cost       Money  // sum over dispatches
	Dispatches []Dispatch
}

// Row returns the request's dispatch at index i as a usage row. A dispatch
// without an id gets it from its place.
func (r *Request) Row(i int) UsageRow {
	u := UsageRow{
		Dispatch: r.Dispatches[i], RequestID: r.ID, UserID: r.UserID, KeyID: r.KeyID, TeamID: r.TeamID, Service: r.Service,
		Dialect: r.Dialect, Operation: r.Operation,
	}
	if u.ID == 0 {
		u.ID = r.ID.Dispatch(i + 1)
	}
	return u
}

// UsageFilter selects dispatches (and requests); the zero value selects all.
type UsageFilter struct {
	RequestID  Match[RequestID]
	UserID     Match[int64]
	KeyID      Match[int64]
	TeamID     Match[int64]
	ProviderID Match[int64]
	Model      Match[string]
	// Since and Until bound the start time: Since ≤ t < Until; zero = open.
	Since, Until time.Time
}

// RequestFilter selects requests by more than who, where and when.
type RequestFilter struct {
	UsageFilter
	Status Match[int]
	// Class is the hundreds of the status: 2, 4, 5.
	Class      Match[int]
	ErrorClass Match[Code]
	ErrorText  string // a part of it, whatever the case
	Tag        string // one of the request's tags
	MinLatency time.Duration
}

// UsageRow is a dispatch with the request it belongs to.
type UsageRow struct {
	Dispatch
	RequestID RequestID
	UserID    int64
	KeyID     int64
	TeamID    int64
	Service   bool // by the access key
	Dialect   Dialect
	Operation Operation
}

// UsageGroup is a column that summaries group by.
type UsageGroup string

// What a summary can group by.
const (
	GroupUser     UsageGroup = "user"
	GroupKey      UsageGroup = "key"
	GroupTeam     UsageGroup = "team"
	GroupProvider UsageGroup = "provider"
	GroupModel    UsageGroup = "model"
	GroupDay      UsageGroup = "day"
	GroupHour     UsageGroup = "hour"
	GroupTag      UsageGroup = "tag"
)

// UsageSum is one row of a summary.
type UsageSum struct {
	// Keys are the groups' values: ids, a model, a tag, a UTC day (2006-01-02) or
	// hour (2006-01-02T15:00:00Z).
	Keys       []string
	Dispatches int64 // of tags: requests
	Errors     int64
	Latency    time.Duration // sum
	Tokens     Tokens
	Cost       Money
}
