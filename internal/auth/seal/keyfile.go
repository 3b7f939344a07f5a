package seal

import (
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tollgate"
)

// ReadKeyFile reads a key file: 32 bytes as base64url text. A missing file is
// not an error: found is false. A file that others may read, or that does not
// hold a whole key, is CodeInvalid.
func ReadKeyFile(path string) (key tollgate.Secret, found bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tollgate.Secret{}, false, nil
	}
	if err != nil {
		return tollgate.Secret{}, false, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the key file")
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	switch {
	case err != nil:
		return tollgate.Secret{}, false, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the key file")
	case !info.Mode().IsRegular():
		return tollgate.Secret{}, false, tollgate.Errorf(tollgate.CodeInvalid, "the key file %s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return tollgate.Secret{}, false, tollgate.Errorf(tollgate.CodeInvalid,
			"the key file %s can be read by others (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return tollgate.Secret{}, false, tollgate.WrapError(tollgate.CodeInvalid, err, "cannot read the key file")
	}
	s := strings.TrimSpace(string(text))
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(s); err != nil || len(raw) != keySize {
		return tollgate.Secret{}, false, tollgate.Errorf(tollgate.CodeInvalid,
			"the key file %s does not hold a whole key (43 characters of base64url); put the original back", path)
	}
	return tollgate.NewSecret(s), true, nil
}

// NewMaster makes a random master key in the form of a key file.
func NewMaster(random io.Reader) (tollgate.Secret, error) {
	raw := make([]byte, keySize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "make master key")
	}
	return tollgate.NewSecret(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// WriteKeyFile makes the master key that ResolveMaster found missing and
// writes it, mode 0600, in a folder of mode 0700. When it returns nil the file
// is on the disk, whole. Without Create it does nothing.
func (m *Master) WriteKeyFile(random io.Reader) error {
	if !m.Create {
		return nil
	}
	key, err := NewMaster(random)
	if err != nil {
		return err
	}
	if err := PutKeyFile(m.KeyFile, key, false); err != nil {
		return err
	}
	m.Key, m.Create = key, false
	return nil
}

// PutKeyFile writes a key file so that a crash leaves the old file or the new
// one, never half of one. Without replace an existing file is CodeConflict.
func PutKeyFile(path string, key tollgate.Secret, replace bool) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "make the folder of the key file")
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the key file")
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone after the rename
	_, err = tmp.WriteString(key.Reveal() + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the key file")
	}
	if replace {
		err = os.Rename(tmp.Name(), path)
	} else {
		err = os.Link(tmp.Name(), path) // fails when path exists
	}
	if errors.Is(err, fs.ErrExist) {
		return tollgate.Errorf(tollgate.CodeConflict, "the key file %s exists already", path)
	}
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the key file")
	}
	d, err := os.Open(dir)
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the key file")
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the key file")
	}
	return nil
}
