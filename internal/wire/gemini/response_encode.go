package gemini

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// EncodeResponse implements wire.Front.
func (Codec) EncodeResponse(req *ir.Request, resp *ir.Response, id tollgate.RequestID) ([]byte, []ir.Loss) {
	w := jsondoc.NewWriter(make([]byte, 0, 1024))
	p := parts{w: w}
	w.Object("")
	w.Array("candidates")
	for n := range resp.Choices {
		writeCandidate(&p, n, &resp.Choices[n], resp.Extras)
	}
	w.End()
	writeTail(w, &p.losses, &tail{
		usage: &resp.Usage, tier: resp.ServiceTier, extras: resp.Extras,
		model: req.Model, id: answerID(resp.ID, id, &p.losses),
	})
	w.End()
	if resp.Created != 0 {
		p.losses.Note("created", "Gemini's answers do not say when")
	}
	if resp.Model != req.Model {
		p.losses.Note("model", "the name that the client sent")
	}
	return w.Bytes(), p.losses.List()
}

// answerID is the vendor's id of the answer, or one made of the request's.
func answerID(given string, id tollgate.RequestID, losses *ir.Losses) string {
	if given != "" {
		return given
	}
	losses.Note("id", "the provider gave none: made of the request's")
	return id.String()
}

// candidateAt is where the extras of candidate n are kept.
func candidateAt(n int) string { return "candidates[" + strconv.Itoa(n) + "]." }

func writeCandidate(p *parts, n int, c *ir.Choice, extras []ir.Extra) {
	w := p.w
	w.Object("")
	w.Object("content")
	w.Array("parts")
	p.wrote = 0
	a := answerParts{parts: p}
	for i, it := range c.Items {
		a.item(ir.OutputPath(n, i), it)
	}
	if p.wrote == 0 { // clients look at the first part without asking
		w.Object("")
		w.Str("text", "")
		w.End()
	}
	w.End()
	w.Str("role", "model")
	w.End()
	at := "choices[" + strconv.Itoa(n) + "].stop"
	w.Str("finishReason", finishReason(c.Stop, a.called, &p.losses, at))
	w.Int("index", int64(n))
	writeLogprobs(w, a.logprobs)
	a.ground.write(w, extras, candidateAt(n))
	withExtras(w, extras, candidateAt(n))
	w.End()
}

// answerParts writes the items of a whole answer as the parts of one content.
type answerParts struct {
	*parts
	// text and thought are set while the last part was one without a seal:
	// readers of streams take the next one for more of it.
	text, thought bool
	last          string        // path of the item that holds it
	thoughts      []keptThought // for the next call
	called        bool
	logprobs      []ir.Logprob
	ground        grounding
}

func (a *answerParts) item(at string, it ir.Item) {
	switch x := it.(type) {
	case ir.Message:
		a.thought = false
		setApart(a.thoughts)
		answerMessage(&a.losses, at, &x)
		before := a.wrote
		for k, part := range x.Parts {
			a.messagePart(at, k, part)
		}
		if a.wrote == before {
			a.losses.Note(at, "a message without content")
		}
	case ir.ToolCall:
		a.text, a.thought, a.called = false, false, true
		answerCall(a.parts, at, &x, a.thoughts)
		a.thoughts = nil
	case ir.Thought:
		a.text = false
		if a.thought {
			sameThought(&a.losses, a.last, at)
		}
		if len(x.Texts) > 1 {
			a.losses.Note(at+".texts", "readers take them for one")
		}
		a.thoughts = keepThought(a.thoughts, x.Private, x.Redacted, x.Texts)
		before := a.wrote
		a.parts.thought(at, &x)
		if a.wrote > before {
			a.thought, a.last = x.Private == nil, at
		}
	case ir.ToolResult:
		a.losses.Lose(at, "Gemini's answers hold no results of tools")
	case ir.Opaque:
		before := a.wrote
		a.part(at, x, nil, "")
		if a.wrote > before { // else the texts around it meet
			a.text, a.thought = false, false
		}
	}
}

// answerMessage says what a message of an answer loses as a whole.
func answerMessage(losses *ir.Losses, at string, m *ir.Message) {
	if m.ID != "" {
		losses.Note(at+".id", "Gemini's messages have no ids")
	}
	if m.Phase != "" {
		losses.Note(at+".phase", "Gemini does not tell remarks from answers")
	}
	if m.Name != "" {
		losses.Lose(at+".name", "Gemini's speakers have no names")
	}
	losses.Extras(at, m.Extras, own)
}

// messagePart writes part k of a message.
func (a *answerParts) messagePart(at string, k int, part ir.Part) {
	path := ir.PartPath(at, k)
	switch x := part.(type) {
	case ir.Text:
		a.textPart(at, path, &x)
	case ir.Refusal:
		a.joined(at)
		a.part(path, x, nil, "")
		a.text = true
	case ir.Image, ir.Audio, ir.File, ir.Opaque:
		a.part(path, x, nil, "")
		a.text = false
	}
}

