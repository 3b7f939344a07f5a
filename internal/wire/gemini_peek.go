package wire

import (
	"fmt"
	"strings"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// geminiMember looks at one member of the top level of a Gemini body. Google's
// decoder takes both spellings of a name, generateContentRequest and
// generate_content_request.
func (p *peeker) geminiMember(name []byte, value jsonscan.Span) error {
	switch string(name) {
	case "model":
		return p.sameModel("model", value)
	case "requests":
		if p.route.Operation == tollgate.OpBatchEmbed {
			return p.requests(value)
		}
	case "generateContentRequest", "generate_content_request":
		if p.route.Operation == tollgate.OpCount {
			return p.nestedModel(string(name), value, 1)
		}
	case "generationConfig", "generation_config":
		return p.generationConfig(value)
	case "serviceTier", "service_tier":
		p.takeTier(value)
	default:
		return lookAlike(name)
	}
	return nil
}

// requests looks at the elements of batchEmbedContents.
func (p *peeker) requests(value jsonscan.Span) error {
	a := p.limits.Array(p.body, value.Start, 1)
	for i := 0; a.Next(); i++ {
		if err := p.nestedModel(fmt.Sprintf("requests[%d]", i), a.Value, 2); err != nil {
			return err
		}
	}
	return nil // what is not an array is the provider's to refuse
}

// nestedModel checks the model of the object at value, which has depth
// containers around it.
func (p *peeker) nestedModel(field string, value jsonscan.Span, depth int) error {
	if p.body[value.Start] != '{' {
		return tollgate.Invalidf(field, "%s must be an object", field)
	}
	var seen names
	o := p.limits.Object(p.body, value.Start, depth)
	for o.Next() {
		name, err := seen.add(p.body, o.Key, field+".")
		if err != nil {
			return err
		}
		if string(name) == "model" {
			err = p.sameModel(field+".model", o.Value)
		} else {
			err = lookAlike(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sameModel wants a model field to agree with the path; null counts as absent.
func (p *peeker) sameModel(field string, value jsonscan.Span) error {
	if p.body[value.Start] == 'n' {
		return nil
	}
	model, err := modelName(field, value.Of(p.body))
	if err != nil {
		return err
	}
	if strings.TrimPrefix(model, "models/") != p.route.Model {
		return tollgate.Invalidf(field, "%s is not the model of the path", field)
	}
	p.out.nested = append(p.out.nested, value)
	return nil
}

// generationConfig looks for what bounds the output.
func (p *peeker) generationConfig(value jsonscan.Span) error {
	p.out.config, p.out.configEmpty = value, true
	if p.body[value.Start] != '{' {
		return nil
	}
	o := p.limits.Object(p.body, value.Start, 1)
	for o.Next() {
		p.out.configEmpty = false
		key := o.Key.Of(p.body)
		if !plain(key) { // escapes would hide the name
			text, _ := jsonscan.Text(key)
			key = []byte(text)
		}
		switch string(key) {
		case "maxOutputTokens", "max_output_tokens":
			if err := p.takeCap(o.Value); err != nil {
				return err
			}
		case "candidateCount", "candidate_count":
			p.takeChoices(o.Value)
		}
	}
	return nil
}
