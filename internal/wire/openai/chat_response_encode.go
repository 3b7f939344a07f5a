package openai

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// EncodeResponse implements wire.Front. A choice of Chat is one message:
// thoughts, text and calls keep their order among their kind alone.
func (Chat) EncodeResponse(req *ir.Request, resp *ir.Response, id tollgate.RequestID) ([]byte, []ir.Loss) {
	e := chatReply{req: req, id: id}
	w := &e.w
	w.Object("")
	w.Str("id", chatID(resp.ID, id))
	w.Str("object", "chat.completion")
	w.Int("created", chatCreated(resp.Created, id))
	w.Str("model", req.Model)
	w.Array("choices")
	for n := range resp.Choices {
		e.choice(n, &resp.Choices[n])
	}
	if len(resp.Choices) == 0 {
		e.choice(0, &ir.Choice{})
	}
	w.End()
	if resp.Usage.Reported {
		writeChatUsage(w, resp.Usage)
		noteChatUsage(&e.lost, resp.Usage)
	}
	w.OptStr("service_tier", resp.ServiceTier)
	e.lost.Extras("", resp.Extras, chatName)
	chatNested(w, resp.Extras, "")
	w.End()
	return w.Bytes(), e.lost.List()
}

// chatID is the answer's id: the vendor's where it looks like one of Chat.
func chatID(vendor string, id tollgate.RequestID) string {
	if strings.HasPrefix(vendor, "chatcmpl-") {
		return vendor
	}
	return "chatcmpl-" + id.String()[len("req_"):]
}

func chatCreated(vendor int64, id tollgate.RequestID) int64 {
	if vendor > 0 {
		return vendor
	}
	return id.Time().Unix()
}

// chatReply writes one whole answer.
type chatReply struct {
	req  *ir.Request
	id   tollgate.RequestID
	w    jsondoc.Writer
	lost ir.Losses
}

// chatVoice is what the items of a choice say, by kind.
type chatVoice struct {
	content   strings.Builder
	refusal   strings.Builder
	thought   strings.Builder
	hasText   bool
	citations []ir.Citation // offsets count from the begin of content
	logprobs  []ir.Logprob
	images    []ir.Image
	audio     *ir.Audio
	seals     []chatSeal
	calls     []chatCallAt
}

type chatCallAt struct {
	at   string
	call ir.ToolCall
}

func (e *chatReply) choice(n int, c *ir.Choice) {
	v := e.collect(n, c)
	w := &e.w
	w.Object("")
	w.Int("index", int64(n))
	w.Object("message")
	w.Str("role", "assistant")
	switch {
	case v.hasText || (len(v.calls) == 0 && v.refusal.Len() == 0 && v.audio == nil):
		w.Str("content", v.content.String())
	default:
		w.Null("content")
	}
	if v.refusal.Len() > 0 {
		w.Str("refusal", v.refusal.String())
	} else {
		w.Null("refusal")
	}
	e.thoughts(v)
	e.media(v)
	e.calls(v)
	w.End()
	if v.logprobs != nil {
		chatWriteLogprobs(w, v.logprobs)
	} else {
		w.Null("logprobs")
	}
	chatFinish(w, &e.lost, n, c.Stop, e.form(v))
	w.End()
}

// chatForm is what the reason of an end depends on.
type chatForm struct{ calls, refused, legacy bool }

func (e *chatReply) form(v *chatVoice) chatForm {
	return chatForm{calls: len(v.calls) > 0, refused: v.refusal.Len() > 0, legacy: e.req.Form.FunctionCall}
}

// collect sorts the items of a choice by kind.
func (e *chatReply) collect(n int, c *ir.Choice) *chatVoice {
	v := &chatVoice{}
	stage, messages := 0, 0
	for i, it := range c.Items {
		at, next := ir.OutputPath(n, i), 0
		switch x := it.(type) {
		case ir.Thought:
			e.thought(at, v, x)
		case ir.Message:
			next, messages = 1, messages+1
			e.message(at, v, x, messages)
		case ir.ToolCall:
			next = 2
			v.calls = append(v.calls, chatCallAt{at, x})
		case ir.ToolResult:
			e.lost.Lose(at, "answers of Chat hold no results")
			next = stage
		case ir.Opaque:
			e.lost.Lose(at, "only "+x.Dialect+" has "+x.Type)
			next = stage
		}
		if next < stage || messages > 1 {
			e.lost.Note(chatItems(n), chatOneMessage)
		}
		stage = max(stage, next)
	}
	return v
}

const chatOneMessage = "a choice of Chat is one message: thoughts come first and calls last"

func (e *chatReply) thought(at string, v *chatVoice, t ir.Thought) {
	s := chatSeal{thought: t}
	for _, text := range t.Texts {
		if v.thought.Len() > 0 {
			v.thought.WriteString(chatGap)
		}
		s.spans = append(s.spans, v.thought.Len(), v.thought.Len()+len(text))
		v.thought.WriteString(text)
	}
	chatNoteThought(&e.lost, at, t, len(v.seals) > 0)
	v.seals = append(v.seals, s)
}

// chatNoteThought says what a thought cannot keep.
func chatNoteThought(lost chatLog, at string, t ir.Thought, further bool) {
	if t.Private != nil && t.Private.Vendor != ir.VendorChat {
		return
	}
	if t.Private == nil && !t.Raw {
		lost.Note(at+".raw", "Chat does not tell summaries from thoughts")
	}
	if len(t.Texts) > 1 {
		lost.Note(at+".texts", "the texts of a thought are joined")
	}
	if further || (t.Private == nil && len(t.Texts) == 0) {
		lost.Note(at, "thoughts without a seal are joined")
	}
}

