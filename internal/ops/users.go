package ops

import (
	"context"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/seed"
)

// User is an account as the operator sees it.
type User struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Email       string    `json:"email,omitempty"`
	Role        string    `json:"role"`
	Enabled     bool      `json:"enabled"`
	HasPassword bool      `json:"has_password"`
	Keys        int       `json:"keys"`
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
	// Password is a generated one, shown this once.
	Password string `json:"password,omitempty"`
}

// UserArgs name an account and say what it shall be.
type UserArgs struct {
	Name string `json:"name"`
	// Password is the new password or PHC string; with Generate one is made.
	Password string `json:"password,omitempty"`
	Generate bool   `json:"generate,omitempty"`
	Email    string `json:"email,omitempty"`
	Admin    *bool  `json:"admin,omitempty"`
	Enabled  *bool  `json:"enabled,omitempty"`
	// DropFactors removes the second factors with the new password.
	DropFactors bool `json:"drop_factors,omitempty"`
}

func (h *Host) userList(ctx context.Context, _ None, _ Report) ([]User, error) {
	out := []User{}
	err := h.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		count := map[int64]int{}
		for _, k := range keys {
			count[k.UserID]++
		}
		for _, u := range rows {
			out = append(out, viewUser(u, count[u.ID]))
		}
		return nil
	})
	return out, err
}

func viewUser(u tollgate.User, keys int) User {
	return User{
		ID: u.ID, Name: u.Name, Email: u.Email, Role: roleName(u.Role), Enabled: u.Enabled,
		HasPassword: u.Password != nil, Keys: keys, LastLoginAt: u.LastLoginAt,
	}
}

func roleName(r tollgate.Role) string {
	switch r {
	case tollgate.RoleSuperAdmin:
		return "super admin"
	case tollgate.RoleAdmin:
		return "admin"
	case tollgate.RoleUser:
		return "user"
	case tollgate.RoleNone:
	}
	return "none"
}

// userByName finds an account, by exact name.
func userByName(ctx context.Context, tx tollgate.Tx, name string) (tollgate.User, error) {
	rows, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Name: tollgate.Is(name)}, tollgate.Page{})
	if err != nil {
		return tollgate.User{}, err
	}
	if len(rows) == 0 {
		return tollgate.User{}, tollgate.Errorf(tollgate.CodeNotFound, "there is no user %q", name)
	}
	return rows[0], nil
}

// password returns the password that the arguments ask for.
func (h *Host) password(a UserArgs) (tollgate.Secret, error) {
	if a.Generate {
		return seed.GeneratePassword(h.Accounts.Rand)
	}
	return tollgate.NewSecret(a.Password), nil
}

func (h *Host) userCreate(ctx context.Context, a UserArgs, _ Report) (User, error) {
	password, err := h.password(a)
	if err != nil {
		return User{}, err
	}
	w := auth.UserWrite{Name: tollgate.Some(a.Name)}
	if a.Email != "" {
		w.Email = tollgate.Some(a.Email)
	}
	if a.Admin != nil {
		w.IsAdmin = tollgate.Some(*a.Admin)
	}
	if !password.Empty() {
		w.Password = tollgate.Some(password)
		if err := h.Accounts.Prepare(ctx, &w); err != nil {
			return User{}, err
		}
	}
	var out User
	err = h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := h.Accounts.SaveUser(ctx, tx, operator(), w)
		out = viewUser(u, 0)
		return err
	})
	if a.Generate {
		out.Password = password.Reveal()
	}
	return out, err
}

// userPassword sets an account's password and ends its sessions. It is the
// way back in when nobody can sign in (SECURITY B-03).
func (h *Host) userPassword(ctx context.Context, a UserArgs, _ Report) (User, error) {
	password, err := h.password(a)
	if err != nil {
		return User{}, err
	}
	if password.Empty() {
		return User{}, tollgate.Invalidf("password", "the new password is missing")
	}
	w := auth.UserWrite{Name: tollgate.Some(a.Name), Password: tollgate.Some(password)}
	if err := h.Accounts.Prepare(ctx, &w); err != nil {
		return User{}, err
	}
	w.Name = tollgate.Opt[string]{}
	var out User
	err = h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := userByName(ctx, tx, a.Name)
		if err != nil {
			return err
		}
		w.ID, out = u.ID, viewUser(u, 0)
		if a.DropFactors {
			if _, err := h.Accounts.RemoveFactors(ctx, tx, operator(), u.ID); err != nil {
				return err
			}
		}
		return h.Accounts.SetPassword(ctx, tx, operator(), w)
	})
	if a.Generate {
		out.Password = password.Reveal()
	}
	return out, err
}

// userUpdate enables, disables, promotes or demotes an account.
func (h *Host) userUpdate(ctx context.Context, a UserArgs, _ Report) (User, error) {
	var out User
	err := h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := userByName(ctx, tx, a.Name)
		if err != nil {
			return err
		}
		w := auth.UserWrite{ID: u.ID}
		if a.Admin != nil {
			w.IsAdmin = tollgate.Some(*a.Admin)
		}
		if a.Enabled != nil {
			w.Enabled = tollgate.Some(*a.Enabled)
		}
		if u, err = h.Accounts.SaveUser(ctx, tx, operator(), w); err != nil {
			return err
		}
		out = viewUser(u, 0)
		return nil
	})
	return out, err
}

// userSuperAdmin gives an account the super admin's role: the way back when its
// holder is gone (SECURITY B-03).
func (h *Host) userSuperAdmin(ctx context.Context, a UserArgs, _ Report) (User, error) {
	var out User
	err := h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := userByName(ctx, tx, a.Name)
		if err != nil {
			return err
		}
		if err := h.Accounts.MakeSuperAdmin(ctx, tx, operator(), u.ID); err != nil {
			return err
		}
		u, err = tx.Users.Get(ctx, u.ID)
		out = viewUser(u, 0)
		return err
	})
	return out, err
}

func (h *Host) userDelete(ctx context.Context, a UserArgs, _ Report) (None, error) {
	return None{}, h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := userByName(ctx, tx, a.Name)
		if err != nil {
			return err
		}
		return h.Accounts.DeleteUser(ctx, tx, operator(), u.ID)
	})
}

// Key is an API key as the operator sees it.
type Key struct {
	ID          int64     `json:"id"`
	User        string    `json:"user"`
	Label       string    `json:"label,omitempty"`
	Enabled     bool      `json:"enabled"`
	Prefix      string    `json:"prefix"`
	Last4       string    `json:"last4"`
	NeedsSecret bool      `json:"needs_secret,omitempty"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	LastUsedAt  time.Time `json:"last_used_at,omitzero"`
	// APIKey is a new key in clear, shown this once.
	APIKey string `json:"api_key,omitempty"`
}

// Shown returns what is known of the key in clear.
func (k Key) Shown() string {
	if k.NeedsSecret {
		return "(needs a secret)"
	}
	return strings.TrimPrefix(k.Prefix+"…"+k.Last4, "…")
}

// KeyArgs name a key, or say what a new one shall be.
type KeyArgs struct {
	ID        int64              `json:"id,omitempty"`
	User      string             `json:"user,omitempty"`
	Label     string             `json:"label,omitempty"`
	Models    []string           `json:"models,omitempty"`
	Surfaces  []tollgate.Surface `json:"surfaces,omitempty"`
	ExpiresIn time.Duration      `json:"expires_in,omitempty"` // 0 = never
	Overlap   time.Duration      `json:"overlap,omitempty"`
	Enabled   bool               `json:"enabled,omitempty"`
	Cascade   bool               `json:"cascade,omitempty"`
}
