package sqlstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Advisory locks, in a number space of our own; the second half of their key
// is the schema, so that schemas of one database do not meet.
const (
	ownLock   = 0x746f6c6c // held by the connection of the process that owns the database
	writeLock = 0x746f6c6d // held by a write transaction
)

const (
	ownerPeriod  = time.Second     // between looks at the lock's connection
	ownerTimeout = 5 * time.Second // of one look
	// A server may take a moment to notice that the last owner was killed.
	claimTries = 10
	claimPause = 100 * time.Millisecond
)

// owner holds the lock of the process that owns the database, on a connection
// of its own. When the connection is lost the lock is too: writing stops until
// it is taken again, and never goes on when another process was faster.
type owner struct {
	config *pgx.ConnConfig
	log    *slog.Logger
	// renewed is called when the lock's connection had to be made anew.
	renewed func()

	mu   sync.Mutex // one look at a time
	conn *pgx.Conn  // nil = lost

	state sync.Mutex
	lost  error // why the lock is not held; nil = held

	stop context.CancelFunc
	done chan struct{}
}

// claimPostgres takes the lock; errLocked.
func claimPostgres(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) (*owner, error) {
	o := &owner{config: config, log: log}
	err := o.take(ctx)
	for tries := 1; errors.Is(err, errLocked) && tries < claimTries; tries++ {
		select {
		case <-time.After(claimPause):
			err = o.take(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return o, err
}

// take connects and takes the lock without waiting.
func (o *owner) take(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, o.config.Copy())
	if err != nil {
		return err
	}
	var held bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))", int32(ownLock)).Scan(&held)
	if err == nil && !held {
		err = errLocked
	}
	if err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	o.conn = conn
	return nil
}

// watch looks at the connection from time to time, until close.
func (o *owner) watch() {
	ctx, stop := context.WithCancel(context.Background())
	o.stop, o.done = stop, make(chan struct{})
	go func() {
		defer close(o.done)
		tick := time.NewTicker(ownerPeriod)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = o.check(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// check looks whether the lock is still held and takes it again if it is not.
func (o *owner) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.err()
	err := o.renew(ctx)
	o.state.Lock()
	o.lost = err
	o.state.Unlock()
	switch {
	case err != nil && before == nil:
		o.log.ErrorContext(ctx, "the database lock is lost; writing stops until it is held again", "error", err)
	case err == nil && before != nil:
		o.log.InfoContext(ctx, "the database lock is held again")
	}
	return err
}

func (o *owner) renew(ctx context.Context) error {
	if o.conn != nil {
		if err := o.conn.Ping(ctx); err == nil {
			return nil
		}
		_ = o.conn.Close(ctx)
		o.conn = nil
	}
	err := o.take(ctx)
	if err == nil && o.renewed != nil {
		o.renewed()
	}
	return err
}

// err says why writing is not allowed now; nil = it is.
func (o *owner) err() error {
	o.state.Lock()
	defer o.state.Unlock()
	return o.lost
}

// close gives the lock free.
func (o *owner) close() error {
	if o == nil {
		return nil
	}
	if o.stop != nil {
		o.stop()
		<-o.done
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownerTimeout)
	defer cancel()
	// Not by closing alone: the server would give it free a little later.
	_, err := o.conn.Exec(ctx, "SELECT pg_advisory_unlock($1, hashtext(current_schema()))", int32(ownLock))
	return errors.Join(ignoreLost(err), o.conn.Close(ctx))
}

// ignoreLost forgets the error of a connection that is gone, and the lock with it.
func ignoreLost(err error) error {
	if (*postgresEngine)(nil).classify(err).kind == failTransient {
		return nil
	}
	return err
}
