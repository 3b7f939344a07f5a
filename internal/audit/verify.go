package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"tollgate"
)

// Report is what Verify found.
type Report struct {
	Entries int64 `json:"entries"`
	Head    Head  `json:"head"`
	// Bad is the first entry that is not as it was written, or the first that
	// is missing; 0 = the entries are whole. Problem says what is wrong; "" =
	// nothing is.
	Bad     int64  `json:"bad,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// OK reports whether the audit is whole.
func (r *Report) OK() bool { return r.Problem == "" }

// fault notes the first thing that is wrong.
func (r *Report) fault(id int64, format string, args ...any) {
	if r.Problem == "" {
		r.Bad, r.Problem = id, fmt.Sprintf(format, args...)
	}
}

// Verify recomputes the chain from its first entry on, as it is at one moment:
// an entry that was altered, taken out, moved, slipped in or cut off at the end
// is found, and named. Against someone who also brings back an older head,
// known, a head that was exported, must be among the entries; nil = not asked.
// It changes nothing.
func Verify(ctx context.Context, store tollgate.Store, known *Head) (Report, error) {
	var r Report
	err := store.View(ctx, func(tx tollgate.Tx) error {
		head, err := tx.Audit.Head(ctx)
		if err != nil {
			return err
		}
		w := walk{report: &r, known: known, found: known == nil || known.ID == 0 && known.Hash == ""}
		if err := w.run(ctx, tx); err != nil {
			return err
		}
		w.end(head)
		r.Head = Head{head.ID, r.Entries, hex.EncodeToString(head.Hash)}
		return nil
	})
	return r, err
}

// walk is one pass over the entries.
type walk struct {
	report *Report
	last   tollgate.AuditEntry
	known  *Head
	found  bool // the known head
}

func (w *walk) run(ctx context.Context, tx tollgate.Tx) error {
	page := tollgate.Page{}
	for {
		rows, next, err := tx.Audit.Query(ctx, tollgate.AuditFilter{}, page)
		if err != nil {
			return err
		}
		for i := range rows {
			w.step(rows[i])
		}
		if next == nil {
			return nil
		}
		page.After = next
	}
}

// step checks one entry against the one before.
func (w *walk) step(e tollgate.AuditEntry) {
	w.report.Entries++
	if !bytes.Equal(e.Chained(w.last.Hash), e.Hash) {
		switch gap := e.ID - w.last.ID - 1; {
		case gap > 0:
			w.report.fault(w.last.ID+1, "%s before entry %d", missing(w.last.ID+1, gap), e.ID)
		default:
			w.report.fault(e.ID, "entry %d is not as it was written, or does not follow the entry before", e.ID)
		}
	}
	if w.known != nil && strings.EqualFold(hex.EncodeToString(e.Hash), w.known.Hash) && (w.known.ID == 0 || w.known.ID == e.ID) {
		w.found = true
	}
	w.last = e
}

// missing says which entries are not there.
func missing(from, n int64) string {
	if n == 1 {
		return fmt.Sprintf("entry %d is missing", from)
	}
	return fmt.Sprintf("entries %d to %d are missing", from, from+n-1)
}

// end checks that the entries end where the head says.
func (w *walk) end(head tollgate.AuditHead) {
	r := w.report
	switch {
	case !head.Sealed && head.ID == 0:
		r.fault(w.last.ID, "the head of the chain is missing; who took it away can have changed any entry")
	case !head.Sealed:
		r.fault(w.last.ID, "the head of the chain was not written by this installation; any entry can have been changed")
	case head.ID > w.last.ID:
		r.fault(w.last.ID+1, "%s at the end", missing(w.last.ID+1, head.ID-w.last.ID))
	case head.ID < w.last.ID:
		r.fault(head.ID+1, "entry %d was slipped in behind the end", head.ID+1)
	case !bytes.Equal(head.Hash, w.last.Hash):
		r.fault(w.last.ID, "entry %d is not the one that was written last; it or an entry before was changed, and the chain computed anew", w.last.ID)
	case head.Entries != r.Entries:
		r.fault(w.last.ID, "%d entries were written and %d are there", head.Entries, r.Entries)
	}
	if !w.found {
		r.fault(w.known.ID, "the known head (%s) is not among the entries: the audit is not the one it was exported from, or an older state of it", w.known)
	}
}
