package admin

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

//go:embed assets/docs.css
var docsCSS []byte

// Docs serves the OpenAPI document and a page to read it, both made once from
// the operations that are mounted by then.
type Docs struct {
	API    *api.API
	Router *web.Router
}

// Mount mounts both; call it after every other operation.
func (d *Docs) Mount() error {
	document, err := d.API.Document()
	if err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	page := (&docPage{api: d.API.OpenAPI()}).render()
	signedIn := web.Policy{Access: web.AccessAny}
	orSignIn := web.Policy{Access: web.AccessAny, SignIn: "/console/sign-in?next=/docs"}
	d.Router.Handle(http.MethodGet, "/openapi.json", signedIn, serveBytes("application/json", document))
	d.Router.Handle(http.MethodGet, "/docs", orSignIn, d.servePage(page))
	d.Router.Handle(http.MethodGet, "/docs/style.css", web.Policy{Access: web.AccessPublic}, serveBytes("text/css; charset=utf-8", docsCSS))
	return nil
}

func serveBytes(contentType string, body []byte) web.Handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
		return nil
	}
}

// originMark stands in the page for the origin that its reader came to, so
// that the examples work as they are shown. It needs no escaping in HTML.
const originMark = "{{origin}}"

func (d *Docs) servePage(page []byte) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		web.PageHeaders(w.Header())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(bytes.ReplaceAll(page, []byte(originMark), []byte(html.EscapeString(d.origin(r)))))
		return nil
	}
}

// origin is the public one, else the one that r was sent to, whose host the
// router has found to be one of ours.
func (d *Docs) origin(r *http.Request) string {
	switch {
	case d.Router.PublicOrigin != "":
		return d.Router.PublicOrigin
	case web.EventFrom(r.Context()).Secure:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// docPage writes the page. All that comes from the document is escaped.
type docPage struct {
	strings.Builder
	api *huma.OpenAPI
}

func (p *docPage) put(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = html.EscapeString(s)
		}
	}
	_, _ = fmt.Fprintf(p, format, args...) // a Builder does not fail
}

// raw marks text that is HTML already.
type raw string

