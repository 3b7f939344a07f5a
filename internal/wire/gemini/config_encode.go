package gemini

import (
	"math"
	"strconv"
	"strings"

	"tollgate/internal/ir"
)

const config = "generationConfig."

// config writes generationConfig, if there is anything to say.
func (e *encoder) config() {
	before := e.w.Len()
	e.w.Object("generationConfig")
	opened := e.w.Len()
	e.sampling()
	e.format()
	e.thinking()
	withExtras(e.w, e.req.Extras, config)
	if e.w.Len() == opened {
		e.w.Undo(before, 1)
		return
	}
	e.w.End()
}

// Bounds of the API (ai.google.dev/api/generate-content, GenerationConfig).
const (
	maxStops       = 5
	maxTopLogprobs = 20
)

func (e *encoder) sampling() {
	r := e.req
	stops := r.Stop
	if len(stops) > maxStops {
		e.lose("stop", "Gemini takes "+strconv.Itoa(maxStops)+" stop sequences: the rest is left out")
		stops = stops[:maxStops]
	}
	if len(stops) > 0 {
		e.w.Strings("stopSequences", stops)
	}
	e.w.OptFloat("temperature", r.Temperature)
	e.w.OptFloat("topP", r.TopP)
	e.w.OptInt("topK", r.TopK)
	e.w.OptInt("maxOutputTokens", r.MaxOutput)
	e.w.OptFloat("presencePenalty", r.PresencePenalty)
	e.w.OptFloat("frequencyPenalty", r.FrequencyPenalty)
	if s := r.Seed; s != nil && (*s > math.MaxInt32 || *s < math.MinInt32) {
		e.lose("seed", "Gemini's seeds have 32 bits")
	} else {
		e.w.OptInt("seed", s)
	}
	if r.Choices > 0 {
		e.w.Int("candidateCount", int64(r.Choices))
	}
	if r.Logprobs {
		e.w.Bool("responseLogprobs", true)
	}
	if n := r.TopLogprobs; n != nil && *n > maxTopLogprobs {
		e.lose("top_logprobs", "Gemini gives "+strconv.Itoa(maxTopLogprobs)+" alternatives at most")
		e.w.Int("logprobs", maxTopLogprobs)
	} else {
		e.w.OptInt("logprobs", n)
	}
	if len(r.LogitBias) > 0 {
		e.lose("logit_bias", "Gemini does not weigh tokens")
	}
	if r.Verbosity != "" {
		e.lose("verbosity", "Gemini cannot be told how much to say")
	}
}

func (e *encoder) format() {
	f := &e.req.Format
	if f.Kind == ir.FormatText {
		return
	}
	if !extrasBelow(e.req.Extras, config+"responseMimeType") {
		e.w.Str("responseMimeType", "application/json")
	}
	for _, x := range []struct {
		path string
		set  bool
	}{{"format.name", f.Name != ""}, {"format.description", f.Description != ""}, {"format.strict", f.Strict != nil}} {
		if x.set {
			e.note(x.path, "Gemini takes the schema alone and always holds to it")
		}
	}
	if f.Kind != ir.FormatSchema {
		return
	}
	s, err := writeSchema(f.Schema, e.fam)
	if err != nil {
		e.refuse("format.schema", "is no JSON schema")
		return
	}
	s.report(&e.parts.losses, "format.schema")
	if s.form == formJSON {
		e.w.Raw("responseJsonSchema", s.raw)
	} else {
		e.w.Raw("responseSchema", s.raw)
	}
}

