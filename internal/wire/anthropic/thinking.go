package anthropic

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// thinking is how a request asks for thoughts.
type thinking struct {
	mode   string // enabled, adaptive, disabled; empty = not said
	budget int64  // of enabled, in tokens
	effort string // output_config.effort; empty = not said
}

// minBudget is the least that the vendor takes as a budget, in tokens.
const minBudget = 1024

// budgetOf is the budget that stands for an effort on models without efforts.
func budgetOf(effort string) int64 {
	switch effort {
	case "minimal":
		return minBudget
	case "low":
		return 2048
	case "high":
		return 16384
	case "xhigh":
		return 24576
	case "max":
		return 31999
	default:
		return 8192
	}
}

// effortOf is the effort that stands for a budget on models without budgets.
func effortOf(budget int64) string {
	for _, effort := range []string{"low", "medium", "high", "xhigh"} {
		if budget <= budgetOf(effort) {
			return effort
		}
	}
	return "max"
}

// planThinking decides how to ask for what the request wants, by what the model
// takes, and says what became of it.
func (e *encoder) planThinking() {
	r, t := e.req.Reasoning, &e.think
	switch {
	case r.Mode == ir.ReasoningOff || r.Effort == "none":
		t.mode = "disabled"
		if r.Effort != "" {
			e.Note("reasoning", "no thinking")
		}
		return
	case findExtra(e.req.Extras, effortAlone) != nil:
		t.effort = e.effort(r.Effort)
		e.noteIf(t.effort != r.Effort, "extras."+effortAlone, "said by the effort")
		return
	case r.Mode == ir.ReasoningUnset && r.Effort == "" && r.Budget == nil:
		return
	case !e.rules.manual && !e.rules.adaptive:
		e.Lose("reasoning", "the model does not think")
		return
	}
	if e.rules.adaptive && (r.Mode != ir.ReasoningOn || r.Budget == nil || !e.rules.manual) {
		e.planAdaptive()
	} else {
		e.planManual()
	}
	if t.mode != "" && !r.Sealed {
		e.Note("reasoning.sealed", "Anthropic always seals its thoughts")
	}
}

// planAdaptive lets the model decide, guided by an effort.
func (e *encoder) planAdaptive() {
	r := e.req.Reasoning
	e.think.mode = "adaptive"
	if r.Mode != ir.ReasoningAdaptive {
		e.Note("reasoning.mode", "the model decides how much to think")
	}
	effort := r.Effort
	if r.Budget != nil {
		e.Lose("reasoning.budget", "the model takes an effort in place of a budget")
		if effort == "" {
			effort = effortOf(*r.Budget)
			e.Note("reasoning.effort", "made of the budget")
		}
	}
	e.think.effort = e.effort(effort)
}

// effort returns the nearest step that the model has.
func (e *encoder) effort(effort string) string {
	switch {
	case effort == "":
		return ""
	case !e.rules.effort:
		e.Lose("reasoning.effort", "the model takes no effort")
		return ""
	case effort == "minimal":
		e.Note("reasoning.effort", "low is the least")
		return "low"
	case effort == "xhigh" && !e.rules.xhigh:
		e.Note("reasoning.effort", "the model has no step between high and max")
		return "high"
	default:
		return effort
	}
}

// planManual asks for thoughts within a budget, which must leave room for the
// answer.
func (e *encoder) planManual() {
	r := e.req.Reasoning
	if why := e.noManual(); why != "" {
		e.Lose("reasoning", why)
		e.think.mode = ""
		return
	}
	room := e.maxTokens * 4 / 5
	if room < minBudget {
		e.Lose("reasoning", "max_output leaves no room for thinking, which takes 1,024 tokens at least")
		return
	}
	e.think.mode = "enabled"
	if r.Mode != ir.ReasoningOn {
		e.Note("reasoning.mode", "thinks within a budget")
	}
	if r.Budget == nil {
		e.think.budget = min(budgetOf(r.Effort), room)
		e.Note("reasoning.budget", "made of the effort")
		if r.Effort != "" {
			e.Note("reasoning.effort", "carried as a budget")
		}
		return
	}
	e.think.budget = max(*r.Budget, minBudget)
	if e.think.budget >= e.maxTokens {
		e.think.budget = room
	}
	if e.think.budget != *r.Budget {
		e.Lose("reasoning.budget", "brought between 1,024 tokens and what max_output leaves")
	}
	e.think.effort = e.effort(r.Effort)
}

// noManual says why the vendor would refuse thinking with a budget here; empty
// = it would not.
func (e *encoder) noManual() string {
	if m := e.req.ToolChoice.Mode; m == ir.ToolRequired || m == ir.ToolNamed {
		return "Anthropic does not think within a budget when a tool must be called"
	}
	items := e.req.Items
	end := len(items)
	for end > 0 && isResult(items[end-1]) {
		end--
	}
	called, thought, said := false, false, false
	for i := end - 1; i >= 0 && assistantSide(items[i]); i-- {
		switch it := items[i].(type) {
		case ir.ToolCall:
			called = true
		case ir.Thought:
			thought = thought || ownSeal(it.Private)
		case ir.Opaque:
			thought = true // a turn of Anthropic's own, to be gone on with
		case ir.Message:
			said = true
		case ir.ToolResult:
		}
	}
	switch {
	case thought:
		return ""
	case called && end < len(items):
		return "the turn that is to go on has calls without thoughts that Anthropic signed"
	case (called || said) && end == len(items):
		return "Anthropic does not think when the answer's beginning is given"
	default:
		return ""
	}
}

func isResult(it ir.Item) bool {
	_, ok := it.(ir.ToolResult)
	return ok
}

// ownSeal reports whether p is a seal of Anthropic's.
func ownSeal(p *ir.Private) bool { return p != nil && p.Vendor == ir.VendorAnthropic }

// writeThinking writes thinking.
func (e *encoder) writeThinking(w *jsondoc.Writer) {
	r, t := e.req.Reasoning, e.think
	if raw := findExtra(e.req.Extras, "thinking"); raw != nil && t.mode == "" {
		return // a form of thinking that ir does not know, written as it came
	}
	if t.mode == "" {
		if r.Summary != "" {
			e.Note("reasoning.summary", "nothing is thought")
		}
		if r.Sealed {
			e.Note("reasoning.sealed", "nothing is thought")
		}
		e.loseIf(hasExtras(e.req.Extras, onThinking), "extras.thinking", "nothing is thought")
		return
	}
	w.Object("thinking")
	w.Str("type", t.mode)
	if t.mode == "enabled" {
		w.Int("budget_tokens", t.budget)
	}
	switch {
	case t.mode == "disabled" && r.Summary != "":
		e.Note("reasoning.summary", "nothing is thought")
	case r.Summary == "none":
		w.Str("display", "omitted")
	case r.Summary != "":
		w.Str("display", "summarized")
		if r.Summary != "auto" {
			e.Note("reasoning.summary", "Anthropic has one kind of summary")
		}
	}
	if t.mode == "disabled" && r.Sealed {
		e.Note("reasoning.sealed", "nothing is thought")
	}
	writeExtras(w, e.req.Extras, onThinking)
	w.End()
}
