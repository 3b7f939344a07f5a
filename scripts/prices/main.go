// Command prices makes internal/meter/shipped/table.txt, the prices and limits
// of models that come with a release, from a file of facts in the form of
// models.dev:
//
//	go run ./scripts/prices -date 2026-07-02 models.json >internal/meter/shipped/table.txt
//
// The date is that of the facts. The file of facts is not part of this
// repository.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"
)

func main() {
	date := flag.String("date", "", "day of the facts, such as 2026-07-02")
	flag.Parse()
	if err := run(*date, flag.Arg(0), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prices:", err)
		os.Exit(1)
	}
}

// vendor is a section of the table.
type vendor struct {
	name  string
	hosts []string // globs over the hosts that are this vendor's
}

// vendors are those of the facts that can be told by their host. The Claude
// models of Vertex are listed under google-vertex, too.
func vendors() []vendor {
	return []vendor{
		{"alibaba", []string{"dashscope-intl.aliyuncs.com"}},
		{"amazon-bedrock", []string{"bedrock-runtime.*.amazonaws.com", "bedrock-mantle.*.api.aws"}},
		{"anthropic", []string{"api.anthropic.com"}},
		{"azure", []string{"*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"}},
		{"cerebras", []string{"api.cerebras.ai"}},
		{"cohere", []string{"api.cohere.com", "api.cohere.ai"}},
		{"deepinfra", []string{"api.deepinfra.com"}},
		{"deepseek", []string{"api.deepseek.com"}},
		{"fireworks-ai", []string{"api.fireworks.ai"}},
		{"google", []string{"generativelanguage.googleapis.com"}},
		{"google-vertex", []string{"aiplatform.googleapis.com", "*-aiplatform.googleapis.com"}},
		{"groq", []string{"api.groq.com"}},
		{"minimax", []string{"api.minimax.io"}},
		{"mistral", []string{"api.mistral.ai"}},
		{"moonshotai", []string{"api.moonshot.ai"}},
		{"nvidia", []string{"integrate.api.nvidia.com"}},
		{"openai", []string{"api.openai.com"}},
		{"openrouter", []string{"openrouter.ai"}},
		{"perplexity", []string{"api.perplexity.ai"}},
		{"togetherai", []string{"api.together.xyz", "api.together.ai"}},
		{"xai", []string{"api.x.ai"}},
		{"zai", []string{"api.z.ai"}},
	}
}

// facts are a vendor's models as the file tells them.
type facts struct {
	Models map[string]struct {
		Cost  map[string]json.RawMessage
		Limit struct{ Context, Output json.Number }
	}
}

const header = `# Prices (US dollars per million tokens; call: per call) and limits (context/output
# tokens) of models. Facts from https://models.dev (MIT, see LICENSE.models.dev),
# in this project's own form. Made by scripts/prices; do not edit.
`

func run(date, file string, w io.Writer) error {
	if len(date) != len("2026-07-02") || file == "" {
		return errors.New("usage: prices -date 2026-07-02 models.json")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var all map[string]facts
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(header + "date " + date + "\n")
	for _, v := range vendors() {
		f, ok := all[v.name]
		if !ok {
			return fmt.Errorf("there are no facts about %s", v.name)
		}
		fmt.Fprintf(&out, "\n[%s] %s\n", v.name, strings.Join(v.hosts, " "))
		var lines []string
		for id, m := range f.Models {
			price, err := prices(id, m.Cost)
			if err != nil {
				return fmt.Errorf("%s/%s: %w", v.name, id, err)
			}
			limits := number(m.Limit.Context) + "/" + number(m.Limit.Output)
			if price != "" || limits != "0/0" {
				lines = append(lines, strings.TrimRight(id+" "+limits+" "+price, " "))
			}
		}
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, "\n") + "\n")
	}
	_, err = w.Write(out.Bytes())
	return err
}

func number(n json.Number) string {
	if n == "" {
		return "0"
	}
	return n.String()
}

// prices writes the prices of one model: its first tier and then, behind
// >TOKENS, each tier that holds above so many tokens.
func prices(id string, cost map[string]json.RawMessage) (string, error) {
	if cost == nil {
		return "", nil
	}
	line, err := rates(id, cost)
	if err != nil || cost["tiers"] == nil {
		return line, err
	}
	var tiers []map[string]json.RawMessage
	if err := json.Unmarshal(cost["tiers"], &tiers); err != nil {
		return "", err
	}
	lines := []string{line}
	for _, t := range tiers {
		var from struct{ Size json.Number }
		if err := json.Unmarshal(t["tier"], &from); err != nil {
			return "", err
		}
		more, err := rates(id, t)
		if err != nil {
			return "", err
		}
		lines = append(lines, ">"+from.Size.String(), more)
	}
	return strings.Join(lines, " "), nil
}

// rates writes the prices of one tier.
func rates(id string, cost map[string]json.RawMessage) (string, error) {
	price := map[string]*big.Rat{}
	for _, k := range []struct{ name, key string }{
		{"in", "input"},
		{"out", "output"},
		{"read", "cache_read"},
		{"read", "cached_input"},
		{"write", "cache_write"},
		{"write", "cached_write"},
		{"reason", "reasoning"},
		{"ain", "input_audio"},
		{"aout", "output_audio"},
		{"call", "request"},
	} {
		if raw, ok := cost[k.key]; ok && price[k.name] == nil {
			amount, ok := new(big.Rat).SetString(string(raw))
			if !ok || amount.Sign() < 0 {
				return "", fmt.Errorf("%s is %s", k.key, raw)
			}
			price[k.name] = amount
		}
	}
	tidy(id, price)
	var parts []string
	for _, name := range []string{"in", "out", "read", "write", "write1h", "reason", "ain", "aout", "call"} {
		if amount := price[name]; amount != nil {
			text := strings.TrimRight(strings.TrimRight(amount.FloatString(9), "0"), ".")
			parts = append(parts, name+"="+text)
		}
	}
	return strings.Join(parts, " "), nil
}

// tidy leaves out what says nothing and adds what vendors' own pages say.
func tidy(id string, price map[string]*big.Rat) {
	paid := price["in"] != nil && price["in"].Sign() > 0
	for _, name := range []string{"read", "write"} {
		if amount := price[name]; paid && amount != nil && amount.Sign() == 0 {
			delete(price, name) // not free, but not cached at all
		}
	}
	if out := price["out"]; out != nil && price["reason"] != nil && out.Cmp(price["reason"]) == 0 {
		delete(price, "reason")
	}
	if call := price["call"]; call != nil {
		call.Quo(call, big.NewRat(1000, 1)) // told per thousand requests
	}
	// Claude writes a cache of 5 minutes for 1.25 times and one of an hour for
	// twice the price of input; a cheaper write in the facts is a slip.
	if strings.Contains(id, "claude") && price["write"] != nil {
		if price["write"].Cmp(price["in"]) < 0 {
			price["write"] = new(big.Rat).Mul(price["in"], big.NewRat(5, 4))
		}
		price["write1h"] = new(big.Rat).Mul(price["in"], big.NewRat(2, 1))
	}
}
