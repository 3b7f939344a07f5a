package sqlstore

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"tollgate"
)

func auditTable() *spec[tollgate.AuditEntry, tollgate.AuditFilter] {
	type row = tollgate.AuditEntry
	return &spec[row, tollgate.AuditFilter]{
		name: "audit", noun: "audit entry",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			instant("at", func(r *row) *time.Time { return &r.At }),
			integer("actor_id", func(r *row) *int64 { return &r.ActorID }),
			text("actor_name", func(r *row) *string { return &r.ActorName }),
			text("via", func(r *row) *string { return &r.Via }),
			integer("key_id", func(r *row) *int64 { return &r.KeyID }),
			text("ip", func(r *row) *string { return &r.IP }),
			integer("request_id", func(r *row) *tollgate.RequestID { return &r.RequestID }),
			text("action", func(r *row) *string { return &r.Action }),
			text("target", func(r *row) *string { return &r.Target }),
			integer("target_id", func(r *row) *int64 { return &r.TargetID }),
			document("detail", func(r *row) *json.RawMessage { return &r.Detail }),
			blob("hash", func(r *row) *[]byte { return &r.Hash }),
		},
		filter: filterAudit,
	}
}

func filterAudit(w *where, f tollgate.AuditFilter) {
	ints(w, "actor_id", f.ActorID)
	globs(w, "action", f.Action)
	globs(w, "ip", f.IP)
	texts(w, "target", f.Target)
	ints(w, "target_id", f.TargetID)
	ints(w, "request_id", f.RequestID)
	period(w, "at", f.Since, f.Until)
	if f.Text == "" {
		return
	}
	if !storable(f.Text) {
		w.add("1 = 0")
		return
	}
	arg := w.arg("%" + likeEscaper().Replace(strings.ToLower(f.Text)) + "%")
	var places []string
	for _, col := range []string{"actor_name", "action", "target", "ip", "COALESCE(detail, '')"} {
		places = append(places, "LOWER("+col+") LIKE "+arg+` ESCAPE '\'`)
	}
	w.add("(" + strings.Join(places, " OR ") + ")")
}

// globs keeps rows whose text column fits one of m's patterns: * is any text,
// ? any character.
func globs(w *where, col string, m tollgate.Match[string]) {
	if !m.Set {
		return
	}
	conds := []string{"1 = 0"}
	var exact []string
	for _, p := range asTexts(m.Values) {
		if !strings.ContainsAny(p, "*?") {
			exact = append(exact, p)
			continue
		}
		like := strings.NewReplacer("*", "%", "?", "_").Replace(likeEscaper().Replace(p))
		conds = append(conds, col+" LIKE "+w.arg(like)+` ESCAPE '\'`)
	}
	conds = append(conds, w.oneOfTexts(col, exact))
	w.add("(" + strings.Join(conds, " OR ") + ")")
}

