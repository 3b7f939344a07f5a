package wire

import (
	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// maxChoices bounds Peeked.Choices: what a body asks for beyond is refused by
// every provider.
const maxChoices = 1 << 20

// caps reports whether a member of the top level caps the output of the
// operation. Names of another dialect cap nothing.
func (p *peeker) caps(name string) bool {
	switch name {
	case "max_output_tokens":
		return p.route.Dialect == tollgate.DialectOpenAIResponses
	case "max_completion_tokens":
		return p.route.Dialect == tollgate.DialectOpenAIChat && p.route.Operation == tollgate.OpGenerate
	default:
		return p.route.Dialect != tollgate.DialectOpenAIResponses
	}
}

// takeCap notes a cap on output tokens. One that is no number above 0 caps
// nothing, and gives way to a cap of the gateway's own.
func (p *peeker) takeCap(value jsonscan.Span) error {
	if p.out.capCount == len(p.out.caps) {
		return tollgate.Invalidf("generationConfig.maxOutputTokens", "the cap on output tokens is there more than once")
	}
	n, ok := jsonscan.Count(value.Of(p.body), maxCount)
	if !ok || n == 0 {
		n = noCap
	} else {
		p.out.OutputCap = max(p.out.OutputCap, n)
	}
	p.out.caps[p.out.capCount] = outputCap{value, n}
	p.out.capCount++
	return nil
}

// takeChoices notes how many answers are asked for.
func (p *peeker) takeChoices(value jsonscan.Span) {
	if n, ok := jsonscan.Count(value.Of(p.body), maxChoices); ok && n > 1 && p.route.Dialect != tollgate.DialectAnthropic {
		p.out.Choices = max(p.out.Choices, n)
	}
}

// takePrompts counts the prompts of a completion, each of which is answered:
// texts or lists of tokens. One list of tokens is one prompt.
func (p *peeker) takePrompts(value jsonscan.Span) {
	if p.route.Operation != tollgate.OpComplete || p.body[value.Start] != '[' {
		return
	}
	n := int64(0)
	a := p.limits.Array(p.body, value.Start, 1)
	for a.Next() {
		if c := p.body[a.Value.Start]; c == '"' || c == '[' {
			n++
		}
	}
	p.prompts = max(n, 1)
}

func (p *peeker) takeTier(value jsonscan.Span) {
	if tier, ok := jsonscan.String(value.Of(p.body)); ok && len(tier) <= 64 {
		p.out.ServiceTier = tier
	}
}
