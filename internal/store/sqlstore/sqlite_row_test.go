package sqlstore_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
)

// sparse is a request of which chance left out most: more kinds of rows than
// there are statements for.
func sparse(rnd *rand.Rand, ids *tollgate.RequestIDs) tollgate.Request {
	r := tollgate.Request{ID: ids.Next(stamp())}
	d := tollgate.Dispatch{ID: r.ID.Dispatch(1)}
	for _, n := range []*int64{
		&r.UserID, &r.KeyID, &r.SessionID, &r.TeamID, &r.ProviderID, &r.Tokens.Input, &r.Tokens.CacheRead, &r.Tokens.Output, (*int64)(&r.Cost),
		&d.ProviderID, &d.CredentialID, &d.Tokens.Input, &d.Tokens.CacheWrite1h, &d.Tokens.Reasoning, (*int64)(&d.Cost), &d.PriceVersion,
	} {
		*n = rnd.Int64N(2) * rnd.Int64N(1000)
	}
	for _, s := range []*string{
		&r.ClientIP, &r.UserAgent, &r.Model, &r.Served, &r.ErrorText, &r.Tags, (*string)(&r.Dialect), (*string)(&r.Operation), (*string)(&r.ErrorClass),
		&d.Model, &d.ErrorClass, &d.ServiceTier, (*string)(&d.Exactness),
	} {
		*s = []string{"", "x", "'); DROP TABLE requests; --", "ü"}[rnd.IntN(4)]
	}
	r.Service, r.Stream, r.Status = rnd.IntN(2) > 0, rnd.IntN(2) > 0, 200*rnd.IntN(2)
	r.Latency, d.Latency = time.Duration(rnd.IntN(2))*time.Second, time.Duration(rnd.IntN(2))*time.Millisecond
	r.StartedAt, d.StartedAt = stamp(), stamp()
	r.Dispatches = []tollgate.Dispatch{d}
	return r
}

func TestRowsOfEveryShapeAreStoredAsTheyAre(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t, options(t))
			rnd, ids := rand.New(rand.NewPCG(1, 2)), new(tollgate.RequestIDs)
			var requests []tollgate.Request
			var usage []tollgate.UsageRow
			for range 10 {
				batch := make([]tollgate.Request, 30)
				for i := range batch {
					r := sparse(rnd, ids)
					batch[i] = r
					usage = append(usage, r.Row(0))
					r.Dispatches = nil
					requests = append(requests, r)
				}
				for range 2 { // once more changes nothing
					if err := s.Append(t.Context(), batch); err != nil {
						t.Fatal(err)
					}
				}
			}
			err := s.View(t.Context(), func(tx tollgate.Tx) error {
				gotRequests, _, err := tx.Usage.Requests(t.Context(), tollgate.RequestFilter{}, tollgate.Page{All: true})
				if err != nil {
					return err
				}
				gotUsage, _, err := tx.Usage.Dispatches(t.Context(), tollgate.UsageFilter{}, tollgate.Page{All: true})
				if diff := cmp.Diff(requests, gotRequests); diff != "" {
					t.Errorf("requests: -want +got\n%.2000s", diff)
				}
				if diff := cmp.Diff(usage, gotUsage); diff != "" {
					t.Errorf("usage: -want +got\n%.2000s", diff)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
