package seal

import (
	"context"
	"io"

	"tollgate"
)

// Stored is what a new database must remember: the values of Meta by name.
type Stored map[string][]byte

// Create makes a keyring with a new root key, wrapped under master. Write
// Stored with [Stored.Save] before anything is sealed.
func Create(master Master, random io.Reader) (*Keyring, Stored, error) {
	var root [keySize]byte
	salt := make([]byte, saltSize)
	for _, b := range [][]byte{root[:], salt} {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, nil, tollgate.WrapError(tollgate.CodeInternal, err, "make root key")
		}
	}
	w, err := newWrap(master.Key, salt, root, random)
	if err != nil {
		return nil, nil, err
	}
	k := newKeyring(root, random, State{Wraps: 1, Source: master.Source})
	canary, err := k.Seal(canaryLabel(), []byte(canaryText))
	if err != nil {
		return nil, nil, err
	}
	return k, Stored{
		MetaSalt: salt, MetaRoot: encodeWraps([]wrap{w}), MetaCanary: canary, MetaSource: []byte(master.Source),
	}, nil
}

// Save writes the values in tx. It refuses (CodeConflict) when the database
// has a root key already, or holds users or credentials: what they are sealed
// with would be lost.
func (s Stored) Save(ctx context.Context, tx tollgate.Tx) error {
	if _, err := tx.Meta.Get(ctx, MetaRoot); err == nil {
		return tollgate.Errorf(tollgate.CodeConflict, "the database has a root key already")
	} else if tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		return err
	}
	users, err := tx.Users.Count(ctx, tollgate.UserFilter{})
	if err != nil {
		return err
	}
	credentials, err := tx.Credentials.Count(ctx, tollgate.CredentialFilter{})
	if err != nil {
		return err
	}
	if users+credentials > 0 {
		return tollgate.Errorf(tollgate.CodeConflict,
			"the database holds %d users and %d credentials but no root key; restore a backup of it", users, credentials)
	}
	for _, name := range []string{MetaSalt, MetaCanary, MetaSource, MetaRoot} {
		if err := tx.Meta.Put(ctx, name, s[name]); err != nil {
			return err
		}
	}
	return nil
}

// Unlock opens the root key of an existing database with master.Key, or with
// master.Previous where it is not empty, and proves it on the canary. It
// writes nothing. Errors are CodeInvalid and say what to do.
func Unlock(master Master, meta func(name string) ([]byte, bool)) (*Keyring, error) {
	source, _ := meta(MetaSource)
	salt, okSalt := meta(MetaSalt)
	packed, okRoot := meta(MetaRoot)
	canary, okCanary := meta(MetaCanary)
	if !okSalt || !okRoot || !okCanary || len(salt) != saltSize {
		return nil, tollgate.Errorf(tollgate.CodeInvalid, "the database has no complete root key record; restore a backup of it")
	}
	wraps, err := decodeWraps(packed)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the root key; restore a backup of the database")
	}
	state := State{Wraps: len(wraps), Source: Source(source)}
	root, _, ok := unwrap(wraps, master.Key, salt)
	if !ok && !master.Previous.Empty() {
		root, _, ok = unwrap(wraps, master.Previous, salt)
		state.Previous = ok
	}
	if !ok {
		return nil, tollgate.Errorf(tollgate.CodeInvalid, "wrong master key: %s does not open this database; nothing was changed", master.describe())
	}
	k := newKeyring(root, defaultRand(), state)
	if plain, err := k.Open(canaryLabel(), canary); err != nil || string(plain) != canaryText {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the database's canary record does not open; restore a backup of it")
	}
	return k, nil
}
