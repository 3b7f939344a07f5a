package main

import (
	"fmt"
	"strings"

	"tollgate"
	"tollgate/test/laws"
)

const intro = `# What translation carries

When client and provider speak the same dialect, bodies pass as they are. Otherwise a request is translated, and its answer
is translated back. This page says what of either arrives, for every pair of dialects. It is made from the tests
(` + "`make generate`" + `): every cell is what the codecs said when they translated the cases of ` + "`test/corpus`" + `, and the laws in
` + "`test/laws`" + ` hold them to it: what they did not say is the same on the other side.

- **yes**: it arrives as it was.
- **note**: it arrives in another form with the same meaning, or it is a hint that changes no answer. Notes are counted,
  (` + "`tollgate_translation_losses_total`" + `), and neither shown nor refused.
- **in part**: some of it is lost, or all of it in some cases. The footnotes say which.
- **lost**: it does not arrive. The answer names it in ` + "`x-tollgate-loss`" + `, the request's row keeps it, and a strict
  request is refused instead.
- **refused**: the request is answered with 400, because the answer would be another one.
- empty: no case of this source has it.

`

// page writes the whole page.
func page(f *laws.Fidelity) []byte {
	p := &printer{numbers: map[string]int{}}
	p.put("%s", intro)
	p.put("%d cases were translated: %d times a request, %d times an answer, whole or as a stream.\n",
		f.Cases, f.Requests.Pairs, f.Answers.Pairs)
	p.matrix("Requests", "from a client of the dialect on the left to a provider of the dialect above", f.Requests)
	p.matrix("Answers", "from a provider of the dialect on the left to a client of the dialect above", f.Answers)
	p.put("\n")
	for i, why := range p.reasons {
		p.put("[^%d]: %s\n", i+1, why)
	}
	return p.text
}

// printer numbers the footnotes in the order of their first use.
type printer struct {
	text    []byte
	numbers map[string]int
	reasons []string
}

func (p *printer) put(format string, args ...any) { p.text = fmt.Appendf(p.text, format, args...) }

func (p *printer) matrix(title, direction string, m laws.Matrix) {
	p.put("\n## %s\n\nEach row is %s.\n", title, direction)
	section, feature := "", ""
	for _, row := range m.Rows {
		if row.Section != section {
			section, feature = row.Section, ""
			p.put("\n### %s: %s\n\n| | from |", title, strings.ToLower(section[:1])+section[1:])
			for _, d := range tollgate.Dialects() {
				p.put(" %s |", name(d))
			}
			p.put("\n|---|---|---|---|---|---|\n")
		}
		label := row.Feature
		if row.Feature == feature {
			label = ""
		}
		feature = row.Feature
		p.put("| %s | %s |", label, name(row.Source))
		for _, d := range tollgate.Dialects() {
			p.cell(row.Targets[d])
		}
		p.put("\n")
	}
}

func (p *printer) cell(c *laws.Cell) {
	if c == nil {
		p.put(" |")
		return
	}
	p.put(" %s", word(c))
	for _, why := range c.Reasons {
		n, ok := p.numbers[why]
		if !ok {
			p.reasons = append(p.reasons, why)
			n = len(p.reasons)
			p.numbers[why] = n
		}
		p.put("[^%d]", n)
	}
	p.put(" |")
}

// word is what became of a feature over all cases.
func word(c *laws.Cell) string {
	fine := c.Carried + c.Noted
	switch {
	case fine == 0 && c.InPart == 0 && c.Lost == 0:
		return "refused"
	case fine == 0 && c.InPart == 0 && c.Refused == 0:
		return "lost"
	case c.InPart+c.Lost+c.Refused > 0:
		return "in part"
	case c.Noted > 0:
		return "note"
	default:
		return "yes"
	}
}

func name(d tollgate.Dialect) string {
	return map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat:      "Chat",
		tollgate.DialectOpenAIResponses: "Responses",
		tollgate.DialectAnthropic:       "Anthropic",
		tollgate.DialectGemini:          "Gemini",
	}[d]
}
