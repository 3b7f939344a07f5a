package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"

	"tollgate"
)

// Client has a running server carry out operations.
type Client struct{ http *http.Client }

var _ Runner = (*Client)(nil)

// Dial returns a Client for the server whose control socket is in dataDir, and
// false when no server answers there.
func Dial(ctx context.Context, dataDir string) (*Client, bool) {
	path := SocketPath(dataDir)
	probe, err := dialUnix(ctx, path)
	if err != nil {
		return nil, false
	}
	_ = probe.Close() // only the answer mattered
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialUnix(ctx, path) },
	}}}, true
}

// Close ends the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Run implements Runner.
func (c *Client) Run(ctx context.Context, name string, args json.RawMessage, report Report) (json.RawMessage, error) {
	body, err := json.Marshal(request{Operation: name, Args: args})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+operationPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the running server does not answer on its control socket")
	}
	defer res.Body.Close() //nolint:errcheck // read only
	if res.StatusCode != http.StatusOK {
		return nil, tollgate.Errorf(tollgate.CodeUnavailable, "the running server refuses the operation (%s); is it of another version?", res.Status)
	}
	for d := json.NewDecoder(res.Body); ; {
		var e event
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, tollgate.Errorf(tollgate.CodeUnavailable, "the server stopped before the operation ended; look at its log")
		case err != nil:
			return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the server's answer is not understood")
		case e.Error != nil:
			return nil, e.Error.err()
		case e.Progress != nil:
			if report != nil {
				report(*e.Progress)
			}
		default:
			return e.Result, nil
		}
	}
}
