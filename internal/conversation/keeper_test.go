package conversation_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/conversation"
	"tollgate/internal/store/sqlstore"
)

// world is a keeper on SQLite with two users.
type world struct {
	t      *testing.T
	store  *sqlstore.Store
	ring   *seal.Keyring
	keeper *conversation.Keeper
	now    time.Time
	alice  int64
	bob    int64
}

func newWorld(t *testing.T, l conversation.Limits) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	var err error
	w.store, err = sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Now: clock})
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	w.ring, _, err = seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for tests only"), Source: seal.SourceFile}, rand.Reader)
	must(t, err)
	w.keeper, err = conversation.NewKeeper(w.store, w.ring, clock, l)
	must(t, err)
	must(t, w.store.Update(t.Context(), func(tx tollgate.Tx) error {
		for name, id := range map[string]*int64{"alice": &w.alice, "bob": &w.bob} {
			u := tollgate.User{Name: name, Enabled: true, Role: tollgate.RoleUser, CreatedAt: w.now}
			if err := tx.Users.Insert(t.Context(), &u); err != nil {
				return err
			}
			*id = u.ID
		}
		return nil
	}))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func raws(texts ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(texts))
	for i, s := range texts {
		out[i] = json.RawMessage(s)
	}
	return out
}

// answer is a response object with one output item.
func answer(id, item string) json.RawMessage {
	return json.RawMessage(`{"id":"` + id + `", "output":[` + item + `]}`)
}

func (w *world) keep(owner int64, id, previous, input, output string) {
	w.t.Helper()
	must(w.t, w.keeper.Keep(w.t.Context(), owner, conversation.Turn{ID: id, Previous: previous, Input: raws(input), Response: answer(id, output)}))
}

func (w *world) history(owner int64, id string) ([]string, error) {
	items, err := w.keeper.History(w.t.Context(), owner, id)
	var out []string
	for _, it := range items {
		out = append(out, string(it))
	}
	return out, err
}

func notFound(t *testing.T, err error, id string) {
	t.Helper()
	e, ok := errors.AsType[*tollgate.Error](err)
	if !ok || e.Reason != "previous_response_not_found" || !strings.Contains(e.Message, id) {
		t.Fatalf("error %v, want that %s is not found", err, id)
	}
}

