package wire

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// Limits of a request body (SECURITY D-04).
const (
	maxDepth = 64
	maxItems = 10_000
	// maxMembers bounds the members of the top level and of other objects in
	// which a name decides.
	maxMembers = 1024
	// maxOthers bounds Peeked.Others.
	maxOthers = 64
)

// DefaultModerationModel is the model of a moderation request that names none,
// as OpenAI documents it.
const DefaultModerationModel = "omni-moderation-latest"

// MaxUserTag bounds Peeked.User, in bytes.
const MaxUserTag = 256

// maxCount bounds token counts that come from outside.
const maxCount = 1 << 40

// Peeked is what Peek found in a body, with the places that Splice needs.
type Peeked struct {
	// Model is the name as sent, unescaped. For Gemini it is the path's.
	Model string
	// Stream says that the answer is wanted as a stream.
	Stream bool
	// IncludeUsage says that the client itself asks for a usage chunk.
	IncludeUsage bool
	// OutputCap is the largest cap on output tokens in the body; 0 = none that
	// holds for the operation.
	OutputCap int64
	// Choices is how many answers are asked for, each of which may use the whole
	// cap: n, best_of, the prompts of a completion, candidateCount; 0 = one.
	Choices int64
	// ThinkingTokens is Anthropic's budget for thinking, which a cap must exceed.
	ThinkingTokens int64
	// ServiceTier is the service tier that is asked for, by the vendor's name.
	ServiceTier string
	// Others are further models that the body lets the provider use, each once:
	// fallbacks (models, fallbacks[].model) and those of tools (tools[].model,
	// such as an advising model). Whoever may not use one of them must not send
	// the body. Splice does not rewrite them. Gemini has none.
	Others []string
	// PreviousID is the response that a Responses request goes on from; empty =
	// none.
	PreviousID string
	// Unstored is set when a Responses request says that its answer must not be
	// kept.
	Unstored bool
	// User is the caller's own user tag: metadata.user_id for Anthropic, user
	// or else safety_identifier for OpenAI; cut to MaxUserTag bytes.
	User string

	open          int  // offset after the opening brace
	empty         bool // no member at all
	defaulted     bool // no model in the body where one is optional
	optionsEmpty  bool
	model         jsonscan.Span
	nested        []jsonscan.Span // Gemini: model fields further down
	streamOptions jsonscan.Span
	usage         jsonscan.Span // the value of stream_options.include_usage
	config        jsonscan.Span // Gemini: the value of generationConfig
	configEmpty   bool
	caps          [3]outputCap
	capCount      int
}

type outputCap struct {
	at    jsonscan.Span
	value int64
}

// noCap is the value of a cap that caps nothing: null, a text, nothing above 0.
const noCap = math.MaxInt64

// Peek reads what the gateway must know of a request body in one pass over it
// and refuses what two decoders could read differently: what is not JSON, a
// member of the top level that is there twice (escapes resolved), one whose
// name differs from one that matters by case only, names that are not proper
// Unicode. So the model that is authorised is the one that the
// provider reads. Strings elsewhere may hold any bytes from 0x80 up; the
// provider judges them.
//
// Where r names the model (Gemini), every model field of the body must agree
// with it. Elsewhere model is required, but for moderations, which then get
// DefaultModerationModel. Errors are CodeInvalid with a Field.
func Peek(r Route, body []byte) (Peeked, error) {
	p := peeker{body: body, route: r, limits: jsonscan.Limits{Depth: maxDepth, Items: maxItems}}
	if err := p.run(); err != nil {
		return Peeked{}, err
	}
	return p.out, nil
}

type peeker struct {
	body   []byte
	route  Route
	limits jsonscan.Limits
	out    Peeked
	seen   names
	tag    jsonscan.Span // safety_identifier, used when there is no user
	// prompts are those of a completion; 0 = not counted.
	prompts int64
}

