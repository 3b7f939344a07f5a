package alarm

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// retries are the pauses after failed deliveries; after the last one an alarm
// is given up, and stays in the list with its failure.
func retries() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
}

// lookEvery is how often deliveries are looked for that nothing tells of.
const lookEvery = 30 * time.Second

// deliver sends what is due until ctx ends. What a process that died has left
// is due when the next one starts.
func (k *Keeper) deliver(ctx context.Context) {
	due := k.channel(&k.due)
	for {
		wait, err := k.round(ctx)
		if err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "alarms not delivered", "error", err)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-due:
			t.Stop()
		}
	}
}

// round sends every alarm that is due and says when to look again.
func (k *Keeper) round(ctx context.Context) (time.Duration, error) {
	s := k.current()
	if s.URL.Empty() {
		return lookEvery, nil
	}
	var rows []tollgate.Alarm
	err := k.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		rows, _, err = tx.Alarms.Query(ctx, tollgate.AlarmFilter{Pending: true}, tollgate.Page{})
		return err
	})
	wait := lookEvery
	for i := range rows {
		if ctx.Err() != nil {
			return wait, ctx.Err()
		}
		if in := rows[i].NextAt.Sub(k.Now()); in > 0 {
			wait = min(wait, in)
			continue
		}
		if err := k.attempt(ctx, s, &rows[i]); err != nil {
			return wait, err
		}
		if !rows[i].NextAt.IsZero() {
			wait = min(wait, max(rows[i].NextAt.Sub(k.Now()), 0))
		}
	}
	return wait, err
}

// attempt sends an alarm once and writes down what became of it.
func (k *Keeper) attempt(ctx context.Context, s Settings, a *tollgate.Alarm) error {
	_, failure := k.send(ctx, s, a)
	if ctx.Err() != nil {
		return ctx.Err() // it counts as not sent
	}
	a.Attempts++
	a.Failure, a.NextAt = "", time.Time{}
	pauses := retries()
	switch {
	case failure == nil:
		a.SentAt = k.Now()
	case a.Attempts <= len(pauses):
		a.Failure, a.NextAt = reason(failure), k.Now().Add(pauses[a.Attempts-1])
	default:
		a.Failure = reason(failure)
		k.Log.ErrorContext(ctx, "the webhook took an alarm not once; it is not tried again", "alarm", a.EventID, "attempts", a.Attempts, "error", a.Failure)
	}
	return k.Store.Update(ctx, func(tx tollgate.Tx) error {
		now, err := tx.Alarms.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		now.Attempts, now.Failure, now.NextAt, now.SentAt = a.Attempts, a.Failure, a.NextAt, a.SentAt
		return tx.Alarms.Update(ctx, now) // it may have been acknowledged meanwhile
	})
}

// maxFailure bounds what is kept of a failure, in bytes.
const maxFailure = 300

// reason is why a delivery failed, without the URL, which may hold a secret.
func reason(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), ""), "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), maxFailure)], "")
}

// send posts an alarm and returns the receiver's status. Anything but 2xx is
// an error. Nothing else of the answer is looked at.
func (k *Keeper) send(ctx context.Context, s Settings, a *tollgate.Alarm) (int, error) {
	body, err := json.Marshal(messageOf(a))
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the webhook's URL is not one")
	}
	stamp := strconv.FormatInt(k.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tollgate")
	req.Header.Set("Webhook-Id", a.EventID)
	req.Header.Set("Webhook-Timestamp", stamp)
	req.Header.Set("Webhook-Signature", Sign(s.Secret, a.EventID, stamp, body))
	resp, err := k.Client.Do(req)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.StatusCode, fmt.Errorf("the receiver answered %d", resp.StatusCode)
	}
	return resp.StatusCode, nil
}

// secretPrefix marks a secret that is base64 of the key.
const secretPrefix = "whsec_"

// Key is the key that a secret stands for: base64 behind "whsec_", else the
// text itself (Standard Webhooks, "Signature scheme").
func Key(secret tollgate.Secret) ([]byte, error) {
	text := secret.Reveal()
	if encoded, ok := strings.CutPrefix(text, secretPrefix); ok {
		return base64.StdEncoding.DecodeString(encoded)
	}
	return []byte(text), nil
}

// Sign is the header webhook-signature: version 1 of Standard Webhooks is an
// HMAC-SHA256 of id, timestamp and body, with full stops between.
func Sign(secret tollgate.Secret, id, stamp string, body []byte) string {
	key, err := Key(secret)
	if err != nil {
		key = []byte(secret.Reveal()) // refused by the configuration
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + stamp + "."))
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Tested is what became of a test.
type Tested struct {
	EventID string
	Status  int // of the receiver; 0 = none came
	Failure string
	Took    time.Duration
}

// Test sends an event of type "test" once, now, and says what happened. It is
// CodeConflict when there is no webhook.
func (k *Keeper) Test(ctx context.Context) (Tested, error) {
	s := k.current()
	if s.URL.Empty() {
		return Tested{}, tollgate.Errorf(tollgate.CodeConflict, "there is no webhook; set alarm_webhook and alarm_secret in [ledger]")
	}
	id, err := k.eventID()
	if err != nil {
		return Tested{}, err
	}
	began := k.Now()
	out := Tested{EventID: id}
	if out.Status, err = k.send(ctx, s, &tollgate.Alarm{EventID: id, Kind: "test", At: began}); err != nil {
		out.Failure = reason(err)
	}
	out.Took = k.Now().Sub(began)
	return out, nil
}
