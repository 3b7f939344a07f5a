package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Finding is one line of a test of a provider.
type Finding struct {
	OK bool
	// What names the step: "settings", "redirect_uri", "discovery", "issuer",
	// "scopes", "pkce", "keys".
	What string
	// Text says what is so, and what to do about it.
	Text string
}

// Test tries what can be tried of s without somebody signing in. It uses what
// was submitted and nothing that is stored (SECURITY F-08).
func (e *Engine) Test(ctx context.Context, s Settings) []Finding {
	if err := s.Check(); err != nil {
		return []Finding{{What: "settings", Text: err.Error()}}
	}
	out := []Finding{{OK: true, What: "redirect_uri", Text: "Register this redirect URI at the provider, character by character: " + e.Callback(s.Name)}}
	if s.Kind == KindGitHub {
		return append(out, e.testGitHub(ctx, s))
	}
	doc, err := e.readDocument(ctx, s.issuer())
	switch {
	case errors.Is(err, errIssuer):
		return append(out, Finding{What: "issuer", Text: fmt.Sprintf("%v. Use the issuer as the document says it, with or without the slash at its end.", err)})
	case err != nil:
		return append(out, Finding{What: "discovery", Text: fmt.Sprintf("%v. Is the issuer right, and does [upstream] allow_private open it if it is a private address?", err)})
	}
	out = append(out, Finding{OK: true, What: "discovery", Text: "The discovery document was read, and its issuer is the one of the settings."})
	out = append(out, testScopes(doc, s), testChallenge(doc))
	return append(out, testKeys(ctx, doc))
}

func (e *Engine) testGitHub(ctx context.Context, s Settings) Finding {
	err := e.fetch(ctx, s.githubAPI()+"/meta", "", &struct{}{})
	if err != nil {
		return Finding{What: "discovery", Text: fmt.Sprintf("GitHub's API at %s: %v", s.githubAPI(), err)}
	}
	return Finding{OK: true, What: "discovery", Text: "GitHub's API answers. Whether client id and secret are right shows at the first sign-in."}
}

func testScopes(doc *issuerDoc, s Settings) Finding {
	for _, scope := range append([]string{"openid", "email", "profile"}, s.Scopes...) {
		if len(doc.ScopesSupported) > 0 && !slices.Contains(doc.ScopesSupported, scope) {
			return Finding{What: "scopes", Text: fmt.Sprintf("The provider does not list the scope %q; allow it for this client there.", scope)}
		}
	}
	return Finding{OK: true, What: "scopes", Text: "The provider knows every scope that is asked for."}
}

func testChallenge(doc *issuerDoc) Finding {
	if len(doc.Challenges) > 0 && !slices.Contains(doc.Challenges, "S256") {
		return Finding{What: "pkce", Text: "The provider does not list PKCE with S256, which every sign-in uses."}
	}
	return Finding{OK: true, What: "pkce", Text: "PKCE with S256 is used."}
}

func testKeys(ctx context.Context, doc *issuerDoc) Finding {
	keys, err := doc.keys.load(ctx)
	switch {
	case err != nil:
		return Finding{What: "keys", Text: err.Error()}
	case len(keys) == 0:
		return Finding{What: "keys", Text: "The provider publishes no public key for signatures; ID tokens signed with the client secret are not taken."}
	}
	return Finding{OK: true, What: "keys", Text: fmt.Sprintf("%d public keys were read.", len(keys))}
}
