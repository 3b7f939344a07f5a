package payload_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/payload"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// onEngines runs a test on SQLite and, where there is a server, on PostgreSQL.
func onEngines(t *testing.T, run func(t *testing.T, o sqlstore.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, sqlstore.Options{Dir: t.TempDir()}) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(t, sqlstore.Options{DSN: storetest.PostgresDSN(t)}) })
	}
}

// rig is a keeper on a database.
type rig struct {
	*payload.Keeper
	t     testing.TB
	o     sqlstore.Options
	store tollgate.Store
	ring  *seal.Keyring
	now   atomic.Int64 // of the clock, in seconds
	ids   tollgate.RequestIDs
	end   func()
}

func settings() payload.Settings {
	return payload.Settings{Mode: tollgate.PayloadsAll, Body: 1 << 20, Sent: true, Life: 30 * 24 * time.Hour, Total: 1 << 30}
}

func newRig(tb testing.TB, o sqlstore.Options) *rig {
	tb.Helper()
	ring, _, err := seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for tests only"), Source: seal.SourceFile}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	r := &rig{t: tb, o: o, ring: ring}
	r.now.Store(1_780_000_000)
	r.open(settings())
	tb.Cleanup(func() { r.end() })
	return r
}

// open opens the store and starts a keeper; end stops both.
func (r *rig) open(s payload.Settings) {
	r.t.Helper()
	store, err := sqlstore.Open(context.Background(), r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.store = store
	r.Keeper = &payload.Keeper{
		Store: store, Sealer: r.ring, MAC: r.ring.MAC, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Unix(r.now.Load(), 0) },
	}
	if err := r.Open(s); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.end = func() {
		cancel()
		<-done
		_ = store.Close()
	}
}

// keep hands a request over and returns its id.
func (r *rig) keep(user int64, request, response string) tollgate.RequestID {
	r.t.Helper()
	c := r.Begin(nil)
	if c == nil {
		r.t.Fatal("nothing is to be kept")
	}
	c.Request("application/json", []byte(request))
	for part := range strings.SplitAfterSeq(response, "\n") {
		c.Answer("text/event-stream", []byte(part))
	}
	id := r.ids.Next(r.Now())
	c.Finish(payload.Outcome{ID: id, UserID: user, Scrub: func(b []byte) []byte { return b }})
	return id
}

