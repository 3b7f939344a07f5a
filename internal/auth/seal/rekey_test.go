package seal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"tollgate"
	"tollgate/internal/auth/seal"
)

// metaStore is a store of Meta alone that loses power on request: the call
// that makes the count reach zero fails, and so does every later one.
type metaStore struct {
	tollgate.Store
	rows seal.Stored
	left int // calls until the power goes; negative = never
}

var errPower = errors.New("power is gone")

func (s *metaStore) tick() error {
	if s.left == 0 {
		return errPower
	}
	s.left--
	return nil
}

func (s *metaStore) View(_ context.Context, fn func(tollgate.Tx) error) error {
	if err := s.tick(); err != nil {
		return err
	}
	return fn(tollgate.Tx{Meta: metaTable{s, s.rows}})
}

// Update is atomic: a failure inside of it, or right before its commit, leaves
// nothing; one right after leaves everything.
func (s *metaStore) Update(_ context.Context, fn func(tollgate.Tx) error) error {
	work := maps.Clone(s.rows)
	if err := fn(tollgate.Tx{Meta: metaTable{s, work}}); err != nil {
		return err
	}
	if err := s.tick(); err != nil {
		return err
	}
	s.rows = work
	return s.tick()
}

type metaTable struct {
	store *metaStore
	rows  seal.Stored
}

func (m metaTable) Get(_ context.Context, name string) ([]byte, error) {
	v, ok := m.rows[name]
	if !ok {
		return nil, tollgate.Errorf(tollgate.CodeNotFound, "no meta value %s", name)
	}
	return v, nil
}

func (m metaTable) Put(_ context.Context, name string, value []byte) error {
	if err := m.store.tick(); err != nil {
		return err
	}
	m.rows[name] = value
	return m.store.tick()
}

func (m metaTable) Delete(_ context.Context, name string) error {
	delete(m.rows, name)
	return nil
}

func opens(rows seal.Stored, key tollgate.Secret) bool {
	_, err := seal.Unlock(seal.Master{Key: key, Source: seal.SourceEnv}, metaOf(rows))
	return err == nil
}

func TestC04RekeySurvivesDeathAtEveryStep(t *testing.T) {
	_, stored := newKeyring(t)
	old, next := tollgate.NewSecret("a master key for the tests"), tollgate.NewSecret("the next master key")
	at := tollgate.Label{Table: "users", Column: "password", Row: 5}
	k, err := seal.Unlock(seal.Master{Key: old}, metaOf(stored))
	if err != nil {
		t.Fatal(err)
	}
	record, err := k.Seal(at, []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	deaths := 0
	for left := 0; ; left++ {
		s := &metaStore{rows: maps.Clone(stored), left: left}
		err := seal.Rekey(t.Context(), s, seal.Change{Old: old, New: next, Source: seal.SourceFile})
		if err == nil {
			break
		}
		if !errors.Is(err, errPower) {
			t.Fatalf("after %d calls: %v", left, err)
		}
		deaths++
		if !opens(s.rows, old) && !opens(s.rows, next) {
			t.Fatalf("death after %d calls left a database that nothing opens", left)
		}
		s.left = -1
		if err := seal.Rekey(t.Context(), s, seal.Change{Old: old, New: next, Source: seal.SourceFile}); err != nil {
			t.Fatalf("second run after %d calls: %v", left, err)
		}
		if opens(s.rows, old) || !opens(s.rows, next) || string(s.rows[seal.MetaSource]) != "file" {
			t.Fatalf("second run after %d calls: old opens %v, new opens %v, source %s",
				left, opens(s.rows, old), opens(s.rows, next), s.rows[seal.MetaSource])
		}
	}
	if deaths < 8 {
		t.Errorf("only %d points of death were tried", deaths)
	}

	s := &metaStore{rows: maps.Clone(stored), left: -1}
	var steps []int
	during := false
	change := seal.Change{
		Old: old, New: next, Source: seal.SourceEnv,
		Switch:   func() error { during = during || opens(s.rows, old) && opens(s.rows, next); return nil },
		Progress: func(done, total int, _ string) { steps = append(steps, done*10+total) },
	}
	for range 2 { // the second time there is nothing to do
		if err := seal.Rekey(t.Context(), s, change); err != nil {
			t.Fatal(err)
		}
	}
	if !during {
		t.Error("the two keys were not both accepted during the change")
	}
	if len(steps) != 6 || steps[0] != 13 || steps[2] != 33 {
		t.Errorf("progress was %v", steps)
	}
	again, err := seal.Unlock(seal.Master{Key: next}, metaOf(s.rows))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(at, record); err != nil || string(got) != "kept" {
		t.Errorf("a record sealed before opens to %q, %v", got, err)
	}
	if got, err := k.Open(at, record); err != nil || string(got) != "kept" {
		t.Errorf("the keyring of the running server broke: %q, %v", got, err)
	}
}

func TestC04RekeyRefusesWrongOrWeakKeys(t *testing.T) {
	_, stored := newKeyring(t)
	right, next := tollgate.NewSecret("a master key for the tests"), tollgate.NewSecret("the next master key")
	for name, c := range map[string]seal.Change{
		"wrong old key":     {Old: tollgate.NewSecret("not the master key"), New: next},
		"no old key":        {New: next},
		"short new key":     {Old: right, New: tollgate.NewSecret("short")},
		"empty new key":     {Old: right},
		"published new key": {Old: right, New: tollgate.NewSecret("your-secret-key-goes-here")},
	} {
		s := &metaStore{rows: maps.Clone(stored), left: -1}
		if err := seal.Rekey(t.Context(), s, c); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%s: %v, want CodeInvalid", name, err)
		}
		if !maps.EqualFunc(s.rows, stored, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Errorf("%s: the database was changed", name)
		}
	}
}