// joined notes that a text goes on the one before.
func (a *answerParts) joined(at string) {
	if a.text {
		sameText(&a.losses, a.last, at)
	}
	a.last = at
}

// sameText notes that texts of the items at last and at are read as one.
func sameText(losses *ir.Losses, last, at string) {
	const why = "readers take texts without a seal between them for one"
	losses.Note(last+".parts", why)
	if last != at {
		losses.Note(at, why)
	}
}

// sameThought notes the same of thoughts.
func sameThought(losses *ir.Losses, last, at string) {
	const why = "readers take thoughts without a seal between them for one"
	losses.Note(last+".texts", why)
	losses.Note(at, why)
}

func (a *answerParts) textPart(at, path string, t *ir.Text) {
	if t.Text == "" && t.Private == nil {
		a.losses.Note(path, "an empty text says nothing")
		return
	}
	if len(a.logprobs) > 0 && len(t.Logprobs) > 0 {
		a.losses.Note(at, "log probabilities are those of the whole answer")
	}
	a.logprobs = appendLogprobs(a.logprobs, t.Logprobs, &a.losses, path)
	a.joined(at)
	if len(t.Citations) > 0 {
		var o offsets
		o.add(t.Text)
		for i := range t.Citations {
			a.ground.add(&t.Citations[i], &o, int64(a.wrote), &a.losses, path+".citations["+strconv.Itoa(i)+"]")
		}
	}
	a.parts.text(path, t, nil, "")
	a.text = t.Private == nil
}

func appendLogprobs(list, more []ir.Logprob, losses *ir.Losses, path string) []ir.Logprob {
	for i := range more {
		if more[i].Bytes != nil {
			losses.Note(path+".logprobs", "Gemini gives no bytes of tokens")
			break
		}
	}
	return append(list, more...)
}

// answerCall writes a call of an answer, and the thoughts that go with it.
func answerCall(p *parts, at string, c *ir.ToolCall, thoughts []keptThought) {
	if c.ItemID != "" {
		p.losses.Note(at+".item_id", "Gemini's calls have one id")
	}
	name := c.Name
	if c.Namespace != "" {
		p.losses.Note(at+".namespace", "Gemini has no namespaces: part of the name")
		p.losses.Note(at+".name", "with its namespace in front")
		name = ir.FlatName(c.Namespace, c.Name)
	}
	p.losses.Extras(at, c.Extras, own)
	p.call(at, c, name, carryThoughts(c.Private, thoughts))
}

// tail is what stands behind the candidates.
type tail struct {
	usage     *ir.Usage
	tier      string
	extras    []ir.Extra
	model, id string
}

// writeTail writes the members behind the candidates into the open object.
func writeTail(w *jsondoc.Writer, losses *ir.Losses, t *tail) {
	withExtras(w, t.extras, "")
	losses.Extras("", t.extras, own)
	writeUsage(w, losses, t)
	w.Str("modelVersion", t.model)
	w.Str("responseId", t.id)
}

// writeUsage writes usageMetadata: the prompt with what was cached, the
// candidates without the thoughts.
func writeUsage(w *jsondoc.Writer, losses *ir.Losses, t *tail) {
	u := t.usage
	if !u.Reported {
		if t.tier != "" {
			losses.Note("service_tier", "Gemini says it beside the usage, and there is none")
		}
		return
	}
	n := &u.Tokens
	prompt := n.Input + n.CacheRead + n.CacheWrite + n.CacheWrite1h
	if n.CacheWrite+n.CacheWrite1h > 0 {
		losses.Note("usage.tokens", "Gemini does not tell what was written to the cache: part of the prompt")
	}
	w.Object("usageMetadata")
	w.Int("promptTokenCount", prompt)
	if n.CacheRead > 0 {
		w.Int("cachedContentTokenCount", n.CacheRead)
	}
	w.Int("candidatesTokenCount", n.Output-n.Reasoning)
	if n.Reasoning > 0 {
		w.Int("thoughtsTokenCount", n.Reasoning)
	}
	w.Int("totalTokenCount", prompt+n.Output)
	writeDetails(w, "promptTokensDetails", prompt, u.AudioInput, u.ImageInput)
	writeDetails(w, "candidatesTokensDetails", n.Output-n.Reasoning, u.AudioOutput, u.ImageOutput)
	switch t.tier {
	case "":
	case "default", "flex", "priority":
		w.Str("serviceTier", tierOut(t.tier))
	default:
		losses.Note("service_tier", "Gemini has no tier of that name")
	}
	w.End()
}

func writeDetails(w *jsondoc.Writer, name string, all, audio, image int64) {
	if audio+image == 0 {
		return
	}
	w.Array(name)
	for _, x := range []struct {
		modality string
		n        int64
	}{{"TEXT", max(all-audio-image, 0)}, {"AUDIO", audio}, {"IMAGE", image}} {
		if x.n > 0 {
			w.Object("")
			w.Str("modality", x.modality)
			w.Int("tokenCount", x.n)
			w.End()
		}
	}
	w.End()
}
