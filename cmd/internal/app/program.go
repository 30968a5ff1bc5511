package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"text/tabwriter"

	"github.com/rs/zerolog"
)

// Program is a process that serves until it is told to stop: ingest or worker.
type Program struct {
	Name    string
	Summary string                // one line for --help
	Admin   func(Settings) string // the admin address that --healthcheck asks
	Run     func(context.Context, Settings, zerolog.Logger) error
}

// Main parses the flags, runs the program until SIGINT or SIGTERM and returns its exit code.
// A second signal ends the process at once.
func (p Program) Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { p.usage(flags) }
	health := flags.Bool("healthcheck", false, "ask the running "+p.Name+" for its health, exit 0 or 1")
	version := flags.Bool("version", false, "print the version")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return ExitOK
		}
		return ExitMistake
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "%s takes no arguments, got %q; it is configured by the environment, see --help\n", p.Name, flags.Arg(0))
		return ExitMistake
	}
	if *version {
		_, _ = fmt.Fprintln(stdout, p.Name, FullVersion())
		return ExitOK
	}
	ctx, stop := SignalContext()
	defer stop()
	err := p.run(ctx, *health, stderr)
	if code := ExitCode(err); code != ExitOK {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return code
	}
	return ExitOK
}

func (p Program) run(ctx context.Context, health bool, stderr io.Writer) error {
	settings, err := ReadSettings()
	if err != nil {
		return err
	}
	if health {
		return CheckHealth(ctx, HealthURL(p.Admin(settings)))
	}
	log := settings.NewLog(stderr).With().Str("process", p.Name).Logger()
	log.Info().Str("version", FullVersion()).Str("config", settings.Config).Msg("starting")
	if err := p.Run(ctx, settings, log); err != nil {
		return err
	}
	log.Info().Msg("stopped")
	return nil
}

func (p Program) usage(flags *flag.FlagSet) {
	w := flags.Output()
	_, _ = fmt.Fprintf(w, "%s\n\nUsage: %s [--healthcheck | --version]\n\nFlags:\n", p.Summary, p.Name)
	flags.PrintDefaults()
	_, _ = fmt.Fprintf(w, "\nEnvironment:\n")
	PrintVariables(w)
}

// PrintVariables writes the environment variables with their defaults.
func PrintVariables(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", tag.Get("envconfig"), tag.Get("default"))
	}
	_ = table.Flush()
}

// SignalContext ends with the first SIGINT or SIGTERM; the second one then ends the process.
func SignalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
