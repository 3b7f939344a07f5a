// Command serve runs the GitHub look-alike for tests in a browser:
//
//	serve PORT CALLBACK CLIENT_ID CLIENT_SECRET PASSWORD
//
// Tests drive it with POST /look-alike:
// rename=OLD&to=NEW, trouble=NAME, suspend=true.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"tollgate/test/lookalike"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: serve PORT CALLBACK CLIENT_ID CLIENT_SECRET PASSWORD")
		os.Exit(2)
	}
	site := lookalike.New(lookalike.App{ClientID: os.Args[3], ClientSecret: os.Args[4], Callback: os.Args[2]}, os.Args[5], accounts()...)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.HandleFunc("POST /look-alike", func(w http.ResponseWriter, r *http.Request) { drive(site, r) })
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// drive does what a test asks for.
func drive(site *lookalike.Site, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		return
	}
	if login := r.PostForm.Get("rename"); login != "" {
		site.Rename(login, r.PostForm.Get("to"))
	}
	if r.PostForm.Has("trouble") {
		site.Make(lookalike.Trouble(r.PostForm.Get("trouble")))
	}
	if r.PostForm.Has("suspend") {
		site.Suspend(r.PostForm.Get("suspend") == "true")
	}
}

// accounts are those of the suite: several that are alike, so that each test
// has its own; one with the organisation on a second page, one who is only
// invited, one whose primary address nobody verified.
func accounts() []lookalike.Account {
	out := []lookalike.Account{}
	for i, login := range []string{"alice", "carol", "dora", "erin", "finn", "grace", "henry", "iris", "member", "invited", "unproven", "stranger"} {
		a := lookalike.Account{ID: int64(583231 + i), Login: login, PublicEmail: login + "@public.example.net", Orgs: map[string]string{}}
		a.Emails = []lookalike.Email{
			{Email: login + "@old.example.net", Verified: true},
			{Email: login + "@example.com", Primary: true, Verified: login != "unproven"},
			{Email: fmt.Sprintf("%d+%s@users.noreply.example.net", a.ID, login), Verified: true},
		}
		switch login {
		case "member":
			for n := range 130 {
				a.Orgs[fmt.Sprintf("club-%03d", n)] = "active"
				a.Teams = append(a.Teams, fmt.Sprintf("club-%03d/all", n))
			}
			a.Orgs["the-org"] = "active"
			a.Teams = append(a.Teams, "the-org/platform")
		case "invited":
			a.Orgs["the-org"] = "pending"
		}
		out = append(out, a)
	}
	return out
}
