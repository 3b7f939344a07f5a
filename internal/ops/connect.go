package ops

import "context"

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