// thinking writes thinkingConfig. The models of generation 3 take a level,
// those of 2.5 a budget, older ones do not think; a budget is understood by both.
func (e *encoder) thinking() {
	r := &e.req.Reasoning
	if *r == (ir.Reasoning{}) && !extrasBelow(e.req.Extras, config+"thinkingConfig.") {
		return
	}
	if r.Sealed {
		e.note("reasoning.sealed", "Gemini always seals what it thought")
	}
	if e.fam.old() {
		if r.Mode != ir.ReasoningOff && (r.Mode != "" || r.Effort != "" || r.Summary != "") {
			e.lose("reasoning", "the model does not think")
		} else {
			e.note("reasoning", "the model does not think anyhow")
		}
		return
	}
	before := e.w.Len()
	e.w.Object("thinkingConfig")
	opened := e.w.Len()
	switch r.Summary {
	case "":
	case "none":
		e.w.Bool("includeThoughts", false)
	default:
		e.w.Bool("includeThoughts", true)
		if r.Summary != "auto" {
			e.note("reasoning.summary", "Gemini has one kind of summary")
		}
	}
	e.amount(r)
	withExtras(e.w, e.req.Extras, config+"thinkingConfig.")
	if e.w.Len() == opened {
		e.w.Undo(before, 1)
		return
	}
	e.w.End()
}

// amount writes how much to think: the API takes either a level or a budget.
func (e *encoder) amount(r *ir.Reasoning) {
	switch {
	case r.Mode == ir.ReasoningOff || r.Effort == "none":
		e.off(r)
	case e.fam.levels() && r.Effort != "":
		e.level(r)
	case r.Budget != nil:
		if r.Effort != "" {
			e.note("reasoning.effort", "the budget says it")
		}
		if r.Mode != ir.ReasoningOn {
			e.note("reasoning.mode", "a budget means thinking")
		}
		e.w.Int("thinkingBudget", e.within(*r.Budget))
	case r.Effort != "":
		budget := effortBudget(r.Effort)
		e.note("reasoning", "an effort of "+r.Effort+" is "+strconv.FormatInt(budget, 10)+" tokens of thinking")
		e.w.Int("thinkingBudget", e.within(budget))
	case r.Mode == ir.ReasoningAdaptive:
		e.w.Int("thinkingBudget", -1)
	case r.Mode == ir.ReasoningOn:
		e.note("reasoning.mode", "without a budget the model decides how much to think")
		e.w.Int("thinkingBudget", -1)
	}
}

// off asks for no thinking, or for as little as the model can do.
func (e *encoder) off(r *ir.Reasoning) {
	if r.Effort != "" || r.Budget != nil {
		e.note("reasoning", "no thinking is a budget of 0")
	}
	least, _ := e.fam.budgetRange()
	switch {
	case e.fam.known && e.fam.levels():
		e.lose("reasoning", "the model cannot do without thinking: the least there is")
		e.w.Str("thinkingLevel", strings.ToUpper(e.leastLevel()))
	case e.fam.known && e.fam.pro:
		e.lose("reasoning", "the model cannot do without thinking: the least there is")
		e.w.Int("thinkingBudget", least)
	default:
		e.w.Int("thinkingBudget", 0)
	}
}

// leastLevel is minimal but for the pro models, which begin at low.
func (e *encoder) leastLevel() string {
	if e.fam.pro {
		return "low"
	}
	return "minimal"
}

func (e *encoder) level(r *ir.Reasoning) {
	level := r.Effort
	switch level {
	case "xhigh", "max":
		level = "high"
		e.lose("reasoning.effort", "high is the most that Gemini knows")
	case "minimal":
		if level = e.leastLevel(); level != "minimal" {
			e.lose("reasoning.effort", "low is the least that the model knows")
		}
	}
	e.w.Str("thinkingLevel", strings.ToUpper(level))
	if r.Budget != nil {
		e.lose("reasoning.budget", "Gemini takes a level or a budget: the level")
	}
	if r.Mode != ir.ReasoningUnset {
		e.note("reasoning.mode", "a level means thinking")
	}
}

// effortBudget is what Google's own OpenAI-compatible front makes of an effort
// (ai.google.dev/gemini-api/docs/openai).
func effortBudget(effort string) int64 {
	switch effort {
	case "minimal", "low":
		return 1024
	case "medium":
		return 8192
	default:
		return 24576
	}
}

// within clamps a budget to what the 2.5 models take.
func (e *encoder) within(budget int64) int64 {
	if !e.fam.known || e.fam.levels() {
		return budget
	}
	least, most := e.fam.budgetRange()
	clamped := min(max(budget, least), most)
	if clamped != budget {
		e.lose("reasoning.budget", "the model thinks within "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10)+" tokens: clamped")
	}
	return clamped
}
