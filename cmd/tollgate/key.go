package main

import (
	"context"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/ops"
)

type keyCmd struct {
	List    keyListCmd    `cmd:"" help:"List API keys."`
	Create  keyCreateCmd  `cmd:"" help:"Create an API key and print it once."`
	Rotate  keyRotateCmd  `cmd:"" help:"Make a successor of a key; give a secret to a key that was imported without."`
	Enable  keyEnableCmd  `cmd:"" help:"Enable a key."`
	Disable keyDisableCmd `cmd:"" help:"Disable a key; its open streams end at once."`
	Delete  keyDeleteCmd  `cmd:"" help:"Delete a key; its open streams end at once."`
}

type keyListCmd struct {
	User string `placeholder:"NAME" help:"Only this user's keys."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run lists keys.
func (c *keyListCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		keys, err := ops.Call[[]ops.Key](ctx, conn, "key.list", ops.KeyArgs{User: c.User}, nil)
		if err != nil || c.JSON {
			return s.printJSON(keys, err)
		}
		var rows [][]string
		for _, k := range keys {
			rows = append(rows, []string{
				strconv.FormatInt(k.ID, 10), k.User, k.Label, k.Shown(), state(k.Enabled), day(k.ExpiresAt), day(k.LastUsedAt),
			})
		}
		s.table([]string{"ID", "USER", "LABEL", "KEY", "STATE", "EXPIRES", "LAST USED"}, rows)
		return nil
	})
}

type keyCreateCmd struct {
	User     string             `required:"" placeholder:"NAME" help:"Whose key it is."`
	Label    string             `placeholder:"TEXT" help:"What it is for."`
	Models   []string           `placeholder:"GLOB" help:"Models it may use, narrower than the user's permissions."`
	Surfaces []tollgate.Surface `placeholder:"NAME" help:"What it reaches: llm, user, admin (default: all that the user may)."`
	Expires  time.Duration      `placeholder:"DURATION" help:"How long it works, such as 720h (default: for ever)."`
}

// Run creates a key.
func (c *keyCreateCmd) Run(ctx context.Context, s *session) error {
	args := ops.KeyArgs{User: c.User, Label: c.Label, Models: c.Models, Surfaces: c.Surfaces, ExpiresIn: c.Expires}
	return s.operate(ctx, func(conn *ops.Connection) error {
		k, err := ops.Call[ops.Key](ctx, conn, "key.create", args, nil)
		if err != nil {
			return err
		}
		s.notef("Key %d of %s, shown this once:\n", k.ID, k.User)
		s.printf("%s\n", k.APIKey)
		return nil
	})
}

type keyRotateCmd struct {
	ID      int64         `arg:"" help:"The key's id, as key list shows it."`
	Overlap time.Duration `placeholder:"DURATION" help:"How long the old key goes on working (default: not at all)."`
}

// Run makes a successor of a key.
func (c *keyRotateCmd) Run(ctx context.Context, s *session) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		k, err := ops.Call[ops.Key](ctx, conn, "key.rotate", ops.KeyArgs{ID: c.ID, Overlap: c.Overlap}, nil)
		if err != nil {
			return err
		}
		s.notef("Key %d of %s, shown this once:\n", k.ID, k.User)
		s.printf("%s\n", k.APIKey)
		return nil
	})
}

type keyEnableCmd struct {
	ID int64 `arg:"" help:"The key's id."`
}

// Run enables a key.
func (c *keyEnableCmd) Run(ctx context.Context, s *session) error {
	return s.keyDone(ctx, "key.enable", ops.KeyArgs{ID: c.ID, Enabled: true}, "enabled")
}

type keyDisableCmd struct {
	ID      int64 `arg:"" help:"The key's id."`
	Cascade bool  `help:"Also the keys that were made with it."`
}

// Run disables a key.
func (c *keyDisableCmd) Run(ctx context.Context, s *session) error {
	return s.keyDone(ctx, "key.enable", ops.KeyArgs{ID: c.ID, Cascade: c.Cascade}, "disabled")
}

type keyDeleteCmd struct {
	ID      int64 `arg:"" help:"The key's id."`
	Cascade bool  `help:"Also the keys that were made with it."`
	Yes     bool  `short:"y" help:"Do not ask."`
}

// Run deletes a key.
func (c *keyDeleteCmd) Run(ctx context.Context, s *session) error {
	if err := s.confirm(c.Yes, "Delete key "+strconv.FormatInt(c.ID, 10)+"?"); err != nil {
		return err
	}
	return s.keyDone(ctx, "key.delete", ops.KeyArgs{ID: c.ID, Cascade: c.Cascade}, "deleted")
}

// keyDone runs an operation on a key that answers nothing.
func (s *session) keyDone(ctx context.Context, operation string, args ops.KeyArgs, done string) error {
	return s.operate(ctx, func(conn *ops.Connection) error {
		if _, err := ops.Call[ops.None](ctx, conn, operation, args, nil); err != nil {
			return err
		}
		s.notef("Key %d is %s.\n", args.ID, done)
		return nil
	})
}
