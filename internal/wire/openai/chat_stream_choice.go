package openai

import (
	"encoding/base64"
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// chatChoice is a choice of a stream: at most one thought or message is open,
// beside any number of calls.
type chatChoice struct {
	stream   *chatStream
	n        int
	items    int  // begun so far
	open     int  // the open thought or message, -1 = none
	thinking bool // it is a thought
	thoughts int  // begun so far

	part    int  // the last part of the open message, -1 = none
	refuses bool // that part is a refusal
	refused bool // any part was
	details chatDetails
	sealed  bool // the open thought has its seal
	worded  bool // thoughts are said in reasoning_content, which details repeat
	sound   *chatSound
	calls   []*chatPending

	reason   string
	sequence string
}

// delta reads what a chunk adds.
func (c *chatChoice) delta(dst []ir.Event, o *jsondoc.Object, logprobs []ir.Logprob) ([]ir.Event, error) {
	o.Get("role")
	content, thinking := c.content(o.Get("content"))
	text := chatReasoning(o)
	if text == "" {
		text = thinking
	}
	dst = c.think(dst, text, o.Array("reasoning_details"))
	dst = c.say(dst, content, logprobs)
	if s := o.Str("refusal"); s != "" {
		dst = c.refuse(dst, s)
	}
	for _, cited := range chatCitations(o) {
		dst = c.message(dst)
		if c.part < 0 || c.refuses {
			c.part, c.refuses = c.part+1, false
		}
		dst = append(dst, ir.Cited{Choice: c.n, Index: c.open, Part: c.part, Citation: cited})
	}
	for _, v := range o.Array("images") {
		dst = c.message(dst)
		c.part, c.refuses = c.part+1, true // the next text is a part of its own
		dst = append(dst, ir.PartAdded{Choice: c.n, Index: c.open, Part: c.part, Content: chatImage(v.Object())})
	}
	if o.Has("audio") {
		dst = c.hear(dst, o.Object("audio"))
	}
	return c.callDeltas(dst, o)
}

// content reads a piece of text, which Mistral sends as parts.
func (c *chatChoice) content(v jsondoc.Value) (text, thinking string) {
	if v.Kind() != jsondoc.IsArray {
		return v.Str(), ""
	}
	var said, thought strings.Builder
	for _, p := range v.Array() {
		switch o := p.Object(); o.Str("type") {
		case "text", "output_text":
			said.WriteString(o.Str("text"))
		case "thinking":
			thought.WriteString(chatThinking(o))
		default:
			c.stream.lost.Lose(chatItems(c.n), "a part of the type "+o.Str("type")+" cannot be carried in a stream")
		}
	}
	return said.String(), thought.String()
}

// think adds to a thought: its text, and what the provider seals onto it.
func (c *chatChoice) think(dst []ir.Event, text string, details []jsondoc.Value) []ir.Event {
	known := len(details)
	if c.worded = c.worded || text != ""; !c.worded {
		text = chatDetailWords(details)
	}
	if text != "" {
		if c.open >= 0 && c.thinking && c.sealed {
			dst = c.close(dst)
		}
		if (c.open < 0 || !c.thinking) && c.thoughts > 0 {
			text = strings.TrimPrefix(text, chatGap)
		}
		dst = c.thought(dst, ir.Thought{Raw: known == 0})
		dst = append(dst, ir.ThoughtDelta{Choice: c.n, Index: c.open, Text: text})
	}
	for _, v := range details {
		o := v.Object()
		seal := ir.Open(o.Str("data"), "")
		if seal.Vendor == "" {
			c.details.add(o)
			continue
		}
		if c.open >= 0 && c.thinking && c.sealed {
			dst = c.close(dst)
		}
		raw := chatTrue(o.Bool("raw"))
		dst = c.thought(dst, ir.Thought{ID: o.Str("id"), Raw: raw})
		dst = append(dst, ir.Sealed{Choice: c.n, Index: c.open, Private: seal, Redacted: chatTrue(o.Bool("redacted"))})
		c.sealed = true
	}
	return dst
}

// chatDetailWords is the text of details, for servers that say it there alone.
func chatDetailWords(details []jsondoc.Value) string {
	var b strings.Builder
	for _, v := range details {
		o := v.Object()
		b.WriteString(o.Str("text"))
		b.WriteString(o.Str("summary"))
	}
	return b.String()
}

// thought makes sure that a thought is open.
func (c *chatChoice) thought(dst []ir.Event, shell ir.Thought) []ir.Event {
	if c.open >= 0 && c.thinking {
		return dst
	}
	dst = c.begin(c.close(dst), shell)
	c.open, c.thinking, c.sealed = c.items-1, true, false
	c.thoughts++
	return dst
}

// message makes sure that a message is open.
func (c *chatChoice) message(dst []ir.Event) []ir.Event {
	if c.open >= 0 && !c.thinking {
		return dst
	}
	dst = c.begin(c.close(dst), ir.Message{Role: ir.RoleAssistant})
	c.open, c.thinking, c.part, c.refuses = c.items-1, false, -1, false
	return dst
}

func (c *chatChoice) begin(dst []ir.Event, shell ir.Item) []ir.Event {
	c.items++
	return append(dst, ir.ItemStart{Choice: c.n, Index: c.items - 1, Item: shell})
}

// close ends the open thought or message.
func (c *chatChoice) close(dst []ir.Event) []ir.Event {
	if c.open < 0 {
		return dst
	}
	if c.thinking {
		if seal := c.takeSeal(); seal != nil && !c.sealed {
			dst = append(dst, ir.Sealed{Choice: c.n, Index: c.open, Private: *seal})
		}
	} else if c.sound != nil {
		dst = append(dst, ir.PartAdded{Choice: c.n, Index: c.open, Part: c.part + 1, Content: c.sound.part()})
		c.sound = nil
	}
	dst = append(dst, ir.ItemEnd{Choice: c.n, Index: c.open})
	c.open = -1
	return dst
}

// takeSeal is what the provider sealed since it was last taken.
func (c *chatChoice) takeSeal() *ir.Private {
	if c.details.full {
		c.stream.lost.Lose(chatItems(c.n), "the provider's reasoning_details are too large to be kept")
	}
	seal := c.details.seal()
	c.details = chatDetails{}
	return seal
}

// say adds text to the message.
func (c *chatChoice) say(dst []ir.Event, text string, logprobs []ir.Logprob) []ir.Event {
	if text == "" && (logprobs == nil || c.open < 0 || c.thinking) {
		if logprobs != nil {
			c.stream.lost.Lose("choices["+strconv.Itoa(c.n)+"].logprobs", "they are of no text")
		}
		return dst
	}
	dst = c.message(dst)
	if c.part < 0 || c.refuses {
		c.part, c.refuses = c.part+1, false
	}
	return append(dst, ir.TextDelta{Choice: c.n, Index: c.open, Part: c.part, Text: text, Logprobs: logprobs})
}

func (c *chatChoice) refuse(dst []ir.Event, text string) []ir.Event {
	dst = c.message(dst)
	if !c.refuses || c.part < 0 {
		c.part, c.refuses = c.part+1, true
	}
	c.refused = true
	return append(dst, ir.RefusalDelta{Choice: c.n, Index: c.open, Part: c.part, Text: text})
}

// chatSound puts spoken audio together, which comes in pieces of base64.
type chatSound struct {
	data       []byte
	transcript strings.Builder
}

// chatMaxSound bounds the audio of a choice, in bytes.
const chatMaxSound = 16 << 20

func (c *chatChoice) hear(dst []ir.Event, o *jsondoc.Object) []ir.Event {
	dst = c.message(dst)
	if c.sound == nil {
		c.sound = &chatSound{}
	}
	c.sound.transcript.WriteString(o.Str("transcript"))
	piece, err := base64.StdEncoding.DecodeString(o.Str("data"))
	if err != nil || len(c.sound.data)+len(piece) > chatMaxSound {
		c.stream.lost.Lose(chatItems(c.n), "the sound is malformed or too large")
		return dst
	}
	c.sound.data = append(c.sound.data, piece...)
	return dst
}

func (s *chatSound) part() ir.Audio {
	return ir.Audio{Source: ir.Source{Data: base64.StdEncoding.EncodeToString(s.data)}, Transcript: s.transcript.String()}
}

// finish ends what is open and says why the choice ended.
func (c *chatChoice) finish(dst []ir.Event) ([]ir.Event, error) {
	dst = c.close(dst)
	dst, err := c.endCalls(dst)
	if err != nil {
		return dst, err
	}
	if seal := c.takeSeal(); seal != nil { // it came after the thought was over
		dst = c.begin(dst, ir.Thought{})
		at := c.items - 1
		dst = append(dst, ir.Sealed{Choice: c.n, Index: at, Private: *seal, Redacted: true}, ir.ItemEnd{Choice: c.n, Index: at})
	}
	stop := chatStop(c.reason, c.sequence, c.refused, len(c.calls) > 0)
	return append(dst, ir.Stopped{Choice: c.n, Stop: stop}), nil
}