func (r *rig) flush() {
	r.t.Helper()
	if err := r.Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(id tollgate.RequestID) payload.Content {
	r.t.Helper()
	c, _, err := r.Read(r.t.Context(), id, tollgate.Match[int64]{})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// chunks is how many chunks a user has, and how many of them nothing needs.
func (r *rig) chunks(user int64) (all, unused int) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), func(tx tollgate.Tx) error {
		ids, err := tx.Payloads.Unused(r.t.Context(), user)
		if err != nil {
			return err
		}
		unused = len(ids)
		var known []int64
		for i := range int64(2000) {
			known = append(known, i)
		}
		have, err := tx.Payloads.Chunks(r.t.Context(), user, known)
		all = len(have)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all, unused
}

// chat is the body of a conversation of n turns, each of about size bytes.
func chat(who string, n, size int) string {
	var messages []map[string]string
	for i := range n {
		role := []string{"user", "assistant"}[i%2]
		messages = append(messages, map[string]string{"role": role, "content": fmt.Sprintf("%s %d %s", who, i, strings.Repeat("word ", size/5))})
	}
	b, err := json.Marshal(map[string]any{"model": "m", "messages": messages, "stream": true})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestBodiesReadBackAndHistoryIsKeptOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		r := newRig(t, o)
		bodies := map[tollgate.RequestID]string{}
		for n := 1; n <= 20; n++ {
			body := chat("ann", n, 600)
			bodies[r.keep(7, body, "data: one\ndata: two\n")] = body
			if n%3 == 0 {
				r.flush()
			}
		}
		r.flush()
		for id, body := range bodies {
			c := r.read(id)
			if string(c.Request.Data) != body || c.Request.Truncated || c.Request.Bytes != int64(len(body)) || c.Sent != nil {
				t.Errorf("request: %+v", c.Request)
			}
			if string(c.Response.Data) != "data: one\ndata: two\n" || c.Response.Type != "text/event-stream" {
				t.Errorf("response: %+v", c.Response)
			}
		}
		if all, unused := r.chunks(7); all != 20 || unused != 0 {
			t.Errorf("%d chunks for 20 messages, %d unused", all, unused)
		}
		// Somebody else says the same: nothing is shared, and nothing can be compared.
		r.keep(8, chat("ann", 5, 600), "x")
		r.flush()
		if all, _ := r.chunks(8); all != 5 {
			t.Errorf("%d chunks of somebody else", all)
		}
		err := r.store.View(t.Context(), func(tx tollgate.Tx) error {
			mine, err := tx.Payloads.Chunks(t.Context(), 7, []int64{1, 2, 3, 4, 5})
			if err != nil {
				return err
			}
			for _, c := range mine {
				if known, err := tx.Payloads.Known(t.Context(), 8, [][]byte{c.Digest}); err != nil || len(known) != 0 {
					t.Errorf("a digest is equal across users: %v %v", known, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for id := range bodies {
			if _, _, err := r.Read(t.Context(), id, tollgate.Is[int64](8)); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
				t.Errorf("somebody else reads it: %v", err)
			}
		}
		if s := r.Stats(); s.Kept != 21 || s.Dropped != 0 || s.Failed != 0 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestModesKeepWhatIsAskedFor(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	off, errs, all := tollgate.PayloadsOff, tollgate.PayloadsErrors, tollgate.PayloadsAll
	for _, c := range []struct {
		global, key   tollgate.PayloadMode
		failed, wants bool
	}{
		{off, off, true, false},
		{off, "", true, false},
		{off, errs, true, true},
		{off, errs, false, false},
		{off, all, false, true},
		{errs, off, true, true},
		{errs, "", false, false},
		{errs, all, false, true},
		{all, off, false, true},
		{all, errs, false, true},
	} {
		s := settings()
		s.Mode = c.global
		r.Set(s)
		id := r.ids.Next(r.Now())
		if capture := r.Begin(&tollgate.Key{Payloads: c.key}); capture != nil {
			capture.Request("application/json", []byte("{}"))
			capture.Finish(payload.Outcome{ID: id, Failed: c.failed, Scrub: bytes.Clone})
		}
		r.flush()
		_, _, err := r.Read(t.Context(), id, tollgate.Match[int64]{})
		if (err == nil) != c.wants {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if s := r.Stats(); s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

func TestBodiesAreBoundedAndMarked(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	s := settings()
	s.Body = 2000
	r.Set(s)
	body := chat("ann", 10, 600)
	id := r.keep(7, body, strings.Repeat("data: x\n", 1000))
	again := r.keep(7, body, "short")
	r.flush()
	c := r.read(id)
	if string(c.Request.Data) != body[:2000] || !c.Request.Truncated || c.Request.Bytes != int64(len(body)) {
		t.Errorf("request: %d of %d, truncated %v", len(c.Request.Data), c.Request.Bytes, c.Request.Truncated)
	}
	if len(c.Response.Data) != 2000 || !c.Response.Truncated || c.Response.Bytes != 8000 {
		t.Errorf("response: %d of %d, truncated %v", len(c.Response.Data), c.Response.Bytes, c.Response.Truncated)
	}
	err := r.store.View(t.Context(), func(tx tollgate.Tx) error {
		states, err := tx.Payloads.States(t.Context(), []tollgate.RequestID{id, again})
		if states[id] != tollgate.PayloadTruncated || states[again] != tollgate.PayloadTruncated {
			t.Errorf("states: %v", states)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestL04WithoutRoomPayloadsAreDropped stops the writer: captures neither wait
// nor grow beyond the bound, what finds no room is counted, and later ones are kept.
func TestL04WithoutRoomPayloadsAreDropped(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	r.QueueBytes = 50_000
	gate := make(chan struct{})
	slow := r.Begin(nil)
	slow.Request("", []byte("{}"))
	slow.Finish(payload.Outcome{ID: r.ids.Next(r.Now()), Scrub: func(b []byte) []byte { <-gate; return b }})
	start := time.Now()
	for range 3000 {
		c := r.Begin(nil)
		c.Request("", make([]byte, 3000))
		c.Answer("", make([]byte, 3000))
		c.Finish(payload.Outcome{ID: r.ids.Next(r.Now()), Scrub: bytes.Clone})
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("captures took %v beside a writer that stands still", took)
	}
	s := r.Stats()
	if s.Waiting > r.QueueBytes || s.Dropped < 2900 {
		t.Errorf("%+v", s)
	}
	close(gate)
	r.flush()
	id := r.keep(1, "{}", "x")
	r.flush()
	r.read(id)
	if after := r.Stats(); after.Waiting != 0 || after.Dropped != s.Dropped || after.Kept != 3002-s.Dropped {
		t.Errorf("%+v", after)
	}
}

// failing is a store that takes no writes for a while.
type failing struct {
	tollgate.Store
	fail atomic.Bool
}

func (f *failing) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	if f.fail.Load() {
		return errors.New("the disk is full")
	}
	return f.Store.Update(ctx, fn)
}

func TestAStoreThatFailsLosesPayloadsAlone(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	broken := &failing{Store: r.store}
	r.Store = broken
	broken.fail.Store(true)
	r.keep(1, chat("a", 3, 600), "x")
	r.flush()
	broken.fail.Store(false)
	id := r.keep(1, chat("a", 3, 600), "x")
	r.flush()
	r.read(id)
	if s := r.Stats(); s.Failed != 1 || s.Kept != 1 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRemovalTakesWhatNothingElseNeeds removes by age, by choice, by size and
// with the user; what others need stays and can be read.
func TestRemovalTakesWhatNothingElseNeeds(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		r := newRig(t, o)
		user := tollgate.User{Name: "ann", Enabled: true, Role: tollgate.RoleUser}
		if err := r.store.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Users.Insert(t.Context(), &user) }); err != nil {
			t.Fatal(err)
		}
		prune := func() {
			t.Helper()
			if err := r.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		first := r.keep(user.ID, chat("ann", 4, 600), "x")
		r.now.Add(20 * 24 * 3600)
		second := r.keep(user.ID, chat("ann", 3, 600), "x")
		r.keep(99, chat("eve", 3, 600), "x") // who does not exist
		r.flush()
		s := settings()
		s.Life = 100 * 365 * 24 * time.Hour // longer than there are ids
		r.Set(s)
		prune()
		r.read(first)
		r.Set(settings())
		if all, _ := r.chunks(99); all != 0 {
			t.Errorf("%d chunks of a user who is gone", all)
		}
		r.now.Add(11 * 24 * 3600)
		prune()
		if _, _, err := r.Read(t.Context(), first, tollgate.Match[int64]{}); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			t.Errorf("an old one is read: %v", err)
		}
		if all, unused := r.chunks(user.ID); all != 3 || unused != 0 {
			t.Errorf("%d chunks, %d unused", all, unused)
		}
		if got := r.read(second); string(got.Request.Data) != chat("ann", 3, 600) {
			t.Error("what is left changed")
		}
		noted := 0
		third := r.keep(user.ID, chat("ann", 5, 600), "x") // not yet written
		n, err := r.Clear(t.Context(), tollgate.PayloadFilter{ID: tollgate.Is(third)}, func(tollgate.Tx) error { noted++; return nil })
		if err != nil || n != 1 || noted != 1 {
			t.Errorf("cleared %d, noted %d: %v", n, noted, err)
		}
		if all, unused := r.chunks(user.ID); all != 3 || unused != 0 {
			t.Errorf("%d chunks, %d unused", all, unused)
		}
		for i := range 40 {
			r.keep(user.ID, chat(fmt.Sprint("noise", i), 2, 3000), rand.Text())
		}
		r.flush()
		s = settings()
		s.Total = r.Stats().Bytes / 2
		r.Set(s)
		prune()
		if got := r.Stats().Bytes; got > s.Total || got < s.Total/2 {
			t.Errorf("%d bytes are left of at most %d", got, s.Total)
		}
		if _, unused := r.chunks(user.ID); unused != 0 {
			t.Errorf("%d unused chunks", unused)
		}
		if n, err := r.Clear(t.Context(), tollgate.PayloadFilter{}, nil); err != nil || n == 0 || r.Stats().Bytes != 0 {
			t.Errorf("cleared %d of all, %d bytes are left: %v", n, r.Stats().Bytes, err)
		}
	})
}

// TestARemovalThatDiedIsFinished leaves chunks that nothing needs, as a process
// does that is killed between two steps.
func TestARemovalThatDiedIsFinished(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	r.keep(0, chat("a", 4, 600), "x")
	r.flush()
	err := r.store.Update(t.Context(), func(tx tollgate.Tx) error {
		_, err := tx.Payloads.Remove(t.Context(), tollgate.PayloadFilter{}, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	r.open(settings())
	if err := r.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, _ := r.chunks(0); all != 0 {
		t.Errorf("%d chunks are left", all)
	}
}

// TestC02APayloadOpensInItsPlaceAlone moves what is sealed to another user,
// request and digest.
func TestC02APayloadOpensInItsPlaceAlone(t *testing.T) {
	r := newRig(t, sqlstore.Options{Dir: t.TempDir()})
	id, other := r.keep(1, chat("a", 2, 600), "x"), r.keep(2, chat("a", 2, 600), "x")
	r.flush()
	var mine, theirs tollgate.Payload
	err := r.store.Update(t.Context(), func(tx tollgate.Tx) (err error) {
		if mine, err = tx.Payloads.Get(t.Context(), id); err != nil {
			return err
		}
		if theirs, err = tx.Payloads.Get(t.Context(), other); err != nil {
			return err
		}
		for i, p := range []tollgate.Payload{
			{UserID: 1, Sealed: mine.Sealed, Chunks: mine.Chunks}, {UserID: 2, Sealed: mine.Sealed, Chunks: theirs.Chunks}, {UserID: 1, Sealed: mine.Sealed, Chunks: theirs.Chunks},
		} {
			p.ID = tollgate.RequestID(16 * (i + 1))
			if err := tx.Payloads.Put(t.Context(), &p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if c, _, err := r.Read(t.Context(), tollgate.RequestID(16*(i+1)), tollgate.Match[int64]{}); err == nil {
			t.Errorf("what was moved opens: %+v", c)
		}
	}
}
