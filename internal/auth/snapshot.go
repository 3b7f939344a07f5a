package auth

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"tollgate"
)

// snapshot is what the hot path sees. It never changes after it was published.
type snapshot struct {
	identity *identity
	sessions *sessions
	access   *access
	policy   policy
	// stale is set when the store has moved on and could not be read: nobody
	// is let in until it was.
	stale bool
}

// identity is users, keys and permissions of one moment.
type identity struct {
	users map[int64]*userEntry
	keys  map[[sha256.Size]byte]*keyEntry
	byID  map[int64]*keyEntry
}

type userEntry struct {
	user     tollgate.User
	allowed  []tollgate.Permission
	anything bool // some permission covers every provider and model
	files    []int64
	team     *teamEntry // nil = in none
}

// teamEntry is what the members of a team may use besides what is their own.
type teamEntry struct {
	allowed  []tollgate.TeamPermission
	anything bool
}

type keyEntry struct {
	key   tollgate.Key
	owner *userEntry
	// parents are the keys of the same owner that this one descends from; a
	// key reaches no further than they do now (SECURITY Z-08).
	parents []*keyEntry
}

// sessions are the sign-ins of one moment.
type sessions struct {
	byDigest map[[sha256.Size]byte]*sessionEntry
}

type sessionEntry struct {
	session tollgate.Session
	// seen is when the session was last used, in Unix nanoseconds; shared by
	// all snapshots that hold the session.
	seen *atomic.Int64
}

// access is the service key of [server] access_key.
type access struct {
	on      bool
	digest  [sha256.Size]byte
	key     *tollgate.Key // holds digest, for principals
	allowed []tollgate.Permission
}

// is reports whether p was authenticated by this very key: one that has been
// replaced is as good as none.
func (a *access) is(p tollgate.Principal) bool {
	return a.on && p.Key != nil && string(p.Key.Digest) == string(a.digest[:])
}

func readIdentity(ctx context.Context, tx tollgate.Tx) (*identity, error) {
	all := tollgate.Page{All: true}
	users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, all)
	if err != nil {
		return nil, err
	}
	keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{}, all)
	if err != nil {
		return nil, err
	}
	permissions, _, err := tx.Permissions.Query(ctx, tollgate.PermissionFilter{}, all)
	if err != nil {
		return nil, err
	}
	files, _, err := tx.FilePermissions.Query(ctx, tollgate.PermissionFilter{}, all)
	if err != nil {
		return nil, err
	}
	shared, _, err := tx.TeamPermissions.Query(ctx, tollgate.TeamPermissionFilter{}, all)
	if err != nil {
		return nil, err
	}
	id := buildIdentity(users, keys, permissions, files)
	id.joinTeams(shared)
	return id, nil
}

// joinTeams gives the members of teams what their team may use.
func (id *identity) joinTeams(permissions []tollgate.TeamPermission) {
	teams := map[int64]*teamEntry{}
	for _, p := range permissions {
		t := teams[p.TeamID]
		if t == nil {
			t = &teamEntry{}
			teams[p.TeamID] = t
		}
		t.allowed = append(t.allowed, p)
		t.anything = t.anything || p.ProviderID == 0 && p.ModelPattern == "*"
	}
	for _, u := range id.users {
		u.team = teams[u.user.TeamID]
	}
}

func buildIdentity(users []tollgate.User, keys []tollgate.Key, permissions []tollgate.Permission, files []tollgate.FilePermission) *identity {
	id := &identity{
		users: make(map[int64]*userEntry, len(users)),
		keys:  make(map[[sha256.Size]byte]*keyEntry, len(keys)),
		byID:  make(map[int64]*keyEntry, len(keys)),
	}
	userRows := make([]userEntry, len(users))
	for i, u := range users {
		userRows[i].user = u
		id.users[u.ID] = &userRows[i]
	}
	for _, p := range permissions {
		if u := id.users[p.UserID]; u != nil {
			u.allowed = append(u.allowed, p)
			u.anything = u.anything || p.ProviderID == 0 && p.ModelPattern == "*"
		}
	}
	for _, f := range files {
		if u := id.users[f.UserID]; u != nil {
			u.files = append(u.files, f.ProviderID)
		}
	}
	keyRows := make([]keyEntry, len(keys))
	for i, k := range keys {
		e := &keyRows[i]
		e.key, e.owner = k, id.users[k.UserID]
		id.byID[k.ID] = e
		if len(k.Digest) == sha256.Size {
			id.keys[[sha256.Size]byte(k.Digest)] = e
		}
	}
	for i := range keyRows {
		keyRows[i].parents = id.ancestors(&keyRows[i])
	}
	return id
}

