package seed

import (
	"context"

	"tollgate"
	"tollgate/internal/demo"
	"tollgate/internal/upstream"
)

// demoName and demoKind are the simulated provider's name and kind.
const (
	demoName = "demo"
	demoKind = "demo"
)

// EnsureDemo makes the provider and models of --demo that are missing. What
// is there stays as the admin left it. A provider of that name but of another
// kind is CodeConflict.
func (im *Importer) EnsureDemo(ctx context.Context, store tollgate.Store) error {
	missing := false
	err := store.View(ctx, func(tx tollgate.Tx) error {
		_, todo, err := missingDemo(ctx, tx)
		missing = len(todo) > 0
		return err
	})
	if err != nil || !missing {
		return err
	}
	by := tollgate.HostActor("bootstrap")
	return store.Update(ctx, func(tx tollgate.Tx) error {
		provider, todo, err := missingDemo(ctx, tx)
		if err != nil {
			return err
		}
		if provider.ID == 0 {
			provider, err = im.Catalog.SaveProvider(ctx, tx, by, upstream.ProviderWrite{Name: tollgate.Some(demoName), Kind: tollgate.Some(demoKind)})
			if err != nil {
				return err
			}
		}
		for _, m := range todo {
			_, err := im.Catalog.SaveModel(ctx, tx, by, upstream.ModelWrite{
				ProviderID: provider.ID, ModelID: tollgate.Some(m.ID), DisplayName: tollgate.Some(m.DisplayName),
				ContextTokens: tollgate.Some(m.ContextTokens), OutputTokens: tollgate.Some(m.OutputTokens), Prices: tollgate.Some(m.Prices()),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// missingDemo returns the demo provider, if it is there, and the models that
// are not.
func missingDemo(ctx context.Context, tx tollgate.Tx) (tollgate.Provider, []demo.Model, error) {
	rows, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{Name: tollgate.Is(demoName)}, tollgate.Page{})
	if err != nil || len(rows) == 0 {
		return tollgate.Provider{}, demo.Models(), err
	}
	if rows[0].Kind != demoKind {
		return rows[0], nil, tollgate.Errorf(tollgate.CodeConflict, "--demo needs the provider name %q, but a provider of kind %s has it; rename that one", demoName, rows[0].Kind)
	}
	var todo []demo.Model
	for _, m := range demo.Models() {
		n, err := tx.Models.Count(ctx, tollgate.ModelFilter{ProviderID: tollgate.Is(rows[0].ID), ModelID: tollgate.Is(m.ID)})
		if err != nil {
			return rows[0], nil, err
		}
		if n == 0 {
			todo = append(todo, m)
		}
	}
	return rows[0], todo, nil
}
