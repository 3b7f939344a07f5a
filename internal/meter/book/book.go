// Package book is the price book: the versions of prices in force, in memory
// (Book), the rules for adding versions (Rules), the import of price lists,
// and the rating of past usage anew (Rerate).
//
// Which price holds for a model of a provider, in this order: the model row's
// own; an explicit one for exactly this name; the explicit one with the
// longest pattern; the shipped one. Among explicit ones of equal rank, one for
// the provider comes before one for every provider.
package book

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/meter"
	"tollgate/internal/meter/shipped"
)

// grace is how long a replaced version stays in memory, for dispatches that
// began before it was replaced.
const grace = 24 * time.Hour

// Book is the price book in memory. Look-ups take no lock and ask no store.
type Book struct {
	Now func() time.Time
	Log *slog.Logger // nil = nowhere

	policy atomic.Pointer[Policy]
	snap   atomic.Pointer[snapshot]
}

// Entry is a version of a price that is in force.
type Entry struct {
	tollgate.Price
	Meter *meter.Prices
}

// version is an entry of its series; Meter is nil for a withdrawal.
type version = Entry

// name is a model of a provider; provider 0 is every provider.
type name struct {
	provider int64
	model    string
}

// patterned are the versions of one pattern.
type patterned struct {
	provider int64
	pattern  string
	versions []version
}

// snapshot is immutable. Versions are by id, newest first.
type snapshot struct {
	own      map[name][]version
	exact    map[name][]version
	patterns []patterned // best first
	shipped  map[name][]version
	read     map[int64]*meter.Prices // by version
}

// Reload reads the book anew. Call it after every change of the catalogue.
func (b *Book) Reload(ctx context.Context, store tollgate.Store) error {
	var rows []tollgate.Price
	var models []tollgate.Model
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		rows, models, err = load(ctx, tx)
		return err
	})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the price book could not be read")
	}
	b.snap.Store(b.build(ctx, rows, models, b.Now().Add(-grace)))
	return nil
}

func load(ctx context.Context, tx tollgate.Tx) ([]tollgate.Price, []tollgate.Model, error) {
	all := tollgate.Page{All: true}
	rows, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{}, all)
	if err != nil {
		return nil, nil, err
	}
	models, _, err := tx.Models.Query(ctx, tollgate.ModelFilter{}, all)
	return rows, models, err
}

// build makes a snapshot of the versions that may be in force at since or
// later. A version is read once; it never changes.
func (b *Book) build(ctx context.Context, rows []tollgate.Price, models []tollgate.Model, since time.Time) *snapshot {
	next := &snapshot{
		own: map[name][]version{}, exact: map[name][]version{}, shipped: map[name][]version{}, read: map[int64]*meter.Prices{},
	}
	was := b.snap.Load()
	names := make(map[int64]name, len(models))
	for _, m := range models {
		names[m.ID] = name{m.ProviderID, m.ModelID}
	}
	patterns := map[name][]version{}
	slices.SortFunc(rows, func(x, y tollgate.Price) int { return cmp.Compare(y.ID, x.ID) })
	for _, row := range rows {
		into, at := next.exact, name{row.ProviderID, row.ModelPattern}
		switch {
		case row.ModelID != 0:
			var there bool
			if at, there = names[row.ModelID]; !there {
				continue // the model is gone
			}
			into = next.own
		case row.Source == tollgate.PriceShipped:
			into = next.shipped
		case isPattern(row.ModelPattern):
			into = patterns
		}
		have := into[at]
		if n := len(have); n > 0 && !have[n-1].ValidFrom.After(since) {
			continue // never in force any more
		}
		v, ok := b.readVersion(ctx, row, was)
		if !ok {
			continue
		}
		next.read[row.ID] = v.Meter
		into[at] = append(have, v)
	}
	for at, versions := range patterns {
		next.patterns = append(next.patterns, patterned{at.provider, at.model, versions})
	}
	slices.SortFunc(next.patterns, better)
	return next
}

// readVersion parses a version, or takes it from the snapshot before.
func (b *Book) readVersion(ctx context.Context, row tollgate.Price, was *snapshot) (version, bool) {
	v := version{Price: row}
	if was != nil {
		if p, ok := was.read[row.ID]; ok {
			v.Meter = p
			return v, true
		}
	}
	p, priced, err := meter.Parse("prices", row.Prices)
	if err != nil { // written by a later release
		if b.Log != nil {
			b.Log.WarnContext(ctx, "price left out", slog.Int64("price", row.ID), slog.Any("error", err))
		}
		return v, false
	}
	if priced {
		v.Meter = p
	}
	return v, true
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

// better orders patterns: longer ones first, then those of one provider.
func better(x, y patterned) int {
	return cmp.Or(
		cmp.Compare(len(y.pattern), len(x.pattern)),
		-cmp.Compare(min(x.provider, 1), min(y.provider, 1)),
		cmp.Compare(x.pattern, y.pattern),
		cmp.Compare(x.provider, y.provider),
	)
}

// inForce returns the version that holds at a time; false when there is none
// or it is a withdrawal.
func inForce(versions []version, at time.Time) (Entry, bool) {
	for _, v := range versions {
		if !v.ValidFrom.After(at) {
			return v, v.Meter != nil
		}
	}
	return Entry{}, false
}

// Find returns the price in force at a time for what a provider calls model.
func (b *Book) Find(provider int64, model string, at time.Time) (Entry, bool) {
	s := b.snap.Load()
	if s == nil {
		return Entry{}, false
	}
	return s.find(provider, model, at)
}

func (s *snapshot) find(provider int64, model string, at time.Time) (Entry, bool) {
	here, everywhere := name{provider, model}, name{0, model}
	if e, ok := inForce(s.own[here], at); ok {
		return e, true
	}
	if e, ok := inForce(s.exact[here], at); ok {
		return e, true
	}
	if e, ok := inForce(s.exact[everywhere], at); ok {
		return e, true
	}
	for i := range s.patterns {
		p := &s.patterns[i]
		if (p.provider == 0 || p.provider == provider) && tollgate.MatchGlob(p.pattern, model) {
			if e, ok := inForce(p.versions, at); ok {
				return e, true
			}
		}
	}
	if e, ok := inForce(s.shipped[here], at); ok {
		return e, true
	}
	if undated := shipped.Undated(model); undated != model {
		return inForce(s.shipped[name{provider, undated}], at)
	}
	return Entry{}, false
}

// InForce reports whether a version is the one of its series that is in force.
func (b *Book) InForce(p tollgate.Price, at time.Time) bool {
	s := b.snap.Load()
	if s == nil {
		return false
	}
	key := name{p.ProviderID, p.ModelPattern}
	var versions []version
	switch {
	case p.ModelID != 0:
		for _, own := range s.own { // few: asked for by lists alone
			if own[0].ModelID == p.ModelID {
				versions = own
			}
		}
	case p.Source == tollgate.PriceShipped:
		versions = s.shipped[key]
	case isPattern(p.ModelPattern):
		for _, pat := range s.patterns {
			if pat.provider == p.ProviderID && pat.pattern == p.ModelPattern {
				versions = pat.versions
			}
		}
	default:
		versions = s.exact[key]
	}
	e, ok := inForce(versions, at)
	return ok && e.ID == p.ID
}