func (p *peeker) run() error {
	at := jsonscan.Space(p.body, 0)
	switch {
	case at == len(p.body):
		return tollgate.Invalidf("body", "the request body is empty; a JSON object is expected")
	case bytes.HasPrefix(p.body, []byte("\xef\xbb\xbf")):
		return tollgate.Invalidf("body", "the request body begins with a byte order mark; send plain UTF-8 JSON")
	}
	if p.body[at] != '{' {
		if err := p.limits.Valid(p.body); err != nil {
			return bodyError(err)
		}
		return tollgate.Invalidf("body", "the request body must be a JSON object")
	}
	p.out.open, p.out.empty = at+1, true
	o := p.limits.Object(p.body, at, 0)
	for o.Next() {
		p.out.empty = false
		name, err := p.seen.add(p.body, o.Key, "")
		if err != nil {
			return err
		}
		if err := p.member(name, o.Value); err != nil {
			return err
		}
	}
	if err := o.Err(); err != nil {
		return bodyError(err)
	}
	if end := jsonscan.Space(p.body, o.End); end < len(p.body) {
		return bodyError(&jsonscan.Error{Kind: jsonscan.KindTrailing, Offset: end})
	}
	return p.finish()
}

// finish checks what only the whole body can tell.
func (p *peeker) finish() error {
	if p.prompts > 1 {
		p.out.Choices = min(max(p.out.Choices, 1)*p.prompts, maxChoices)
	}
	if p.out.User == "" && !p.tag.Empty() {
		p.out.User = userTag(p.tag.Of(p.body))
	}
	switch {
	case p.route.Dialect == tollgate.DialectGemini:
		p.out.Model, p.out.Stream = p.route.Model, p.route.Stream
	case p.out.model.Empty() && p.route.Operation == tollgate.OpModerate:
		p.out.Model, p.out.defaulted = DefaultModerationModel, true
	case p.out.model.Empty():
		return tollgate.Invalidf("model", "the request names no model: add \"model\"")
	}
	return nil
}

func bodyError(err error) error {
	e, ok := errors.AsType[*jsonscan.Error](err)
	if !ok {
		return tollgate.Invalidf("body", "the request body cannot be read")
	}
	if e.Kind == jsonscan.KindDepth || e.Kind == jsonscan.KindItems {
		return tollgate.Invalidf("body", "the request body is refused: %s (at most %d levels, %d objects in an array)", e.Error(), maxDepth, maxItems)
	}
	return tollgate.Invalidf("body", "the request body is not valid JSON: %s", e.Error())
}

// member looks at one member of the top level.
func (p *peeker) member(name []byte, value jsonscan.Span) error {
	if p.route.Dialect == tollgate.DialectGemini {
		return p.geminiMember(name, value)
	}
	switch string(name) {
	case "model":
		return p.takeModel(value)
	case "stream":
		return p.takeStream(value)
	case "stream_options":
		if p.route.Dialect == tollgate.DialectOpenAIChat {
			return p.takeStreamOptions(value)
		}
	case "max_tokens", "max_completion_tokens", "max_output_tokens":
		if p.caps(string(name)) {
			return p.takeCap(value)
		}
	case "n", "best_of":
		p.takeChoices(value)
	case "prompt":
		p.takePrompts(value)
	case "service_tier":
		p.takeTier(value)
	case "thinking":
		if budget, ok := p.limits.Member(value.Of(p.body), "budget_tokens"); ok && p.route.Dialect == tollgate.DialectAnthropic {
			p.out.ThinkingTokens, _ = jsonscan.Count(budget, maxCount)
		}
	case "user":
		if p.route.Dialect != tollgate.DialectAnthropic {
			p.out.User = userTag(value.Of(p.body))
		}
	case "safety_identifier":
		p.tag = value
	case "previous_response_id", "store":
		if p.route.Dialect == tollgate.DialectOpenAIResponses {
			return p.takeState(string(name), value)
		}
	case "models", "fallbacks":
		return p.takeOthers(string(name), value)
	case "tools":
		// Tools may be most of the body: they are walked only if they can hold
		// the name, in plain or escaped spelling.
		if tools := value.Of(p.body); bytes.Contains(tools, []byte(`"model"`)) || bytes.Contains(tools, []byte(`\u`)) {
			return p.takeOthers("tools", value)
		}
	case "metadata":
		if p.route.Dialect == tollgate.DialectAnthropic {
			if id, ok := p.limits.Member(value.Of(p.body), "user_id"); ok {
				p.out.User = userTag(id)
			}
		}
	default:
		return lookAlike(name)
	}
	return nil
}

// lookAlike refuses a name that a decoder which ignores case, as encoding/json
// does, would take for one that matters here. U+017F folds to s.
func lookAlike(name []byte) error {
	if len(name) < len("model") || len(name) > len("stream_options")+2 {
		return nil
	}
	if c := name[0] | 0x20; c != 'm' && c != 's' && c != 'f' && c != 't' && name[0] != 0xc5 {
		return nil
	}
	for _, known := range [...]string{"model", "stream", "stream_options", "models", "fallbacks", "tools"} {
		if string(name) == known {
			return nil
		}
		if len(name) <= len(known)+2 && strings.EqualFold(string(name), known) {
			return tollgate.Invalidf(known, "%q is not a field; write %q", name, known)
		}
	}
	return nil
}

