package tollgate

import (
	"encoding/json"
	"time"
)

// AuditEntry records one change: who did what to which record, and how it
// looked before and after, secrets redacted. It is appended in the same
// transaction as the change (SECURITY U-01) and never altered.
type AuditEntry struct {
	ID        int64
	At        time.Time
	ActorID   int64  // user id; 0 = the host
	ActorName string // at the time
	Via       string // session, api_key, cli, bootstrap, import
	KeyID     int64
	IP        string
	RequestID RequestID
	Action    string // "user.upsert", "key.delete", "login"…
	Target    string // "user", "key", "provider"…
	TargetID  int64
	Detail    json.RawMessage // {"before":{…},"after":{…}}, redacted
}

// AuditFilter selects entries; the zero value selects all.
type AuditFilter struct {
	ActorID  Match[int64]
	Action   Match[string]
	Target   Match[string]
	TargetID Match[int64]
	// Since and Until bound the time: Since ≤ t < Until; zero = open.
	Since, Until time.Time
}
