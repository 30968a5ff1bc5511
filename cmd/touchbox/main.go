// Command touchbox is the operator's tool: it runs the whole bridge in one process, checks and
// explains its configuration, shows what became of each event, and mends what went wrong.
//
// Each command, or a few of one story, has a file of its own. What they share: main holds the groups
// of commands, the flags and the texts of all, desk the open queue and the questions to a person, filter the flags that select,
// listing how rows are printed, help what --help says, shown whether it is masked, progress the bars.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

func main() {
	ctx, stop := app.SignalContext()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	kept := &output{w: out}
	c := &cli{in: in, out: show.Writer(kept), errs: show.Writer(errs), screen: errs, lang: languageOf(args, os.Getenv)}
	root := c.root()
	root.SetArgs(args)
	c.speak(root, args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case kept.err != nil && !c.serves && !errors.Is(err, kept.err): // not every line asks whether it was taken
		err = errors.Join(err, fmt.Errorf("what the command printed was not taken: %w", kept.err))
	case err == nil:
		return app.ExitOK
	case errors.Is(err, context.Canceled) && ctx.Err() != nil && !c.serves: // a script must not take it for done
		err = errors.New(c.lang.Text("stopped before the end"))
	}
	if !c.started && kept.err == nil { // cobra found the mistake: an unknown command or flag, a missing argument
		err = app.Mistake{Err: err}
	}
	code := app.ExitCode(err)
	if code != app.ExitOK {
		_, _ = fmt.Fprintln(c.errs, c.lang.Error(err))
	}
	if !c.started && kept.err == nil && cmd != root {
		_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("usage: %s (--help says more)", useLine(cmd, c.lang)))
	}
	return code
}

// output remembers the first error of what is written to it: a full disk behind a pipe must not look like success.
type output struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// Unwrap is what stands behind it, for whoever asks whether it is a terminal.
func (o *output) Unwrap() io.Writer { return o.w }

// cli is what every command shares.
type cli struct {
	in        io.Reader
	lines     *bufio.Reader // of in, once a line was read
	out, errs io.Writer     // for texts: nothing in them drives a terminal
	screen    io.Writer     // errs as it is, for what has to: progress bars; and the log, which has its own guard

	settings app.Settings
	lang     lang.Language
	log      zerolog.Logger // to screen

	langFlag string
	json     bool
	reveal   bool
	started  bool  // the command line was understood
	serves   bool  // it runs until it is stopped, so that a stop is its end
	broken   error // why the file could not be read; the links that run stand in for it
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "touchbox",
		Short:         "The bridge from Calltouch to Mindbox",
		Long:          "Touchbox takes calls and form requests from Calltouch and delivers them to Mindbox.\n\nFirst steps: touchbox demo, then touchbox init, touchbox link new, touchbox check, touchbox up.",
		Version:       app.FullVersion(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: c.prepare,
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.errs)
	root.PersistentFlags().StringVar(&c.langFlag, "lang", "", "language of what a person reads: ru or en (default: the locale's)")
	for _, g := range c.groups() {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(c.schemaCommand(), c.healthcheckCommand())
	completeValues(root)
	return root
}

// commandGroup is what --help shows together, under a title.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

// groups list all commands but the few that machines call.
func (c *cli) groups() []commandGroup {
	return []commandGroup{
		{"Start and run:", []*cobra.Command{
			c.demoCommand(), c.initCommand(), c.checkCommand(), c.upCommand(), c.addressCommand(), c.siteScriptCommand(), c.consoleCommand(),
			c.doctorCommand(), c.alertsCommand(),
		}},
		{"Write links and try them:", []*cobra.Command{
			c.draftCommand(), c.fieldsCommand(), c.explainCommand(), c.testCommand(), c.tryCommand(), c.compareCommand(), c.sendCommand(), c.simulateCommand(),
		}},
		{"See what became of events:", []*cobra.Command{
			c.eventCommand(), c.eventsCommand(), c.linksCommand(), c.retriesCommand(), c.deadlettersCommand(), c.asideCommand(), c.gapsCommand(),
			c.jobsCommand(), c.auditCommand(),
		}},
		{"Deliver again, keep and erase:", []*cobra.Command{
			c.replayCommand(), c.backfillCommand(), c.backupCommand(), c.restoreCommand(), c.eraseCommand(),
		}},
	}
}

// prepare reads the environment once the command line was understood.
func (c *cli) prepare(cmd *cobra.Command, _ []string) error {
	if err := c.refuseMissing(cmd); err != nil {
		return err
	}
	c.started = true
	if err := c.refuseEmpty(cmd); err != nil {
		return err
	}
	if c.langFlag != "" && c.langFlag != "ru" && c.langFlag != "en" {
		return app.Mistakef("--lang: use ru or en")
	}
	var err error
	if c.settings, err = app.ReadSettings(); err != nil {
		return err
	}
	c.log = c.settings.NewLog(c.screen, c.lang)
	return nil
}

// refuseMissing names the flags that a command cannot do without. Cobra would do so later, and without their dashes.
func (c *cli) refuseMissing(cmd *cobra.Command) error {
	var missing []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, required := f.Annotations[cobra.BashCompOneRequiredFlag]; required && !f.Changed {
			missing = append(missing, "--"+f.Name)
		}
	})
	if len(missing) == 0 {
		return nil
	}
	return app.Mistakef("%s", c.lang.Sprintf("missing: %s", strings.Join(missing, ", ")))
}

