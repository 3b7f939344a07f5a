package ops_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
	"tollgate/internal/ops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func options(dir string) ops.OpenOptions {
	return ops.OpenOptions{
		Config: config.Config{
			DataDir: dir, DSN: tollgate.NewSecret("sqlite://" + filepath.Join(dir, "tollgate.db")),
			MasterKey: tollgate.NewSecret("correct horse battery staple"), Ledger: config.Ledger{Durability: "process"},
		},
		Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
}

// installation is an open database with the control socket beside it.
func installation(t *testing.T, dir string) (*ops.Host, *ops.Client) {
	t.Helper()
	o := options(dir)
	db, err := ops.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	host := &ops.Host{Database: db, Log: o.Log}
	server, err := ops.Serve(t.Context(), dir, host, o.Log)
	if err != nil {
		t.Fatal(err)
	}
	client, ok := ops.Dial(t.Context(), dir)
	if !ok {
		t.Fatal("nobody answers")
	}
	t.Cleanup(func() {
		client.Close()
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return host, client
}

func TestC08N76SocketIsTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	installation(t, dir)
	for path, want := range map[string]os.FileMode{dir: 0o700, ops.SocketPath(dir): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

func TestSocketCarriesOperationsAndErrors(t *testing.T) {
	_, client := installation(t, filepath.Join(t.TempDir(), "data"))
	ctx := t.Context()
	u, err := ops.Call[ops.User](ctx, client, "user.create", ops.UserArgs{Name: "bob", Generate: true}, nil)
	if err != nil || u.Name != "bob" || u.Role != "user" || len(u.Password) != 27 {
		t.Errorf("created %+v: %v", u, err)
	}
	_, err = ops.Call[ops.User](ctx, client, "user.create", ops.UserArgs{Name: "bob"}, nil)
	if tollgate.ErrorCode(err) != tollgate.CodeConflict || !strings.Contains(err.Error(), "name") {
		t.Errorf("a name that is taken: %v", err)
	}
	k, err := ops.Call[ops.Key](ctx, client, "key.create", ops.KeyArgs{User: "bob", Label: "l", ExpiresIn: time.Hour}, nil)
	if err != nil || !strings.HasPrefix(k.APIKey, "sk-tg-") || k.ExpiresAt.IsZero() {
		t.Errorf("key %+v: %v", k, err)
	}
	keys, err := ops.Call[[]ops.Key](ctx, client, "key.list", ops.KeyArgs{User: "bob"}, nil)
	if err != nil || len(keys) != 1 || keys[0].APIKey != "" {
		t.Errorf("keys %+v: %v", keys, err)
	}
	for name, args := range map[string]string{
		"no.such.operation": `{}`,
		"user.create":       `{"name":"x","surprise":1}`,
		"user.passwd":       `{"name":"nobody","generate":true}`,
		"backup":            `{"path":"relative.db"}`,
		"reload":            `{}`,
	} {
		if out, err := client.Run(ctx, name, json.RawMessage(args), nil); err == nil || tollgate.ErrorCode(err) == tollgate.CodeInternal {
			t.Errorf("%s %s: %s %v", name, args, out, err)
		}
	}
}

func TestB03PasswordOfTheSuperAdminIsSetFromTheHostAndAudited(t *testing.T) {
	host, client := installation(t, filepath.Join(t.TempDir(), "data"))
	ctx := t.Context()
	if _, err := host.Importer.Start(ctx, host.Store, config.Admin{User: "admin"}, config.Seed{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Call[ops.User](ctx, client, "user.passwd", ops.UserArgs{Name: "admin", Password: "a way back in, please"}, nil); err != nil {
		t.Fatal(err)
	}
	err := host.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Audit.Query(ctx, tollgate.AuditFilter{Target: tollgate.Is("user")}, tollgate.Page{All: true})
		last := rows[len(rows)-1]
		if last.Via != "cli" || last.ActorName != "host" || last.ActorID != 0 || last.TargetID != 1 || strings.Contains(string(last.Detail), "way back") {
			t.Errorf("audit entry %+v %s", last, last.Detail)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	installation(t, dir)
	if _, err := ops.Open(t.Context(), options(dir)); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("got %v", err)
	}
	c, err := ops.Connect(t.Context(), options(dir))
	if err != nil || !c.Remote {
		t.Fatalf("connected to %+v: %v", c, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestBackupTellsItsProgress(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, client := installation(t, dir)
	var seen atomic.Int64
	path := filepath.Join(t.TempDir(), "b.db")
	_, err := ops.Call[ops.None](t.Context(), client, "backup", ops.BackupArgs{Path: path}, func(p ops.Progress) {
		if p.Total > 0 && p.Done <= p.Total {
			seen.Add(1)
		}
	})
	if err != nil || seen.Load() == 0 {
		t.Errorf("%d reports: %v", seen.Load(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// runner is a Runner made of a function.
type runner func(ctx context.Context, report ops.Report) error

func (r runner) Run(ctx context.Context, _ string, _ json.RawMessage, report ops.Report) (json.RawMessage, error) {
	return json.RawMessage(`{}`), r(ctx, report)
}

func TestOperationEndsWithItsCommand(t *testing.T) {
	dir := t.TempDir()
	started, ended := make(chan struct{}), make(chan struct{})
	server, err := ops.Serve(t.Context(), dir, runner(func(ctx context.Context, report ops.Report) error {
		report(ops.Progress{Done: 1, Total: 2})
		close(started)
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client, ok := ops.Dial(t.Context(), dir)
	if !ok {
		t.Fatal("nobody answers")
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := client.Run(ctx, "x", nil, nil); err == nil {
		t.Error("a cancelled operation succeeded")
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the operation goes on without its command")
	}
	client.Close()
	if err := server.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, ok := ops.Dial(t.Context(), dir); ok {
		t.Error("the socket answers after the end")
	}
}

func TestSocketOfADeadProcessIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(ops.SocketPath(dir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := ops.Dial(t.Context(), dir); ok {
		t.Error("a dead socket answers")
	}
	installation(t, dir)
}

func TestDeepFoldersHaveASocketToo(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Log("this system has no /proc: left out")
		return
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, client := installation(t, dir)
	if s, err := ops.Call[ops.State](t.Context(), client, "server.state", ops.None{}, nil); err != nil || s.Running {
		t.Errorf("%+v %v", s, err)
	}
}

func TestRestoreEndsSessions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	host, client := installation(t, dir)
	ctx := t.Context()
	if _, err := host.Importer.Start(ctx, host.Store, config.Admin{User: "admin"}, config.Seed{}); err != nil {
		t.Fatal(err)
	}
	err := host.Store.Update(ctx, func(tx tollgate.Tx) error {
		return tx.Sessions.Insert(ctx, &tollgate.Session{UserID: 1, Digest: []byte("0123456789abcdef0123456789abcdef"), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "b.db")
	if _, err := ops.Call[ops.None](ctx, client, "backup", ops.BackupArgs{Path: backup}, nil); err != nil {
		t.Fatal(err)
	}
	fresh := options(filepath.Join(t.TempDir(), "fresh"))
	out, err := ops.Restore(ctx, fresh, backup, func(ops.Progress) {})
	if err != nil || out.Sessions != 1 || out.Users != 1 || out.Keys != 1 {
		t.Errorf("restored %+v: %v", out, err)
	}
	db, err := ops.Open(ctx, fresh)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Store.View(ctx, func(tx tollgate.Tx) error {
		n, err := tx.Sessions.Count(ctx, tollgate.SessionFilter{})
		if n != 0 {
			t.Errorf("%d sessions live on", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestM08VerifyRecomputesEveryBalance(t *testing.T) {
	host, client := installation(t, filepath.Join(t.TempDir(), "data"))
	ctx := t.Context()
	verify := func() ops.Verified {
		t.Helper()
		out, err := ops.Call[ops.Verified](ctx, client, "verify", ops.None{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var q tollgate.Quota
	change := func(fn func(tx tollgate.Tx) error) {
		t.Helper()
		if err := host.Store.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx tollgate.Tx) (err error) {
		q, err = host.Accounts.SaveQuota(ctx, tx, tollgate.HostActor("cli"), auth.QuotaWrite{
			Scope: tollgate.ScopeInstance, Window: tollgate.WindowDay, Limit: tollgate.Some(9 * tollgate.Dollar), Spent: tollgate.Some(4 * tollgate.Dollar),
		})
		return err
	})
	if out := verify(); out.Quotas != 1 || out.Adjustments != 1 || len(out.Problems) != 0 {
		t.Fatalf("verified %+v", out)
	}
	change(func(tx tollgate.Tx) error { return tx.Ledger.Restate(ctx, q.ID, q.WindowStart, 5*tollgate.Dollar) })
	const want = "quota 1 (instance, day): the balance is 5, its rows add up to 4 dollars"
	if out := verify(); len(out.Problems) != 1 || out.Problems[0] != want {
		t.Fatalf("verified %+v", out)
	}
}
