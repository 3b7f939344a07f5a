package auth_test

import (
	"context"
	"sync"

	"tollgate"
)

// fakeStore serves given rows and fails on request: it is here to inject
// faults and to make benchmarks of the directory alone; what the rows mean is
// tested on SQLite.
type fakeStore struct {
	tollgate.Store
	users       []tollgate.User
	keys        []tollgate.Key
	permissions []tollgate.Permission
	sessions    []tollgate.Session

	mu    sync.Mutex
	fail  error
	views int
}

func (s *fakeStore) failWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// begin counts a read and says whether it fails.
func (s *fakeStore) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views++
	return s.fail
}

func (s *fakeStore) View(_ context.Context, fn func(tollgate.Tx) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	return fn(tollgate.Tx{
		Users:           rows[tollgate.User, tollgate.UserFilter]{list: s.users},
		Keys:            rows[tollgate.Key, tollgate.KeyFilter]{list: s.keys},
		Permissions:     rows[tollgate.Permission, tollgate.PermissionFilter]{list: s.permissions},
		FilePermissions: rows[tollgate.FilePermission, tollgate.PermissionFilter]{},
		TeamPermissions: rows[tollgate.TeamPermission, tollgate.TeamPermissionFilter]{},
		Sessions:        rows[tollgate.Session, tollgate.SessionFilter]{list: s.sessions},
	})
}

type rows[T, F any] struct {
	tollgate.Table[T, F]
	list []T
}

func (r rows[T, F]) Query(context.Context, F, tollgate.Page) ([]T, *tollgate.Cursor, error) {
	return append([]T(nil), r.list...), nil, nil
}
