package wire

import (
	"net/http"
	"net/url"
	"strings"

	"tollgate"
)

// target is what a fixed path leads to; an empty dialect is decided by headers.
type target struct {
	dialect tollgate.Dialect
	op      tollgate.Operation
	pattern string
	get     bool
}

// fixedRoute looks up a path without parameters; rest follows the version.
func fixedRoute(version, rest string) (target, bool) {
	if rest == "models" {
		if version == "v1beta" {
			return target{tollgate.DialectGemini, tollgate.OpListModels, "/v1beta/models", true}, true
		}
		return target{"", tollgate.OpListModels, "/v1/models", true}, true
	}
	if version != "v1" {
		return target{}, false
	}
	const chat, responses, anthropic = tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses, tollgate.DialectAnthropic
	switch rest {
	case "chat/completions":
		return target{chat, tollgate.OpGenerate, "/v1/chat/completions", false}, true
	case "messages":
		return target{anthropic, tollgate.OpGenerate, "/v1/messages", false}, true
	case "responses":
		return target{responses, tollgate.OpGenerate, "/v1/responses", false}, true
	case "messages/count_tokens":
		return target{anthropic, tollgate.OpCount, "/v1/messages/count_tokens", false}, true
	case "responses/compact":
		return target{responses, tollgate.OpCompact, "/v1/responses/compact", false}, true
	case "responses/input_tokens":
		return target{responses, tollgate.OpCount, "/v1/responses/input_tokens", false}, true
	case "embeddings":
		return target{chat, tollgate.OpEmbed, "/v1/embeddings", false}, true
	case "completions":
		return target{chat, tollgate.OpComplete, "/v1/completions", false}, true
	case "moderations":
		return target{chat, tollgate.OpModerate, "/v1/moderations", false}, true
	default:
		return target{}, false
	}
}

// classifyResponse takes what lies below /responses/: a kept response, and what
// is to be had of it. What is no such path is known, but not served.
func classifyResponse(r Route, method, path string) (Route, error) {
	r.Dialect, r.Operation, r.Pattern = tollgate.DialectOpenAIResponses, tollgate.OpOther, "/v1/responses/*"
	escaped, what, _ := strings.Cut(path, "/")
	id, err := url.PathUnescape(escaped)
	if err != nil || !isResponseID(id) {
		return r, nil //nolint:nilerr // a path without a name that could be one is not served
	}
	r.ResponseID = id
	switch what {
	case "":
		r.Operation, r.Pattern = tollgate.OpRetrieve, "/v1/responses/{id}"
		switch method {
		case http.MethodGet, http.MethodHead:
			return r, nil
		case http.MethodDelete:
			r.Operation = tollgate.OpDelete
			return r, nil
		default:
			return r, wrongMethod("GET, DELETE")
		}
	case "input_items":
		r.Operation, r.Pattern = tollgate.OpInputItems, "/v1/responses/{id}/input_items"
		return r, checkMethod(method, true)
	case "cancel":
		r.Operation, r.Pattern = tollgate.OpCancel, "/v1/responses/{id}/cancel"
		return r, checkMethod(method, false)
	default:
		return r, nil
	}
}

// MaxResponseID bounds the id of a response, in bytes.
const MaxResponseID = 256

// isResponseID reports whether s can be the id of a response.
func isResponseID(s string) bool {
	return s != "" && len(s) <= MaxResponseID && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '/' }) < 0
}

// classifyModel takes /models/{name}: a look-up of one model (GET) or an
// action on it (POST).
func classifyModel(r Route, method string, u *url.URL, h http.Header, name string) (Route, error) {
	if method == http.MethodPost {
		return classifyAction(r, u, "", name)
	}
	r.Operation, r.Dialect, r.Pattern = tollgate.OpGetModel, tollgate.DialectGemini, "/v1beta/models/{m}"
	if r.Version == "v1" {
		r.Dialect, r.Pattern = listDialect(u, h), "/v1/models/{m}"
	}
	if err := checkMethod(method, true); err != nil {
		return r, err
	}
	var err error
	r.Model, err = pathModel(name)
	return r, err
}

