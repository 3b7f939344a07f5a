package tollgate

import (
	"context"
	"time"
)

// Match limits a query to rows whose column is one of Values. The zero value
// matches every row; a set Match without values matches none.
type Match[T comparable] struct {
	Set    bool
	Values []T
}

// Is returns a Match of exactly the given values.
func Is[T comparable](values ...T) Match[T] { return Match[T]{Set: true, Values: values} }

// Page bounds and orders a query. The zero value is the first MaxPage rows by id.
type Page struct {
	// Limit is the number of rows; 0 or above MaxPage = MaxPage, unless All.
	Limit int
	// Sort is a column of the table's allow-list, "-" in front for descending;
	// empty = "id". An unknown one is CodeInvalid.
	Sort string
	// After continues behind the row with this sort value (as text) and id.
	After *Cursor
	// All lifts the bound: for snapshots and exports inside the process only.
	All bool
}

// MaxSums is the most rows of a summary, MaxHourly the longest time that one
// sums by the hour, and SlowestAmong how many requests the slowest are looked
// for in.
const (
	MaxSums      = 10_000
	MaxHourly    = 14 * 24 * time.Hour
	SlowestAmong = 100_000
)

// MaxPage is the default and the maximum number of rows of one query (CONTRACT 8).
const MaxPage = 1000

// Cursor is the position of a row in a sorted query.
type Cursor struct {
	Sort  string // the Page.Sort it belongs to
	Value string // the row's sort column as text; empty when sorted by id
	ID    int64
}

// Table keeps rows of T, selected by F. Within one transaction calls are
// sequential. Values in and out are copies.
type Table[T, F any] interface {
	// Get returns the row with id, or CodeNotFound.
	Get(ctx context.Context, id int64) (T, error)
	// Query returns the rows that f selects, ordered and bounded by p, and
	// the cursor of the next page (nil = no more).
	Query(ctx context.Context, f F, p Page) ([]T, *Cursor, error)
	// Count returns how many rows f selects.
	Count(ctx context.Context, f F) (int64, error)
	// Insert adds the row and sets its ID, which is never reused. A taken
	// unique value is CodeConflict naming the column; a reference to a row
	// that does not exist is CodeInvalid.
	Insert(ctx context.Context, row *T) error
	// Update writes the whole row; CodeNotFound, or as Insert.
	Update(ctx context.Context, row T) error
	// Delete removes the row and what it owns (a user: keys, sessions, factors,
	// identities, links, asks, permissions, limits, quotas; a team: its keys, links,
	// permissions, limits, quotas; a provider: credentials, models,
	// permissions on it); usage and audit stay. CodeNotFound.
	Delete(ctx context.Context, id int64) error
}

// The tables by their rows.
type (
	// Users keeps user accounts.
	Users = Table[User, UserFilter]
	// Keys keeps API keys, without secrets.
	Keys = Table[Key, KeyFilter]
	// Teams keeps teams.
	Teams = Table[Team, TeamFilter]
	// Sessions keeps signed-in sessions.
	Sessions = Table[Session, SessionFilter]
	// Identities keeps whose accounts at sign-in providers are whose.
	Identities = Table[Identity, IdentityFilter]
	// SignInProviders keeps the sign-in providers that admins set up.
	SignInProviders = Table[SignInProvider, SignInProviderFilter]
	// Links keeps the links that admins give to people.
	Links = Table[Link, LinkFilter]
	// TeamPermissions keeps what the members of teams may call.
	TeamPermissions = Table[TeamPermission, TeamPermissionFilter]
	// Asks keeps what users ask for.
	Asks = Table[Ask, AskFilter]
	// Permissions keeps what users may call.
	Permissions = Table[Permission, PermissionFilter]
	// FilePermissions keeps whose file routes users may call.
	FilePermissions = Table[FilePermission, PermissionFilter]
	// Quotas keeps limits on money.
	Quotas = Table[Quota, QuotaFilter]
	// RateLimits keeps limits on requests and tokens.
	RateLimits = Table[RateLimit, RateLimitFilter]
	// Providers keeps providers.
	Providers = Table[Provider, ProviderFilter]
	// Credentials keeps providers' credentials, sealed.
	Credentials = Table[Credential, CredentialFilter]
	// Models keeps providers' models.
	Models = Table[Model, ModelFilter]
	// Aliases keeps second names of models.
	Aliases = Table[ModelAlias, AliasFilter]
	// Alarms keeps what was noticed. A second open one of a subject is CodeConflict.
	Alarms = Table[Alarm, AlarmFilter]
	// ConfigVersions keeps how the configuration was, in ConfigTexts.
	ConfigVersions = Table[ConfigVersion, ConfigVersionFilter]
	// ConfigTexts keeps the documents of versions, each once.
	ConfigTexts = Table[ConfigText, ConfigTextFilter]
	// SyncTargets keeps places outside that hold a configuration.
	SyncTargets = Table[SyncTarget, SyncTargetFilter]
)

