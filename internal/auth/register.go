package auth

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"tollgate"
)

// arrival is the way a new account comes.
type arrival struct {
	// action is the audit's word for it.
	action string
	// provider and subject are the sign-in provider that vouches for the
	// person, and its id of them; empty = none.
	provider, subject string
	// numbered gives a taken name a number and leaves a taken e-mail address
	// out, instead of refusing.
	numbered bool
	// newcomer names the account itself in the audit: nobody else acts.
	newcomer bool
}

// register makes an account. Every account comes through here, whichever way:
// by an administrator, the host, the seed, an invitation, single sign-on or
// the set-up link. The rules for names, addresses, roles and teams are those
// of apply; that there is one super admin at most is the store's to enforce.
func (a *Accounts) register(ctx context.Context, tx tollgate.Tx, who actor, w UserWrite, how arrival) (tollgate.User, error) {
	u, err := a.apply(ctx, tx, tollgate.User{
		Enabled: true, Role: tollgate.RoleUser, CreatedAt: a.Now(), SSOProvider: how.provider, SSOID: how.subject,
	}, w)
	if err == nil && !u.Enabled && u.Role == tollgate.RoleSuperAdmin {
		err = errSuperAdminStays()
	}
	if err == nil && how.numbered {
		err = a.makeRoom(ctx, tx, &u)
	}
	if err != nil {
		return u, err
	}
	if err := tx.Users.Insert(ctx, &u); err != nil {
		return u, err
	}
	if w.hashed != nil { // the seal binds the row, so it comes after the id
		if u.Password, err = a.sealPassword(u.ID, *w.hashed); err != nil {
			return u, err
		}
		if err := tx.Users.Update(ctx, u); err != nil {
			return u, err
		}
	}
	if err := a.settleRole(ctx, tx, tollgate.RoleUser, u); err != nil {
		return u, err
	}
	if how.newcomer {
		who.id, who.by.Principal.User = u.ID, &u
	}
	return u, a.audit(ctx, tx, who, how.action, "user", u.ID, nil, viewUser(u, w.hashed != nil))
}

// makeRoom gives u a name that nobody has, and takes away an e-mail address
// that somebody has: it is no key to anything, and knowing it proves nothing
// (SECURITY O-04, N-33).
func (a *Accounts) makeRoom(ctx context.Context, tx tollgate.Tx, u *tollgate.User) error {
	if u.Email != "" {
		n, err := tx.Users.Count(ctx, tollgate.UserFilter{Email: tollgate.Is(u.Email)})
		if err != nil {
			return err
		}
		if n > 0 {
			u.Email = ""
		}
	}
	wish := u.Name
	for i := 2; ; i++ {
		n, err := tx.Users.Count(ctx, tollgate.UserFilter{Name: tollgate.Is(u.Name)})
		if err != nil || n == 0 {
			return err
		}
		if i > maxNameTries {
			return tollgate.Errorf(tollgate.CodeConflict, "too many accounts are called %s; an administrator has to make this one", wish)
		}
		u.Name = fmt.Sprintf("%s-%d", wish, i)
	}
}

// maxNameTries bounds how many people of one name get a number.
const maxNameTries = 1000

// SignUp is a person who comes for the first time by single sign-on.
type SignUp struct {
	// Provider is the sign-in provider's name, Subject its own id of the
	// person. Both are needed.
	Provider, Subject string
	// Name is what the provider calls the person. It is made to fit the rules,
	// and gets a number when it is taken.
	Name string
	// Email is an address that the provider has verified; empty = none. One
	// that another account has, or that is none, is left out: accounts are not
	// linked by address.
	Email string
	// Admin, TeamID and TeamRole come from an invitation. There is no way to
	// become the super admin here.
	Admin    bool
	TeamID   int64
	TeamRole string
	// IP and RequestID are where the request came from, for the audit.
	IP        netip.Addr
	RequestID tollgate.RequestID
}

// SignUp makes the account of a person whom a sign-in provider vouches for;
// whether such accounts may come at all is decided before. Errors are
// CodeInvalid, CodeNotFound for a team that is gone, CodeConflict as the store
// demands.
func (a *Accounts) SignUp(ctx context.Context, tx tollgate.Tx, s SignUp) (tollgate.User, error) {
	if s.Provider == "" || s.Subject == "" {
		return tollgate.User{}, tollgate.Errorf(tollgate.CodeInternal, "a sign-up names its provider and subject")
	}
	w := UserWrite{Name: tollgate.Some(fitName(s.Name)), IsAdmin: tollgate.Some(s.Admin)}
	if tollgate.ValidEmail(s.Email) == nil {
		w.Email = tollgate.Some(s.Email)
	}
	if s.TeamID != 0 {
		w.TeamID, w.TeamRole = tollgate.Some(s.TeamID), tollgate.Some(s.TeamRole)
	}
	who := actor{by: tollgate.Actor{Via: "sso", IP: s.IP, RequestID: s.RequestID}}
	return a.register(ctx, tx, who, w, arrival{
		action: "user.register", provider: s.Provider, subject: s.Subject, numbered: true, newcomer: true,
	})
}

// fitName makes a name of whatever a provider calls a person, with room left
// for a number.
func fitName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029 {
			return -1
		}
		return r
	}, s)
	for len(s) > tollgate.MaxNameLength-8 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	s = strings.TrimSpace(s)
	if s == "" || tollgate.IsTombstone(s) {
		return "user"
	}
	return s
}