// classifyAction takes Gemini's models/{name}:{action}. prefix is kept in
// front of the name ("tunedModels/").
func classifyAction(r Route, u *url.URL, prefix, path string) (Route, error) {
	r.Dialect = tollgate.DialectGemini
	plain, err := url.PathUnescape(path)
	if err != nil {
		return r, errPath()
	}
	colon := strings.LastIndexByte(plain, ':')
	if colon < 0 {
		return r, errNoRoute()
	}
	op, ok := geminiAction(plain[colon+1:])
	if !ok {
		return r, errNoRoute()
	}
	if r.Model, err = checkedModel(prefix + plain[:colon]); err != nil {
		return r, err
	}
	r.Operation = op
	r.Pattern = actionPattern(r.Version, plain[colon+1:])
	if plain[colon+1:] == "streamGenerateContent" {
		r.Stream, r.Framing = true, FramingJSONArray
		alt, ok := queryValue(u.RawQuery, "alt")
		if !ok {
			alt, _ = queryValue(u.RawQuery, "$alt")
		}
		if alt == "sse" {
			r.Framing = FramingSSE
		}
	}
	return r, nil
}

func geminiAction(verb string) (tollgate.Operation, bool) {
	switch verb {
	case "generateContent", "streamGenerateContent":
		return tollgate.OpGenerate, true
	case "countTokens":
		return tollgate.OpCount, true
	case "embedContent":
		return tollgate.OpEmbed, true
	case "batchEmbedContents":
		return tollgate.OpBatchEmbed, true
	case "batchGenerateContent", "asyncBatchEmbedContent", "predict", "predictLongRunning", "bidiGenerateContent",
		"generateAnswer", "generateText", "generateMessage", "embedText", "batchEmbedText", "countTextTokens",
		"countMessageTokens", "computeTokens", "transferOwnership":
		return tollgate.OpOther, true
	default:
		return "", false
	}
}

// actionPattern spells out the served patterns, so that the hot ones cost nothing.
func actionPattern(version, verb string) string {
	switch {
	case version == "v1beta" && verb == "generateContent":
		return "/v1beta/models/{m}:generateContent"
	case version == "v1beta" && verb == "streamGenerateContent":
		return "/v1beta/models/{m}:streamGenerateContent"
	default:
		return "/" + version + "/models/{m}:" + verb
	}
}

// pathModel unescapes and checks a model's name that was sent in a path.
func pathModel(escaped string) (string, error) {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return "", errPath()
	}
	return checkedModel(plain)
}

// checkedModel refuses names that could mean another path to someone: empty
// and dot segments, backslashes.
func checkedModel(name string) (string, error) {
	if err := tollgate.ValidModelName("model", name); err != nil {
		return "", err
	}
	if strings.IndexByte(name, '\\') >= 0 {
		return "", errPath()
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "", errPath()
		}
	}
	return name, nil
}

func errPath() error {
	return tollgate.Invalidf("model", "the model in the path is not a proper name")
}

// unserved knows the paths of the three protocols that this version does not
// serve. The pattern's segment comes from these lists, so it is bounded.
func unserved(version, rest string, u *url.URL, h http.Header) (d tollgate.Dialect, pattern string, ok bool) {
	first, _, more := strings.Cut(rest, "/")
	pattern = "/" + version + "/" + first + "/*"
	switch first {
	case "cachedContents", "interactions", "tunedModels", "corpora", "operations", "fileSearchStores", "auth_tokens", "authTokens",
		"projects", "publishers", "generatedFiles":
		return tollgate.DialectGemini, pattern, true
	case "files", "batches":
		if version == "v1beta" {
			return tollgate.DialectGemini, pattern, true
		}
		return listDialect(u, h), pattern, true
	case "openai":
		return tollgate.DialectOpenAIChat, pattern, version == "v1beta"
	}
	if version != "v1" {
		return "", "", false
	}
	switch first {
	case "images", "audio", "realtime", "uploads", "vector_stores", "assistants", "threads", "fine_tuning", "evals",
		"containers", "videos", "chatkit", "organization", "edits", "engines":
		return tollgate.DialectOpenAIChat, pattern, true
	case "skills", "organizations":
		return listDialect(u, h), pattern, true
	case "chat", "completions":
		return tollgate.DialectOpenAIChat, pattern, more
	case "responses", "conversations":
		return tollgate.DialectOpenAIResponses, pattern, more || first == "conversations"
	case "messages":
		return tollgate.DialectAnthropic, pattern, strings.HasPrefix(rest, "messages/batches")
	case "complete":
		return tollgate.DialectAnthropic, pattern, true
	default:
		return "", "", false
	}
}
