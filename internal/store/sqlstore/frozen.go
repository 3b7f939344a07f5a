package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"modernc.org/sqlite"
	"modernc.org/sqlite/vfs"

	"tollgate/internal/store/wal"
)

// frozen is a SQLite database opened so that not one byte of its file, log or
// index changes: SQLite reads it through a read-only file system in which log
// and database are one file already. (SQLite itself would replay the log, and
// copying a large database to look at it takes minutes.) The database must not
// be written meanwhile; the caller holds its lock or knows that nobody writes.
type frozen struct {
	*sql.DB
	mount *vfs.FS
	image *image
}

// openFrozen opens the database file at path.
func openFrozen(path string) (_ *frozen, err error) {
	image, err := newImage(path)
	if err != nil {
		return nil, err
	}
	name, mount, err := vfs.New(image)
	if err != nil {
		return nil, errors.Join(err, image.close())
	}
	c, err := sqlite.NewConnector("file:" + imageName + "?vfs=" + name + "&mode=ro&immutable=1&_error_rc=1")
	if err != nil {
		return nil, errors.Join(err, mount.Close(), image.close())
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	return &frozen{db, mount, image}, nil
}

// Close ends the connections and closes the files.
func (f *frozen) Close() error { return errors.Join(f.DB.Close(), f.mount.Close(), f.image.close()) }

// imageName is the one file of an image.
const imageName = "database"

// image is the state of a database after its last commit: the database file
// with the committed pages of its log laid over it.
type image struct {
	db   *os.File
	log  *os.File // nil = no log
	over wal.Pages
	size int64
}

// newImage opens the files and reads the log.
func newImage(path string) (_ *image, err error) {
	im := &image{}
	defer func() {
		if err != nil {
			err = errors.Join(err, im.close())
		}
	}()
	if im.db, err = os.Open(path); err != nil {
		return nil, err
	}
	info, err := im.db.Stat()
	if err != nil {
		return nil, err
	}
	im.size = info.Size()
	if im.log, err = os.Open(path + "-wal"); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return im, nil
		}
		return nil, err
	}
	if im.over, err = wal.Read(im.log); err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", path, err)
	}
	if im.over.Count > 0 {
		im.size = int64(im.over.Count) * im.over.Size
	}
	return im, nil
}

func (im *image) close() error {
	var errs []error
	for _, f := range []*os.File{im.db, im.log} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Open opens the image; there is nothing else in this file system.
func (im *image) Open(name string) (fs.File, error) {
	if name != imageName {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &imageFile{im: im}, nil
}

// The bytes of the header that say how a database is journaled: 2 = by log.
const (
	journalModeAt  = 18
	journalModeEnd = 20
	journalByFile  = 1
)

// ReadAt reads the image. The header says that there is no log, since SQLite
// would look for one.
func (im *image) ReadAt(b []byte, off int64) (n int, err error) {
	if off >= im.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), im.size-off)]
	for n < len(b) && err == nil {
		var m int
		m, err = im.readPage(b[n:], off+int64(n))
		n += m
	}
	for i := range b[:n] {
		if at := off + int64(i); at >= journalModeAt && at < journalModeEnd && b[i] == 2 {
			b[i] = journalByFile
		}
		if off+int64(i) >= journalModeEnd {
			break
		}
	}
	return n, err
}

// readPage reads up to the end of the page that off lies in.
func (im *image) readPage(b []byte, off int64) (int, error) {
	if im.over.Count == 0 {
		return im.db.ReadAt(b, off)
	}
	size := im.over.Size
	inside := off % size
	b = b[:min(int64(len(b)), size-inside)]
	if at, ok := im.over.At[uint32(off/size)+1]; ok { //nolint:gosec // below count, which is 32 bits
		return im.log.ReadAt(b, at+inside)
	}
	return im.db.ReadAt(b, off)
}

// imageFile is an image with a position.
type imageFile struct {
	im *image
	at int64
}

// Stat describes the image.
func (f *imageFile) Stat() (fs.FileInfo, error) {
	info, err := f.im.db.Stat()
	return sized{info, f.im.size}, err
}

// Read reads from the position on.
func (f *imageFile) Read(b []byte) (int, error) {
	n, err := f.im.ReadAt(b, f.at)
	f.at += int64(n)
	return n, err
}

// Seek moves the position.
func (f *imageFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		f.at = offset
	case io.SeekCurrent:
		f.at += offset
	default:
		f.at = f.im.size + offset
	}
	return f.at, nil
}

// Close does nothing: the image owns the files.
func (*imageFile) Close() error { return nil }

// sized is a FileInfo of another size.
type sized struct {
	fs.FileInfo
	size int64
}

// Size returns the size of the image.
func (s sized) Size() int64 { return s.size }

// isSQLite reports whether the file begins as a SQLite database does.
func (im *image) isSQLite() bool {
	b := make([]byte, len(sqliteFileHeader))
	_, err := im.ReadAt(b, 0)
	return err == nil && bytes.Equal(b, []byte(sqliteFileHeader))
}