// Prices keeps versions of prices; they are only ever added.
type Prices interface {
	// Get returns the version with id, or CodeNotFound.
	Get(ctx context.Context, id int64) (Price, error)
	// Query returns the versions that f selects, as Table.Query does.
	Query(ctx context.Context, f PriceFilter, p Page) ([]Price, *Cursor, error)
	// Count returns how many versions f selects.
	Count(ctx context.Context, f PriceFilter) (int64, error)
	// Insert adds a version and sets its ID, which is never reused and higher
	// than all before. A provider that does not exist is CodeInvalid. Versions
	// outlive their provider and their model.
	Insert(ctx context.Context, row *Price) error
}

// Counters keeps where rate limits stand.
type Counters interface {
	// All returns every counter, by limit id.
	All(ctx context.Context) ([]RateCounters, error)
	// Replace writes rows in place of all there are. It touches no area.
	Replace(ctx context.Context, rows []RateCounters) error
}

// Settings keeps instance settings by name.
type Settings interface {
	// All returns every setting, ordered by name.
	All(ctx context.Context) ([]Setting, error)
	// Put inserts or replaces one.
	Put(ctx context.Context, s Setting) error
	// Delete removes one; CodeNotFound.
	Delete(ctx context.Context, name string) error
}

// Meta keeps the installation's own small values: salt, wrapped root key,
// canary, digests of applied values. Names are constants of their owners.
type Meta interface {
	// Get returns the value, or CodeNotFound.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put inserts or replaces one.
	Put(ctx context.Context, name string, value []byte) error
	// Delete removes one; absent is no error.
	Delete(ctx context.Context, name string) error
}

// Audit is the append-only record of changes: a chain of hashes, whose head is
// sealed.
type Audit interface {
	// Append redacts an entry, adds it behind the head and sets its ID and Hash. Where the
	// head is not as the last Append left it, the chain is broken from here on
	// for all to see, and the entry is kept.
	Append(ctx context.Context, e *AuditEntry) error
	// Head returns where the chain ends.
	Head(ctx context.Context) (AuditHead, error)
	// Query returns entries, ordered and bounded by p (sort: id).
	Query(ctx context.Context, f AuditFilter, p Page) ([]AuditEntry, *Cursor, error)
}

// Usage reads what RequestLog has appended.
type Usage interface {
	// Dispatches returns usage rows, ordered and bounded by p (sort: id).
	Dispatches(ctx context.Context, f UsageFilter, p Page) ([]UsageRow, *Cursor, error)
	// CountDispatches returns how many usage rows f selects.
	CountDispatches(ctx context.Context, f UsageFilter) (int64, error)
	// Summarize sums the usage rows that f selects by one or two groups, largest
	// cost, then most dispatches first: the first MaxSums. If the first group is a
	// time: in its order, and CodeInvalid when there would be more than MaxSums, of
	// which the latest would be missing. Bounds on whole hours are quick, whatever the number of rows.
	// Tags are of request rows, stand alone and come without errors of dispatches.
	Summarize(ctx context.Context, f UsageFilter, by ...UsageGroup) ([]UsageSum, error)
	// Traffic returns the steps of a period in which something happened, in order.
	Traffic(ctx context.Context, f TrafficFilter) ([]Traffic, error)
	// ForgetTraffic removes steps shorter than an hour that began before a time.
	ForgetTraffic(ctx context.Context, before time.Time) error
	// ForgetUsage removes every settled dispatch with what re-ratings noted of
	// it, the roll-ups and what plots are drawn from, and returns how many
	// dispatches there were. What is on its way stays. Nothing is appended until
	// the transaction ends. Balances are the caller's: see ledger.Restart.
	ForgetUsage(ctx context.Context) (int64, error)
	// ForgetRequests removes every request row, all payloads and their chunks, and
	// returns how many rows there were.
	ForgetRequests(ctx context.Context) (int64, error)
	// Requests returns request rows without their dispatches, ordered and
	// bounded by p (sort: id). Where no index helps, a page may be short although
	// more rows follow behind its cursor: the work of one call is bounded.
	Requests(ctx context.Context, f RequestFilter, p Page) ([]Request, *Cursor, error)
	// CountRequests returns how many request rows f selects.
	CountRequests(ctx context.Context, f RequestFilter) (int64, error)
	// Slowest returns the n requests that took longest among the latest that f
	// selects by user and time, at most SlowestAmong.
	Slowest(ctx context.Context, f UsageFilter, n int) ([]Request, error)
}

