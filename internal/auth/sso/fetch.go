package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// maxAnswer bounds every answer of a provider.
const maxAnswer = 1 << 20

// errTooLarge is an answer beyond maxAnswer.
var errTooLarge = errors.New("the answer is larger than 1 MiB")

// statusError is an answer other than 200.
type statusError struct {
	status int
	// limited: the provider takes no more requests for now.
	limited bool
}

func (e *statusError) Error() string { return fmt.Sprintf("the answer has status %d", e.status) }

// refused is the error of an answer other than 200. GitHub says 403 for both
// of its rate limits and tells them from a refusal by headers
// (docs.github.com, "Rate limits for the REST API").
func refused(res *http.Response) error {
	limit := res.StatusCode == http.StatusForbidden && (res.Header.Get("Retry-After") != "" || res.Header.Get("X-Ratelimit-Remaining") == "0")
	return &statusError{res.StatusCode, limit || res.StatusCode == http.StatusTooManyRequests}
}

// fetch requests a JSON document into out.
func (e *Engine) fetch(ctx context.Context, address, bearer string, out any) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if err := fetchable(u); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tollgate") // GitHub refuses requests without one
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := e.o.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return refused(res)
	}
	return decode(res.Body, out)
}

func decode(body io.Reader, out any) error {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxAnswer:
		return errTooLarge
	}
	return json.Unmarshal(text, out)
}

// exchange redeems code. Its errors never quote the answer, which may hold a
// token.
func (e *Engine) exchange(ctx context.Context, c oauth2.Config, code, verifier string) (*oauth2.Token, error) {
	u, err := url.Parse(c.Endpoint.TokenURL)
	if err != nil {
		return nil, err
	}
	if err := fetchable(u); err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, e.o.Client)
	token, err := c.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return nil, fmt.Errorf("the token endpoint answered %d with error %.64q", answer.Response.StatusCode, answer.ErrorCode)
	}
	return token, err
}
