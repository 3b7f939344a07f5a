package lookalike

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// token redeems a code, once. Errors have status 200 too.
func (s *Site) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	out := s.redeem(r.PostForm)
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, http.StatusOK, out)
		return
	}
	form := url.Values{}
	for name, value := range out {
		form.Set(name, value)
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	_, _ = w.Write([]byte(form.Encode()))
}

func (s *Site) redeem(form url.Values) map[string]string {
	refusal := func(code, text string) map[string]string {
		return map[string]string{"error": code, "error_description": text, "error_uri": "https://docs.github.com/apps/oauth-apps"}
	}
	app, code := s.apps[form.Get("client_id")], form.Get("code")
	if app == nil || form.Get("client_secret") != app.ClientSecret {
		return refusal("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
	}
	g, found := s.codes[code]
	delete(s.codes, code)
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	proves := g.challenge == "" || g.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
	if !found || g.client != app.ClientID || !proves {
		return refusal("bad_verification_code", "The code passed is incorrect or expired.")
	}
	if to := form.Get("redirect_uri"); to != "" && to != g.callback {
		return refusal("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
	}
	token := "gho_" + rand.Text()
	if s.trouble != Revoked {
		s.tokens[token] = g
	}
	return map[string]string{"access_token": token, "scope": strings.Join(g.scopes, ","), "token_type": "bearer"}
}

// api serves a path for tokens with a scope; without it there is nothing there.
func (s *Site) api(scope string, serve func(http.ResponseWriter, *http.Request, *Account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, text string) { writeJSON(w, status, map[string]string{"message": text}) }
		if r.UserAgent() == "" {
			http.Error(w, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.", http.StatusForbidden)
			return
		}
		switch s.trouble {
		case RateLimited:
			w.Header().Set("Retry-After", "60")
			refuse(http.StatusForbidden, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
			return
		case Down:
			refuse(http.StatusServiceUnavailable, "No server is currently available to service your request.")
			return
		case None, Revoked:
		}
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		g, found := s.tokens[bearer]
		a := s.byID(g.account)
		if !found || a == nil {
			refuse(http.StatusUnauthorized, "Bad credentials")
			return
		}
		w.Header().Set("X-OAuth-Scopes", strings.Join(g.scopes, ", "))
		w.Header().Set("X-Accepted-OAuth-Scopes", scope)
		if !covers(g.scopes, scope) {
			refuse(http.StatusNotFound, "Not Found")
			return
		}
		if text, ok := s.answers[strings.TrimPrefix(r.URL.Path, "/api/v3")]; ok {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = w.Write([]byte(text))
			return
		}
		serve(w, r, a)
	}
}

func (s *Site) user(w http.ResponseWriter, _ *http.Request, a *Account) {
	out := map[string]any{"id": a.ID, "login": a.Login, "node_id": "U_" + strconv.FormatInt(a.ID, 36), "type": "User", "name": nil, "email": nil}
	if a.PublicEmail != "" {
		out["email"] = a.PublicEmail
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Site) emails(w http.ResponseWriter, r *http.Request, a *Account) { paged(w, r, a.Emails) }

func (s *Site) memberships(w http.ResponseWriter, r *http.Request, a *Account) {
	rows := []map[string]any{}
	for _, org := range slices.Sorted(maps.Keys(a.Orgs)) {
		if state := r.URL.Query().Get("state"); state == "" || state == a.Orgs[org] {
			rows = append(rows, membershipOf(a, org))
		}
	}
	paged(w, r, rows)
}

func (s *Site) membership(w http.ResponseWriter, r *http.Request, a *Account) {
	if a.Orgs[r.PathValue("org")] == "" {
		writeJSON(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		return
	}
	writeJSON(w, http.StatusOK, membershipOf(a, r.PathValue("org")))
}

func membershipOf(a *Account, org string) map[string]any {
	return map[string]any{"state": a.Orgs[org], "role": "member", "organization": map[string]any{"login": org}, "user": map[string]any{"login": a.Login}}
}

func (s *Site) teams(w http.ResponseWriter, r *http.Request, a *Account) {
	rows := []map[string]any{}
	for _, name := range a.Teams {
		org, slug, _ := strings.Cut(name, "/")
		rows = append(rows, map[string]any{"slug": slug, "name": slug, "organization": map[string]any{"login": org}})
	}
	paged(w, r, rows)
}

// paged answers one page of rows, with a link to the next.
func paged[T any](w http.ResponseWriter, r *http.Request, rows []T) {
	number := func(name string, otherwise, most int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 1 {
			return otherwise
		}
		return min(n, most)
	}
	size, page := number("per_page", 30, 100), number("page", 1, 1<<20)
	from := min((page-1)*size, len(rows))
	to := min(from+size, len(rows))
	if to < len(rows) {
		w.Header().Set("Link", fmt.Sprintf("<http://%s%s?per_page=%d&page=%d>; rel=\"next\"", r.Host, r.URL.Path, size, page+1))
	}
	writeJSON(w, http.StatusOK, rows[from:to])
}
