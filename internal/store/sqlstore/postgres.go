package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"tollgate"
	"tollgate/internal/store/migrations"
)

// Settings of the PostgreSQL connections.
const (
	postgresMinConns     = 8
	postgresConnsPerCore = 4
)

// postgresDatabase is a database, or a schema of one by search_path.
type postgresDatabase struct {
	dsn   string
	shown string // dsn without its password
}

func (d *postgresDatabase) describe() string { return d.shown }

func (d *postgresDatabase) config() (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(d.dsn)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the PostgreSQL DSN cannot be read")
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "tollgate"
	}
	c.DialFunc = patient(c.DialFunc)
	return c, nil
}

// patient dials again for a second while the server's queue of connections is
// full: a unix socket then refuses at once (EAGAIN) where TCP would wait.
func patient(dial pgconn.DialFunc) pgconn.DialFunc {
	const pause, tries = 10 * time.Millisecond, 100
	return func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		for range tries {
			if conn, err = dial(ctx, network, addr); !errors.Is(err, syscall.EAGAIN) {
				return conn, err
			}
			select {
			case <-ctx.Done():
				return nil, err
			case <-time.After(pause):
			}
		}
		return nil, err
	}
}

// postgresEngine is an open PostgreSQL database.
type postgresEngine struct {
	db     *sql.DB
	owner  *owner
	query  string // of append
	usage  *usageSpec
	bounds []int64 // of latencies
}

// open takes the lock, looks that the database is ours, and opens it.
func (d *postgresDatabase) open(ctx context.Context, o Options) (_ engine, err error) {
	config, err := d.config()
	if err != nil {
		return nil, err
	}
	own, err := claimPostgres(ctx, config, o.Log)
	if err != nil {
		return nil, d.refused(err)
	}
	e := &postgresEngine{owner: own, db: stdlib.OpenDB(*config), usage: newUsageSpec(), bounds: tollgate.LatencyBounds()}
	e.query = appendQuery(e.usage)
	defer func() {
		if err != nil {
			_ = e.close()
		}
	}()
	conns := max(postgresMinConns, postgresConnsPerCore*runtime.NumCPU())
	e.db.SetMaxOpenConns(conns)
	e.db.SetMaxIdleConns(conns)
	found, err := examine(ctx, e.db, postgresTables)
	if err != nil {
		return nil, failure(ctx, e, err, "look at the database")
	}
	if err := found.admissible(d); err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, e.db, migrations.Postgres); err != nil {
		return nil, failure(ctx, e, err, "bring the schema up to date")
	}
	own.renewed = func() { // what ended the lock's connection ended the others too
		e.db.SetMaxIdleConns(0)
		e.db.SetMaxIdleConns(conns)
	}
	own.watch()
	return e, nil
}

// postgresTables lists what is in the schema, less what extensions put there.
const postgresTables = `SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
	AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`

// probe looks at the database in a read-only transaction.
func (d *postgresDatabase) probe(ctx context.Context) (found Found, err error) {
	config, err := d.config()
	if err != nil {
		return Found{}, err
	}
	own, err := claimPostgres(ctx, config, nil)
	if err != nil {
		return Found{}, d.refused(err)
	}
	defer func() { err = errors.Join(err, own.close()) }()
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return Found{}, d.refused(err)
	}
	defer func() { _ = tx.Rollback() }()
	found, err = examine(ctx, tx, postgresTables)
	if err != nil {
		return Found{}, d.refused(err)
	}
	return found, nil
}

func (d *postgresDatabase) refused(err error) error {
	if errors.Is(err, errLocked) {
		return tollgate.WrapError(tollgate.CodeConflict, err,
			"another tollgate process owns the database %s; stop it first, one process owns a database", d.shown)
	}
	return tollgate.WrapError(tollgate.CodeUnavailable, err, "the database %s cannot be reached", d.shown)
}

func (e *postgresEngine) view(ctx context.Context) (*sql.Tx, error) {
	return e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// update serialises writers by a lock of the transaction, which also holds
// where the process's own mutex does not reach.
func (e *postgresEngine) update(ctx context.Context) (*sql.Tx, func(), error) {
	if err := e.owner.err(); err != nil {
		return nil, nil, err
	}
	tx, end, err := beginOwned(ctx, e.db)
	if err != nil {
		return nil, nil, err
	}
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", int32(writeLock)); err != nil {
		err = errors.Join(err, tx.Rollback())
		end()
		return nil, nil, err
	}
	return tx, end, nil
}

// holdAppends takes the one lock that every append needs. An append that waits
// for it has changed no row yet, so that neither can wait for the other.
func (*postgresEngine) holdAppends(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "LOCK TABLE requests IN EXCLUSIVE MODE")
	return err
}

func (*postgresEngine) needsSavepoint() bool { return true }

func (*postgresEngine) jsonInts(arg string) string {
	return "SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST(" + arg + " AS JSON)) AS v"
}

func (*postgresEngine) jsonTexts(arg string) string {
	return "SELECT v FROM json_array_elements_text(CAST(" + arg + " AS JSON)) AS v"
}

// classify reads the SQLSTATE; the field is in the name of the constraint.
func (*postgresEngine) classify(err error) fault {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return fault{kind: connectionFault(err)}
	}
	switch e.Code {
	case "23505":
		return fault{failUnique, fieldOf(e.ConstraintName)}
	case "23514":
		return fault{failCheck, fieldOf(e.ConstraintName)}
	case "23503":
		return fault{failReference, fieldOf(e.ConstraintName)}
	case "23502":
		return fault{failReference, fieldOf(e.ColumnName)}
	}
	// Connection, resources, operator intervention, serialisation, lock wait.
	for _, class := range []string{"08", "53", "57P", "58", "40", "55P03", "25006"} {
		if strings.HasPrefix(e.Code, class) {
			return fault{kind: failTransient}
		}
	}
	return fault{}
}

// connectionFault tells a lost connection from a mistake of ours.
func connectionFault(err error) failKind {
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	if network || connect || pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, errLocked) {
		return failTransient
	}
	return failOther
}

// ping asks the database and looks that the lock is still ours.
// queue is nil: the disk of this process may be gone when the database is not.
func (*postgresEngine) queue() *backlog { return nil }

func (e *postgresEngine) ping(ctx context.Context) error {
	if err := e.owner.check(ctx); err != nil {
		return err
	}
	return e.integrity(ctx)
}

func (e *postgresEngine) integrity(ctx context.Context) error {
	var n int64
	return e.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM meta WHERE name = ''").Scan(&n)
}

func (e *postgresEngine) close() error { return errors.Join(e.db.Close(), e.owner.close()) }
