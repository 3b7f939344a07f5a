package seal

import (
	"bytes"
	"context"

	"tollgate"
)

// Change is a change of the master key.
type Change struct {
	// Old opens the database now; New shall open it afterwards.
	Old, New tollgate.Secret
	// Source is where New is kept.
	Source Source
	// Switch, if not nil, runs while both keys open the database: it puts a new
	// key file in place. It may run more than once.
	Switch func() error
	// Progress, if not nil, is told of each finished step.
	Progress func(done, total int, what string)
}

// Rekey changes the master key of a running database: both keys open it, then
// Switch runs, then only the new one opens it. The root key, and so every
// record and every keyring in use, stays as it is. A process that dies at any
// point leaves a database that opens with the old key, the new one, or both;
// running Rekey again finishes the change, and running it after the end does
// nothing. A key that does not open the database is CodeInvalid.
func Rekey(ctx context.Context, store tollgate.Store, c Change) error {
	const total = 3
	report := c.Progress
	if report == nil {
		report = func(int, int, string) {}
	}
	if err := CheckMaster("the new master key", c.New); err != nil {
		return err
	}
	if err := rewrite(ctx, store, c, addWrap); err != nil {
		return err
	}
	report(1, total, "both master keys open the database")
	if c.Switch != nil {
		if err := c.Switch(); err != nil {
			return err
		}
	}
	report(2, total, "the new master key is in place")
	if err := rewrite(ctx, store, c, dropWraps); err != nil {
		return err
	}
	report(3, total, "the old master key is refused")
	return nil
}

// wrapped is the root key record as it is stored.
type wrapped struct {
	salt, packed, canary, source []byte
	wraps                        []wrap
}

// rewrite reads the record, lets step work out a new one, and writes it if the
// record is still the one that was read. The slow part, Argon2id, runs outside
// of the write transaction, so that a running server is not held up.
func rewrite(ctx context.Context, store tollgate.Store, c Change, step func(wrapped, Change) (wrapped, error)) error {
	var old wrapped
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		old, err = readWrapped(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	next, err := step(old, c)
	if err != nil {
		return err
	}
	return store.Update(ctx, func(tx tollgate.Tx) error {
		now, err := readWrapped(ctx, tx)
		if err != nil {
			return err
		}
		if !bytes.Equal(now.packed, old.packed) {
			return tollgate.Errorf(tollgate.CodeConflict, "another change of the master key came between; run it again")
		}
		if !bytes.Equal(now.source, next.source) {
			if err := tx.Meta.Put(ctx, MetaSource, next.source); err != nil {
				return err
			}
		}
		if len(next.wraps) == 0 {
			return nil // as it should be already
		}
		return tx.Meta.Put(ctx, MetaRoot, encodeWraps(next.wraps))
	})
}

func readWrapped(ctx context.Context, tx tollgate.Tx) (wrapped, error) {
	var w wrapped
	for name, into := range map[string]*[]byte{MetaSalt: &w.salt, MetaRoot: &w.packed, MetaCanary: &w.canary, MetaSource: &w.source} {
		value, err := tx.Meta.Get(ctx, name)
		if err != nil {
			return w, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the root key record (%s)", name)
		}
		*into = value
	}
	var err error
	if w.wraps, err = decodeWraps(w.packed); err != nil {
		return w, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the root key")
	}
	return w, nil
}

// opens finds the wrap that key opens and proves the root key on the canary.
func (w wrapped) opens(key tollgate.Secret) (root [keySize]byte, index int, ok bool, err error) {
	if key.Empty() {
		return root, -1, false, nil
	}
	root, index, ok = unwrap(w.wraps, key, w.salt)
	if !ok {
		return root, -1, false, nil
	}
	plain, err := newKeyring(root, nil, State{}).Open(canaryLabel(), w.canary)
	if err != nil || string(plain) != canaryText {
		return root, -1, false, tollgate.WrapError(tollgate.CodeInvalid, err, "the database's canary record does not open")
	}
	return root, index, true, nil
}

// addWrap has the root key under both keys. Where the new key opens the
// database already, an earlier run came this far: no wraps, nothing to write.
func addWrap(w wrapped, c Change) (wrapped, error) {
	if _, _, ok, err := w.opens(c.New); ok || err != nil {
		w.wraps = nil
		return w, err
	}
	root, i, ok, err := w.opens(c.Old)
	if err != nil {
		return w, err
	}
	if !ok {
		return w, tollgate.Errorf(tollgate.CodeInvalid, "the present master key does not open this database; nothing was changed")
	}
	added, err := newWrap(c.New, w.salt, root, defaultRand())
	if err != nil {
		return w, err
	}
	// A second wrap of an abandoned change to a third key gives way.
	w.wraps = []wrap{w.wraps[i], added}
	return w, nil
}

// dropWraps leaves the new key alone, and says where it is kept.
func dropWraps(w wrapped, c Change) (wrapped, error) {
	_, i, ok, err := w.opens(c.New)
	if err != nil {
		return w, err
	}
	if !ok {
		return w, tollgate.Errorf(tollgate.CodeConflict, "another change of the master key came between; run it again")
	}
	w.source = []byte(c.Source)
	w.wraps = []wrap{w.wraps[i]}
	return w, nil
}
