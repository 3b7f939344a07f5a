package ir

import (
	"fmt"
)

// Checker judges whether events come in the order that Event describes. It
// keeps a few words per item, whatever their length. The zero value is ready.
type Checker struct {
	started, finished, failed bool
	choices                   map[int]*choiceCheck
}

type choiceCheck struct {
	items   []itemCheck
	stopped bool
}

type itemCheck struct {
	item Item
	open bool
	part int // the highest begun, -1 = none
}

// Event judges the next event; an error says what is wrong with it.
func (c *Checker) Event(ev Event) error {
	switch {
	case c.failed:
		return grammar("%T after Failed", ev)
	case c.finished:
		return grammar("%T after Finish", ev)
	}
	if _, ok := ev.(Start); ok {
		if c.started {
			return grammar("a second Start")
		}
		c.started, c.choices = true, map[int]*choiceCheck{}
		return nil
	}
	if _, ok := ev.(Ping); ok {
		return nil
	}
	if _, ok := ev.(Failed); ok {
		c.failed = true
		return nil
	}
	if !c.started {
		return grammar("%T before Start", ev)
	}
	return c.inside(ev)
}

func (c *Checker) inside(ev Event) error {
	switch ev := ev.(type) {
	case ItemStart:
		return c.open(ev)
	case ItemEnd:
		it, err := c.at(ev.Choice, ev.Index)
		if err == nil {
			it.open = false
		}
		return err
	case TextDelta:
		return inPart[Message](c, ev.Choice, ev.Index, ev.Part)
	case RefusalDelta:
		return inPart[Message](c, ev.Choice, ev.Index, ev.Part)
	case PartAdded:
		return inPart[Message](c, ev.Choice, ev.Index, ev.Part)
	case Cited:
		return inPart[Message](c, ev.Choice, ev.Index, ev.Part)
	case ThoughtDelta:
		return inPart[Thought](c, ev.Choice, ev.Index, ev.Part)
	case ArgumentsDelta:
		return inItem[ToolCall](c, ev.Choice, ev.Index)
	case Sealed:
		_, err := c.at(ev.Choice, ev.Index)
		return err
	case Stopped:
		return c.stop(ev.Choice)
	case Finish:
		return c.finish()
	case Progress, Start, Ping, Failed:
		return nil
	default:
		return grammar("unknown event %T", ev)
	}
}

// Whole reports whether the answer is complete: Finish has come.
func (c *Checker) Whole() bool { return c.finished }

func (c *Checker) open(ev ItemStart) error {
	ch := c.choices[ev.Choice]
	if ch == nil {
		ch = &choiceCheck{}
		c.choices[ev.Choice] = ch
	}
	switch {
	case ch.stopped:
		return grammar("an item of choice %d begins after it stopped", ev.Choice)
	case ev.Index != len(ch.items):
		return grammar("item %d of choice %d begins where %d is next", ev.Index, ev.Choice, len(ch.items))
	case ev.Item == nil:
		return grammar("an item begins without its shell")
	}
	ch.items = append(ch.items, itemCheck{item: ev.Item, open: true, part: -1})
	return nil
}

func (c *Checker) at(choice, index int) (*itemCheck, error) {
	ch := c.choices[choice]
	if ch == nil || index < 0 || index >= len(ch.items) {
		return nil, grammar("item %d of choice %d never began", index, choice)
	}
	if !ch.items[index].open {
		return nil, grammar("item %d of choice %d is closed", index, choice)
	}
	return &ch.items[index], nil
}

func inItem[T Item](c *Checker, choice, index int) error {
	it, err := c.at(choice, index)
	if err != nil {
		return err
	}
	if _, ok := it.item.(T); !ok {
		return grammar("item %d of choice %d is a %T", index, choice, it.item)
	}
	return nil
}

func inPart[T Item](c *Checker, choice, index, part int) error {
	if err := inItem[T](c, choice, index); err != nil {
		return err
	}
	it, err := c.at(choice, index)
	if err != nil {
		return err
	}
	if part < 0 || part > it.part+1 {
		return grammar("part %d of item %d begins where %d is next", part, index, it.part+1)
	}
	it.part = max(it.part, part)
	return nil
}

func (c *Checker) stop(choice int) error {
	ch := c.choices[choice]
	if ch == nil { // an answer without content
		ch = &choiceCheck{}
		c.choices[choice] = ch
	}
	if ch.stopped {
		return grammar("choice %d stops twice", choice)
	}
	for i := range ch.items {
		if ch.items[i].open {
			return grammar("choice %d stops while item %d is open", choice, i)
		}
	}
	ch.stopped = true
	return nil
}

func (c *Checker) finish() error {
	if len(c.choices) == 0 {
		return grammar("Finish without any choice")
	}
	for n, ch := range c.choices {
		if !ch.stopped {
			return grammar("Finish while choice %d goes on", n)
		}
	}
	c.finished = true
	return nil
}

// grammarError is a breach of the order of events.
type grammarError string

// Error returns what is wrong.
func (e grammarError) Error() string { return string(e) }

func grammar(format string, args ...any) error {
	return grammarError("stream grammar: " + fmt.Sprintf(format, args...))
}
