package book_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/meter/book"
	"tollgate/internal/store/sqlstore"
)

// BenchmarkPrice is what the settlement of a dispatch pays for its price: by
// name, by the last of many patterns, and without any.
func BenchmarkPrice(b *testing.B) {
	store, err := sqlstore.Open(b.Context(), sqlstore.Options{DSN: "sqlite://" + filepath.Join(b.TempDir(), "t.db"), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	rules := &book.Rules{Now: time.Now, Host: func(tollgate.Provider) string { return "" }}
	err = store.Update(b.Context(), func(tx tollgate.Tx) error {
		for i := range 50 {
			for _, pattern := range []string{fmt.Sprintf("vendor-%d/model", i), fmt.Sprintf("long-pattern-%d-*", i), "gpt-*"} {
				w := book.Write{ModelPattern: tollgate.Some(pattern), Source: tollgate.PriceAPI, Prices: input("1")}
				if _, _, err := rules.Save(b.Context(), tx, by(), w); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	prices := &book.Book{Now: time.Now}
	if err := prices.Reload(b.Context(), store); err != nil {
		b.Fatal(err)
	}
	req := tollgate.Request{Operation: tollgate.OpGenerate}
	for _, model := range []string{"vendor-7/model", "gpt-4o", "unknown"} {
		b.Run(model, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d := tollgate.Dispatch{ProviderID: 1, Model: model, StartedAt: time.Now(), Status: 200, Tokens: tollgate.Tokens{Input: 1000, Output: 50}}
				prices.Price(&req, &d)
			}
		})
	}
}
