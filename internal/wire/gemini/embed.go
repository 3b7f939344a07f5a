package gemini

import (
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

var (
	_ wire.EmbedFront = Codec{}
	_ wire.EmbedBack  = Codec{}
)

// DecodeEmbedding implements wire.EmbedFront: embedContent, and
// batchEmbedContents, whose requests must agree on everything but their text.
func (Codec) DecodeEmbedding(r wire.Route, body []byte) (*ir.Embedding, error) {
	o, err := parse(body)
	if err != nil {
		return nil, err
	}
	e := &ir.Embedding{Model: r.Model, Single: r.Operation != tollgate.OpBatchEmbed}
	if e.Single {
		readEmbed(e, o)
	} else {
		readBatch(e, o)
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	return e, nil
}

func readBatch(e *ir.Embedding, o *jsondoc.Object) {
	requests := o.Get("requests")
	all := list(requests)
	if len(all) == 0 {
		requests.Fail("is missing")
	}
	for i, v := range all {
		one := ir.Embedding{Model: e.Model}
		readEmbed(&one, v.Object())
		if i == 0 {
			e.Task, e.Title, e.Dimensions, e.Model = one.Task, one.Title, one.Dimensions, one.Model
		} else if one.Task != e.Task || one.Title != e.Title || one.Dimensions != e.Dimensions {
			v.Fail("must have the taskType, title and outputDimensionality of the first one")
		}
		if i == 0 {
			e.Extras = one.Extras
		} else if !slices.EqualFunc(e.Extras, one.Extras, sameExtra) {
			v.Fail("must have the options of the first one")
		}
		e.Inputs = append(e.Inputs, one.Inputs...)
	}
	e.Extras = rest(e.Extras, o, "")
}

func sameExtra(a, b ir.Extra) bool { return a.Path == b.Path && string(a.Raw) == string(b.Raw) }

// readEmbed reads one text. Its parts are one text to Gemini.
func readEmbed(e *ir.Embedding, o *jsondoc.Object) {
	if name := modelName(o.Str("model")); e.Model == "" {
		e.Model = name
	}
	content := o.Get("content")
	if !content.Present() {
		content.Fail("is missing")
	}
	c := content.Object()
	c.Str("role")
	var texts []string
	for _, p := range list(c.Get("parts")) {
		piece := readPiece(p)
		if piece.kind != pieceText {
			p.Fail("must be text")
		}
		texts = append(texts, piece.text)
	}
	e.Inputs = append(e.Inputs, strings.Join(texts, "\n"))
	e.Task, e.Title = o.Str("taskType"), o.Str("title")
	at := o.Get("outputDimensionality")
	if n := whole(at); n != nil {
		if e.Dimensions = *n; *n < 1 {
			at.Fail("must be at least 1")
		}
	}
	e.Extras = rest(e.Extras, o, "")
}

// EncodeEmbeddings implements wire.EmbedFront.
func (Codec) EncodeEmbeddings(req *ir.Embedding, out *ir.Embeddings) ([]byte, []ir.Loss) {
	w := jsondoc.NewWriter(nil)
	var losses ir.Losses
	w.Object("")
	if req.Single && len(out.Vectors) == 1 {
		writeVector(w, "embedding", out.Vectors[0])
	} else {
		w.Array("embeddings")
		for _, v := range out.Vectors {
			writeVector(w, "", v)
		}
		w.End()
	}
	if u := out.Usage; u.Reported {
		n := u.Tokens.Input + u.Tokens.CacheRead + u.Tokens.CacheWrite + u.Tokens.CacheWrite1h
		w.Object("usageMetadata")
		w.Int("promptTokenCount", n)
		w.Int("totalTokenCount", n)
		w.End()
	}
	w.End()
	return w.Bytes(), losses.List()
}

func writeVector(w *jsondoc.Writer, name string, vector []float32) {
	w.Object(name)
	w.Array("values")
	for _, f := range vector {
		w.Float32("", f)
	}
	w.End()
	w.End()
}

// EncodeEmbedding implements wire.EmbedBack: batchEmbedContents, whatever the
// number of inputs.
func (Codec) EncodeEmbedding(req *ir.Embedding) ([]byte, []ir.Loss, error) {
	w := jsondoc.NewWriter(nil)
	var losses ir.Losses
	w.Object("")
	w.Array("requests")
	for _, input := range req.Inputs {
		w.Object("")
		w.Str("model", resourceName(req.Model))
		w.Object("content")
		w.Array("parts")
		w.Object("")
		w.Str("text", input)
		w.End()
		w.End()
		w.End()
		w.OptStr("taskType", req.Task)
		w.OptStr("title", req.Title)
		if req.Dimensions > 0 {
			w.Int("outputDimensionality", req.Dimensions)
		}
		withExtras(w, req.Extras, "")
		w.End()
	}
	w.End()
	w.End()
	losses.Extras("", req.Extras, own)
	if req.User != "" {
		losses.Note("user", "Gemini does not take it; it changes no answer")
	}
	if req.Base64 {
		losses.Note("base64", "the form of the answer, which is written here")
	}
	if req.Single {
		losses.Note("single", "said by the address")
	}
	return w.Bytes(), losses.List(), nil
}

// DecodeEmbeddings implements wire.EmbedBack.
func (Codec) DecodeEmbeddings(body []byte) (*ir.Embeddings, error) {
	o, err := parse(body)
	if err != nil {
		return nil, wire.NotAnAnswer(err)
	}
	all := list(o.Get("embeddings"))
	if v := o.Get("embedding"); len(all) == 0 && v.Present() {
		all = []jsondoc.Value{v}
	}
	out := &ir.Embeddings{Vectors: make([][]float32, 0, len(all))}
	for _, v := range all {
		out.Vectors = append(out.Vectors, readVector(v.Object()))
	}
	if u := o.Get("usageMetadata"); u.Kind() == jsondoc.IsObject {
		c, counted, _ := readCounts(u.Raw(), 0)
		out.Usage.Tokens, out.Usage.Reported = c.tokens(), counted
	}
	switch {
	case o.Err() != nil:
		return nil, wire.NotAnAnswer(o.Err())
	case len(all) == 0:
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	return out, nil
}

func readVector(o *jsondoc.Object) []float32 {
	values := o.Array("values")
	vector := make([]float32, 0, len(values))
	for _, v := range values {
		if f := v.Float(); f != nil {
			vector = append(vector, float32(*f))
		}
	}
	return vector
}