// likeEscaper takes from the characters of a LIKE pattern what they mean.
func likeEscaper() *strings.Replacer { return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`) }

// auditHead is the meta value that the head of the chain is kept in: id and
// number of entries in eight bytes each, the hash, and a MAC over all three.
const auditHead = "audit_head"

const (
	headHash = 16            // where the hash begins
	headMAC  = headHash + 32 // where the MAC begins
	headSize = headMAC + 32
)

// audit is the append-only half of its table.
type audit struct {
	rows table[tollgate.AuditEntry, tollgate.AuditFilter]
	seal func([]byte) [32]byte
}

// Query returns entries, sorted by id.
func (a audit) Query(ctx context.Context, f tollgate.AuditFilter, p tollgate.Page) ([]tollgate.AuditEntry, *tollgate.Cursor, error) {
	return a.rows.Query(ctx, f, p)
}

// Head returns where the chain ends. One that is missing or was not written
// here is not Sealed.
func (a audit) Head(ctx context.Context) (tollgate.AuditHead, error) {
	raw, err := meta{a.rows.s}.Get(ctx, auditHead)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound:
		last, err := a.lastID(ctx)
		return tollgate.AuditHead{Sealed: last == 0}, err // nothing was ever written
	case err != nil || len(raw) != headSize:
		return tollgate.AuditHead{}, err
	}
	mac := a.seal(raw[:headMAC])
	return tollgate.AuditHead{
		ID:      int64(binary.BigEndian.Uint64(raw)),     //nolint:gosec // as written
		Entries: int64(binary.BigEndian.Uint64(raw[8:])), //nolint:gosec // as written
		Hash:    raw[headHash:headMAC],
		Sealed:  hmac.Equal(mac[:], raw[headMAC:]),
	}, nil
}

// Append adds an entry behind the head. It looks at the head alone, never at
// the entries before: what was done to those cannot become right by going on.
func (a audit) Append(ctx context.Context, e *tollgate.AuditEntry) error {
	e.Redact()
	head, err := a.Head(ctx)
	if err != nil {
		return err
	}
	last, err := a.lastID(ctx)
	if err != nil {
		return err
	}
	if !head.Sealed {
		head.Hash = []byte("the head was altered") // which no entry hashes to
	}
	e.ID = max(head.ID, last) + 1
	e.Hash = e.Chained(head.Hash)
	if err := a.insert(ctx, e); err != nil {
		return err
	}
	return a.putHead(ctx, tollgate.AuditHead{ID: e.ID, Entries: head.Entries + 1, Hash: e.Hash})
}

func (a audit) lastID(ctx context.Context) (int64, error) {
	id, err := a.rows.s.number(ctx, "SELECT COALESCE(MAX(id), 0) FROM audit")
	return id, a.rows.s.fail(ctx, err, "read the last audit entry")
}

// insert adds the row with the id that it has.
func (a audit) insert(ctx context.Context, e *tollgate.AuditEntry) error {
	columns := a.rows.all()
	args, err := values(columns, e)
	if err != nil {
		return err
	}
	with := spec[tollgate.AuditEntry, tollgate.AuditFilter]{name: "audit", columns: columns}
	err = a.rows.s.write(ctx, func() error {
		return a.rows.s.tx.QueryRowContext(ctx, with.insertSQL(), args...).Scan(&e.ID)
	})
	if err != nil {
		return a.rows.refused(ctx, err, e)
	}
	a.rows.s.touch(0)
	return nil
}

func (a audit) putHead(ctx context.Context, h tollgate.AuditHead) error {
	b := make([]byte, 0, headSize)
	b = binary.BigEndian.AppendUint64(b, uint64(h.ID))      //nolint:gosec // a bijection
	b = binary.BigEndian.AppendUint64(b, uint64(h.Entries)) //nolint:gosec // a bijection
	b = append(b, h.Hash...)
	mac := a.seal(b)
	return meta{a.rows.s}.Put(ctx, auditHead, append(b, mac[:]...))
}

// SealAudit makes mac, which nobody can compute without the master key, the
// seal of the head of the audit, before the first entry is appended. Entries
// from before there was a chain are chained, once, which is an entry itself.
func (s *Store) SealAudit(ctx context.Context, mac func([]byte) [32]byte, at time.Time) error {
	s.tables.sealAudit = mac
	var unchained bool
	err := s.View(ctx, func(tx tollgate.Tx) error {
		head, err := tx.Audit.Head(ctx)
		if err != nil || head.Sealed || len(head.Hash) > 0 {
			return err
		}
		first, _, err := tx.Audit.Query(ctx, tollgate.AuditFilter{}, tollgate.Page{Limit: 1})
		unchained = err == nil && len(first) == 1 && first[0].Hash == nil
		return err
	})
	if err != nil || !unchained {
		return err
	}
	return s.Update(ctx, func(tx tollgate.Tx) error {
		a, ok := tx.Audit.(audit)
		if !ok {
			return tollgate.Errorf(tollgate.CodeInternal, "the audit is a %T", tx.Audit)
		}
		n, err := a.chainAll(ctx)
		if err != nil {
			return err
		}
		e := tollgate.HostActor("upgrade").Entry(at, "audit.chain", "system", 0)
		if e.Detail, err = json.Marshal(map[string]int64{"entries": n}); err != nil {
			return err
		}
		return tx.Audit.Append(ctx, &e)
	})
}

// chainAll gives every entry its hash, in order, and writes the head.
func (a audit) chainAll(ctx context.Context) (int64, error) {
	var head tollgate.AuditHead
	page := tollgate.Page{}
	for {
		rows, next, err := a.Query(ctx, tollgate.AuditFilter{}, page)
		if err != nil {
			return 0, err
		}
		for i := range rows {
			head.ID, head.Hash = rows[i].ID, rows[i].Chained(head.Hash)
			if _, err := a.rows.s.exec(ctx, "UPDATE audit SET hash = $1 WHERE id = $2", head.Hash, head.ID); err != nil {
				return 0, a.rows.s.fail(ctx, err, "chain the audit")
			}
			head.Entries++
		}
		if next == nil {
			return head.Entries, a.putHead(ctx, head)
		}
		page.After = next
	}
}
