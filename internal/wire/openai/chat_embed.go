package openai

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// DecodeEmbedding implements wire.EmbedFront. Inputs of token numbers mean
// something to one vendor's tokenizer alone and are refused.
func (Chat) DecodeEmbedding(_ wire.Route, body []byte) (*ir.Embedding, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{})
	if err != nil {
		return nil, err
	}
	req := &ir.Embedding{Model: o.Need("model"), User: o.Str("user")}
	switch in := o.Get("input"); in.Kind() {
	case jsondoc.String:
		req.Inputs = []string{in.Str()}
	case jsondoc.IsArray:
		for _, v := range in.Array() {
			if v.Kind() == jsondoc.Number || v.Kind() == jsondoc.IsArray {
				v.Fail("must be a text: token numbers mean nothing to the provider of this model")
			}
			req.Inputs = append(req.Inputs, v.Str())
		}
	case jsondoc.Absent:
		in.Fail("is missing")
	case jsondoc.Number, jsondoc.Bool, jsondoc.IsObject:
		in.Fail("must be a text or an array of texts")
	}
	if len(req.Inputs) == 0 {
		o.Get("input").Fail("must hold at least one text")
	}
	if n := o.Int("dimensions"); n != nil {
		if req.Dimensions = *n; *n < 1 {
			o.Get("dimensions").Fail("must be at least 1")
		}
	}
	switch o.Str("encoding_format") {
	case "", "float":
	case "base64":
		req.Base64 = true
	default:
		o.Get("encoding_format").Fail("must be float or base64")
	}
	req.Extras = chatExtras(o, "")
	if err := o.Err(); err != nil {
		return nil, err
	}
	return req, nil
}

// EncodeEmbeddings implements wire.EmbedFront.
func (Chat) EncodeEmbeddings(req *ir.Embedding, out *ir.Embeddings) ([]byte, []ir.Loss) {
	var lost ir.Losses
	var w jsondoc.Writer
	w.Object("")
	w.Str("object", "list")
	w.Array("data")
	for i, v := range out.Vectors {
		w.Object("")
		w.Str("object", "embedding")
		w.Int("index", int64(i))
		chatWriteVector(&w, v, req.Base64)
		w.End()
	}
	w.End()
	w.Str("model", req.Model)
	if !out.Usage.Reported {
		lost.Note("usage", "the provider did not report it; OpenAI's answers always have it, so that it is 0")
	}
	t := out.Usage.Tokens
	n := t.Input + t.CacheRead + t.CacheWrite
	w.Object("usage")
	w.Int("prompt_tokens", n)
	w.Int("total_tokens", n)
	w.End()
	w.End()
	return w.Bytes(), lost.List()
}

// chatWriteVector writes a vector as numbers, or as base64 of little-endian
// float32.
func chatWriteVector(w *jsondoc.Writer, v []float32, packed bool) {
	if packed {
		b := make([]byte, 0, 4*len(v))
		for _, f := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
		w.Str("embedding", base64.StdEncoding.EncodeToString(b))
		return
	}
	text := make([]byte, 0, 12*len(v)+2)
	text = append(text, '[')
	for i, f := range v {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendFloat(text, float64(f), 'g', -1, 32)
	}
	w.Raw("embedding", append(text, ']'))
}

// EncodeEmbedding implements wire.EmbedBack.
func (Chat) EncodeEmbedding(req *ir.Embedding) ([]byte, []ir.Loss, error) {
	var lost ir.Losses
	var w jsondoc.Writer
	w.Object("")
	w.Str("model", req.Model)
	w.Strings("input", req.Inputs)
	if req.Dimensions > 0 {
		w.Int("dimensions", req.Dimensions)
	}
	if req.Base64 {
		w.Str("encoding_format", "base64")
	}
	w.OptStr("user", req.User)
	if req.Task != "" {
		lost.Lose("task", "OpenAI's embeddings do not depend on what they are for")
	}
	if req.Title != "" {
		lost.Lose("title", "OpenAI's embeddings have none")
	}
	if req.Single {
		lost.Note("single", "it is a list of one")
	}
	lost.Extras("", req.Extras, chatName)
	chatNested(&w, req.Extras, "")
	w.End()
	return w.Bytes(), lost.List(), nil
}

// DecodeEmbeddings implements wire.EmbedBack. Vectors come as numbers or as
// base64, whatever was asked for.
func (Chat) DecodeEmbeddings(body []byte) (*ir.Embeddings, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, wire.NotAnAnswer(err)
	}
	if e := chatFailed(o, body); e != nil && !o.Has("data") {
		return nil, e
	}
	data := o.Array("data")
	out := &ir.Embeddings{Model: o.Str("model"), Vectors: make([][]float32, len(data))}
	for i, v := range data {
		e := v.Object()
		at := int64(i)
		if n := e.Int("index"); n != nil {
			at = *n
		}
		if at < 0 || at >= int64(len(data)) || out.Vectors[at] != nil {
			return nil, tollgate.Errorf(tollgate.CodeUpstream, "the provider numbered its vectors wrongly")
		}
		out.Vectors[at] = chatReadVector(e.Get("embedding"))
	}
	if len(data) == 0 {
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	if o.Err() != nil {
		return nil, wire.NotAnAnswer(o.Err())
	}
	out.Usage, _ = chatUsage(o.Get("usage").Raw())
	return out, nil
}

func chatReadVector(v jsondoc.Value) []float32 {
	if v.Kind() == jsondoc.String {
		return chatUnpack(v)
	}
	if !v.Present() {
		v.Fail("is missing")
	}
	list := v.Array()
	out := make([]float32, 0, len(list))
	for _, n := range list {
		if f := n.Float(); f != nil {
			out = append(out, chatFinite(v, float32(*f)))
		}
	}
	return out
}

func chatUnpack(v jsondoc.Value) []float32 {
	b, err := base64.StdEncoding.DecodeString(v.Str())
	if err != nil || len(b)%4 != 0 {
		v.Fail("must be base64 of float32 values")
		return nil
	}
	out := make([]float32, 0, len(b)/4)
	for ; len(b) > 0; b = b[4:] {
		out = append(out, chatFinite(v, math.Float32frombits(binary.LittleEndian.Uint32(b))))
	}
	return out
}

// chatFinite returns f; JSON has no way to say what is not finite.
func chatFinite(v jsondoc.Value, f float32) float32 {
	if math.IsInf(float64(f), 0) || math.IsNaN(float64(f)) {
		v.Fail("must hold finite numbers")
		return 0
	}
	return f
}
