package alarm

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
)

// Source tells how quotas stand; a *ledger.Machine is one.
type Source interface {
	// Noticed returns a channel that has a signal when standings wait.
	Noticed() <-chan struct{}
	// Standings takes what waits.
	Standings() []tollgate.Standing
	// Return puts standings back that could not be dealt with.
	Return([]tollgate.Standing)
}

// Settings are what may change while the process runs.
type Settings struct {
	// Thresholds are percent of a limit, rising.
	Thresholds []int
	// URL is where alarms go; empty = nowhere. Secret signs them.
	URL, Secret tollgate.Secret
}

// Keeper writes alarms down and delivers them. Set the fields, then Run it.
// Its other methods may be called any time, and never wait for the store or
// the receiver, but for Test.
type Keeper struct {
	Store  tollgate.Store
	Source Source
	// Client calls the webhook. It follows no redirect and dials no address that
	// it must not.
	Client *http.Client
	Now    func() time.Time
	Rand   io.Reader
	Log    *slog.Logger

	settings atomic.Pointer[Settings]

	mu     sync.Mutex
	wake   chan struct{}
	events []tollgate.Alarm // unpriced models and overruns that wait
	known  map[string]bool  // their subjects
	due    chan struct{}    // an alarm was written down that is to be delivered
}

// Set puts settings in force. Thresholds also have to be told to the Source.
func (k *Keeper) Set(s Settings) {
	k.settings.Store(&s)
	signal(k.channel(&k.due))
}

func (k *Keeper) current() Settings {
	if s := k.settings.Load(); s != nil {
		return *s
	}
	return Settings{}
}

// channel returns a channel of the keeper, made on its first use.
func (k *Keeper) channel(c *chan struct{}) chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if *c == nil {
		*c = make(chan struct{}, 1)
	}
	return *c
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mostKnown bounds the subjects that are remembered and the events that wait.
const mostKnown = 4096

// Dispatched looks at a settled dispatch: a model without a price, and a cost
// above what was held, are alarms, once for each provider, model and UTC day.
func (k *Keeper) Dispatched(d *tollgate.Dispatch) {
	if d.Exactness == tollgate.ExactUnpriced {
		k.event(tollgate.AlarmUnpriced, d)
	}
	if d.Overrun > 0 {
		k.event(tollgate.AlarmOverrun, d)
	}
}

func (k *Keeper) event(kind tollgate.AlarmKind, d *tollgate.Dispatch) {
	at := d.StartedAt.UTC()
	subject := fmt.Sprintf("%s:%d:%s:%s", kind, d.ProviderID, at.Format(time.DateOnly), d.Model)
	k.mu.Lock()
	if k.known[subject] || len(k.events) >= mostKnown {
		k.mu.Unlock()
		return
	}
	if k.known == nil || len(k.known) >= mostKnown {
		k.known = map[string]bool{}
	}
	k.known[subject] = true
	k.events = append(k.events, tollgate.Alarm{Kind: kind, Subject: subject, ProviderID: d.ProviderID, Model: d.Model, Spent: d.Overrun})
	k.mu.Unlock()
	signal(k.channel(&k.wake))
}

// pause is how long a store that is away is left alone.
const pause = time.Second

// Run writes alarms down and delivers them until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	var deliveries sync.WaitGroup
	deliveries.Go(func() { k.deliver(ctx) })
	defer deliveries.Wait()
	events := k.channel(&k.wake)
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.Source.Noticed():
		case <-events:
		}
		if err := k.write(ctx); err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "alarms not written down yet", "error", err)
			sleep(ctx, pause)
			signal(events)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// write writes down what waits; what could not be waits on.
func (k *Keeper) write(ctx context.Context) error {
	standings := k.Source.Standings()
	k.mu.Lock()
	events := k.events
	k.events = nil
	k.mu.Unlock()
	if len(standings)+len(events) == 0 {
		return nil
	}
	w := writer{keeper: k, settings: k.current(), at: k.Now()}
	err := k.Store.Update(ctx, func(tx tollgate.Tx) error {
		w.added = nil
		if err := w.quotas(ctx, tx, standings); err != nil {
			return err
		}
		return w.others(ctx, tx, events)
	})
	if err != nil {
		k.Source.Return(standings)
		k.mu.Lock()
		k.events = append(events, k.events...)
		k.mu.Unlock()
		return err
	}
	for _, a := range w.added {
		k.Log.WarnContext(ctx, "alarm", "alarm", a.EventID, "kind", string(a.Kind), "text", Text(&a))
	}
	if len(w.added) > 0 {
		signal(k.channel(&k.due))
	}
	return nil
}

// eventID makes the id of an alarm.
func (k *Keeper) eventID() (string, error) {
	var b [15]byte
	if _, err := io.ReadFull(k.Rand, b[:]); err != nil {
		return "", tollgate.WrapError(tollgate.CodeInternal, err, "make the id of an alarm")
	}
	return "alarm_" + base32.HexEncoding.EncodeToString(b[:]), nil
}
