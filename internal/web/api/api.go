// Package api is what the admin API and self-service have in common: the
// bridge from operations to the router (through huma, which also writes the
// OpenAPI document), the JSON shapes of CONTRACT 6 and 8, and paging.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"tollgate"
	"tollgate/internal/web"
)

// MaxBody is the body limit of operations that do not say otherwise, in bytes (SECURITY D-03).
const MaxBody = 1 << 20

const policyKey = "policy"

// API collects operations: each is mounted on the router under its policy and
// described in the OpenAPI document.
type API struct {
	huma   huma.API
	router *web.Router
}

// New returns an empty API that mounts on router. version is the product's.
func New(router *web.Router, version string) *API {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Tollgate", Version: version,
				Description: "Administration and self-service. The data plane speaks the vendors' own protocols and is not described here.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "An API key or a session token."},
					"cookie": {Type: "apiKey", In: "cookie", Name: "tollgate_session", Description: "The session cookie that POST /login sets; over TLS its name is __Host-tollgate_session."},
				},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": {Marshal: writeJSON, Unmarshal: readJSON},
			"json":             {Marshal: writeJSON, Unmarshal: readJSON}, // of application/problem+json
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{hideDetails},
	}
	config.FieldsOptionalByDefault = true
	a := &API{router: router}
	a.huma = huma.NewAPI(config, bridge{router})
	return a
}

// Document returns the OpenAPI 3.1 document as JSON.
func (a *API) Document() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) }

// OpenAPI returns the document for rendering; it must not be changed.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// Op declares an operation. All operations are POST.
type Op struct {
	Path    string
	Tag     string // the group in the documents
	Summary string
	Notes   string // longer, optional
	Policy  web.Policy
	Example any // a request body, for the documents
}

// schemaName keeps apart the types of self-service from those of the admin API.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if strings.HasSuffix(t.PkgPath(), "/self") {
		return "Own" + name
	}
	return name
}

type input[I any] struct{ Body I }

type output[O any] struct{ Body O }

type listOutput[T any] struct {
	Next string `header:"x-next-cursor" doc:"The cursor of the next page; absent on the last."`
	Body []T    `nullable:"false"`
}

// Handle mounts an operation that takes an I and answers an O.
func Handle[I, O any](a *API, op Op, h func(ctx context.Context, in *I) (O, error)) {
	HandleFull(a, op, func(ctx context.Context, in *I) (*output[O], error) {
		out, err := h(ctx, in)
		return &output[O]{out}, err
	})
}

// HandleList mounts an operation that answers a bare array and the cursor of
// the next page (CONTRACT 8).
func HandleList[I, T any](a *API, op Op, h func(ctx context.Context, in *I) ([]T, string, error)) {
	HandleFull(a, op, func(ctx context.Context, in *I) (*listOutput[T], error) {
		rows, next, err := h(ctx, in)
		if rows == nil {
			rows = []T{}
		}
		return &listOutput[T]{Next: next, Body: rows}, err
	})
}

// HandleFull mounts an operation whose answer also has headers: O is an output
// struct as huma reads it.
func HandleFull[I, O any](a *API, op Op, h func(ctx context.Context, in *I) (*O, error)) {
	huma.Register(a.huma, a.operation(op), func(ctx context.Context, in *input[I]) (*O, error) {
		err := checkFields(reflect.ValueOf(in.Body), "")
		if err == nil {
			var out *O
			if out, err = h(ctx, &in.Body); err == nil {
				return out, nil
			}
		}
		return nil, failed(ctx, err)
	})
}

func (a *API) operation(op Op) huma.Operation {
	o := huma.Operation{
		Method: http.MethodPost, Path: op.Path, Summary: op.Summary, Description: op.Notes,
		OperationID: operationID(op.Path), Tags: []string{op.Tag},
		MaxBodyBytes: -1, BodyReadTimeout: -1, // the router's, before huma
		Metadata:   map[string]any{policyKey: op.Policy},
		Extensions: map[string]any{"x-tollgate-access": op.Policy.Access.String()},
		Responses: map[string]*huma.Response{"default": {
			Description: "Error",
			Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: schemaOf[web.Problem](a.huma.OpenAPI().Components.Schemas)},
			},
		}},
	}
	if op.Example != nil {
		o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: op.Example}}}
	}
	if op.Policy.Access != web.AccessPublic {
		o.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	return o
}

// operationID makes "admin-users-query" of "/admin/users/query".
func operationID(path string) string {
	b := []byte(path[1:])
	for i, c := range b {
		if c == '/' {
			b[i] = '-'
		}
	}
	return string(b)
}

// problemError is an error that huma writes as the problem it holds.
type problemError struct {
	web.Problem
	retryAfter string
}

func failed(ctx context.Context, err error) error {
	e := web.EventFrom(ctx)
	e.Err = err
	p := &problemError{Problem: web.NewProblem(e, err)}
	p.retryAfter = web.RetryAfter(err)
	return p
}

// Error returns the text for the caller.
func (p *problemError) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *problemError) GetStatus() int { return p.Status }

// ContentType makes it application/problem+json.
func (p *problemError) ContentType(string) string { return "application/problem+json" }

// MarshalJSON writes the problem alone.
func (p *problemError) MarshalJSON() ([]byte, error) { return json.Marshal(p.Problem) }

// GetHeaders returns what belongs to the error besides its body.
func (p *problemError) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

var (
	_ huma.StatusError       = (*problemError)(nil)
	_ huma.HeadersError      = (*problemError)(nil)
	_ huma.ContentTypeFilter = (*problemError)(nil)
)

// hideDetails turns huma's own errors (a body against its schema) into our
// problem. The offending value is left out: it may be a secret.
func hideDetails(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := web.EventFrom(ctx.Context())
	p := web.Problem{Type: "about:blank", Title: http.StatusText(m.Status), Status: m.Status, Detail: m.Detail}
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		if d.Message == validation.MsgExpectedMatchAtLeastOneSchema {
			d.Message = filterUsage // filters alone have alternatives
		}
		p.Errors = append(p.Errors, web.ProblemDetail{Message: d.Message, Location: d.Location})
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Field = trimBody(first.Location)
		p.Detail = first.Message
		if p.Field != "" {
			p.Detail = p.Field + ": " + first.Message
		}
	}
	p.Error = p.Detail
	if e.ID != 0 {
		p.RequestID = e.ID.String()
	}
	e.Err = tollgate.Invalidf(p.Field, "the request body does not fit its schema")
	return p, nil
}

func trimBody(location string) string {
	const prefix = "body"
	if location == prefix {
		return ""
	}
	if len(location) > len(prefix)+1 && location[:len(prefix)+1] == prefix+"." {
		return location[len(prefix)+1:]
	}
	return location
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// readJSON decodes a body that the bridge has checked. Its errors are for the
// caller: they name no Go type.
func readJSON(data []byte, v any) error {
	if generic, ok := v.(*any); ok {
		if json.Unmarshal(data, generic) != nil {
			return errors.New("the request body holds a number that is out of range")
		}
		return nil
	}
	if err := web.DecodeJSON(data, v); err != nil {
		return errors.New(tollgate.AsError(err).Message)
	}
	return nil
}