func (e *chatReply) message(at string, v *chatVoice, m ir.Message, nth int) {
	if m.Phase != "" {
		e.lost.Note(at+".phase", "messages of Chat have no phase")
	}
	e.lost.Extras(at, m.Extras, "") // there is no place for them
	texts := 0
	for k, p := range m.Parts {
		at := ir.PartPath(at, k)
		switch x := p.(type) {
		case ir.Text:
			if texts++; texts == 1 && nth > 1 && v.hasText {
				v.content.WriteString(chatGap)
			}
			e.text(at, v, x)
		case ir.Refusal:
			v.refusal.WriteString(x.Text)
		case ir.Image:
			if chatShowable(&e.lost, at, x) {
				v.images = append(v.images, x)
			}
		case ir.Audio:
			if chatAudible(&e.lost, at, x, v.audio != nil) {
				v.audio = &x
			}
		case ir.File:
			e.lost.Lose(at, "answers of Chat hold no files")
		case ir.Opaque:
			e.lost.Lose(at, "answers of Chat hold no "+x.Type)
		}
	}
	if len(m.Parts) > 1 {
		e.lost.Note(at+".parts", "the parts of an answer are sorted by kind and joined")
	}
	if len(m.Parts) == 0 || chatEmpty(m.Parts) {
		e.lost.Note(at, "it says nothing")
	}
}

func (e *chatReply) text(at string, v *chatVoice, t ir.Text) {
	base, length := int64(0), int64(utf8.RuneCountInString(t.Text))
	if t.Citations != nil {
		base = int64(utf8.RuneCountInString(v.content.String()))
	}
	for k, c := range t.Citations {
		if c, ok := chatCite(&e.lost, chatCitationPath(at, k), c, base, length); ok {
			v.citations = append(v.citations, c)
		}
	}
	if t.Private != nil {
		e.lost.Note(at+".private", "texts of Chat carry no seal")
	}
	v.hasText = true
	v.content.WriteString(t.Text)
	v.logprobs = append(v.logprobs, t.Logprobs...)
}

func chatCitationPath(at string, k int) string { return at + ".citations[" + strconv.Itoa(k) + "]" }

// chatCite brings a citation into the form of Chat: a web page, and the
// characters from base on that rest on it. What is not bounded covers length.
func chatCite(lost chatLog, at string, c ir.Citation, base, length int64) (ir.Citation, bool) {
	if c.Dialect == chatName && base == 0 && len(c.Raw) > 0 {
		return c, true
	}
	if c.Kind != ir.CitationURL || c.URL == "" {
		lost.Lose(at, "Chat cites web pages alone")
		return c, false
	}
	lost.Note(at, "written as a url_citation")
	start, end := base, base+length
	if c.Start != nil && c.End != nil {
		start, end = base+*c.Start, base+*c.End
	}
	c.Start, c.End, c.Dialect, c.Raw = &start, &end, "", nil
	return c, true
}

// chatShowable judges a generated image, which OpenRouter's form has as data or
// an address.
func chatShowable(lost chatLog, at string, m ir.Image) bool {
	if m.Source.Data == "" && m.Source.URL == "" {
		lost.Lose(at, "an image by id means nothing to the client")
		return false
	}
	lost.Note(at, "images of answers stand in images, which OpenRouter made known")
	return true
}

func chatAudible(lost chatLog, at string, a ir.Audio, second bool) bool {
	if second || a.Source.Data == "" {
		lost.Lose(at, "an answer of Chat holds one sound, as data")
		return false
	}
	if a.Source.MIME != "" {
		lost.Note(at+".source.mime", "the client knows the format that it asked for")
	}
	return true
}

func (e *chatReply) thoughts(v *chatVoice) {
	w := &e.w
	w.OptStr("reasoning_content", v.thought.String())
	open := false
	for i, s := range v.seals {
		if s.thought.Private == nil {
			continue
		}
		if !open {
			w.Array("reasoning_details")
			open = true
		}
		s.write(w, i)
	}
	if open {
		w.End()
	}
}

func (e *chatReply) media(v *chatVoice) {
	w := &e.w
	w.Array("annotations")
	for _, c := range v.citations {
		chatWriteCitation(w, c)
	}
	w.End()
	if len(v.images) > 0 {
		w.Array("images")
		for _, m := range v.images {
			chatWriteImage(w, m)
		}
		w.End()
	}
	if v.audio != nil {
		chatWriteAudio(w, *v.audio, e.id)
	}
}

func (e *chatReply) calls(v *chatVoice) {
	if len(v.calls) == 0 {
		return
	}
	w := &e.w
	if e.req.Form.FunctionCall {
		e.lost.Note(v.calls[0].at+".id", "a function_call has no id")
		w.Object("function_call")
		w.Str("name", ir.FlatName(v.calls[0].call.Namespace, v.calls[0].call.Name))
		w.Str("arguments", v.calls[0].call.Arguments)
		w.End()
		for _, c := range v.calls[1:] {
			e.lost.Lose(c.at, "the client can take one function_call at a time")
		}
		return
	}
	w.Array("tool_calls")
	for _, c := range v.calls {
		call := chatRestored(&e.lost, c.at, e.req, c.call)
		w.Object("")
		chatWriteCall(w, call)
		w.End()
	}
	w.End()
}
