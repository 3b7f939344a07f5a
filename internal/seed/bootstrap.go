package seed

import (
	"bytes"
	"context"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
)

// metaBootstrap marks a database whose first start is done.
const metaBootstrap = "bootstrap.done"

// Started is what a start did to the accounts.
type Started struct {
	// First is set on the first start of a database.
	First bool
	// Admin is the account that the bootstrap touched; empty = none.
	Admin string
	// Password and APIKey were generated and are to be shown once; what the
	// operator gave is not here.
	Password, APIKey tollgate.Secret
	// Setup is the token of the set-up link, while the first account waits for
	// its bearer; a new one at each start.
	Setup tollgate.Secret
	// SuperAdmin is the name of the super admin.
	SuperAdmin string
	// Report is what the first start imported.
	Report Report
}

// Start is the bootstrap of CONTRACT 4. On the first start it imports the
// seed, and unless that brings an enabled admin with an enabled key, makes an
// admin from the TOLLGATE_ADMIN_ values or generated ones. On any start it
// applies TOLLGATE_ADMIN_ values that were given and have not been applied
// before. With Register, and no such value, there is a set-up link instead of an
// admin, until there is a super admin. All of it is one transaction.
func (im *Importer) Start(ctx context.Context, store tollgate.Store, admin config.Admin, s config.Seed) (Started, error) {
	b := bootstrap{im: im, admin: admin, by: tollgate.HostActor("bootstrap")}
	if err := b.look(ctx, store); err != nil {
		return Started{}, err
	}
	if !b.first && len(b.fresh) == 0 && !b.waiting {
		return b.out, nil
	}
	var ready map[string]auth.UserWrite
	if b.first {
		var err error
		if ready, err = im.prepare(ctx, store, s, b.by); err != nil {
			return Started{}, err
		}
	}
	if err := b.password(ctx); err != nil {
		return Started{}, err
	}
	err := store.Update(ctx, func(tx tollgate.Tx) error {
		if b.first {
			report, err := im.applyTx(ctx, tx, s, tollgate.HostActor("import"), ready, Options{})
			if err != nil {
				return err
			}
			b.out.Report = report
		}
		return b.run(ctx, tx)
	})
	if err != nil {
		return Started{}, err
	}
	return b.out, nil
}

// bootstrap makes or changes the bootstrap admin.
type bootstrap struct {
	im    *Importer
	admin config.Admin
	by    tollgate.Actor
	first bool
	// waiting is set while the first account waits for the set-up link's bearer.
	waiting bool
	// fresh are the given values that have not been applied before: the meta
	// names of their digests, and the digests.
	fresh map[string][]byte
	// given and made are the prepared password writes: the operator's and a
	// generated one, used if the account would have none.
	given, made auth.UserWrite
	out         Started
}

// look reads what decides: whether this is the first start, and which of the
// given values are new.
func (b *bootstrap) look(ctx context.Context, store tollgate.Store) error {
	return store.View(ctx, func(tx tollgate.Tx) error {
		done, err := metaValue(ctx, tx, metaBootstrap)
		if err != nil {
			return err
		}
		b.first = done == nil
		if b.waiting, err = b.im.Accounts.SetupOpen(ctx, tx); err != nil {
			return err
		}
		if b.fresh, err = b.freshValues(ctx, tx); err != nil {
			return err
		}
		return b.findSuperAdmin(ctx, tx)
	})
}

func (b *bootstrap) findSuperAdmin(ctx context.Context, tx tollgate.Tx) error {
	rows, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)}, tollgate.Page{})
	if err == nil && len(rows) > 0 {
		b.out.SuperAdmin = rows[0].Name
	}
	return err
}

