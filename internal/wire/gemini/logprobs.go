package gemini

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// readLogprobs reads logprobsResult.
func readLogprobs(v jsondoc.Value) []ir.Logprob {
	if v.Kind() != jsondoc.IsObject {
		return nil
	}
	o := v.Object()
	top := list(o.Get("topCandidates"))
	var out []ir.Logprob
	for i, one := range list(o.Get("chosenCandidates")) {
		p := readLogprob(one.Object())
		if i < len(top) {
			for _, other := range list(top[i].Object().Get("candidates")) {
				p.Top = append(p.Top, readLogprob(other.Object()))
			}
		}
		out = append(out, p)
	}
	return out
}

func readLogprob(o *jsondoc.Object) ir.Logprob {
	p := ir.Logprob{Token: o.Str("token")}
	if f := float(o.Get("logProbability")); f != nil {
		p.Logprob = *f
	}
	return p
}

// writeLogprobs writes logprobsResult, if there is anything to say.
func writeLogprobs(w *jsondoc.Writer, list []ir.Logprob) {
	if len(list) == 0 {
		return
	}
	w.Object("logprobsResult")
	w.Array("topCandidates")
	for i := range list {
		w.Object("")
		w.Array("candidates")
		for _, t := range list[i].Top {
			writeLogprob(w, &t)
		}
		w.End()
		w.End()
	}
	w.End()
	w.Array("chosenCandidates")
	for i := range list {
		writeLogprob(w, &list[i])
	}
	w.End()
	w.End()
}

func writeLogprob(w *jsondoc.Writer, p *ir.Logprob) {
	w.Object("")
	w.Str("token", p.Token)
	w.Float("logProbability", p.Logprob)
	w.End()
}
