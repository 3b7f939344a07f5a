package ops

import (
	"context"

	"tollgate"
)

// Connection is a way to carry out operations: through a running server, or
// here. Close it.
type Connection struct {
	Runner
	// Remote says that a running server carries the operations out.
	Remote bool
	close  func() error
}

// Close gives the database free, if it was opened here.
func (c *Connection) Close() error { return c.close() }

// Connect finds the running server of the installation, or opens its database
// in this process.
func Connect(ctx context.Context, o OpenOptions) (*Connection, error) {
	if client, ok := Dial(ctx, o.Config.DataDir); ok {
		return &Connection{Runner: client, Remote: true, close: func() error { client.Close(); return nil }}, nil
	}
	db, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Connection{Runner: &Host{Database: db, Log: o.Log}, close: db.Close}, nil
}

// ConnectForRekey is Connect for a change of the master key, with the
// arguments of the operation. There DATABASE_SECRET_KEY is the new key, unless
// a key file shall be used; the present one is DATABASE_SECRET_KEY_PREVIOUS or
// the key file. A database that opens with the new key alone is done already.
func ConnectForRekey(ctx context.Context, o OpenOptions, keyFile bool) (*Connection, RekeyArgs, error) {
	c := o.Config
	args := RekeyArgs{New: c.MasterKey.Reveal(), Old: c.PreviousMasterKey.Reveal()}
	if keyFile {
		args = RekeyArgs{KeyFile: true, Old: c.MasterKey.Reveal()}
		conn, err := Connect(ctx, o)
		return conn, args, err
	}
	if args.New == "" {
		return nil, args, tollgate.Errorf(tollgate.CodeInvalid,
			"say what the new master key is: set DATABASE_SECRET_KEY to it, and DATABASE_SECRET_KEY_PREVIOUS to the present one unless that is the key file; or use --key-file for a new key file")
	}
	before := o
	before.Config.MasterKey, before.Config.PreviousMasterKey = c.PreviousMasterKey, tollgate.Secret{}
	conn, err := Connect(ctx, before)
	if err == nil || tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		return conn, args, err
	}
	after := o
	after.Config.PreviousMasterKey = tollgate.Secret{}
	if done, afterErr := Connect(ctx, after); afterErr == nil {
		return done, args, nil
	}
	return nil, args, err
}
