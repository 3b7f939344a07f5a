// Package storetest is the conformance suite of tollgate.Store: the contract
// in store.go, line by line. A backend is supported when Run passes on it.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate"
)

// Opener makes an empty database that is gone after t and returns how to open
// it. The suite calls the function again after Close, for what must survive.
type Opener func(t *testing.T) func() tollgate.Store

// Run runs the whole suite; each test has a database of its own.
func Run(t *testing.T, opener Opener) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*bench)
	}{
		{"TablesKeepEveryField", testTables},
		{"GetUpdateDeleteOfUnknownIDsAreNotFound", testUnknownIDs},
		{"TakenUniqueValuesConflict", testConflicts},
		{"DanglingReferencesAreInvalid", testReferences},
		{"ValuesOutsideTheSchemaAreInvalid", testChecks},
		{"ARefusedStatementLeavesTheTransactionUsable", testRefusedStatement},
		{"IDsAreNeverReused", testIDsNeverReused},
		{"DeleteTakesWhatTheRowOwns", testCascades},
		{"FiltersSelect", testFilters},
		{"PagesAreCompleteInEverySort", testPaging},
		{"UnknownSortsAndForeignCursorsAreInvalid", testBadPages},
		{"PricesAreKeptInVersions", testPrices},
		{"CountersAreReplaced", testCounters},
		{"FactorsAreFoundAndTokensSpentOnce", testFactors},
		{"SettingsAndMeta", testSettingsAndMeta},
		{"AuditIsAppendedAndFound", testAudit},
		{"AppendedRequestsAndDispatchesReadBack", testAppendReadsBack},
		{"AppendTwiceIsAppendOnce", testAppendTwice},
		{"AppendIsAllOrNothing", testAppendAtomic},
		{"AppendNeverFailsOverText", testAppendStrangeText},
		{"UsageFiltersSelect", testUsageFilters},
		{"SummariesAddUp", testSummaries},
		{"SummaryTooLong", testSummaryTooLong},
		{"RequestsAreFoundByWhatTheyWere", testRequestFilters},
		{"TrafficAddsUp", testTraffic},
		{"IntentsStandUntilTheirDispatchIsSettled", testIntents},
		{"SettlementsMoveBalancesOnce", testCharges},
		{"SettlementsAreRolledUpByHourAndDay", testRollups},
		{"AdjustmentsAreRowsAndMoveBalances", testAdjustments},
		{"BalancesAreWrittenByTheLedgerAlone", testBalancesAreDerived},
		{"ReratingsAreAppendedAndNotedOnce", testReratings},
		{"OldRowsAreRemovedInSteps", testRemoval},
		{"ACarryGrows", testCarry},
		{"ASubjectHasOneOpenAlarm", testAlarms},
		{"VersionsOfTheConfigurationAndTargets", testConfigVersions},
		{"CostsOutOfRangeAreRefused", testBadCosts},
		{"TouchMovesForwardOnly", testTouch},
		{"TurnsAreTheirOwnersAlone", testTurnOwners},
		{"TurnsAreTrimmedAndPrunedInSmallSteps", testTurnBounds},
		{"PayloadsAreKeptAndRemoved", testPayloads},
		{"ChunksAreEachUsersOwn", testChunks},
		{"UpdateRollsBackOnErrorAndPanic", testRollback},
		{"ViewSeesOneMoment", testViewSnapshot},
		{"ViewCannotWrite", testViewIsReadOnly},
		{"TheFeedTellsWhatWasTouched", testFeedAreas},
		{"TheFeedRunsInCommitOrder", testFeedOrder},
		{"AnErrorOfTheFeedIsReturnedAfterTheCommit", testFeedError},
		{"F_B01_OneSuperAdminUnderConcurrency", testOneSuperAdmin},
		{"ConcurrentUpdatesAreSerialised", testSerialised},
		{"AppendsAndUpdatesAtOnce", testAppendAndUpdate},
		{"N75_CanceledReadsNeverCrossRows", testCancelStorm},
		{"CanceledUpdatesChangeNothing", testCanceledUpdate},
		{"EverythingSurvivesARestart", testRestart},
		{"PingAnswers", func(b *bench) { must(b.t, b.s.Ping(b.t.Context())) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := opener(t)
			b := &bench{t: t, s: open(), open: open}
			t.Cleanup(func() { must(t, b.s.Close()) })
			c.run(b)
		})
	}
}

// bench is one test's store.
type bench struct {
	t    *testing.T
	s    tollgate.Store
	open func() tollgate.Store
}

// reopen closes the store and opens its database again.
func (b *bench) reopen(t *testing.T) {
	t.Helper()
	must(t, b.s.Close())
	b.s = b.open()
}

// day is a fixed time of the suite.
func day() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 535_897_000, time.UTC) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// wantCode fails unless err has the code.
func wantCode(t *testing.T, err error, code tollgate.Code) {
	t.Helper()
	if got := tollgate.ErrorCode(err); got != code {
		t.Fatalf("error %v has code %q, want %q", err, got, code)
	}
}

// wantField is wantCode for an error that names a field.
func wantField(t *testing.T, err error, code tollgate.Code, field string) {
	t.Helper()
	wantCode(t, err, code)
	if got := tollgate.AsError(err).Field; got != field {
		t.Fatalf("error %v names field %q, want %q", err, got, field)
	}
}

// same fails unless got is want; empty and nil lists are alike, prefixes
// compare by value.
func same[T any](t *testing.T, got, want T) {
	t.Helper()
	opts := cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable()}
	if diff := cmp.Diff(want, got, opts, comparePrefix()); diff != "" {
		t.Fatalf("unexpected value (-want +got):\n%s", diff)
	}
}

// update runs fn in an Update that must succeed.
func (b *bench) update(t *testing.T, fn func(ctx context.Context, tx tollgate.Tx) error) {
	t.Helper()
	must(t, b.try(t, fn))
}

// try runs fn in an Update and returns its error.
func (b *bench) try(t *testing.T, fn func(ctx context.Context, tx tollgate.Tx) error) error {
	t.Helper()
	return b.s.Update(t.Context(), func(tx tollgate.Tx) error { return fn(t.Context(), tx) })
}

// view runs fn in a View that must succeed.
func (b *bench) view(t *testing.T, fn func(ctx context.Context, tx tollgate.Tx) error) {
	t.Helper()
	must(t, b.s.View(t.Context(), func(tx tollgate.Tx) error { return fn(t.Context(), tx) }))
}
