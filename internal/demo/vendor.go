package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxBody bounds a request body, in bytes.
const maxBody = 64 << 20

// Vendor is the simulated vendor. The zero value is ready; fields are set
// before the first request.
type Vendor struct {
	// Pace is the time between two content events of a stream; 0 = at once.
	Pace time.Duration
	// RequireKey judges the key of a request ("" when none came): 0 or 200
	// lets it pass, any other status is answered. Nil lets everything pass.
	RequireKey func(key string) (status int)
	// AnyModel accepts every model name.
	AnyModel bool
	// Now is the clock of the "created" fields; nil = they are constant.
	Now func() time.Time
	// Run is part of every id that the vendor makes, after the word demo: letters
	// and digits that tell one start of a process from the next.
	Run string

	count atomic.Int64
	mu    sync.Mutex
	rec   recorder
}

// Model is a model of the vendor.
type Model struct {
	ID, DisplayName             string
	ContextTokens, OutputTokens int64
	Embeds                      bool
	// Prices in dollars per million tokens, as JSON numbers.
	PriceInput, PriceOutput, PriceCacheRead string
}

// Prices returns the price object of the seed and API format.
func (m Model) Prices() json.RawMessage {
	tier := `"price_input_tokens":` + m.PriceInput
	if !m.Embeds {
		tier += `,"price_output_tokens":` + m.PriceOutput + `,"price_cache_read_input_tokens":` + m.PriceCacheRead
	}
	return json.RawMessage(`{"price_tiers":[{` + tier + `}]}`)
}

// Models lists the models, for model lists and for what --demo seeds.
func Models() []Model {
	return []Model{
		{ID: "demo-small", DisplayName: "Demo Small", ContextTokens: 128_000, OutputTokens: 16_384, PriceInput: "0.15", PriceOutput: "0.6", PriceCacheRead: "0.075"},
		{ID: "demo-large", DisplayName: "Demo Large", ContextTokens: 200_000, OutputTokens: 32_768, PriceInput: "2.5", PriceOutput: "10", PriceCacheRead: "1.25"},
		{ID: "demo-embed", DisplayName: "Demo Embed", ContextTokens: 8_192, Embeds: true, PriceInput: "0.02"},
	}
}

func findModel(id string) (Model, bool) {
	for _, m := range Models() {
		if m.ID == id {
			return m, true
		}
	}
	return Model{}, false
}

// family is whose manners an answer has.
type family uint8

const (
	familyOpenAI family = iota
	familyAnthropic
	familyGemini
)

// exchange is one request being answered.
type exchange struct {
	v      *Vendor
	w      http.ResponseWriter
	r      *http.Request
	family family
	number int64 // of the dispatch, from 1
	body   []byte
	d      directives
}

// ServeHTTP answers one request. It panics with http.ErrAbortHandler where a
// directive asks for a broken connection, as handlers of net/http do.
func (v *Vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{v: v, w: w, r: r, number: v.count.Add(1)}
	x.d, _ = parseDirectives("")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.body = body
	v.record(x)
	serve := x.route()
	x.headers()
	key := requestKey(r)
	switch {
	case len(body) > maxBody:
		x.fail(http.StatusRequestEntityTooLarge, "", "the request is too large")
	case v.RequireKey != nil && v.refused(key) != 0:
		x.failKey(v.refused(key), key)
	default:
		serve()
	}
}

func (v *Vendor) refused(key string) int {
	if status := v.RequireKey(key); status != http.StatusOK {
		return status
	}
	return 0
}

// requestKey returns the credential of r in whatever form it came.
func requestKey(r *http.Request) string {
	if k, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return k
	}
	for _, h := range []string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key"} {
		if k := r.Header.Get(h); k != "" {
			return k
		}
	}
	return r.URL.Query().Get("key")
}

