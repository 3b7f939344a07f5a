package main

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tollgate/internal/config"
)

// cli is the command line: settings that all commands share, and commands.
type cli struct {
	config.Flags `embed:""`

	Demo    bool        `group:"run" help:"Add a simulated provider named demo, so that requests work without any provider account."`
	Version versionFlag `name:"version" help:"Print the version and exit." hidden:""`

	Serve   serveCmd   `cmd:"" default:"withargs" help:"Run the gateway (the default command)."`
	Check   checkCmd   `cmd:"" help:"Check settings, seed, database and master key; change nothing."`
	User    userCmd    `cmd:"" help:"List, create and change accounts; set a lost password."`
	Key     keyCmd     `cmd:"" help:"List, create, rotate, disable and delete API keys."`
	Import  importCmd  `cmd:"" help:"Bring the records of a file into the database, or show what would change."`
	Export  exportCmd  `cmd:"" help:"Write the records of the database as a file."`
	Prices  pricesCmd  `cmd:"" help:"List prices; import a price list."`
	Audit   auditCmd   `cmd:"" help:"Prove that the record of changes is whole; export it."`
	Verify  verifyCmd  `cmd:"" help:"Recompute every balance from the ledger; a drift is an error."`
	Rekey   rekeyCmd   `cmd:"" help:"Change the master key, also while the gateway runs."`
	Backup  backupCmd  `cmd:"" help:"Write a backup of the database, also while the gateway runs."`
	Restore restoreCmd `cmd:"" help:"Fill an empty database from a backup."`
	Release versionCmd `cmd:"" name:"version" help:"Print the version."`
}

const description = `One door in front of many LLM providers: it speaks the OpenAI, Anthropic and Gemini protocols, knows who calls, what they may use and what they have used.

Try it without any provider account: tollgate --demo`

// options are how the command line reads and looks.
func options() []kong.Option {
	return []kong.Option{
		kong.Name("tollgate"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "Running:"},
			{Key: "listen", Title: "Listening:"},
			{Key: "admin", Title: "First admin (read on the first start, and when a value changes):"},
			{Key: "files", Title: "Files and database:"},
		}),
		kong.ValueFormatter(helpText),
		kong.Help(help),
	}
}

// helpText adds to a setting's help the variable that it has, too.
func helpText(v *kong.Value) string {
	if name := v.Tag.Get("setting"); name != "" {
		return strings.TrimSuffix(v.Help, ".") + " [" + name + "]"
	}
	return v.Help
}

// help prints the help of a command. All settings stand in the help of serve;
// elsewhere only those that most people need there.
func help(o kong.HelpOptions, ctx *kong.Context) error {
	selected := ctx.Selected()
	shown := []string{"help", "config", "data-dir", "dsn"}
	switch {
	case selected == nil:
		o.NoExpandSubcommands = true
		shown = []string{"help", "demo", "config", "data-dir", "host", "port"}
	case selected.Name == "serve":
		return kong.DefaultHelpPrinter(o, ctx)
	}
	for _, f := range ctx.Model.Flags {
		f.Hidden = f.Hidden || !slices.Contains(shown, f.Name)
	}
	if err := kong.DefaultHelpPrinter(o, ctx); err != nil || selected != nil {
		return err
	}
	_, err := io.WriteString(ctx.Stdout, "Run \"tollgate serve --help\" for every setting and its variable.\n")
	return err
}

// versionFlag prints the version and ends the program.
type versionFlag bool

// BeforeReset runs before anything else is looked at.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	if _, err := app.Stdout.Write([]byte("tollgate " + version() + "\n")); err != nil {
		return err
	}
	app.Exit(exitOK)
	return nil
}
