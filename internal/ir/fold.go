package ir

// Folder makes a whole answer of events. The zero value is ready.
type Folder struct {
	resp  Response
	check Checker
}

// Event adds the next event; an error is a breach of the grammar, or the
// failure that the vendor reported.
func (f *Folder) Event(ev Event) error {
	if err := f.check.Event(ev); err != nil {
		return err
	}
	switch ev := ev.(type) {
	case Start:
		f.resp.ID, f.resp.Model, f.resp.Created = ev.ID, ev.Model, ev.Created
		f.resp.Usage, f.resp.ServiceTier = ev.Usage, ev.ServiceTier
	case ItemStart:
		c := f.choice(ev.Choice)
		c.Items = append(c.Items, ev.Item)
	case TextDelta:
		f.text(ev)
	case RefusalDelta:
		f.message(ev.Choice, ev.Index, func(m *Message) {
			r, _ := grow(m, ev.Part, Refusal{}).(Refusal)
			r.Text += ev.Text
			m.Parts[ev.Part] = r
		})
	case PartAdded:
		f.message(ev.Choice, ev.Index, func(m *Message) {
			grow(m, ev.Part, ev.Content)
			m.Parts[ev.Part] = ev.Content
		})
	case Cited:
		f.message(ev.Choice, ev.Index, func(m *Message) {
			t, _ := grow(m, ev.Part, Text{}).(Text)
			t.Citations = append(t.Citations, ev.Citation)
			m.Parts[ev.Part] = t
		})
	case ThoughtDelta:
		f.thought(ev)
	case ArgumentsDelta:
		if call, ok := (*f.item(ev.Choice, ev.Index)).(ToolCall); ok {
			call.Arguments += ev.Text
			*f.item(ev.Choice, ev.Index) = call
		}
	case Sealed:
		f.seal(ev)
	case Stopped:
		f.choice(ev.Choice).Stop = ev.Stop
	case Progress:
		f.resp.Usage = ev.Usage
	case Finish:
		f.finish(ev)
	case Failed:
		return ev.Err
	case ItemEnd, Ping:
	}
	return nil
}

// Response returns the answer so far; whole says that Finish has come.
func (f *Folder) Response() (resp *Response, whole bool) {
	return &f.resp, f.check.Whole()
}

func (f *Folder) choice(n int) *Choice {
	for len(f.resp.Choices) <= n {
		f.resp.Choices = append(f.resp.Choices, Choice{})
	}
	return &f.resp.Choices[n]
}

func (f *Folder) item(choice, index int) *Item { return &f.choice(choice).Items[index] }

func (f *Folder) message(choice, index int, change func(*Message)) {
	it := f.item(choice, index)
	if m, ok := (*it).(Message); ok {
		change(&m)
		*it = m
	}
}

// grow makes sure that m has part n, which is empty if it is new.
func grow(m *Message, n int, empty Part) Part {
	for len(m.Parts) <= n {
		m.Parts = append(m.Parts, empty)
	}
	return m.Parts[n]
}

func (f *Folder) text(ev TextDelta) {
	f.message(ev.Choice, ev.Index, func(m *Message) {
		t, _ := grow(m, ev.Part, Text{}).(Text)
		t.Text += ev.Text
		t.Logprobs = append(t.Logprobs, ev.Logprobs...)
		m.Parts[ev.Part] = t
	})
}

func (f *Folder) thought(ev ThoughtDelta) {
	it := f.item(ev.Choice, ev.Index)
	if th, ok := (*it).(Thought); ok {
		for len(th.Texts) <= ev.Part {
			th.Texts = append(th.Texts, "")
		}
		th.Texts[ev.Part] += ev.Text
		*it = th
	}
}

func (f *Folder) seal(ev Sealed) {
	p := &ev.Private
	it := f.item(ev.Choice, ev.Index)
	switch x := (*it).(type) {
	case Thought:
		x.Private, x.Redacted = p, x.Redacted || ev.Redacted
		*it = x
	case ToolCall:
		x.Private = p
		*it = x
	case Message:
		switch part := grow(&x, ev.Part, Text{}).(type) {
		case Text:
			part.Private = p
			x.Parts[ev.Part] = part
		case Image:
			part.Private = p
			x.Parts[ev.Part] = part
		case Refusal, Audio, File, Opaque:
		}
		*it = x
	case ToolResult, Opaque:
	}
}

func (f *Folder) finish(ev Finish) {
	if ev.Usage.Reported || !f.resp.Usage.Reported {
		f.resp.Usage = ev.Usage
	}
	if ev.ServiceTier != "" {
		f.resp.ServiceTier = ev.ServiceTier
	}
	f.resp.Extras = append(f.resp.Extras, ev.Extras...)
}

// Unfold calls yield with the events of a whole answer, for clients that asked
// for a stream where the provider answered at once. It stops when yield
// returns false.
func Unfold(r *Response, yield func(Event) bool) {
	if !yield(Start{ID: r.ID, Model: r.Model, Created: r.Created, ServiceTier: r.ServiceTier}) {
		return
	}
	for n := range r.Choices {
		for i, it := range r.Choices[n].Items {
			if !unfoldItem(n, i, it, yield) {
				return
			}
		}
		if !yield(Stopped{Choice: n, Stop: r.Choices[n].Stop}) {
			return
		}
	}
	if len(r.Choices) == 0 && !yield(Stopped{}) {
		return
	}
	yield(Finish{Usage: r.Usage, ServiceTier: r.ServiceTier, Extras: r.Extras})
}

func unfoldItem(n, i int, it Item, yield func(Event) bool) bool {
	ok := true
	emit := func(ev Event) { ok = ok && yield(ev) }
	switch x := it.(type) {
	case Message:
		shell := x
		shell.Parts = nil
		emit(ItemStart{n, i, shell})
		for k, p := range x.Parts {
			unfoldPart(n, i, k, p, emit)
		}
	case ToolCall:
		shell := x
		shell.Arguments, shell.Private = "", nil
		emit(ItemStart{n, i, shell})
		if x.Private != nil {
			emit(Sealed{Choice: n, Index: i, Private: *x.Private})
		}
		if x.Arguments != "" {
			emit(ArgumentsDelta{n, i, x.Arguments})
		}
	case Thought:
		shell := x
		shell.Texts, shell.Private = nil, nil
		emit(ItemStart{n, i, shell})
		for k, t := range x.Texts {
			emit(ThoughtDelta{n, i, k, t})
		}
		if x.Private != nil {
			emit(Sealed{Choice: n, Index: i, Private: *x.Private, Redacted: x.Redacted})
		}
	case ToolResult, Opaque:
		emit(ItemStart{n, i, it})
	}
	emit(ItemEnd{n, i})
	return ok
}

func unfoldPart(n, i, k int, p Part, emit func(Event)) {
	switch x := p.(type) {
	case Text:
		emit(TextDelta{n, i, k, x.Text, x.Logprobs})
		for _, c := range x.Citations {
			emit(Cited{n, i, k, c})
		}
		if x.Private != nil {
			emit(Sealed{Choice: n, Index: i, Part: k, Private: *x.Private})
		}
	case Refusal:
		emit(RefusalDelta{n, i, k, x.Text})
	case Image, Audio, File, Opaque:
		emit(PartAdded{n, i, k, p})
	}
}
