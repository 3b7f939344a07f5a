package tollgate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
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
	// Hash chains the entry to the one before: SHA-256, see Chained. Append sets it.
	Hash []byte
}

// Chained returns the hash of the entry behind one with hash before (nothing
// for the first): SHA-256 over before and every field in the order of the type,
// numbers in eight bytes, texts with their length in front, so that no two
// entries share an encoding. Times count in microseconds.
func (e *AuditEntry) Chained(before []byte) []byte {
	c := chain{sha256.New()}
	c.text("tollgate/audit/v1")
	c.text(string(before))
	c.number(e.ID)
	at := int64(0)
	if !e.At.IsZero() {
		at = e.At.UnixMicro()
	}
	c.number(at)
	c.number(e.ActorID)
	c.text(e.ActorName)
	c.text(e.Via)
	c.number(e.KeyID)
	c.text(e.IP)
	c.number(int64(e.RequestID))
	c.text(e.Action)
	c.text(e.Target)
	c.number(e.TargetID)
	if e.Detail == nil {
		c.number(-1)
	} else {
		c.text(string(e.Detail))
	}
	return c.h.Sum(nil)
}

// chain writes the fields of an entry into a hash.
type chain struct{ h hash.Hash }

func (c chain) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // a bijection, not a measure
	c.h.Write(b[:])
}

func (c chain) text(s string) {
	c.number(int64(len(s)))
	c.h.Write([]byte(s))
}

// AuditHead is where the chain of audit entries ends. Kept elsewhere, it proves
// that what was there then is there still.
type AuditHead struct {
	ID      int64  // of the newest entry; 0 = there is none
	Entries int64  // how many there are
	Hash    []byte // the newest entry's
	// Sealed says that the head is as this installation wrote it: whoever can
	// write to the database and lacks the master key cannot make such a head.
	Sealed bool
}

// AuditFilter selects entries; the zero value selects all.
type AuditFilter struct {
	ActorID Match[int64]
	// Action and IP are patterns: * is any text, ? any character.
	Action    Match[string]
	IP        Match[string]
	Target    Match[string]
	TargetID  Match[int64]
	RequestID Match[RequestID]
	// Text is looked for in names, action, target, address and detail, in
	// whatever case; "" = anything.
	Text string
	// Since and Until bound the time: Since ≤ t < Until; zero = open.
	Since, Until time.Time
}
