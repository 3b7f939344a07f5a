package sqlstore

import (
	"strings"
	"testing"
	"time"
)

// Every column of the schema belongs to a declared table and the other way
// round: a column that only one side knows would be lost without a word.
func TestDeclaredTablesMatchTheSchema(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		t.Fatalf("the engine is a %T", s.engine)
	}
	declared := map[string]string{
		"settings": "name, value", "meta": "name, value", "rate_counters": "limit_id, state", "spent_tokens": "digest, expires_at",
		"payloads": "id, user_id, truncated, bytes, size, chunks, sealed", "payload_chunks": "id, user_id, digest, size, sealed",
		"removed": "id, requests, dispatches, cost",
	}
	for _, d := range []struct{ name, columns string }{
		declare(s.tables.users), declare(s.tables.keys), declare(s.tables.teams), declare(s.tables.sessions), declare(s.tables.factors), declare(s.tables.identities), declare(s.tables.signInProviders), declare(s.tables.links), declare(s.tables.asks), declare(s.tables.teamPermissions),
		declare(s.tables.permissions), declare(s.tables.filePermissions), declare(s.tables.quotas), declare(s.tables.rateLimits),
		declare(s.tables.providers), declare(s.tables.credentials), declare(s.tables.models), declare(s.tables.aliases), declare(s.tables.prices), declare(s.tables.audit),
		declare(s.tables.adjustments), declare(s.tables.turns), declare(s.tables.reratings), declare(s.tables.alarms),
		declare(s.tables.configVersions), declare(s.tables.configTexts), declare(s.tables.syncTargets),
		{"rerated", names(reratedColumns())},
		{"requests", names(s.tables.usage.requests)},
		{"dispatches", names(s.tables.usage.dispatches)},
		{"intents", names(s.tables.usage.intents)},
		{"usage_hours", names(s.tables.usage.hours)},
		{"usage_days", names(s.tables.usage.days)},
		{"traffic", names(s.tables.usage.traffic)},
		{"latencies", names(s.tables.usage.latencies)},
	} {
		declared[d.name] = d.columns
	}
	source := sqliteSource{e.reader}
	tables, err := source.tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		columns, err := source.columns(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(columns, ", ")
		if declared[table] != got {
			t.Errorf("table %s has columns %s, declared are %s", table, got, declared[table])
		}
		delete(declared, table)
	}
	if len(declared) != 0 {
		t.Errorf("declared but not in the schema: %v", declared)
	}
}

func declare[T, F any](s *spec[T, F]) struct{ name, columns string } {
	return struct{ name, columns string }{s.name, s.list()}
}
