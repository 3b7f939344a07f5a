package anthropic

import "strings"

// rules are what a model takes beyond the protocol, as the vendor's model pages
// say. A model that is not known by name takes everything: it may be newer than
// this table, or not be Anthropic's at all.
type rules struct {
	// maxOutput is the max_tokens of a request that does not say one.
	maxOutput int64
	// manual is thinking with a budget, adaptive the one without.
	manual, adaptive bool
	// effort is output_config.effort, xhigh its step between high and max.
	effort, xhigh bool
	// sampling is temperature, top_p and top_k; pair is temperature beside top_p.
	sampling, pair bool
	// schema is output_config.format and strict tools.
	schema bool
	// system is messages of the role system behind a turn of the user.
	system bool
}

// Defaults of max_tokens: what old models give at most; else what Claude Code
// asks for, which every later model gives.
const (
	outputUnknown = 8192
	outputFirst   = 4096  // Claude 3
	outputSecond  = 8192  // Claude 3.5
	outputLater   = 32000 // from Claude 3.7 on
)

// rulesOf returns the rules of a model by its name.
func rulesOf(model string) rules {
	v := version(model)
	if v == 0 {
		return rules{
			maxOutput: outputUnknown, manual: true, adaptive: true, effort: true, xhigh: true, sampling: true, pair: true,
			schema: true, system: true,
		}
	}
	r := rules{
		maxOutput: outputLater,
		manual:    v >= 37 && v <= 46,
		adaptive:  v >= 46,
		effort:    v >= 46 || (v == 45 && strings.Contains(model, "opus")),
		xhigh:     v >= 47,
		sampling:  v < 47,
		pair:      v < 41,
		schema:    v >= 41,
		system:    v >= 48,
	}
	switch {
	case v < 35:
		r.maxOutput = outputFirst
	case v < 37:
		r.maxOutput = outputSecond
	}
	return r
}

// version finds the version in a name such as claude-opus-4-5-20251101 or
// anthropic.claude-3-5-sonnet-20241022-v2:0, as ten times the major number plus
// the minor one; 0 when there is none.
func version(model string) int {
	_, name, ok := strings.Cut(strings.ToLower(model), "claude-")
	if !ok {
		return 0
	}
	v := 0
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == '_' || r == ':' }) {
		digit := len(word) == 1 && word[0] >= '0' && word[0] <= '9'
		switch {
		case v == 0 && digit && word != "0":
			v = 10 * int(word[0]-'0')
		case v != 0 && digit:
			return v + int(word[0]-'0')
		case v != 0:
			return v
		}
	}
	return v
}
