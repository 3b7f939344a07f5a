package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/ops"
	"tollgate/internal/seed"
)

type pricesCmd struct {
	List   pricesListCmd   `cmd:"" help:"List the latest version of every price, shipped ones included."`
	Import pricesImportCmd `cmd:"" help:"Set the prices of a file, all or none."`
	Rerate pricesRerateCmd `cmd:"" name:"re-rate" help:"Price a past period anew, and show or book the difference."`
}

type pricesListCmd struct {
	Provider string `placeholder:"NAME" help:"Only this provider's prices."`
	Model    string `placeholder:"TEXT" help:"Only prices whose model pattern holds this."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// Run lists prices.
func (c *pricesListCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		prices, err := ops.Call[[]ops.Price](ctx, conn, "price.list", ops.PriceArgs{Provider: c.Provider, Model: c.Model}, nil)
		if err != nil || c.JSON {
			return s.printJSON(prices, err)
		}
		var rows [][]string
		for _, p := range prices {
			source := p.Source
			if p.Own {
				source += ", the model's own"
			}
			rows = append(rows, []string{
				strconv.FormatInt(p.ID, 10), cmp.Or(p.Provider, "(every)"), p.Pattern, amount(p.Prices, "input"), amount(p.Prices, "output"),
				source, p.ValidFrom.Format(time.DateOnly),
			})
		}
		s.table([]string{"ID", "PROVIDER", "MODEL", "INPUT", "OUTPUT", "SOURCE", "FROM"}, rows)
		return nil
	})
}

// amount is the price of a million tokens of a kind in the first tier, "-" for
// none; … says that there are more tiers.
func amount(raw json.RawMessage, kind string) string {
	var p map[string]json.RawMessage
	if json.Unmarshal(raw, &p) != nil {
		return "-"
	}
	more, tiers := "", []map[string]json.RawMessage{}
	if json.Unmarshal(p["price_tiers"], &tiers) == nil && len(tiers) > 0 {
		p = tiers[0]
		if len(tiers) > 1 {
			more = "…"
		}
	}
	return cmp.Or(string(p["price_"+kind+"_tokens"]), "-") + more
}

type pricesImportCmd struct {
	File     string `arg:"" help:"The file, JSON; - is standard input."`
	Provider string `placeholder:"NAME" help:"The provider of entries that name none (default: every provider)."`
	Plan     bool   `help:"Show what would change; change nothing."`
}

// Help says more than the one line.
func (*pricesImportCmd) Help() string {
	return `The file is {"prices": [{"provider", "model_pattern", "prices": {price keys}}]}, or the seed system's {"models": [{"model_id", price keys}]}, ` +
		"or either list alone. A price that is in force already changes nothing; another one is a new version."
}

// Run imports a price list, or plans to.
func (c *pricesImportCmd) Run(ctx context.Context, s *session) error {
	text, err := readList(s, c.File)
	if err != nil {
		return err
	}
	return s.operate(ctx, func(conn *ops.Connection) error {
		done, err := ops.Call[[]ops.ImportedPrice](ctx, conn, "price.import", ops.PriceList{Text: text, Provider: c.Provider, Plan: c.Plan}, nil)
		if err != nil {
			return err
		}
		changed := 0
		for _, e := range done {
			if e.Changed {
				changed++
				s.printf("%s\n", strings.TrimPrefix(e.Provider+"/"+e.ModelPattern, "/"))
			}
		}
		s.notef("%d of %d prices are other than before.\n", changed, len(done))
		return nil
	})
}

// readList reads a file or standard input, up to seed.MaxDocument.
func readList(s *session, name string) ([]byte, error) {
	in := io.Reader(s.stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, seed.MaxDocument+1))
	if err == nil && len(text) > seed.MaxDocument {
		err = tollgate.Errorf(tollgate.CodeTooLarge, "%s is larger than %d MiB", name, seed.MaxDocument>>20)
	}
	return text, err
}
