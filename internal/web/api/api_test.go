package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web/api"
)

func TestScopeSpellings(t *testing.T) {
	for in, want := range map[string]tollgate.Match[int64]{
		`{"eq":7}`: tollgate.Is[int64](7), `{"Eq":7}`: tollgate.Is[int64](7), `{"in":[1,2]}`: tollgate.Is[int64](1, 2), `{"In":[]}`: {Set: true}, `"all"`: {}, `"All"`: {},
	} {
		var s api.Scope[int64]
		if err := json.Unmarshal([]byte(in), &s); err != nil || s.Fault() != "" || s.Set != want.Set || len(s.Values) != len(want.Values) {
			t.Errorf("%s = %+v %v", in, s, err)
		}
	}
	for _, in := range []string{`7`, `null`, `"ALL"`, `{}`, `{"eq":1,"in":[2]}`, `{"eq":null}`, `{"in":null}`, `{"in":[null]}`, `{"in":7}`, `{"eq":"x"}`, `{"ne":1}`, `[1]`, `true`} {
		var s api.Scope[int64]
		if err := json.Unmarshal([]byte(in), &s); err != nil || s.Fault() == "" || s.Set {
			t.Errorf("%s passed: %+v %v", in, s, err)
		}
	}
}

// FuzzScope: whatever comes, a filter either says what is wrong and selects
// nothing, or has no fault; it never panics.
func FuzzScope(f *testing.F) {
	for _, s := range []string{`{"eq":"a"}`, `{"in":["a","b"]}`, `"all"`, `null`, `{"eq":{}}`, `{"In":[null]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s api.Scope[string]
		if json.Unmarshal(b, &s) == nil && s.Fault() != "" && (s.Set || len(s.Values) > 0) {
			t.Fatalf("%q selects %+v in spite of %q", b, s.Match, s.Fault())
		}
	})
}

func TestOptTellsAbsentNullAndValueApart(t *testing.T) {
	var v struct {
		A, B, C api.Opt[api.Money]
		D       api.Val[bool]
	}
	if err := json.Unmarshal([]byte(`{"A":null,"B":0.000000001,"D":null}`), &v); err != nil {
		t.Fatal(err)
	}
	if !v.A.Set || !v.A.Null || !v.B.Set || v.B.Null || v.B.Value != 1 || v.C.Set || v.D.Fault() == "" || v.A.Fault() != "" {
		t.Errorf("%+v", v)
	}
	if err := json.Unmarshal([]byte(`{"B":0.0000000001}`), &v); err != nil || v.B.Fault() == "" {
		t.Errorf("too many decimals: %v %+v", err, v.B)
	}
}

func TestQuotaRecordKnowsItsWindow(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	limit := 10 * tollgate.Dollar
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) // Saturday evening in New York
	for _, c := range []struct {
		window tollgate.Window
		start  time.Time // of the stored window
		spent  string
		resets string
	}{
		{tollgate.WindowTotal, time.Time{}, "4", ""},
		{tollgate.WindowDay, time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC), "4", "2026-11-22T05:00:00Z"},
		{tollgate.WindowDay, time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC), "0", "2026-11-22T05:00:00Z"},
		{tollgate.WindowWeek, time.Date(2026, 11, 16, 5, 0, 0, 0, time.UTC), "4", "2026-11-23T05:00:00Z"},
		{tollgate.WindowWeek, time.Date(2026, 11, 9, 5, 0, 0, 0, time.UTC), "0", "2026-11-23T05:00:00Z"},
		{tollgate.WindowMonth, time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC), "4", "2026-12-01T05:00:00Z"},
	} {
		q := tollgate.Quota{ID: 7, Scope: tollgate.ScopeTeam, ScopeID: 1, Window: c.window, Limit: &limit, Spent: 4 * tollgate.Dollar, WindowStart: c.start}
		rec := api.QuotaRecord(q, now, zone, func(id int64) tollgate.Money { return tollgate.Money(id) * tollgate.Dollar / 2 })
		resets := ""
		if rec.ResetsAt != nil {
			resets = rec.ResetsAt.Format(time.RFC3339)
		}
		if tollgate.Money(rec.CostUsed).String() != c.spent || resets != c.resets || *rec.Remaining != api.Money(limit)-rec.CostUsed-rec.Held ||
			rec.Held != api.Money(7*tollgate.Dollar/2) || rec.TeamID != 1 || rec.UserID != 0 || rec.Scope != "team" {
			t.Errorf("%s from %v: used %v, resets %s", c.window, c.start, rec.CostUsed, resets)
		}
	}
}
