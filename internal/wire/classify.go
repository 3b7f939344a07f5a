package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tollgate"
)

// ReasonMethod is the Reason of the CodeInvalid error about a method that a
// path does not take. Its cause is a NotAllowed; codecs answer 405.
const ReasonMethod = "method_not_allowed"

// NotAllowed is the cause of an error with ReasonMethod.
type NotAllowed struct{ Allow string }

// Error says which methods there are.
func (e NotAllowed) Error() string { return "allowed: " + e.Allow }

// Classify tells what a data-plane request asks for from its path, query and
// headers alone (CONTRACT 9). The path is taken as it was sent: its fixed
// parts must stand there literally, and only a model's name is unescaped, once
// (SECURITY H-04). A path that is known but not served is OpOther without
// error. Pattern leaves the scope out.
//
// Errors are CodeNotFound; CodeInvalid for a broken name in the path, or, with ReasonMethod, for a
// method that the path does not take. The Route of an error has the Dialect
// that the caller most likely reads. WebSocket on /v1/responses is OpConnect.
func Classify(method string, u *url.URL, h http.Header) (Route, error) {
	path := u.EscapedPath()
	if isLive(path) {
		return Route{Dialect: tollgate.DialectGemini, Operation: tollgate.OpOther, Framing: FramingSSE, Pattern: "/ws/*"}, nil
	}
	r := Route{Framing: FramingSSE}
	scope, version, rest, ok := splitPath(path)
	if !ok {
		r.Dialect = GuessDialect(u, h)
		return r, errNoRoute()
	}
	if version == "upload" {
		return Route{Scope: scope, Dialect: tollgate.DialectGemini, Operation: tollgate.OpOther, Framing: FramingSSE, Pattern: "/upload/*"}, nil
	}
	r.Scope, r.Version = scope, version
	if t, ok := fixedRoute(version, rest); ok {
		r.Dialect, r.Operation, r.Pattern = t.dialect, t.op, t.pattern
		if t.op == tollgate.OpListModels && r.Dialect == "" {
			r.Dialect = listDialect(u, h)
		}
		if rest == "responses" && isWebSocket(method, h) {
			r.Operation = tollgate.OpConnect
			return r, nil
		}
		return r, checkMethod(method, t.get)
	}
	if path, ok := strings.CutPrefix(rest, "responses/"); ok && version == "v1" {
		return classifyResponse(r, method, path)
	}
	if name, ok := strings.CutPrefix(rest, "models/"); ok {
		return classifyModel(r, method, u, h, name)
	}
	if name, ok := strings.CutPrefix(rest, "tunedModels/"); ok && method == http.MethodPost {
		return classifyAction(r, u, "tunedModels/", name)
	}
	if d, pattern, ok := unserved(version, rest, u, h); ok {
		r.Dialect, r.Operation, r.Pattern = d, tollgate.OpOther, pattern
		return r, nil
	}
	r.Dialect = GuessDialect(u, h)
	return r, errNoRoute()
}

// IsDataPath reports whether the path belongs to the data plane by its first
// segments alone: /v1, /v1beta, /upload, Gemini's /ws, and the same behind a
// provider's name. Whether there is such a route is for Classify to say.
func IsDataPath(u *url.URL) bool {
	path := u.EscapedPath()
	_, _, _, ok := splitPath(path)
	return ok || isLive(path)
}

// GuessDialect returns the dialect whose error shape the caller most likely
// reads, for answers given before or without Classify.
func GuessDialect(u *url.URL, h http.Header) tollgate.Dialect {
	path := u.EscapedPath()
	_, version, rest, ok := splitPath(path)
	first, _, _ := strings.Cut(rest, "/")
	switch {
	case isLive(path):
		return tollgate.DialectGemini
	case !ok:
		return listDialect(u, h)
	case first == "openai":
		return tollgate.DialectOpenAIChat
	case first == "messages" || first == "complete":
		return tollgate.DialectAnthropic
	case first == "responses" || first == "conversations":
		return tollgate.DialectOpenAIResponses
	case first == "chat" || first == "completions" || first == "embeddings":
		return tollgate.DialectOpenAIChat
	case version != "v1" || strings.Contains(rest, ":"):
		return tollgate.DialectGemini
	default:
		return listDialect(u, h)
	}
}

func errNoRoute() error {
	return tollgate.Errorf(tollgate.CodeNotFound, "there is no such route; requests go to /v1/… or /v1beta/…, or to /{provider}/v1/…")
}

// isLive recognises the path of Gemini's Live API, which some SDKs send with a
// double slash.
func isLive(path string) bool {
	return strings.HasPrefix(path, "/ws/google.") || strings.HasPrefix(path, "//ws/google.")
}

// splitPath cuts a path into scope, version ("v1", "v1beta" or "upload") and
// what follows the version and its slash.
func splitPath(path string) (scope, version, rest string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", "", "", false
	}
	version, rest, _ = strings.Cut(path[1:], "/")
	if !isVersion(version) {
		scope = version
		if !isProviderName(scope) {
			return "", "", "", false
		}
		version, rest, _ = strings.Cut(rest, "/")
	}
	return scope, version, rest, isVersion(version)
}

func isVersion(s string) bool { return s == "v1" || s == "v1beta" || s == "upload" }

// isProviderName is tollgate.ValidProviderName without the price of a
// regular expression.
func isProviderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || (c != '_' && c != '-')) {
			return false
		}
	}
	return s != "" && len(s) <= 63 && !slices.Contains(tollgate.ReservedProviderNames(), s)
}

// listDialect decides for the paths that three protocols share.
func listDialect(u *url.URL, h http.Header) tollgate.Dialect {
	switch _, key := queryValue(u.RawQuery, "key"); {
	case key || h.Get("X-Goog-Api-Key") != "":
		return tollgate.DialectGemini
	case h.Get("Anthropic-Version") != "":
		return tollgate.DialectAnthropic
	default:
		return tollgate.DialectOpenAIChat
	}
}

// queryValue returns the first value of a query parameter.
func queryValue(raw, name string) (string, bool) {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			if strings.IndexByte(key, '%') < 0 {
				continue
			}
			if plain, err := url.QueryUnescape(key); err != nil || plain != name {
				continue
			}
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		return value, true
	}
	return "", false
}

func isWebSocket(method string, h http.Header) bool {
	return method == http.MethodGet && strings.EqualFold(strings.TrimSpace(h.Get("Upgrade")), "websocket")
}

// checkMethod wants GET (or HEAD), or POST.
func checkMethod(method string, get bool) error {
	allow := http.MethodPost
	if get {
		allow = http.MethodGet
	}
	if method == allow || (get && method == http.MethodHead) {
		return nil
	}
	return wrongMethod(allow)
}

// wrongMethod says which methods a path takes.
func wrongMethod(allow string) error {
	return &tollgate.Error{
		Code: tollgate.CodeInvalid, Field: "method", Reason: ReasonMethod, Err: NotAllowed{Allow: allow},
		Message: "this path takes " + strings.ReplaceAll(allow, ", ", " and ") + " requests",
	}
}
