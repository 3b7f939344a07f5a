package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// stamp is a fixed time of the tests.
func stamp() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC) }

// fill puts rows of many kinds into the store, and deletes the newest team so
// that its id must stay used.
func fill(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx tollgate.Tx) error {
		limit := tollgate.Dollar
		user := tollgate.User{Name: "alice", Role: tollgate.RoleSuperAdmin, Enabled: true, Password: []byte{0, 255}, CreatedAt: stamp()}
		provider := tollgate.Provider{Name: "lab", Settings: []byte(`{"a": [1]}`), CreatedAt: stamp()}
		team := tollgate.Team{Name: "gone"}
		if err := errors.Join(tx.Users.Insert(ctx, &user), tx.Providers.Insert(ctx, &provider), tx.Teams.Insert(ctx, &team)); err != nil {
			return err
		}
		first := tollgate.Key{UserID: user.ID, Digest: []byte("1"), Enabled: true}
		second := tollgate.Key{UserID: user.ID, Digest: []byte("2"), Models: []string{"ü*"}}
		if err := errors.Join(tx.Keys.Insert(ctx, &first), tx.Keys.Insert(ctx, &second)); err != nil {
			return err
		}
		first.CreatedByKeyID = second.ID // a reference to a later row
		return errors.Join(
			tx.Keys.Update(ctx, first),
			tx.Permissions.Insert(ctx, &tollgate.Permission{UserID: user.ID, ProviderID: provider.ID, ModelPattern: "*", Automatic: true}),
			tx.Quotas.Insert(ctx, &tollgate.Quota{Scope: tollgate.ScopeKey, ScopeID: first.ID, Window: tollgate.WindowDay, Limit: &limit}),
			tx.Settings.Put(ctx, tollgate.Setting{Name: "s", Value: []byte("true")}),
			tx.Meta.Put(ctx, "seal.root", []byte{1, 2, 0, 3}),
			tx.Audit.Append(ctx, &tollgate.AuditEntry{At: stamp(), Action: "x"}),
			tx.Teams.Delete(ctx, team.ID),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := new(tollgate.RequestIDs)
	var rows []tollgate.Request
	for i := range 2500 {
		rows = append(rows, tollgate.Request{
			ID: ids.Next(stamp()), UserID: 1, StartedAt: stamp(), Stream: i%2 == 0, Dispatches: []tollgate.Dispatch{{StartedAt: stamp(), Cost: tollgate.Money(i)}},
		})
	}
	if err := s.Append(ctx, rows); err != nil {
		t.Fatal(err)
	}
}

// contents is everything that a store holds.
type contents struct {
	Users       []tollgate.User
	Keys        []tollgate.Key
	Providers   []tollgate.Provider
	Permissions []tollgate.Permission
	Quotas      []tollgate.Quota
	Settings    []tollgate.Setting
	Audit       []tollgate.AuditEntry
	Root        []byte
	Dispatches  []tollgate.UsageRow
	Requests    []tollgate.Request
	NextTeam    int64
}

func read(t *testing.T, s *sqlstore.Store) (c contents) {
	t.Helper()
	ctx, page := t.Context(), tollgate.Page{All: true}
	err := s.View(ctx, func(tx tollgate.Tx) error {
		var errs [10]error
		c.Users, _, errs[0] = tx.Users.Query(ctx, tollgate.UserFilter{}, page)
		c.Keys, _, errs[1] = tx.Keys.Query(ctx, tollgate.KeyFilter{}, page)
		c.Providers, _, errs[2] = tx.Providers.Query(ctx, tollgate.ProviderFilter{}, page)
		c.Permissions, _, errs[3] = tx.Permissions.Query(ctx, tollgate.PermissionFilter{}, page)
		c.Quotas, _, errs[4] = tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, page)
		c.Settings, errs[5] = tx.Settings.All(ctx)
		c.Audit, _, errs[6] = tx.Audit.Query(ctx, tollgate.AuditFilter{}, page)
		c.Root, errs[7] = tx.Meta.Get(ctx, "seal.root")
		c.Dispatches, _, errs[8] = tx.Usage.Dispatches(ctx, tollgate.UsageFilter{}, page)
		c.Requests, _, errs[9] = tx.Usage.Requests(ctx, tollgate.RequestFilter{}, page)
		return errors.Join(errs[:]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	rollback := errors.New("look only")
	err = s.Update(ctx, func(tx tollgate.Tx) error {
		team := tollgate.Team{Name: "probe"}
		if err := tx.Teams.Insert(ctx, &team); err != nil {
			return err
		}
		c.NextTeam = team.ID
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	return c
}

// engines are the databases that backups are taken from and restored into.
func engines(t *testing.T) map[string]func(*testing.T) sqlstore.Options {
	t.Helper()
	out := map[string]func(*testing.T) sqlstore.Options{"SQLite": sqliteOptions}
	if storetest.HavePostgres(t) {
		out["Postgres"] = postgresOptions
	}
	return out
}

func TestB05BackupsRestoreOnEveryEngine(t *testing.T) {
	for from, source := range engines(t) {
		for to, target := range engines(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				s := open(t, source(t))
				fill(t, s)
				file := filepath.Join(t.TempDir(), "backup.db")
				if err := s.Backup(t.Context(), file, progress(t)); err != nil {
					t.Fatal(err)
				}
				want := read(t, s)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if len(want.Dispatches) != 2500 || want.NextTeam != 2 {
					t.Fatalf("%d dispatches and next team %d were there to save", len(want.Dispatches), want.NextTeam)
				}
				saved, err := sqlstore.Probe(t.Context(), sqlstore.Options{DSN: "sqlite://" + file})
				if at, ok := saved.Meta(sqlstore.MetaBackupAt); err != nil || !ok || string(at) != "2026-03-14T15:09:26Z" {
					t.Fatalf("the backup says it was taken at %q (%v)", at, err)
				}
				o := target(t)
				before := hashes(t, filepath.Dir(file))
				if err := sqlstore.Restore(t.Context(), file, o, progress(t)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, hashes(t, filepath.Dir(file))); diff != "" {
					t.Fatalf("restoring changed the backup: %s", diff)
				}
				restored := open(t, o)
				defer func() { _ = restored.Close() }()
				if err := restored.IntegrityCheck(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, read(t, restored)); diff != "" {
					t.Fatalf("restored contents differ (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// progress checks that reports rise and end with everything done.
func progress(t *testing.T) func(done, total int64) {
	t.Helper()
	var last, all int64
	t.Cleanup(func() {
		if all == 0 || last != all {
			t.Errorf("the last progress was %d of %d", last, all)
		}
	})
	return func(done, total int64) {
		if done < last || done > total {
			t.Errorf("progress went from %d to %d of %d", last, done, total)
		}
		last, all = done, total
	}
}

func TestBackupUnderLoadIsOfOneMoment(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t, options(t))
			defer func() { _ = s.Close() }()
			fill(t, s)
			ctx, stop := context.WithCancel(t.Context())
			var writing sync.WaitGroup
			writing.Go(func() {
				for i := 0; ctx.Err() == nil; i++ { // each commit keeps settings and teams equal in number
					_ = s.Update(ctx, func(tx tollgate.Tx) error {
						return errors.Join(tx.Teams.Insert(ctx, &tollgate.Team{Name: strconv.Itoa(i)}),
							tx.Settings.Put(ctx, tollgate.Setting{Name: fmt.Sprint("team ", i), Value: []byte("1")}))
					})
				}
			})
			dir := t.TempDir()
			for i := range 3 {
				if err := s.Backup(t.Context(), filepath.Join(dir, fmt.Sprint(i, ".db")), nil); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			writing.Wait()
			for i := range 3 {
				copied := open(t, sqlstore.Options{DSN: "sqlite://" + filepath.Join(dir, fmt.Sprint(i, ".db"))})
				err := copied.View(t.Context(), func(tx tollgate.Tx) error {
					teams, err := tx.Teams.Count(t.Context(), tollgate.TeamFilter{})
					settings, err2 := tx.Settings.All(t.Context())
					if int(teams) != len(settings)-1 {
						t.Errorf("the backup holds %d teams and %d settings", teams, len(settings)-1)
					}
					return errors.Join(err, err2)
				})
				if err := errors.Join(err, copied.IntegrityCheck(t.Context()), copied.Close()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestBackupRefusesAnExistingFileAndCleansUp(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t, options(t))
			defer func() { _ = s.Close() }()
			dir := t.TempDir()
			file := filepath.Join(dir, "backup.db")
			if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			unchanged(t, dir, func() {
				wantCode(t, s.Backup(t.Context(), file, nil), tollgate.CodeConflict, "already exists")
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := s.Backup(ctx, filepath.Join(dir, "other.db"), nil); err == nil {
					t.Fatal("a backup under an ended context succeeded")
				}
			})
		})
	}
}

func TestRestoreRefusesWhatIsNotEmptyOrNotABackup(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			s := open(t, o)
			fill(t, s)
			dir := t.TempDir()
			file := filepath.Join(dir, "backup.db")
			if err := s.Backup(t.Context(), file, nil); err != nil {
				t.Fatal(err)
			}
			want := read(t, s)
			wantCode(t, sqlstore.Restore(t.Context(), file, o, nil), tollgate.CodeConflict, "another tollgate process")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			wantCode(t, sqlstore.Restore(t.Context(), file, o, nil), tollgate.CodeConflict, "not empty")
			again := open(t, o)
			got := read(t, again)
			got.NextTeam = want.NextTeam // looking uses up an id of PostgreSQL
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("a refused restore changed the database:\n%s", diff)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			fresh := options(t)
			other := filepath.Join(dir, "other")
			if err := os.WriteFile(other, []byte("SQLite format 3\x00 or so"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := sqlstore.Restore(t.Context(), other, fresh, nil); err == nil {
				t.Fatal("a file that is no backup was restored")
			}
			exec1(t, filepath.Join(dir, "foreign.db"), "CREATE TABLE x (y)")
			wantCode(t, sqlstore.Restore(t.Context(), filepath.Join(dir, "foreign.db"), fresh, nil), tollgate.CodeInvalid, "not a tollgate backup")
			wantCode(t, sqlstore.Restore(t.Context(), filepath.Join(dir, "absent.db"), fresh, nil), tollgate.CodeInvalid, "not a tollgate backup")
			damage(t, file)
			if err := sqlstore.Restore(t.Context(), file, fresh, nil); err == nil {
				t.Fatal("a damaged backup was restored")
			}
			if found, err := sqlstore.Probe(t.Context(), fresh); err != nil || found.Exists {
				t.Fatalf("refused restores left %+v, %v", found, err)
			}
		})
	}
}

// damage overwrites the middle of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)/2+20_000; i++ {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