// route finds the operation by the end of the path, whatever stands before.
func (x *exchange) route() func() {
	path := strings.TrimRight(x.r.URL.Path, "/")
	if i := strings.LastIndex(path, "/models/"); i >= 0 {
		name := path[i+len("/models/"):]
		if model, verb, ok := cutLast(name, ":"); ok && x.r.Method == http.MethodPost {
			x.family = familyGemini
			return func() { x.gemini(model, verb) }
		}
		x.family = x.modelsFamily()
		return func() { x.getModel(name) }
	}
	post := map[string]func(){
		"/chat/completions":       x.chat,
		"/responses":              x.responses,
		"/responses/input_tokens": x.countResponses,
		"/responses/compact":      x.compactResponses,
		"/messages":               x.messages,
		"/messages/count_tokens":  x.countMessages,
		"/embeddings":             x.embeddings,
		"/moderations":            x.moderations,
		"/completions":            x.completions,
	}
	best := ""
	for suffix := range post {
		if strings.HasSuffix(path, suffix) && len(suffix) > len(best) {
			best = suffix
		}
	}
	switch {
	case best != "" && x.r.Method == http.MethodPost:
		if strings.HasPrefix(best, "/messages") {
			x.family = familyAnthropic
		}
		return post[best]
	case strings.HasSuffix(path, "/models") && x.r.Method == http.MethodGet:
		x.family = x.modelsFamily()
		return x.listModels
	case best != "":
		return func() { x.fail(http.StatusMethodNotAllowed, "", "Not allowed to "+x.r.Method+" on "+path+".") }
	default:
		return func() { x.fail(http.StatusNotFound, "", "Invalid URL ("+x.r.Method+" "+path+")") }
	}
}

// modelsFamily tells the three protocols apart on the path that they share.
func (x *exchange) modelsFamily() family {
	switch {
	case x.r.Header.Get("X-Goog-Api-Key") != "" || x.r.URL.Query().Has("key") || strings.Contains(x.r.URL.Path, "/v1beta"):
		return familyGemini
	case x.r.Header.Get("Anthropic-Version") != "":
		return familyAnthropic
	default:
		return familyOpenAI
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// headers sets what the vendors set, the ones that must not reach clients
// included: that they are dropped is for the gateway's tests to see.
func (x *exchange) headers() {
	h := x.w.Header()
	id := x.id("req_")
	h.Set("Set-Cookie", "__cf_bm=demo; path=/; HttpOnly; Secure")
	h.Set("Server-Timing", "demo;dur=1")
	h.Set("Access-Control-Allow-Origin", "*")
	switch x.family {
	case familyOpenAI:
		h.Set("X-Request-Id", id)
		h.Set("Openai-Organization", "org-demo")
		h.Set("Openai-Processing-Ms", "1")
		h.Set("Openai-Version", "2020-10-01")
		h.Set("X-Ratelimit-Limit-Requests", "10000")
		h.Set("X-Ratelimit-Remaining-Requests", "9999")
		h.Set("X-Ratelimit-Reset-Requests", "6ms")
	case familyAnthropic:
		h.Set("Request-Id", id)
		h.Set("Anthropic-Organization-Id", "00000000-0000-4000-8000-000000000000")
		h.Set("Anthropic-Ratelimit-Requests-Limit", "10000")
		h.Set("Anthropic-Ratelimit-Requests-Remaining", "9999")
	case familyGemini:
		h.Set("X-Gemini-Service-Tier", "standard")
	}
}

// id returns prefix and the dispatch number, so that a test can tell which
// dispatch an answer belongs to.
func (x *exchange) id(prefix string) string {
	return fmt.Sprintf("%sdemo%s%012d", prefix, x.v.Run, x.number)
}

// created is the time of the answer in Unix seconds.
func (x *exchange) created() int64 {
	if x.v.Now == nil {
		return 1_763_800_000
	}
	return x.v.Now().Unix()
}

// model checks the model name and answers the vendor's own error if it is unknown.
func (x *exchange) model(id string, embeds bool) bool {
	m, ok := findModel(id)
	if x.v.AnyModel || ok && m.Embeds == embeds {
		return true
	}
	switch x.family {
	case familyOpenAI:
		x.failWith(http.StatusNotFound, "model_not_found", fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", id))
	case familyAnthropic:
		x.fail(http.StatusNotFound, "", "model: "+id)
	case familyGemini:
		x.fail(http.StatusNotFound, "", fmt.Sprintf("models/%s is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.", id))
	}
	return false
}

// decode reads the body into v and answers the vendor's error if it cannot.
func (x *exchange) decode(v any) bool {
	if err := json.Unmarshal(x.body, v); err != nil {
		x.fail(http.StatusBadRequest, "", "We could not parse the JSON body of your request: "+err.Error())
		return false
	}
	return true
}

// query returns the request's query.
func (x *exchange) query() url.Values { return x.r.URL.Query() }