func TestC04AbandonedRekeyGivesWay(t *testing.T) {
	_, stored := newKeyring(t)
	old := tollgate.NewSecret("a master key for the tests")
	abandoned, wanted := tollgate.NewSecret("a key that was given up"), tollgate.NewSecret("the key that is wanted")
	s := &metaStore{rows: maps.Clone(stored), left: -1}
	failed := errors.New("the disk is full")
	err := seal.Rekey(t.Context(), s, seal.Change{Old: old, New: abandoned, Switch: func() error { return failed }})
	if !errors.Is(err, failed) || !opens(s.rows, old) || !opens(s.rows, abandoned) {
		t.Fatalf("half a change: %v; old opens %v, new opens %v", err, opens(s.rows, old), opens(s.rows, abandoned))
	}
	if err := seal.Rekey(t.Context(), s, seal.Change{Old: old, New: wanted, Source: seal.SourceEnv}); err != nil {
		t.Fatal(err)
	}
	if opens(s.rows, old) || opens(s.rows, abandoned) || !opens(s.rows, wanted) {
		t.Error("after the change more than the new key opens the database, or not even that")
	}
}

// TestC04RekeyFromFileToVariable walks the operator's way: the server starts at
// every point of the change with the variable set.
func TestC04RekeyFromFileToVariable(t *testing.T) {
	path := filepath.Join(t.TempDir(), seal.KeyFileName)
	m, err := seal.ResolveMaster(seal.Given{KeyFile: path, NewDatabase: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WriteKeyFile(rand.Reader); err != nil {
		t.Fatal(err)
	}
	_, stored, err := seal.Create(m, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &metaStore{rows: stored, left: -1}
	given := seal.Given{Env: secret("a variable to move to"), KeyFile: path, Meta: func(n string) ([]byte, bool) { return metaOf(s.rows)(n) }}
	start := func() error {
		m, err := seal.ResolveMaster(given)
		if err != nil {
			return err
		}
		_, err = seal.Unlock(m, given.Meta)
		return err
	}
	if err := start(); err == nil {
		t.Fatal("started with the variable set while the key file is in use")
	}
	key, _, err := seal.ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var during error
	err = seal.Rekey(t.Context(), s, seal.Change{
		Old: key, New: tollgate.NewSecret("a variable to move to"), Source: seal.SourceEnv,
		Switch: func() error { during = start(); return nil },
	})
	if err != nil || during != nil {
		t.Fatalf("rekey: %v; start meanwhile: %v", err, during)
	}
	if err := start(); err != nil {
		t.Errorf("start afterwards: %v", err)
	}
	given.Env = tollgate.Opt[tollgate.Secret]{}
	if err := start(); err == nil {
		t.Error("started with the old key file afterwards")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("rekey removed the old key file, which older backups need: %v", err)
	}
}
