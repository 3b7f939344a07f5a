package lookalike

import (
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const sessionCookie = "user_session"

// page writes an HTML page of the site's own.
func page(w http.ResponseWriter, status int, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><title>%[1]s · GitHub look-alike</title><h1>%[1]s</h1>\n%[2]s</html>\n", html.EscapeString(title), body)
}

func hidden(name, value string) string {
	return fmt.Sprintf("<input type=\"hidden\" name=%q value=%q>", html.EscapeString(name), html.EscapeString(value))
}

// loginPage asks who one is; after it the browser goes on to return_to.
func (s *Site) loginPage(w http.ResponseWriter, r *http.Request) {
	s.askLogin(w, http.StatusOK, r.URL.Query().Get("return_to"), "")
}

func (s *Site) askLogin(w http.ResponseWriter, status int, returnTo, flash string) {
	page(w, status, "Sign in to GitHub", `<form method="post" action="/session">`+hidden("return_to", returnTo)+
		`<p role="alert">`+html.EscapeString(flash)+`</p>
<label>Username or email address <input name="login" autocomplete="username"></label>
<label>Password <input name="password" type="password"></label>
<button type="submit">Sign in</button></form>`)
}

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	a := s.byLogin(r.Form.Get("login"))
	to := r.Form.Get("return_to")
	if a == nil || r.Form.Get("password") != s.password {
		s.askLogin(w, http.StatusOK, to, "Incorrect username or password.")
		return
	}
	if !strings.HasPrefix(to, "/login/oauth/authorize?") {
		to = "/login"
	}
	cookie := rand.Text()
	s.sessions[cookie] = a.ID
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, to, http.StatusFound)
}

// request is an authorization request.
type request struct {
	app                        *App
	callback, state, challenge string
	scopes                     []string
}

// asked reads an authorization request. An unknown app is answered with a page,
// all other errors at the registered callback; ok says that none was.
func (s *Site) asked(w http.ResponseWriter, r *http.Request) (q request, ok bool) {
	form := r.URL.Query()
	q = request{s.apps[form.Get("client_id")], form.Get("redirect_uri"), form.Get("state"), form.Get("code_challenge"), strings.Fields(strings.ReplaceAll(form.Get("scope"), ",", " "))}
	if q.app == nil {
		page(w, http.StatusNotFound, "Page not found", "<p>This is not the web page you are looking for.</p>")
		return q, false
	}
	if q.callback == "" {
		q.callback = q.app.Callback
	}
	switch {
	case q.app.Suspended:
		q.callback = q.app.Callback
		s.refuse(w, r, q, "application_suspended", "Your application has been suspended. Contact support.")
	case q.callback != q.app.Callback && !strings.HasPrefix(q.callback, q.app.Callback+"/"):
		q.callback = q.app.Callback
		s.refuse(w, r, q, "redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
	default:
		return q, true
	}
	return q, false
}

func (s *Site) refuse(w http.ResponseWriter, r *http.Request, q request, code, text string) {
	answer := url.Values{"error": {code}, "error_description": {text}, "error_uri": {"https://docs.github.com/apps/oauth-apps"}, "state": {q.state}}
	http.Redirect(w, r, q.callback+"?"+answer.Encode(), http.StatusFound)
}

func (s *Site) visitor(r *http.Request) *Account {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	return s.byID(s.sessions[c.Value])
}

// authorizePage asks for consent, once for the same scopes.
func (s *Site) authorizePage(w http.ResponseWriter, r *http.Request) {
	who := s.visitor(r)
	if who == nil {
		http.Redirect(w, r, "/login?"+url.Values{"client_id": {r.URL.Query().Get("client_id")}, "return_to": {r.URL.RequestURI()}}.Encode(), http.StatusFound)
		return
	}
	q, ok := s.asked(w, r)
	if !ok {
		return
	}
	earlier := s.granted[consent(q.app, who)]
	if !slices.ContainsFunc(q.scopes, func(scope string) bool { return !covers(earlier, scope) }) && earlier != nil {
		s.allow(w, r, q, who, earlier)
		return
	}
	var list strings.Builder
	for _, scope := range q.scopes {
		_, _ = fmt.Fprintf(&list, "<label><input type=\"checkbox\" name=\"scope\" value=%[1]q checked> %[1]s</label>\n", html.EscapeString(scope))
	}
	page(w, http.StatusOK, "Authorize Tollgate", fmt.Sprintf("<p>%s wants to access the account <strong>%s</strong>.</p>\n<form method=\"post\" action=%q>\n%s", html.EscapeString(q.app.ClientID), html.EscapeString(who.Login), html.EscapeString(r.URL.RequestURI()), list.String())+
		`<button name="authorize" value="0">Cancel</button> <button name="authorize" value="1">Authorize</button></form>`)
}

func (s *Site) authorize(w http.ResponseWriter, r *http.Request) {
	who := s.visitor(r)
	q, ok := s.asked(w, r)
	if !ok {
		return
	}
	_ = r.ParseForm()
	if who == nil || r.PostForm.Get("authorize") != "1" {
		s.refuse(w, r, q, "access_denied", "The user has denied your application access.")
		return
	}
	s.allow(w, r, q, who, slices.DeleteFunc(r.PostForm["scope"], func(scope string) bool { return !slices.Contains(q.scopes, scope) }))
}

func (s *Site) allow(w http.ResponseWriter, r *http.Request, q request, who *Account, scopes []string) {
	s.granted[consent(q.app, who)] = scopes
	code := s.newCode(grant{q.app.ClientID, q.callback, q.challenge, who.ID, scopes})
	http.Redirect(w, r, q.callback+"?"+url.Values{"code": {code}, "state": {q.state}}.Encode(), http.StatusFound)
}

func consent(app *App, who *Account) string { return fmt.Sprint(app.ClientID, "/", who.ID) }
