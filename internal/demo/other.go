package demo

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"
)

// Sizes of embedding vectors.
const (
	defaultDimensions = 64
	maxDimensions     = 3072
)

// vector returns a unit vector that depends on text alone.
func vector(text string, size int) []float32 {
	if size <= 0 || size > maxDimensions {
		size = defaultDimensions
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	state := h.Sum64()
	out := make([]float32, size)
	var sum float64
	for i := range out {
		state += 0x9e3779b97f4a7c15 // splitmix64
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		f := float64((z^z>>31)>>11)/(1<<52) - 1 // 53 bits, between -1 and 1
		out[i] = float32(f)
		sum += f * f
	}
	norm := float32(math.Sqrt(sum))
	for i := range out {
		out[i] /= norm
	}
	return out
}

// embedTokens counts the texts and takes their directives.
func (x *exchange) embedTokens(texts []string) int64 {
	x.d, _ = parseDirectives(strings.Join(texts, "\n"))
	var n int64
	for _, t := range texts {
		n += max(count(t), 1)
	}
	return n
}

// embeddings answers POST /embeddings.
func (x *exchange) embeddings() {
	var q struct {
		Model      string `json:"model"`
		Input      raw    `json:"input"`
		Dimensions int    `json:"dimensions"`
		Encoding   string `json:"encoding_format"`
	}
	if !x.decode(&q) || !x.model(q.Model, true) {
		return
	}
	texts := stringOrList(q.Input)
	if len(texts) == 0 {
		x.fail(400, "input", "'$.input' is invalid. Please check the API reference.")
		return
	}
	n := x.embedTokens(texts)
	if !x.begin() {
		return
	}
	data := make([]raw, len(texts))
	for i, t := range texts {
		v := vector(t, q.Dimensions)
		var embedding any = v
		if q.Encoding == "base64" {
			embedding = base64Floats(v)
		}
		data[i] = o("object", "embedding", "index", i, "embedding", embedding)
	}
	x.reply(o("object", "list", "data", data, "model", q.Model, "usage", o("prompt_tokens", n, "total_tokens", n)))
}

func base64Floats(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// moderations answers POST /moderations. The API lets the model be left out.
func (x *exchange) moderations() {
	var q struct {
		Model string `json:"model"`
		Input raw    `json:"input"`
	}
	if !x.decode(&q) {
		return
	}
	if q.Model == "" {
		q.Model = "demo-small"
	}
	if !x.model(q.Model, false) {
		return
	}
	texts := stringOrList(q.Input)
	if len(texts) == 0 {
		texts = []string{contentText(q.Input)}
	}
	x.d, _ = parseDirectives(strings.Join(texts, "\n"))
	if !x.begin() {
		return
	}
	results := make([]raw, len(texts))
	for i := range texts {
		results[i] = moderation(x.d.flagged)
	}
	x.reply(o("id", x.id("modr-"), "model", q.Model, "results", results))
}

func moderation(flagged bool) raw {
	categories := []string{
		"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
		"self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
	}
	var verdicts, scores, types []any
	for _, c := range categories {
		hit := flagged && c == "harassment"
		score := raw("0.0001")
		if hit {
			score = raw("0.9")
		}
		verdicts, scores, types = append(verdicts, c, hit), append(scores, c, score), append(types, c, []string{"text"})
	}
	return o("flagged", flagged, "categories", o(verdicts...), "category_scores", o(scores...), "category_applied_input_types", o(types...))
}

// listModels answers GET /models in the caller's protocol.
func (x *exchange) listModels() {
	var all []raw
	models := Models()
	for _, m := range models {
		all = append(all, x.describe(m))
	}
	switch x.family {
	case familyAnthropic:
		x.reply(o("data", all, "has_more", false, "first_id", models[0].ID, "last_id", models[len(models)-1].ID))
	case familyGemini:
		x.reply(o("models", all))
	case familyOpenAI:
		x.reply(o("object", "list", "data", all))
	}
}

// getModel answers GET /models/{id}.
func (x *exchange) getModel(id string) {
	if m, ok := findModel(id); ok {
		x.reply(x.describe(m))
		return
	}
	if x.family == familyOpenAI {
		x.failWith(404, "model_not_found", "The model '"+id+"' does not exist")
		return
	}
	x.fail(404, "", "model: "+id)
}

// describe writes a model in the caller's protocol.
func (x *exchange) describe(m Model) raw {
	switch x.family {
	case familyAnthropic:
		return o("type", "model", "id", m.ID, "display_name", m.DisplayName, "created_at", "2025-11-22T00:00:00Z")
	case familyGemini:
		methods := []string{"generateContent", "countTokens"}
		if m.Embeds {
			methods = []string{"embedContent", "batchEmbedContents"}
		}
		return o("name", "models/"+m.ID, "version", "001", "displayName", m.DisplayName, "description", "A simulated model.",
			"inputTokenLimit", m.ContextTokens, "outputTokenLimit", max(m.OutputTokens, 1), "supportedGenerationMethods", methods)
	case familyOpenAI:
	}
	return o("id", m.ID, "object", "model", "created", 1_763_769_600, "owned_by", "demo")
}