func (p *peeker) takeModel(value jsonscan.Span) error {
	model, err := modelName("model", value.Of(p.body))
	p.out.Model, p.out.model = model, value
	return err
}

// modelName reads a model's name from a JSON value.
func modelName(field string, value []byte) (string, error) {
	if value[0] != '"' {
		return "", tollgate.Invalidf(field, "%s must be a string", field)
	}
	name, ok := jsonscan.String(value)
	if !ok {
		return "", tollgate.Invalidf(field, "%s is not proper Unicode", field)
	}
	return name, tollgate.ValidModelName(field, name)
}

func (p *peeker) takeStream(value jsonscan.Span) error {
	if op := p.route.Operation; op != tollgate.OpGenerate && op != tollgate.OpComplete {
		return nil
	}
	switch v := value.Of(p.body); v[0] {
	case 't':
		p.out.Stream = true
	case 'f', 'n':
	default:
		return tollgate.Invalidf("stream", "stream must be true or false")
	}
	return nil
}

// takeState reads what a request says about earlier answers and its own.
func (p *peeker) takeState(name string, value jsonscan.Span) error {
	v := value.Of(p.body)
	switch {
	case v[0] == 'n':
	case name == "store" && (v[0] == 't' || v[0] == 'f'):
		p.out.Unstored = v[0] == 'f'
	case name == "store":
		return tollgate.Invalidf(name, "store must be true or false")
	default:
		id, ok := jsonscan.String(v)
		if !ok || !isResponseID(id) {
			return tollgate.Invalidf(name, "previous_response_id must be the id of a response")
		}
		p.out.PreviousID = id
	}
	return nil
}

func (p *peeker) takeStreamOptions(value jsonscan.Span) error {
	p.out.streamOptions, p.out.optionsEmpty = value, true
	switch p.body[value.Start] {
	case 'n':
		return nil
	case '{':
	default:
		return tollgate.Invalidf("stream_options", "stream_options must be an object")
	}
	var seen names
	o := p.limits.Object(p.body, value.Start, 1)
	for o.Next() {
		p.out.optionsEmpty = false
		name, err := seen.add(p.body, o.Key, "stream_options.")
		if err != nil {
			return err
		}
		if string(name) != "include_usage" {
			continue
		}
		p.out.usage = o.Value
		switch p.body[o.Value.Start] {
		case 't':
			p.out.IncludeUsage = true
		case 'f', 'n':
		default:
			return tollgate.Invalidf("stream_options.include_usage", "stream_options.include_usage must be true or false")
		}
	}
	return nil
}

// takeOthers reads the models in an array of names or of objects with a model.
func (p *peeker) takeOthers(field string, value jsonscan.Span) error {
	a := p.limits.Array(p.body, value.Start, 1)
	for a.Next() {
		switch p.body[a.Value.Start] {
		case '"':
			if err := p.addOther(field, a.Value); err != nil {
				return err
			}
		case '{':
			if err := p.otherOf(field, a.Value.Start); err != nil {
				return err
			}
		}
	}
	return nil // what is not an array is the provider's to refuse
}

// otherOf reads the model of the object at body[at], an element of field.
func (p *peeker) otherOf(field string, at int) error {
	var seen names
	o := p.limits.Object(p.body, at, 2)
	for o.Next() {
		name, err := seen.add(p.body, o.Key, field+"[].")
		switch {
		case err != nil:
			return err
		case string(name) != "model":
			err = lookAlike(name)
		case p.body[o.Value.Start] == '"':
			err = p.addOther(field+"[].model", o.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *peeker) addOther(field string, value jsonscan.Span) error {
	model, err := modelName(field, value.Of(p.body))
	if err == nil && !slices.Contains(p.out.Others, model) {
		if p.out.Others = append(p.out.Others, model); len(p.out.Others) > maxOthers {
			err = tollgate.Invalidf(field, "the request names more than %d models", maxOthers)
		}
	}
	return err
}

func userTag(value []byte) string {
	s, ok := jsonscan.String(value)
	if !ok {
		return ""
	}
	if len(s) > MaxUserTag {
		s = s[:MaxUserTag]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}
