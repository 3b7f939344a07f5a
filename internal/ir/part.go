package ir

import "encoding/json"

// Part is a piece of a message or of a tool's result.
//
//sumtype:decl
type Part interface{ part() }

// Text is plain text.
type Text struct {
	Text      string
	Citations []Citation
	Cache     *Cache
	// Private is what the vendor sealed onto the text (Gemini's thoughtSignature).
	Private *Private
	// Logprobs are those of the text's tokens, in answers that were asked for them.
	Logprobs []Logprob
}

// Refusal is the model's own words for not answering.
type Refusal struct{ Text string }

// Image is a picture.
type Image struct {
	Source Source
	Detail string // low, high, original; empty = the model decides
	Cache  *Cache
	// Private is what the vendor sealed onto a generated image.
	Private *Private
}

// Audio is a sound.
type Audio struct {
	Source Source
	// Transcript of generated audio; empty = none.
	Transcript string
}

// File is a document or any other file.
type File struct {
	Source Source
	Name   string
	// Title and Context describe a document to the model; Cite lets it quote
	// from it (Anthropic).
	Title   string
	Context string
	Cite    bool
	Cache   *Cache
	Extras  []Extra
}

// Source is where the bytes are: exactly one of Data, URL, ID and Text is set.
type Source struct {
	// MIME is the media type; empty = unknown.
	MIME string
	// Data is base64 (standard alphabet, padded).
	Data string
	// URL is https:, gs: or what else the vendor can fetch; never data:.
	URL string
	// ID is a file that the vendor keeps; it means nothing elsewhere.
	ID string
	// Text is a plain text document, not base64.
	Text string
}

func (Text) part()    {}
func (Refusal) part() {}
func (Image) part()   {}
func (Audio) part()   {}
func (File) part()    {}
func (Opaque) part()  {}

// Citation says what a stretch of text rests on.
type Citation struct {
	Kind  CitationKind
	URL   string
	Title string
	// Quote is the cited text.
	Quote string
	// FileID and Document (an index) name the source where it is a file.
	FileID   string
	Document *int64
	// Start and End bound the citing stretch of the answer in characters
	// (CitationURL), or the cited stretch of the source (else).
	Start, End *int64
	// Raw is the whole citation in the dialect Dialect, which writes it back.
	Dialect string
	Raw     json.RawMessage
}

// CitationKind says what is cited.
type CitationKind string

// The kinds.
const (
	CitationURL      CitationKind = "url"
	CitationDocument CitationKind = "document"
	CitationFile     CitationKind = "file"
)

// Logprob is the log probability of one output token.
type Logprob struct {
	Token   string
	Logprob float64
	Bytes   []int
	Top     []Logprob
}