func (p *docPage) render() []byte {
	p.put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tollgate API</title>
<link rel="icon" href="/console/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the operations</a>
<header><h1>Tollgate API</h1>
<p>%s</p>
<p>Version %s · <a href="/openapi.json">OpenAPI 3.1 document</a> · <a href="/console/">Console</a></p></header>
`, p.api.Info.Description, p.api.Info.Version)
	groups, tags := p.operations()
	p.put(`<div class="columns"><nav aria-label="Operations">` + "\n")
	for _, tag := range tags {
		p.put("<h2>%s</h2>\n<ul>\n", tag)
		for _, op := range groups[tag] {
			p.put("<li><a href=\"#%s\">%s</a></li>\n", op.OperationID, op.Path)
		}
		p.put("</ul>\n")
	}
	p.put("<h2><a href=\"#schemas\">Schemas</a></h2></nav>\n<main id=\"main\">\n")
	p.conventions()
	for _, tag := range tags {
		p.put("<section><h2>%s</h2>\n", tag)
		for _, op := range groups[tag] {
			p.operation(op)
		}
		p.put("</section>\n")
	}
	p.schemas()
	p.put("</main></div>\n</body>\n</html>\n")
	return []byte(p.String())
}

// operations returns the operations by tag, and the tags in the order of their first path.
func (p *docPage) operations() (groups map[string][]*huma.Operation, tags []string) {
	groups = map[string][]*huma.Operation{}
	paths := make([]string, 0, len(p.api.Paths))
	for path := range p.api.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		op := p.api.Paths[path].Post
		if op == nil {
			continue
		}
		tag := op.Tags[0]
		if groups[tag] == nil {
			tags = append(tags, tag)
		}
		groups[tag] = append(groups[tag], op)
	}
	return groups, tags
}

func (p *docPage) conventions() {
	p.put(`<section><h2>How it works</h2>
<p>Every operation is a <code>POST</code> with a JSON body; an empty body reads as <code>{}</code>. Send an API key or a session
token as <code>Authorization: Bearer …</code>; a browser that has signed in sends its cookie.</p>
<p>Filters are <code>{"eq": value}</code>, <code>{"in": [values]}</code> or <code>"all"</code>. A query answers a list of at most
<code>limit</code> rows; the header <code>x-next-cursor</code> names the next page. In a change, an absent field stays as it is.
A batch is applied whole or not at all. Errors are <code>application/problem+json</code>.</p></section>
`)
}

func (p *docPage) operation(op *huma.Operation) {
	access, _ := op.Extensions["x-tollgate-access"].(string)
	p.put("<article id=\"%s\"><h3><span class=\"method\">POST</span> <code>%s</code> <span class=\"access\">%s</span></h3>\n<p>%s</p>\n",
		op.OperationID, op.Path, accessText(access), op.Summary)
	if op.Description != "" {
		p.put("<p>%s</p>\n", op.Description)
	}
	if op.RequestBody != nil {
		if content := op.RequestBody.Content["application/json"]; content != nil {
			p.put("<h4>Body</h4>\n")
			p.shape(content.Schema)
			p.example(op.Path, access, content.Example)
		}
	}
	if ok := op.Responses["200"]; ok != nil && ok.Content["application/json"] != nil {
		p.put("<h4>Answer</h4>\n<p>%s</p>\n", p.typeOf(ok.Content["application/json"].Schema))
	}
	p.put("</article>\n")
}

func accessText(access string) string {
	switch access {
	case "public":
		return "anyone"
	case "self":
		return "signed-in user"
	case "self-read":
		return "user, by session or key"
	case "team-admin":
		return "admin of a team, by session"
	case "super-admin":
		return "super admin"
	}
	return access
}

func (p *docPage) example(path, access string, body any) {
	if body == nil {
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		return
	}
	auth := " \\\n  -H 'Authorization: Bearer YOUR_KEY'"
	if access == "public" {
		auth = ""
	}
	p.put("<pre><code>curl "+originMark+"%s%s \\\n  -H 'Content-Type: application/json' -d '%s'</code></pre>\n", path, auth, string(text))
}

// shape shows a body: the fields of an object, else its type.
func (p *docPage) shape(s *huma.Schema) {
	target := s
	if s.Ref != "" {
		target = p.api.Components.Schemas.SchemaFromRef(s.Ref)
	}
	if target == nil || target.Type != huma.TypeObject || len(target.Properties) == 0 {
		p.put("<p>%s</p>\n", p.typeOf(s))
		return
	}
	p.fields(target)
}

func (p *docPage) fields(s *huma.Schema) {
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	p.put("<div class=\"scroll\"><table class=\"fields\"><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>\n")
	for _, name := range names {
		f := s.Properties[name]
		need := ""
		if slices.Contains(s.Required, name) {
			need = "Required. "
		}
		p.put("<tr><th scope=\"row\"><code>%s</code></th><td>%s</td><td>%s</td></tr>\n", name, p.typeOf(f), need+f.Description)
	}
	p.put("</tbody></table></div>\n")
}

func (p *docPage) schemas() {
	all := p.api.Components.Schemas.Map()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	p.put("<section id=\"schemas\"><h2>Schemas</h2>\n")
	for _, name := range names {
		p.put("<article id=\"schema-%s\"><h3>%s</h3>\n", name, name)
		p.fields(all[name])
		p.put("</article>\n")
	}
	p.put("</section>\n")
}

// typeOf describes a schema in words, with links to named ones.
func (p *docPage) typeOf(s *huma.Schema) raw {
	esc := func(text string) raw { return raw(html.EscapeString(text)) }
	switch {
	case s == nil:
		return "anything"
	case s.Ref != "":
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		return "<a href=\"#schema-" + esc(name) + "\">" + esc(name) + "</a>"
	case len(s.AnyOf) == 2 && s.AnyOf[1].Properties["eq"] != nil:
		return "filter over " + p.typeOf(s.AnyOf[1].Properties["eq"])
	case len(s.AnyOf) == 2:
		return p.typeOf(s.AnyOf[0]) + " or null"
	case s.Type == huma.TypeArray:
		return "list of " + p.typeOf(s.Items)
	case s.Type == "":
		return "any JSON"
	}
	text := s.Type
	if s.Format == "date-time" {
		text = "time (RFC 3339)"
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprint(v)
		}
		text = strings.Join(values, ", ")
	}
	if s.Nullable {
		text += " or null"
	}
	return esc(text)
}
