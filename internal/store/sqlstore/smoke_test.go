package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/sqlstore"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	u := tollgate.User{Name: "alice", Role: tollgate.RoleUser, Enabled: true, CreatedAt: time.Now()}
	s.Watch(func(ctx context.Context, a tollgate.Area) error { t.Log("touched", a); return nil })
	if err := s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Users.Insert(t.Context(), &u) }); err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx tollgate.Tx) error { v := u; return tx.Users.Insert(t.Context(), &v) })
	t.Log(err, tollgate.ErrorCode(err))
	err = s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Keys.Insert(t.Context(), &tollgate.Key{UserID: 77, Digest: []byte("x")}) })
	t.Log(err, tollgate.ErrorCode(err))
	if err := s.View(t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Users.Query(t.Context(), tollgate.UserFilter{Name: tollgate.Is("alice")}, tollgate.Page{})
		t.Log(rows)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var ids tollgate.RequestIDs
	now := time.Now()
	if err := s.Append(t.Context(), []tollgate.Request{{ID: ids.Next(now), StartedAt: now, UserID: u.ID, Dispatches: []tollgate.Dispatch{{Cost: 5, StartedAt: now}}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(tx tollgate.Tx) error {
		rows, err := tx.Usage.Summarize(t.Context(), tollgate.UsageFilter{}, tollgate.GroupDay)
		t.Log(rows)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: dir, Now: time.Now}); err == nil {
		t.Fatal("twice")
	} else {
		t.Log(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := sqlstore.Probe(t.Context(), sqlstore.Options{Dir: dir})
	t.Log(f, err)
}
