package main

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/ops"
)

type userCmd struct {
	List    userListCmd    `cmd:"" help:"List accounts."`
	Create  userCreateCmd  `cmd:"" help:"Create an account."`
	Passwd  userPasswdCmd  `cmd:"" name:"reset-password" aliases:"passwd" help:"Set an account's password and end its sessions; the way back in when it is lost."`
	Enable  userEnableCmd  `cmd:"" help:"Enable an account."`
	Disable userDisableCmd `cmd:"" help:"Disable an account: its keys, sessions and open streams end at once."`
	Promote userPromoteCmd `cmd:"" help:"Make an account an admin."`
	Demote  userDemoteCmd  `cmd:"" help:"Make an admin a plain user."`
	Super   userSuperCmd   `cmd:"" name:"make-super-admin" help:"Give an account the super admin's role, when its holder is gone for good."`
	Delete  userDeleteCmd  `cmd:"" help:"Delete an account with its keys; its usage and audit records stay."`
}

type userListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists accounts.
func (c *userListCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		users, err := ops.Call[[]ops.User](ctx, conn, "user.list", ops.None{}, nil)
		if err != nil || c.JSON {
			return s.printJSON(users, err)
		}
		var rows [][]string
		for _, u := range users {
			rows = append(rows, []string{
				strconv.FormatInt(u.ID, 10), u.Name, u.Role, state(u.Enabled), yes(u.HasPassword), strconv.Itoa(u.Keys), day(u.LastLoginAt),
			})
		}
		s.table([]string{"ID", "NAME", "ROLE", "STATE", "PASSWORD", "KEYS", "LAST SIGN-IN"}, rows)
		return nil
	})
}

func (s *session) printJSON(v any, err error) error {
	if err != nil {
		return err
	}
	e := json.NewEncoder(s.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// passwordFlags say where a password comes from.
type passwordFlags struct {
	Generate     bool   `help:"Generate a password and print it once." xor:"password"`
	PasswordFile string `placeholder:"FILE" help:"Read the password from the first line of a file; - is standard input." xor:"password"`
}

// read fills args; without a flag it asks on the terminal.
func (p passwordFlags) read(s *session, args *ops.UserArgs) (err error) {
	var secret tollgate.Secret
	switch {
	case p.Generate:
		args.Generate = true
		return nil
	case p.PasswordFile != "":
		secret, err = s.secretFile(p.PasswordFile, "the password")
	default:
		secret, err = s.ask("New password", true)
	}
	args.Password = secret.Reveal()
	return err
}

type userCreateCmd struct {
	Name          string `arg:"" help:"Its name."`
	Email         string `placeholder:"ADDRESS" help:"Its e-mail address."`
	Admin         bool   `help:"Make it an admin."`
	NoPassword    bool   `help:"Give it no password: it works with API keys only." xor:"password"`
	passwordFlags `embed:""`
}

// Run creates an account.
func (c *userCreateCmd) Run(ctx context.Context, s *session) error {
	args := ops.UserArgs{Name: c.Name, Email: c.Email, Admin: &c.Admin}
	return s.operate(ctx, func(conn *ops.Connection) error {
		if !c.NoPassword {
			if err := c.read(s, &args); err != nil {
				return err
			}
		}
		u, err := ops.Call[ops.User](ctx, conn, "user.create", args, nil)
		if err != nil {
			return err
		}
		s.notef("User %s (id %d, %s) is there.\n", u.Name, u.ID, u.Role)
		s.showPassword(u)
		return nil
	})
}

// showPassword prints a generated password; alone on standard output.
func (s *session) showPassword(u ops.User) {
	if u.Password != "" {
		s.notef("Its password, shown this once:\n")
		s.printf("%s\n", u.Password)
	}
}

type userPasswdCmd struct {
	Name          string `arg:"" help:"The account."`
	DropFactors   bool   `help:"Remove its second factors too, when those are lost."`
	passwordFlags `embed:""`
}

// Run sets a password.
func (c *userPasswdCmd) Run(ctx context.Context, s *session) error {
	args := ops.UserArgs{Name: c.Name, DropFactors: c.DropFactors}
	return s.operate(ctx, func(conn *ops.Connection) error {
		if err := c.read(s, &args); err != nil {
			return err
		}
		u, err := ops.Call[ops.User](ctx, conn, "user.passwd", args, nil)
		if err != nil {
			return err
		}
		s.notef("The password of %s is set; its sessions have ended.\n", u.Name)
		s.showPassword(u)
		return nil
	})
}

// account names the account that a command is about.
type account struct {
	Name string `arg:"" help:"The account."`
}

// update changes state or role of an account.
func (a account) update(ctx context.Context, s *session, args ops.UserArgs) error {
	args.Name = a.Name
	return s.operate(ctx, func(conn *ops.Connection) error {
		u, err := ops.Call[ops.User](ctx, conn, "user.update", args, nil)
		if err != nil {
			return err
		}
		s.notef("User %s: %s, %s.\n", u.Name, u.Role, state(u.Enabled))
		return nil
	})
}

type userEnableCmd struct {
	account `embed:""`
}

// Run enables an account.
func (c *userEnableCmd) Run(ctx context.Context, s *session) error {
	return c.update(ctx, s, ops.UserArgs{Enabled: new(true)})
}

type userDisableCmd struct {
	account `embed:""`
}

// Run disables an account.
func (c *userDisableCmd) Run(ctx context.Context, s *session) error {
	return c.update(ctx, s, ops.UserArgs{Enabled: new(false)})
}

type userPromoteCmd struct {
	account `embed:""`
}

// Run makes an account an admin.
func (c *userPromoteCmd) Run(ctx context.Context, s *session) error {
	return c.update(ctx, s, ops.UserArgs{Admin: new(true)})
}

type userDemoteCmd struct {
	account `embed:""`
}

// Run makes an admin a plain user.
func (c *userDemoteCmd) Run(ctx context.Context, s *session) error {
	return c.update(ctx, s, ops.UserArgs{Admin: new(false)})
}

type userSuperCmd struct {
	account `embed:""`
	Yes     bool `short:"y" help:"Do not ask."`
}

// Help says more than the one line.
func (*userSuperCmd) Help() string {
	return "The account is enabled and made an admin where it is not; who held the role stays an admin, and the sessions of both end. In everyday life the holder hands the role over in the console. The audit says that it was done at the host."
}

// Run makes an account the super admin.
func (c *userSuperCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		if err := s.confirm(c.Yes, "Make "+c.Name+" the super admin, in place of who is it now?"); err != nil {
			return err
		}
		u, err := ops.Call[ops.User](ctx, conn, "user.make-super-admin", ops.UserArgs{Name: c.Name}, nil)
		if err != nil {
			return err
		}
		s.notef("User %s: %s, %s.\n", u.Name, u.Role, state(u.Enabled))
		return nil
	})
}

type userDeleteCmd struct {
	Name string `arg:"" help:"The account."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

// Run deletes an account.
func (c *userDeleteCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		if err := s.confirm(c.Yes, "Delete user "+c.Name+" with its keys, permissions and quotas?"); err != nil {
			return err
		}
		if _, err := ops.Call[ops.None](ctx, conn, "user.delete", ops.UserArgs{Name: c.Name}, nil); err != nil {
			return err
		}
		s.notef("User %s is deleted.\n", c.Name)
		return nil
	})
}
