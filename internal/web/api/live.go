package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tollgate"
	"tollgate/internal/feed"
)

// LiveFields pick what a live feed shows.
type LiveFields struct {
	Model       string `json:"model,omitempty" maxLength:"256" doc:"As the client sends it."`
	KeyID       int64  `json:"key_id,omitempty" minimum:"0"`
	StatusClass int    `json:"status_class,omitempty" enum:"2,4,5" doc:"Then only requests that ended are shown."`
}

// Live is what feeds need.
type Live struct {
	Hub *feed.Hub
	// Stopped is closed when the process shuts down.
	Stopped <-chan struct{}
}

// liveBeat is the silence after which a feed says that it lives.
const liveBeat = 15 * time.Second

// LiveTypes is the content type of feeds.
func LiveTypes() []string { return []string{"text/event-stream"} }

// Stream is a feed of the requests that want picks: events new (a request
// began), update (it ended) and lagged (so many events were lost), each with a
// JSON object. It goes on until ctx is done.
func (l Live) Stream(ctx context.Context, f LiveFields, want func(*tollgate.Request) bool, record func(tollgate.Request) Request) Stream {
	watch := l.Hub.Watch(func(r *tollgate.Request) bool { return f.picks(r) && want(r) })
	return Stream{ContentType: LiveTypes()[0], Send: func(w *Sender) error {
		defer watch.Close()
		return l.send(ctx, w, watch, record)
	}}
}

func (f LiveFields) picks(r *tollgate.Request) bool {
	return (f.Model == "" || r.Model == f.Model) && (f.KeyID == 0 || r.KeyID == f.KeyID) && (f.StatusClass == 0 || r.Status/100 == f.StatusClass)
}

func (l Live) send(ctx context.Context, w *Sender, watch *feed.Watch, record func(tollgate.Request) Request) error {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	text := []byte(": watching\n\n")
	for {
		if _, err := w.Write(text); err != nil {
			return nil // the client left
		}
		if err := w.Flush(); err != nil {
			return nil // the client left
		}
		var err error
		select {
		case <-ctx.Done():
			return sayEnd(ctx, w)
		case <-l.Stopped:
			return nil
		case <-beat.C:
			text = append(text[:0], ": still there\n\n"...)
		case e := <-watch.C:
			if text, err = appendEvents(text[:0], e, watch, record); err != nil {
				return err
			}
		}
		if n := watch.Lost(); n > 0 {
			text = fmt.Appendf(text, "event: lagged\ndata: {\"lost\":%d}\n\n", n)
		}
	}
}

// sayEnd tells a client that is still there why the feed ends.
func sayEnd(ctx context.Context, w *Sender) error {
	e := tollgate.AsError(context.Cause(ctx))
	if e.Code == tollgate.CodeInternal {
		return nil // it left
	}
	text, err := json.Marshal(map[string]string{"error": e.Message})
	if err == nil {
		_, _ = fmt.Fprintf(w, "event: end\ndata: %s\n\n", text)
	}
	return err
}

// appendEvents writes e and what else is there already.
func appendEvents(b []byte, e feed.Event, watch *feed.Watch, record func(tollgate.Request) Request) ([]byte, error) {
	for n := len(watch.C); ; n-- {
		text, err := json.Marshal(record(*e.Request))
		if err != nil {
			return b, err
		}
		name := "new"
		if e.Ended {
			name = "update"
		}
		b = append(append(append(b, "event: "+name+"\ndata: "...), text...), "\n\n"...)
		if n == 0 {
			return b, nil
		}
		e = <-watch.C
	}
}
