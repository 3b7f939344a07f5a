package sso_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth/sso"
)

func TestO01StateIsBoundAndUsedOnce(t *testing.T) {
	p := newOP(t)
	sealer := newSealer(t)
	for name, try := range map[string]func(r rig, start sso.Start, answer url.Values) error{
		"replayed": func(r rig, s sso.Start, q url.Values) error {
			_, _, _ = r.Finish(t.Context(), "corp", q, s.Cookie)
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"used after a failure": func(r rig, s sso.Start, q url.Values) error {
			_, _, _ = r.Finish(t.Context(), "corp", url.Values{"state": q["state"], "error": {"access_denied"}}, s.Cookie)
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"other browser": func(r rig, _ sso.Start, q url.Values) error {
			other, err := r.Begin(t.Context(), "corp", sso.Intent{})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = r.Finish(t.Context(), "corp", q, other.Cookie)
			return err
		},
		"no cookie": func(r rig, _ sso.Start, q url.Values) error {
			_, _, err := r.Finish(t.Context(), "corp", q, "")
			return err
		},
		"no state": func(r rig, s sso.Start, q url.Values) error {
			q.Del("state")
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"after ten minutes": func(r rig, s sso.Start, q url.Values) error {
			*r.now = r.now.Add(10*time.Minute + time.Second)
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"after a restart": func(_ rig, s sso.Start, q url.Values) error {
			_, _, err := newRig(t, sealer, p.settings("corp")).Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"bit changed": func(r rig, s sso.Start, q url.Values) error {
			_, _, err := r.Finish(t.Context(), "corp", q, "B"+s.Cookie[1:])
			return err
		},
		"sealed for something else (S-08)": func(r rig, _ sso.Start, q url.Values) error {
			other, err := sealer.Seal(tollgate.Label{Table: "cursors", Column: "cursor"}, []byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = r.Finish(t.Context(), "corp", q, base64url(other))
			return err
		},
		"provider disabled meanwhile (O-08)": func(r rig, s sso.Start, q url.Values) error {
			off := p.settings("corp")
			off.Disabled = true
			if err := r.Set([]sso.Settings{off}); err != nil {
				t.Fatal(err)
			}
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
		"provider moved meanwhile": func(r rig, s sso.Start, q url.Values) error {
			moved := p.settings("corp")
			moved.Issuer = newOP(t).URL
			if err := r.Set([]sso.Settings{moved}); err != nil {
				t.Fatal(err)
			}
			_, _, err := r.Finish(t.Context(), "corp", q, s.Cookie)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sealer, p.settings("corp"))
			start, err := r.Begin(t.Context(), "corp", sso.Intent{})
			if err != nil {
				t.Fatal(err)
			}
			if err := try(r, start, p.visit(t, start)); err == nil {
				t.Error("signed in")
			}
		})
	}
}

func TestIntentComesBack(t *testing.T) {
	p := newOP(t)
	r := newRig(t, newSealer(t), p.settings("corp"))
	want := sso.Intent{ReturnTo: "/console/keys?page=2", Invitation: "inv-token", LinkUser: 7}
	start, err := r.Begin(t.Context(), "corp", want)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(start.URL, "inv-token") {
		t.Error("the invitation goes to the provider")
	}
	_, got, err := r.Finish(t.Context(), "corp", p.visit(t, start), start.Cookie)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBeginAsksForWhatIsChecked(t *testing.T) {
	p := newOP(t)
	r := newRig(t, newSealer(t), p.settings("corp"))
	start, err := r.Begin(t.Context(), "corp", sso.Intent{})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(start.URL)
	q := u.Query()
	if q.Get("redirect_uri") != publicURL+"/auth/sso/corp/callback" || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" {
		t.Errorf("%v", q)
	}
	if len(q.Get("state")) != 22 || len(q.Get("nonce")) != 43 || q.Get("state") == q.Get("nonce") {
		t.Errorf("state %q, nonce %q", q.Get("state"), q.Get("nonce"))
	}
	if got := r.CookieName("corp"); got != "__Host-tollgate_sso_corp" {
		t.Error(got)
	}
}

func TestO12ReturnTo(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/console": "/console", "/console?a=b#c": "/console?a=b#c", "/a//b": "/a//b", "/ä": "/ä", "/a%20b": "/a%20b",
		"": "/", "console": "/", "https://evil.example": "/", "//evil.example": "/", "///evil": "/", `/\evil`: "/", `\/evil`: "/",
		"/%5cevil": "/", "/%5Cevil": "/", "/%255cevil": "/", "/%2fevil": "/", "/%252fevil": "/", "/%2F%2Fevil": "/",
		"/\tevil": "/", "/%09/evil": "/", "/\n/evil": "/", "/%0d%0aSet-Cookie:x": "/", "\t//evil": "/", " /evil": "/", "/%zz": "/",
		"javascript:alert(1)": "/", "/%00": "/", "/\xff": "/", "/" + strings.Repeat("a", 2048): "/",
	} {
		if got := sso.ReturnTo(in); got != want {
			t.Errorf("ReturnTo(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, s := range []string{"/", "/console?a=b", "//evil", `/\evil`, "/%5cevil", "/%252fevil", "/\tevil"} {
		f.Add(s)
	}
	base, _ := url.Parse(publicURL + "/")
	f.Fuzz(func(t *testing.T, in string) {
		got := sso.ReturnTo(in)
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != "https" || !strings.HasPrefix(got, "/") {
			t.Errorf("ReturnTo(%q) = %q leads to %v, %v", in, got, to, err)
		}
	})
}
