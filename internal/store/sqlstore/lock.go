package sqlstore

import (
	"errors"
	"os"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("the lock is held by another process")

// fileLock is a held lock file. It goes with the process, however that ends.
type fileLock struct{ file *os.File }

// lockFile takes the lock at path without waiting; errLocked. Without create,
// a missing file gives no lock and no error.
func lockFile(path string, create bool) (*fileLock, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, fileMode)
	if errors.Is(err, os.ErrNotExist) && !create {
		return nil, nil //nolint:nilnil // no file, no lock
	}
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &fileLock{f}, nil
}

// release gives the lock free; the file stays, since removing it would let
// two processes lock two files of one name.
func (l *fileLock) release() error {
	if l == nil || l.file == nil {
		return nil
	}
	return l.file.Close()
}