func (b *bootstrap) freshValues(ctx context.Context, tx tollgate.Tx) (map[string][]byte, error) {
	fresh := map[string][]byte{}
	for name, value := range map[string]struct {
		text  string
		given bool
	}{
		"bootstrap.admin_user":     {b.admin.User, b.admin.UserGiven},
		"bootstrap.admin_password": {b.admin.Password.Reveal(), !b.admin.Password.Empty()},
		"bootstrap.admin_api_key":  {b.admin.APIKey.Reveal(), !b.admin.APIKey.Empty()},
	} {
		if !value.given {
			continue
		}
		digest := b.im.Keys.MAC("bootstrap-admin", []byte(name+"\x00"+b.admin.User+"\x00"+value.text))
		last, err := metaValue(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(last, digest[:]) {
			fresh[name] = digest[:]
		}
	}
	return fresh, nil
}

// password prepares the password that is given and one that may be needed.
// Both are hashed before the transaction.
func (b *bootstrap) password(ctx context.Context) error {
	if b.fresh["bootstrap.admin_password"] != nil {
		b.given.Password = tollgate.Some(b.admin.Password)
		b.given.Name = tollgate.Some(b.admin.User)
		if err := b.im.Accounts.Prepare(ctx, &b.given); err != nil {
			return err
		}
		return nil
	}
	generated, err := b.im.newPassword()
	if err != nil {
		return err
	}
	b.made.Password, b.made.Name = tollgate.Some(generated), tollgate.Some(b.admin.User)
	return b.im.Accounts.Prepare(ctx, &b.made)
}

func (b *bootstrap) run(ctx context.Context, tx tollgate.Tx) error {
	st, err := b.im.loadState(ctx, tx)
	if err != nil {
		return err
	}
	switch {
	case b.admin.Register && len(b.fresh) == 0 && !st.superAdmin():
		if b.out.Setup, err = b.im.Accounts.OpenSetup(ctx, tx); err != nil {
			return err
		}
	case !b.first || len(b.fresh) > 0 || !st.wayIn():
		if err := b.ensure(ctx, tx, st); err != nil {
			return err
		}
	}
	for name, digest := range b.fresh {
		if err := tx.Meta.Put(ctx, name, digest); err != nil {
			return err
		}
	}
	if b.first {
		if err := tx.Meta.Put(ctx, metaBootstrap, []byte("1")); err != nil {
			return err
		}
	}
	b.out.First = b.first
	return b.findSuperAdmin(ctx, tx)
}

// ensure makes the named account an enabled admin with a password and a key.
func (b *bootstrap) ensure(ctx context.Context, tx tollgate.Tx, st *state) error {
	row, exists := st.users[b.admin.User]
	w, generatedPassword := b.given, false
	if !b.given.Password.Set && row.Password == nil {
		w, generatedPassword = b.made, true
	}
	w.ID, w.Enabled, w.IsAdmin, w.SuperAdmin = row.ID, tollgate.Some(true), tollgate.Some(true), !st.superAdmin()
	if !exists {
		w.Name = tollgate.Some(b.admin.User)
	} else {
		w.Name = tollgate.Opt[string]{}
	}
	row, err := b.im.Accounts.SaveUser(ctx, tx, b.by, w)
	if err != nil {
		return err
	}
	b.out.Admin = row.Name
	if generatedPassword {
		b.out.Password = b.made.Password.Value
	}
	return b.ensureKey(ctx, tx, st, row)
}

// ensureKey gives the admin the given key, or a new one if it has none.
func (b *bootstrap) ensureKey(ctx context.Context, tx tollgate.Tx, st *state, admin tollgate.User) error {
	if b.fresh["bootstrap.admin_api_key"] != nil {
		digest := b.im.keyDigest(b.admin.APIKey)
		for _, k := range st.keys {
			if !bytes.Equal(k.Digest, digest) {
				continue
			}
			if k.UserID != admin.ID {
				return tollgate.Errorf(tollgate.CodeConflict, "TOLLGATE_ADMIN_API_KEY is already the key of user %s", st.userName[k.UserID])
			}
			if k.Enabled {
				return nil
			}
			return b.im.Accounts.SetKeyEnabled(ctx, tx, b.by, k.ID, true, false)
		}
		_, err := b.im.Accounts.ImportKey(ctx, tx, b.by, auth.KeyWrite{UserID: admin.ID, Label: "bootstrap"}, b.admin.APIKey)
		return err
	}
	for _, k := range st.keys {
		if k.UserID == admin.ID && k.Enabled && !k.NeedsSecret {
			return nil
		}
	}
	_, key, err := b.im.Accounts.GenerateKey(ctx, tx, b.by, auth.KeyWrite{UserID: admin.ID, Label: "bootstrap"})
	b.out.APIKey = key
	return err
}