// Tx is one transaction's view of every table.
type Tx struct {
	Users           Users
	Keys            Keys
	Teams           Teams
	Sessions        Sessions
	Identities      Identities
	SignInProviders SignInProviders
	Factors         Factors
	Links           Links
	Asks            Asks
	TeamPermissions TeamPermissions
	Permissions     Permissions
	FilePermissions FilePermissions
	Quotas          Quotas
	RateLimits      RateLimits
	Providers       Providers
	Credentials     Credentials
	Models          Models
	Aliases         Aliases
	Prices          Prices
	Counters        Counters
	Settings        Settings
	Meta            Meta
	Audit           Audit
	Usage           Usage
	Alarms          Alarms
	ConfigVersions  ConfigVersions
	ConfigTexts     ConfigTexts
	SyncTargets     SyncTargets
	Turns           Turns
	Payloads        Payloads
	Ledger          Ledger
}

// Area is a set of tables that a transaction wrote, for the change feed.
type Area uint8

// The areas that snapshots are built from.
const (
	AreaIdentity  Area = 1 << iota // users, keys, teams, permissions, file permissions
	AreaSessions                   // sessions
	AreaCatalogue                  // providers, credentials, models, aliases, prices
	AreaSettings                   // settings, sign-in providers
	AreaMoney                      // quotas, rate limits, adjustments
)

// Store is the system of record. SQLite and PostgreSQL implement it, judged
// by one suite (internal/store/storetest).
type Store interface {
	// View runs fn in one read transaction: all it reads is of one moment.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in one serialised write transaction: commits when fn
	// returns nil, else rolls back and returns fn's error unchanged. fn may
	// not call the store again. After the commit, and before Update returns,
	// the change feed has run; an error of the feed is returned although the
	// change is committed.
	Update(ctx context.Context, fn func(Tx) error) error
	// Watch sets the change feed: fn is called after each committed Update
	// that wrote, with what it touched, in commit order, never concurrently
	// with itself, with a context that outlives the caller's. Set once,
	// before the first Update that matters.
	Watch(fn func(ctx context.Context, touched Area) error)
	RequestLog
	// Touch records last uses of keys and sessions (id → when), in one
	// transaction, without the change feed. Unknown ids are ignored.
	Touch(ctx context.Context, keys, sessions map[int64]time.Time) error
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	// Close ends the store; no call may follow.
	Close() error
}

// RequestLog appends request and usage rows, and keeps balances with them.
type RequestLog interface {
	// Append adds requests with their dispatches, and intents, all or nothing,
	// durable against a process crash when it returns nil, and seen by every
	// View and Update that begins later. What
	// is already there stays as it is, row by row, so that a batch may be sent
	// again; an intent that is there takes a higher Held, or goes when the new
	// one is Void. A dispatch that is
	// added settles: its intent goes, its Cost is added to the quotas of its
	// Charges (as Ledger.Adjust moves them) and to the roll-ups by hour and day, once. A
	// cost below 0 or above MaxCost is CodeInvalid. Safe for concurrent use;
	// does not run the change feed.
	Append(ctx context.Context, rows []Request, intents ...Intent) error
}