// ancestors returns the keys of the same owner that e descends from.
func (id *identity) ancestors(e *keyEntry) []*keyEntry {
	var found []*keyEntry
	for at := e; at.key.CreatedByKeyID != 0; {
		parent := id.byID[at.key.CreatedByKeyID]
		if parent == nil || parent == e || parent.key.UserID != e.key.UserID || slices.Contains(found, parent) {
			break
		}
		found, at = append(found, parent), parent
	}
	return found
}

func readSessions(ctx context.Context, tx tollgate.Tx, old *sessions) (*sessions, error) {
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{}, tollgate.Page{All: true})
	if err != nil {
		return nil, err
	}
	s := &sessions{byDigest: make(map[[sha256.Size]byte]*sessionEntry, len(rows))}
	for _, row := range rows {
		if len(row.Digest) != sha256.Size {
			continue
		}
		digest := [sha256.Size]byte(row.Digest)
		e := &sessionEntry{session: row}
		if old != nil && old.byDigest[digest] != nil {
			e.seen = old.byDigest[digest].seen
		} else {
			e.seen = new(atomic.Int64)
			e.seen.Store(max(row.LastSeenAt.UnixNano(), row.CreatedAt.UnixNano()))
		}
		s.byDigest[digest] = e
	}
	return s, nil
}

// live reports whether the key may be used at all at now. One of a team is
// good only while its owner is a member.
func (e *keyEntry) live(now func() time.Time) bool {
	return e.owner != nil && e.owner.user.Enabled && e.key.Enabled && !e.key.NeedsSecret &&
		(e.key.TeamID == 0 || e.key.TeamID == e.owner.user.TeamID) &&
		(e.key.ExpiresAt.IsZero() || !e.key.Expired(now()))
}

// chain calls ok with the key and each ancestor until one refuses.
func (e *keyEntry) chain(ok func(*tollgate.Key) bool) bool {
	if !ok(&e.key) {
		return false
	}
	for _, p := range e.parents {
		if !ok(&p.key) {
			return false
		}
	}
	return true
}

func (e *keyEntry) fromIP(ip netip.Addr) bool {
	return e.chain(func(k *tollgate.Key) bool {
		return len(k.IPAllow) == 0 || slices.ContainsFunc(k.IPAllow, func(p netip.Prefix) bool { return p.Contains(ip) })
	})
}

func (e *keyEntry) reaches(s tollgate.Surface) bool {
	return e.chain(func(k *tollgate.Key) bool { return k.Reaches(s) })
}

// mayUse reports whether the key's owner may send model to a provider, by what
// the key draws on: all of their rights, or their team's alone; and whether the
// key itself may.
func (e *keyEntry) mayUse(providerID int64, model string) bool {
	if e.owner == nil || !e.ownerMayUse(providerID, model) {
		return false
	}
	return e.chain(func(k *tollgate.Key) bool {
		return len(k.Models) == 0 || slices.ContainsFunc(k.Models, func(p string) bool { return tollgate.MatchGlob(p, model) })
	})
}

func (e *keyEntry) ownerMayUse(providerID int64, model string) bool {
	if e.key.TeamID == 0 {
		return e.owner.mayUse(providerID, model)
	}
	team := e.owner.team
	return e.key.TeamID == e.owner.user.TeamID && team != nil && team.mayUse(providerID, model)
}

func (u *userEntry) mayUse(providerID int64, model string) bool {
	return u.anything || covers(u.allowed, providerID, model) || u.team != nil && u.team.mayUse(providerID, model)
}

func (t *teamEntry) mayUse(providerID int64, model string) bool {
	return t.anything || slices.ContainsFunc(t.allowed, func(p tollgate.TeamPermission) bool {
		return (p.ProviderID == 0 || p.ProviderID == providerID) && tollgate.MatchGlob(p.ModelPattern, model)
	})
}

// covers reports whether a permission lets model go to a provider.
func covers(permissions []tollgate.Permission, providerID int64, model string) bool {
	for i := range permissions {
		p := &permissions[i]
		if (p.ProviderID == 0 || p.ProviderID == providerID) && tollgate.MatchGlob(p.ModelPattern, model) {
			return true
		}
	}
	return false
}

// live reports whether the session may be used at now. The idle limit counts
// only where idle is not 0.
func (e *sessionEntry) live(now time.Time, idle time.Duration) bool {
	if !now.Before(e.session.ExpiresAt) {
		return false
	}
	return idle == 0 || now.UnixNano()-e.seen.Load() < int64(idle)
}

// touch notes a use; more often than each ten seconds is not worth a write.
func (e *sessionEntry) touch(now time.Time) {
	if n := now.UnixNano(); n-e.seen.Load() > int64(10*time.Second) {
		e.seen.Store(n)
	}
}
