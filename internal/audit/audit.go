// Package audit reads the record of changes: it proves the chain that the
// entries form and writes them out, for the admin API and for the command line
// alike. Writing is the store's (tollgate.Audit).
package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"tollgate"
)

// Record is the JSON of an entry.
type Record struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	ActorID   *int64          `json:"actor_id" doc:"null = the host, or nobody"`
	ActorName string          `json:"actor_name" doc:"At the time."`
	Via       string          `json:"via"`
	KeyID     *int64          `json:"key_id"`
	IP        string          `json:"ip"`
	RequestID string          `json:"request_id"`
	Action    string          `json:"action"`
	Target    string          `json:"target"`
	TargetID  int64           `json:"target_id"`
	Detail    json.RawMessage `json:"detail" doc:"Before and after, without secrets."`
	Hash      string          `json:"hash" doc:"SHA-256, chained to the entry before, in hex."`
}

// NewRecord returns the JSON of e.
func NewRecord(e tollgate.AuditEntry) Record {
	r := Record{
		ID: e.ID, At: e.At.UTC(), ActorID: orNull(e.ActorID), ActorName: e.ActorName, Via: e.Via, KeyID: orNull(e.KeyID),
		IP: e.IP, Action: e.Action, Target: e.Target, TargetID: e.TargetID, Detail: e.Detail, Hash: hex.EncodeToString(e.Hash),
	}
	if r.Detail == nil {
		r.Detail = json.RawMessage("{}")
	}
	if e.RequestID != 0 {
		r.RequestID = e.RequestID.String()
	}
	return r
}

func orNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// Head is the JSON of where the chain ends.
type Head struct {
	ID      int64  `json:"id"`
	Entries int64  `json:"entries"`
	Hash    string `json:"hash"`
}

// headLine is the last line of an export.
type headLine struct {
	Head *Head `json:"head"`
}

// CurrentHead returns where the chain ends.
func CurrentHead(ctx context.Context, store tollgate.Store) (Head, error) {
	var h tollgate.AuditHead
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		h, err = tx.Audit.Head(ctx)
		return err
	})
	return Head{h.ID, h.Entries, hex.EncodeToString(h.Hash)}, err
}

// Page returns the records behind after that f selects, up to the entry
// through, and the id to go on behind; 0 = there are no more.
func Page(ctx context.Context, store tollgate.Store, f tollgate.AuditFilter, after, through int64) ([]Record, int64, error) {
	var rows []tollgate.AuditEntry
	var next *tollgate.Cursor
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		rows, next, err = tx.Audit.Query(ctx, f, tollgate.Page{After: &tollgate.Cursor{ID: after}})
		return err
	})
	records := make([]Record, 0, len(rows))
	for _, e := range rows {
		if e.ID > through {
			return records, 0, err
		}
		records = append(records, NewRecord(e))
	}
	if next == nil {
		return records, 0, err
	}
	return records, next.ID, err
}

// WriteRecords writes records as JSON Lines.
func WriteRecords(w io.Writer, records []Record) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range records {
		if err := enc.Encode(&records[i]); err != nil {
			return err
		}
	}
	return nil
}

// WriteHead writes the last line of an export.
func WriteHead(w io.Writer, h Head) error { return json.NewEncoder(w).Encode(headLine{&h}) }

// Export writes what f selects of the entries up to head as JSON Lines, oldest
// first; the last line is the head. Entries that are appended meanwhile are left out.
func Export(ctx context.Context, store tollgate.Store, f tollgate.AuditFilter, head Head, w io.Writer) error {
	for after := int64(0); ; {
		records, next, err := Page(ctx, store, f, after, head.ID)
		if err != nil {
			return err
		}
		if err := WriteRecords(w, records); err != nil {
			return err
		}
		if next == 0 {
			return WriteHead(w, head)
		}
		after = next
	}
}

// ReadHead returns the head that text tells: a hash in hex, or an export, whose
// last line it is.
func ReadHead(text []byte) (Head, error) {
	text = bytes.TrimSpace(text)
	if b, err := hex.DecodeString(string(text)); err == nil && len(b) == 32 {
		return Head{Hash: string(bytes.ToLower(text))}, nil
	}
	line := text[bytes.LastIndexByte(text, '\n')+1:]
	var h headLine
	if err := json.Unmarshal(line, &h); err != nil || h.Head == nil {
		return Head{}, tollgate.Invalidf("head", "no head of an audit was found: it is 64 hex digits, or the last line of an export")
	}
	if b, err := hex.DecodeString(h.Head.Hash); h.Head.ID < 0 || err != nil || len(b) != 32 && (len(b) > 0 || h.Head.ID > 0) {
		return Head{}, tollgate.Invalidf("head", "the head of the export is damaged")
	}
	return *h.Head, nil
}

// String returns the head for people.
func (h Head) String() string { return fmt.Sprintf("entry %d, hash %s", h.ID, h.Hash) }
