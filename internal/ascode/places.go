package ascode

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/seed"
)

// Places reach what is outside.
type Places struct {
	// Client is guarded: private addresses only where [upstream] allow_private
	// opens them, no redirects.
	Client *http.Client
	// Folder returns [server] sync_folder, below which folders may be used;
	// empty = none.
	Folder func() string
	// GistAPI is GitHub's API; empty = https://api.github.com.
	GistAPI string
}

// content is a document at a place: its text and what the place calls this
// version of it. The zero value is a document that is not there yet.
type content struct {
	text    []byte
	version string
}

// revision is an earlier version that a place has.
type revision struct {
	Version string     `json:"version"`
	At      *time.Time `json:"at" doc:"null = the place does not say"`
	Current bool       `json:"current"`
}

// remote is one place that holds a document.
type remote interface {
	// get reads a version, the present one for "". What is not there is the
	// zero content and no error if it is the present one, else CodeNotFound.
	get(ctx context.Context, version string) (content, error)
	// put replaces the document if it is still at version was, and returns the
	// new version; CodeConflict if it is not.
	put(ctx context.Context, text []byte, was string) (string, error)
	// versions lists what get can read, the latest first.
	versions(ctx context.Context) ([]revision, error)
}

// open returns the place of a target with its secrets in clear.
func (s *Server) open(t tollgate.SyncTarget) (remote, error) {
	password, err := s.secret(t, "password", t.Password)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case tollgate.SyncFolder:
		base := ""
		if s.Places.Folder != nil {
			base = s.Places.Folder()
		}
		if base == "" {
			return nil, tollgate.Errorf(tollgate.CodeInvalid, "folders are not open here; name the directory that they may be in with sync_folder in [server]")
		}
		return folder{base: base, path: t.Location}, nil
	case tollgate.SyncWebDAV:
		return webdav{client: s.Places.Client, url: t.Location, user: t.Username, password: password}, nil
	case tollgate.SyncGist:
		api := s.Places.GistAPI
		if api == "" {
			api = "https://api.github.com"
		}
		return gist{client: s.Places.Client, api: api, id: t.Location, file: t.File, token: password}, nil
	default:
		return nil, tollgate.Invalidf("kind", "a target is a folder, webdav or gist")
	}
}

// label names the place of a target's secret.
func label(t tollgate.SyncTarget, column string) tollgate.Label {
	return tollgate.Label{Table: "sync_targets", Column: column, Row: t.ID}
}

// secret opens a sealed secret of a target; none is empty.
func (s *Server) secret(t tollgate.SyncTarget, column string, sealed []byte) (tollgate.Secret, error) {
	if len(sealed) == 0 {
		return tollgate.Secret{}, nil
	}
	plain, err := s.Importer.Accounts.Sealer.Open(label(t, column), sealed)
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "the %s of sync target %d does not open", column, t.ID)
	}
	return tollgate.NewSecret(string(plain)), nil
}

// unreachable is the error of a call that got no answer. Why is for the log:
// what the gateway can reach is not for everyone to learn.
func unreachable(err error) error {
	return tollgate.WrapError(tollgate.CodeUnavailable, err, "the place cannot be reached; check its address, and that [upstream] allow_private opens it if it is private")
}

// refusal is the error of an answer that is not the one hoped for.
func refusal(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return tollgate.Errorf(tollgate.CodeInvalid, "the place refuses the credentials (%d)", res.StatusCode)
	case http.StatusNotFound, http.StatusConflict:
		return tollgate.Errorf(tollgate.CodeInvalid, "the place does not know this location (%d); its folder has to be there", res.StatusCode)
	}
	return tollgate.Errorf(tollgate.CodeUnavailable, "the place answers %d", res.StatusCode)
}

func errMoved() error {
	return tollgate.Errorf(tollgate.CodeConflict, "the document at the place was changed by somebody else since it was last pushed or pulled; pull it and look, or push with force")
}

// checkSize refuses a document that is too large.
func checkSize(n int) error {
	if n > seed.MaxDocument {
		return tollgate.Errorf(tollgate.CodeTooLarge, "the document is larger than %d MiB", seed.MaxDocument>>20)
	}
	return nil
}

// checkTarget checks what a target says, each kind by its own rules.
func checkTarget(t tollgate.SyncTarget) error {
	if err := tollgate.ValidName("name", t.Name); err != nil {
		return err
	}
	for _, v := range []string{t.Location, t.File, t.Username} {
		if strings.ContainsAny(v, "\x00\r\n") || strings.HasPrefix(v, "env:") || strings.HasPrefix(v, "file:") {
			return tollgate.Invalidf("location", "env: and file: values are read only from the file on the gateway's own disk")
		}
	}
	switch t.Kind {
	case tollgate.SyncFolder:
		return checkPath(t.Location)
	case tollgate.SyncWebDAV:
		return checkURL(t.Location)
	case tollgate.SyncGist:
		return errors.Join(checkGist(t.Location, t.File))
	default:
		return tollgate.Invalidf("kind", "a target is a folder, webdav or gist")
	}
}