func TestAConversationReadsBackByteForByteAndInOrder(t *testing.T) {
	w := newWorld(t, conversation.Limits{})
	w.keep(w.alice, "resp_1", "", `{"role":"user", "content":"<ä> "}`, `{"type":"message","n":1.0}`)
	w.keep(w.alice, "resp_2", "resp_1", `{"role":"user","content":"b"}`, `{"type":"reasoning","encrypted_content":"gAAA"}`)
	got, err := w.history(w.alice, "resp_2")
	must(t, err)
	want := []string{
		`{"role":"user", "content":"<ä> "}`, `{"type":"message","n":1.0}`,
		`{"role":"user","content":"b"}`, `{"type":"reasoning","encrypted_content":"gAAA"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	turn, err := w.keeper.Get(t.Context(), w.alice, "resp_2")
	must(t, err)
	if string(turn.Response) != string(answer("resp_2", want[3])) || turn.Previous != "resp_1" || !turn.CreatedAt.Equal(w.now) {
		t.Errorf("read back %+v", turn)
	}
}

func TestNobodyElseSeesATurn(t *testing.T) {
	w := newWorld(t, conversation.Limits{})
	w.keep(w.alice, "resp_1", "", `{}`, `{}`)
	for _, owner := range []int64{w.bob, 0} {
		_, err := w.history(owner, "resp_1")
		notFound(t, err, "resp_1")
		if _, err := w.keeper.Get(t.Context(), owner, "resp_1"); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			t.Errorf("Get: %v", err)
		}
		if err := w.keeper.Delete(t.Context(), owner, "resp_1"); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			t.Errorf("Delete: %v", err)
		}
	}
	w.keep(w.bob, "resp_1", "", `{"bob":1}`, `{}`) // the same id is another turn
	got, err := w.history(w.alice, "resp_1")
	must(t, err)
	if got[0] != `{}` {
		t.Errorf("alice sees %v", got)
	}
}

func TestTheDatabaseHoldsNoPlainText(t *testing.T) {
	w := newWorld(t, conversation.Limits{})
	w.keep(w.alice, "resp_1", "", `{"content":"a canary"}`, `{"text":"another canary"}`)
	must(t, w.store.View(t.Context(), func(tx tollgate.Tx) error {
		row, err := tx.Turns.Get(t.Context(), w.alice, "resp_1")
		if strings.Contains(string(row.Sealed), "canary") {
			t.Error("a turn is stored in the clear")
		}
		if _, err := w.ring.Open(tollgate.Label{Table: "turns", Column: "sealed", Row: w.bob, Origin: "resp_1"}, row.Sealed); err == nil {
			t.Error("a turn opens for another owner")
		}
		return err
	}))
}

func TestTurnsEnd(t *testing.T) {
	w := newWorld(t, conversation.Limits{Life: time.Hour})
	w.keep(w.alice, "resp_1", "", `{}`, `{}`)
	w.now = w.now.Add(30 * time.Minute)
	w.keep(w.alice, "resp_2", "resp_1", `{}`, `{}`)
	w.now = w.now.Add(30 * time.Minute)
	_, err := w.history(w.alice, "resp_2")
	notFound(t, err, "resp_1")
	w.now = w.now.Add(time.Second)
	must(t, w.keeper.Prune(t.Context()))
	must(t, w.store.View(t.Context(), func(tx tollgate.Tx) error {
		if _, err := tx.Turns.Get(t.Context(), w.alice, "resp_1"); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			t.Errorf("an expired turn outlives a prune: %v", err)
		}
		return nil
	}))
	must(t, w.keeper.Delete(t.Context(), w.alice, "resp_2"))
	_, err = w.history(w.alice, "resp_2")
	notFound(t, err, "resp_2")
}

func TestConversationsAreBounded(t *testing.T) {
	w := newWorld(t, conversation.Limits{Chain: 1000, Turns: 5})
	long := `{"t":"` + strings.Repeat("x", 600) + `"}`
	w.keep(w.alice, "resp_1", "", long, `{}`)
	w.keep(w.alice, "resp_2", "resp_1", long, `{}`)
	if _, err := w.history(w.alice, "resp_2"); tollgate.ErrorCode(err) != tollgate.CodeTooLarge {
		t.Errorf("a conversation over the bound: %v", err)
	}
	err := w.keeper.Keep(t.Context(), w.alice, conversation.Turn{ID: "resp_3", Input: raws(long, long), Response: answer("resp_3", "")})
	if tollgate.ErrorCode(err) != tollgate.CodeTooLarge {
		t.Errorf("a turn over the bound: %v", err)
	}
	w.keep(w.alice, "loop", "loop", `{}`, `{}`)
	if _, err := w.history(w.alice, "loop"); tollgate.ErrorCode(err) != tollgate.CodeTooLarge {
		t.Errorf("a conversation without end: %v", err)
	}
}

func TestOldTurnsMakeWayForNewOnes(t *testing.T) {
	w := newWorld(t, conversation.Limits{Owner: 4000})
	noise := make([]byte, 400)
	for i := range 20 {
		_, err := rand.Read(noise)
		must(t, err)
		w.keep(w.alice, fmt.Sprintf("resp_%d", i), "", fmt.Sprintf(`{"n":"%x"}`, noise), `{}`)
	}
	w.keep(w.bob, "resp_0", "", `{}`, `{}`)
	must(t, w.store.View(t.Context(), func(tx tollgate.Tx) error {
		n, err := tx.Turns.Size(t.Context(), w.alice)
		if n > 4000 || n < 2000 {
			t.Errorf("%d bytes are kept, want at most 4000 and not few", n)
		}
		return err
	}))
	if _, err := w.history(w.alice, "resp_19"); err != nil {
		t.Errorf("the newest turn: %v", err)
	}
	_, err := w.history(w.alice, "resp_0")
	notFound(t, err, "resp_0")
	if _, err := w.history(w.bob, "resp_0"); err != nil {
		t.Errorf("another's turn made way: %v", err)
	}
}

func TestCarriedTextsOpenForTheirOwnerAlone(t *testing.T) {
	w := newWorld(t, conversation.Limits{})
	sealed, err := conversation.SealText(w.ring, w.alice, "a summary")
	must(t, err)
	if text, ours, err := conversation.OpenText(w.ring, w.alice, sealed); text != "a summary" || !ours || err != nil {
		t.Errorf("opened %q, %v, %v", text, ours, err)
	}
	if _, ours, err := conversation.OpenText(w.ring, w.alice, "gAAAA-of-a-vendor"); ours || err != nil {
		t.Errorf("a vendor's text: %v, %v", ours, err)
	}
	for _, bad := range []string{sealed[:len(sealed)-4] + "AAAA", conversation.SealMark(), conversation.SealMark() + "!"} {
		if _, ours, err := conversation.OpenText(w.ring, w.alice, bad); !ours || tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q: %v, %v", bad, ours, err)
		}
	}
	if _, _, err := conversation.OpenText(w.ring, w.bob, sealed); tollgate.AsError(err).Reason != "invalid_encrypted_content" {
		t.Errorf("another owner: %v", err)
	}
}

func TestAStoreThatFailsIsTold(t *testing.T) {
	w := newWorld(t, conversation.Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.keeper.Keep(ctx, w.alice, conversation.Turn{ID: "resp_1", Response: answer("resp_1", "")}); err == nil {
		t.Error("a turn that was not stored passes for stored")
	}
}
