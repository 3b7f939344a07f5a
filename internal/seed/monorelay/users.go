package monorelay

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/store/foreign"
)

// iterations are those of every hash that MonoRelay makes.
const iterations = 100_000

// maxUsers bounds how many users are read.
const maxUsers = 100_000

// Hash turns what MonoRelay stores into a PHC string: PBKDF2-HMAC-SHA-256, of
// iterations, salt (the text of 16 bytes in hex) and hash.
type Hash func(iterations int, salt, hash []byte) (tollgate.Secret, error)

// AddUsers reads the users database at path, which it does not change, into r.
// Errors are CodeInvalid, or CodeTooLarge for more than maxUsers.
func (r *Result) AddUsers(ctx context.Context, path string, hash Hash) error {
	u := users{Result: r, hash: hash, emails: map[string]bool{}, more: map[string]int{}}
	err := foreign.Rows(ctx, path, "users", maxUsers, func(row foreign.Row) error {
		if row["username"] == nil || row["password_hash"] == nil {
			return tollgate.Errorf(tollgate.CodeInvalid, "%s is not the users database of MonoRelay: its users have no username or password_hash", path)
		}
		u.add(section{"users", row})
		return nil
	})
	if err == nil {
		u.finish()
	}
	return err
}

type users struct {
	*Result
	hash   Hash
	emails map[string]bool
	more   map[string]int // columns that are not carried over: by how many users
}

func (u *users) add(row section) {
	name := row.text("username")
	taken := slices.ContainsFunc(u.Seed.Users, func(s config.SeedUser) bool { return s.Name == name })
	if err := tollgate.ValidName("name", name); err != nil || taken {
		u.notef("user %q: the name cannot be used here; the user is left out", clip(name))
		return
	}
	admin, super := row.on("is_admin", false), row.on("is_super_admin", false)
	admin = admin || super
	out := config.SeedUser{Name: name, Enabled: row.on("is_active", true), IsAdmin: &admin, IsSuperAdmin: super}
	u.email(&out, row.text("email"))
	u.password(&out, row.text("password_hash"))
	if provider, id := row.text("sso_provider"), row.text("sso_id"); provider != "" || id != "" {
		u.notef("user %s signed in with %s; set that sign-in up and link it to the account", name, clip(provider))
	}
	for _, key := range []string{"id", "created_at", "last_login"} {
		row.take(key)
	}
	for key, v := range row.m {
		if !empty(v) {
			u.more[key]++
		}
	}
	u.Seed.Users = append(u.Seed.Users, out)
	if !admin { // admins have everything by their role
		u.Seed.Permissions = append(u.Seed.Permissions, config.SeedPermission{UserName: name, ModelPattern: "*"})
	}
}

func (u *users) email(out *config.SeedUser, email string) {
	valid := tollgate.User{Name: "-", Email: email, Role: tollgate.RoleUser}.Validate() == nil
	switch {
	case email == "":
	case !valid || u.emails[strings.ToLower(email)]:
		u.notef("user %s: the e-mail address cannot be used here and is left out", out.Name)
	default:
		u.emails[strings.ToLower(email)], out.Email = true, &email
	}
}

// password reads 32 characters of salt, used as they are, and 64 of hash in hex.
func (u *users) password(out *config.SeedUser, stored string) {
	if strings.HasPrefix(stored, "SSO:") {
		return // a random value that nobody can type
	}
	if len(stored) == 96 {
		if hash, err := hex.DecodeString(stored[32:]); err == nil {
			if phc, err := u.hash(iterations, []byte(stored[:32]), hash); err == nil {
				out.Password = phc
				return
			}
		}
	}
	u.notef("user %s: the password hash is not one of MonoRelay's; the account gets no password", out.Name)
}

func (u *users) finish() {
	// The first admin of a seed becomes the super admin of an empty database.
	slices.SortStableFunc(u.Seed.Users, func(a, b config.SeedUser) int {
		switch {
		case a.IsSuperAdmin == b.IsSuperAdmin:
			return 0
		case a.IsSuperAdmin:
			return -1
		default:
			return 1
		}
	})
	if n := len(u.Seed.Permissions); n > 0 {
		u.notef("%d users may use every model, as they could there; narrow their permissions if that is too much", n)
	}
	if len(u.Seed.Users) > 0 {
		u.notef("users have no keys yet: MonoRelay had none of their own; each can make one after signing in")
	}
	for _, key := range slices.Sorted(maps.Keys(u.more)) {
		u.notef("users.%s is not carried over; it is set for %d of them", clip(key), u.more[key])
	}
}
