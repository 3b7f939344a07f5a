package ascode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"tollgate"
	"tollgate/internal/seed"
)

// folder is a file below the directory that the operator opens, for Git or
// whatever else watches it. A version is the SHA-256 of the file.
type folder struct{ base, path string }

// checkPath refuses paths that could leave the directory; links that do are
// refused when the file is opened.
func checkPath(p string) error {
	if !filepath.IsLocal(p) || !fs.ValidPath(p) || p == "." || strings.ContainsAny(p, `\:`) {
		return tollgate.Invalidf("location", "the location of a folder target is the path of a file below [server] sync_folder, such as prod/tollgate.toml")
	}
	return nil
}

func (f folder) get(_ context.Context, version string) (content, error) {
	root, err := f.open()
	if err != nil {
		return content{}, err
	}
	defer root.Close() //nolint:errcheck // read only
	now, err := f.read(root)
	if err == nil && version != "" && version != now.version {
		err = tollgate.Errorf(tollgate.CodeNotFound, "a folder has the present version alone; look for others where it is kept")
	}
	return now, err
}

func (f folder) open() (*os.Root, error) {
	if err := checkPath(f.path); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.base)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "[server] sync_folder cannot be opened")
	}
	return root, nil
}

func (f folder) read(root *os.Root) (content, error) {
	file, err := root.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return content{}, nil
	}
	if err != nil {
		return content{}, tollgate.WrapError(tollgate.CodeUnavailable, err, "the file cannot be read; it must be a file inside [server] sync_folder")
	}
	defer file.Close() //nolint:errcheck // read only
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return content{}, tollgate.WrapError(tollgate.CodeInvalid, err, "the location is not a plain file")
	}
	text, err := io.ReadAll(io.LimitReader(file, seed.MaxDocument+1))
	if err != nil {
		return content{}, tollgate.WrapError(tollgate.CodeUnavailable, err, "the file cannot be read")
	}
	return content{text, sumOf(text)}, checkSize(len(text))
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// put writes a file beside the present one and renames it, so that a reader
// sees the old one or the new one.
func (f folder) put(ctx context.Context, text []byte, was string) (string, error) {
	now, err := f.get(ctx, "")
	if err != nil {
		return "", err
	}
	if now.version != was {
		return "", errMoved()
	}
	root, err := f.open()
	if err != nil {
		return "", err
	}
	defer root.Close() //nolint:errcheck // a directory
	if err := write(root, f.path, text); err != nil {
		return "", tollgate.WrapError(tollgate.CodeUnavailable, err, "the file cannot be written below [server] sync_folder")
	}
	return sumOf(text), nil
}

func write(root *os.Root, name string, text []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	draft := name + ".new"
	file, err := root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return root.Rename(draft, name)
}

func (f folder) versions(ctx context.Context) ([]revision, error) {
	now, err := f.get(ctx, "")
	if err != nil || now.version == "" {
		return nil, err
	}
	return []revision{{Version: now.version, Current: true}}, nil
}
