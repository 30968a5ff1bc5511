// Command touchbox is the operator's tool: it runs the whole bridge in one process, checks and
// explains its configuration, shows what became of each event, and mends what went wrong.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

func main() {
	ctx, stop := app.SignalContext()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	c := &cli{in: in, out: out, errs: errs}
	root := c.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return app.ExitOK
	}
	if !c.started { // cobra found the mistake: an unknown command or flag, a missing argument
		err = app.Mistake{Err: err}
	}
	code := app.ExitCode(err)
	if code != app.ExitOK {
		_, _ = fmt.Fprintln(errs, err)
	}
	return code
}

// cli is what every command shares.
type cli struct {
	in        io.Reader
	out, errs io.Writer

	settings app.Settings
	lang     lang.Language
	log      zerolog.Logger // to errs

	langFlag string
	json     bool
	reveal   bool
	started  bool // the command line was understood
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "touchbox",
		Short:         "The bridge from Calltouch to Mindbox",
		Long:          "Touchbox takes calls and form requests from Calltouch and delivers them to Mindbox.\n\nFirst steps: touchbox demo, then touchbox init, touchbox check, touchbox up.",
		Version:       app.FullVersion(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: c.prepare,
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.errs)
	root.PersistentFlags().StringVar(&c.langFlag, "lang", "", "language of what a person reads: ru or en (default: the locale's)")
	root.AddCommand(c.upCommand(), c.demoCommand(), c.initCommand(), c.checkCommand(), c.explainCommand(), c.fieldsCommand(),
		c.simulateCommand(), c.siteScriptCommand(), c.healthcheckCommand())
	root.AddCommand(c.operations()...)
	root.AddCommand(c.sources()...)
	return root
}

// prepare reads the environment once the command line was understood.
func (c *cli) prepare(*cobra.Command, []string) error {
	c.started = true
	c.lang = lang.Detect(c.langFlag, os.Getenv)
	if c.langFlag != "" && c.langFlag != "ru" && c.langFlag != "en" {
		return app.Mistakef("--lang: use ru or en")
	}
	var err error
	if c.settings, err = app.ReadSettings(); err != nil {
		return err
	}
	c.log = c.settings.NewLog(c.errs)
	return nil
}

// say prints a line to the person, in their language.
func (c *cli) say(format string, args ...any) {
	_, _ = fmt.Fprintln(c.out, c.lang.Sprintf(format, args...))
}

// withJSON adds the flag of the commands that list or show something.
func (c *cli) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

// withReveal adds the flag of the commands that show what a person said or left.
func (c *cli) withReveal(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.reveal, "reveal", false, "show phones, names and e-mails unmasked (secrets stay masked)")
	return c.withJSON(cmd)
}

// withQueue runs f over the queue of a running Touchbox, with the configuration read leniently.
func (c *cli) withQueue(ctx context.Context, f func(context.Context, *queue.Queue, *link.File) error) error {
	file, _, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		return err
	}
	q, err := c.settings.OpenForCommand(ctx, file, c.log.Level(zerolog.WarnLevel))
	if err != nil {
		return err
	}
	defer q.Close()
	return f(ctx, q, file)
}

// healthcheckCommand asks any of the project's addresses, for containers without a shell.
func (c *cli) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck URL",
		Short: "Ask an address for its health: exit code 0 or 1",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return app.CheckHealth(cmd.Context(), args[0]) },
	}
}