// mayBeEmpty are the flags whose empty value says something: no reason, any secret, the locale's language.
var mayBeEmpty = []string{"why", "secret", "token", "lang"}

// refuseEmpty refuses a flag that was given without a value, as a script does whose variable is empty: it would select nothing less than
// everything, and a command that drops or sends would take that.
func (c *cli) refuseEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		blank := func(value string) bool { return strings.TrimSpace(value) == "" }
		if err == nil && !slices.Contains(mayBeEmpty, f.Name) && (len(values) == 0 || slices.ContainsFunc(values, blank)) {
			err = app.Mistakef("%s", c.lang.Sprintf("--%s is empty: give it a value, or leave it out", f.Name))
		}
	})
	return err
}

// group is a command that only holds others. Without one of them it shows its help; any other word is a mistake, for which
// cobra alone would show the help and end with 0.
func group(cmd *cobra.Command, members ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(members...)
	return cmd
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

// withQueue runs f over the queue of a running Touchbox, with the configuration read leniently. While
// the file has mistakes, the bridge goes on by what it read before, and so does f.
func (c *cli) withQueue(ctx context.Context, f func(context.Context, *queue.Queue, *link.File) error) error {
	file, problems, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		if file = c.runningFile(ctx); file == nil {
			return err
		}
		c.broken = err
		c.warnBroken(len(problems.Mistakes()))
	}
	q, err := c.settings.OpenForCommand(ctx, file, c.log.Level(zerolog.WarnLevel))
	if err != nil {
		return err
	}
	defer q.Close()
	return f(ctx, q, file)
}

// audit writes into the audit of a running Touchbox what a command does that works on no queue otherwise.
func (c *cli) audit(ctx context.Context, e admin.AuditEntry) error {
	return c.withQueue(ctx, func(ctx context.Context, q *queue.Queue, _ *link.File) error {
		return admin.Admin{Queue: q, Actor: app.CommandActor()}.Audit(ctx, e)
	})
}

// runningFile is the configuration by which the workers run; nil when nobody can tell.
func (c *cli) runningFile(ctx context.Context) *link.File {
	q, err := c.settings.OpenForCommand(ctx, nil, zerolog.Nop())
	if err != nil {
		return nil
	}
	defer q.Close()
	file, err := admin.Running(ctx, q)
	if err != nil {
		return nil
	}
	return file
}

func (c *cli) warnBroken(mistakes int) {
	if mistakes == 0 {
		_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("%s cannot be read: this goes by the links that run", c.settings.Config))
		return
	}
	_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("%s has mistakes: %d (`touchbox check` names them): this goes by the links that run", c.settings.Config, mistakes))
}

// needsFile is the error of a command that cannot go by what runs.
func (c *cli) needsFile() error {
	if c.broken == nil {
		return nil
	}
	return app.Mistake{Err: fmt.Errorf("%s\n%w", c.lang.Text("this command needs the file itself, and it has to be mended first:"), c.broken)}
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
