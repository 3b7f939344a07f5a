// Package meter turns what a dispatch used into money. Prices are read from
// the price keys of CONTRACT 10; Cost multiplies them with counted tokens in
// 128 bits and rounds once, at the end, up. Nothing here reads a clock or a
// store; the book that holds prices is in meter/book.
package meter

import (
	"strings"

	"tollgate"
)

// Mode is a service tier that may have prices of its own.
type Mode uint8

// The modes. A mode without prices costs what ModeDefault costs.
const (
	ModeDefault Mode = iota
	ModeFlex
	ModeScale
	ModePriority
	ModeBatch

	modes = iota
)

// prefixes are what the price keys of each mode begin with.
func prefixes() [modes]string { return [modes]string{"", "flex_", "scale_", "priority_", "batch_"} }

// ModeOf returns the mode that a provider's own name of a service tier means:
// "flex", "priority", also Gemini's "SERVICE_TIER_FLEX" and Vertex's
// "ON_DEMAND_PRIORITY". Unknown names are ModeDefault.
func ModeOf(serviceTier string) Mode {
	name := serviceTier
	if len(name) > 32 {
		return ModeDefault
	}
	name = strings.ToLower(name)
	name = strings.TrimPrefix(strings.TrimPrefix(name, "service_tier_"), "on_demand_")
	switch name {
	case "flex":
		return ModeFlex
	case "scale":
		return ModeScale
	case "priority":
		return ModePriority
	case "batch":
		return ModeBatch
	default:
		return ModeDefault
	}
}

// kind is what a token can be billed as. Every token has exactly one.
type kind uint8

const (
	input kind = iota
	cacheRead
	cacheWrite5m
	cacheWrite1h
	inputAudio
	inputImage
	output
	reasoning
	outputAudio
	outputImage

	kinds = iota
)

// firstOutput divides the kinds: those before it are of the prompt.
const firstOutput = output

// rates are nano-dollars per million tokens, by kind.
type rates [kinds]int64

// tier is the rates for prompts of up to so many tokens, in all kinds.
type tier struct {
	upTo  int64 // the last tier holds for everything above, too
	rates rates
}

// tariff is what one mode costs.
type tariff struct {
	call, image tollgate.Money
	tiers       []tier // rising; empty = tokens are free
}

// Prices is a model's price: per token by kind, per call, per image, in every
// mode. It is immutable. The zero value costs nothing; a model without any
// price has no Prices.
type Prices struct{ tariffs [modes]tariff }

// tier returns the rates for a prompt of that many tokens.
func (t *tariff) tier(prompt int64) *rates {
	for i := range t.tiers {
		if prompt <= t.tiers[i].upTo || i == len(t.tiers)-1 {
			return &t.tiers[i].rates
		}
	}
	return &rates{}
}

// Usage is what is billed: tokens, and how many calls and images.
type Usage struct {
	tollgate.Tokens
	Calls, Images int64
}

// split gives every token its one kind. Parts are cut off at what they are a
// part of, so that nothing is billed twice whatever a provider says.
func split(t *tollgate.Tokens) [kinds]int64 {
	var n [kinds]int64
	n[cacheRead], n[cacheWrite5m], n[cacheWrite1h] = t.CacheRead, t.CacheWrite, t.CacheWrite1h
	n[inputAudio] = min(t.InputAudio, t.Input)
	n[inputImage] = min(t.InputImage, t.Input-n[inputAudio])
	n[input] = t.Input - n[inputAudio] - n[inputImage]
	n[reasoning] = min(t.Reasoning, t.Output)
	rest := t.Output - n[reasoning]
	n[outputAudio] = min(t.OutputAudio, rest)
	n[outputImage] = min(t.OutputImage, rest-n[outputAudio])
	n[output] = rest - n[outputAudio] - n[outputImage]
	return n
}
