package ascode

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"tollgate"
)

// gist is a file of a GitHub Gist (docs.github.com/rest/gists). A version is a
// commit of the gist.
type gist struct {
	client        *http.Client
	api, id, file string
	token         tollgate.Secret
}

func checkGist(id, file string) error {
	if !regexp.MustCompile(`^[0-9a-fA-F]{5,64}$`).MatchString(id) {
		return tollgate.Invalidf("location", "the location of a gist target is the gist's id, the last part of its address")
	}
	if !regexp.MustCompile(`^[\w.-]{1,100}$`).MatchString(file) {
		return tollgate.Invalidf("file", "the file of a gist target is a name of letters, digits, dots, dashes and underscores")
	}
	return nil
}

// gistAnswer is what is read of a gist.
type gistAnswer struct {
	Files map[string]struct {
		Content   string `json:"content"`
		Truncated bool   `json:"truncated"`
	} `json:"files"`
	History []struct {
		Version     string    `json:"version"`
		CommittedAt time.Time `json:"committed_at"`
	} `json:"history"`
}

func (g gist) call(ctx context.Context, method, version string, body any) (gistAnswer, error) {
	var out gistAnswer
	if err := checkGist(g.id, g.file); err != nil {
		return out, err
	}
	path := g.api + "/gists/" + g.id
	if version != "" {
		path += "/" + version
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return out, err
	}
	if body == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(raw))
	if err != nil {
		return out, err
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-Github-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "tollgate") // GitHub refuses requests without one
	if !g.token.Empty() {
		req.Header.Set("Authorization", "Bearer "+g.token.Reveal())
	}
	res, err := g.client.Do(req)
	if err != nil {
		return out, unreachable(err)
	}
	defer res.Body.Close() //nolint:errcheck // read only
	if res.StatusCode != http.StatusOK {
		return out, refusal(res)
	}
	text, err := readBody(res)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, tollgate.WrapError(tollgate.CodeUnavailable, err, "the place's answer is not that of a gist")
	}
	return out, nil
}

func (a gistAnswer) latest() string {
	if len(a.History) == 0 {
		return ""
	}
	return a.History[0].Version
}

func (g gist) get(ctx context.Context, version string) (content, error) {
	if version != "" && !regexp.MustCompile(`^[0-9a-f]{5,64}$`).MatchString(version) {
		return content{}, tollgate.Invalidf("version", "a version of a gist is one that versions names")
	}
	a, err := g.call(ctx, http.MethodGet, version, nil)
	if err != nil {
		return content{}, err
	}
	if version == "" {
		version = a.latest()
	}
	file, ok := a.Files[g.file]
	if !ok {
		return content{}, nil // nothing that a push could overwrite
	}
	if file.Truncated {
		return content{}, tollgate.Errorf(tollgate.CodeTooLarge, "GitHub cuts files of a gist off at 1 MiB; use a folder or WebDAV for a document of this size")
	}
	return content{[]byte(file.Content), version}, nil
}

// put looks at the gist's version first: GitHub takes no condition with a
// change, so that a change within the same moment is seen by the next call.
func (g gist) put(ctx context.Context, text []byte, was string) (string, error) {
	now, err := g.get(ctx, "")
	if err != nil {
		return "", err
	}
	if now.version != was {
		return "", errMoved()
	}
	a, err := g.call(ctx, http.MethodPatch, "", map[string]any{"files": map[string]any{g.file: map[string]string{"content": string(text)}}})
	return a.latest(), err
}

func (g gist) versions(ctx context.Context) ([]revision, error) {
	a, err := g.call(ctx, http.MethodGet, "", nil)
	if err != nil {
		return nil, err
	}
	var out []revision
	for i, h := range a.History {
		out = append(out, revision{Version: h.Version, At: &h.CommittedAt, Current: i == 0})
	}
	return out, nil
}
