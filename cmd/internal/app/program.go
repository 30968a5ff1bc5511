package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/show"
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
	screen := stderr
	stdout, stderr = show.Writer(stdout), show.Writer(stderr)
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { p.usage(flags, lang.Detect("", os.Getenv)) }
	l := lang.Detect("", os.Getenv)
	health := flags.Bool("healthcheck", false, l.Sprintf("ask the running %s for its health, exit 0 or 1", p.Name))
	version := flags.Bool("version", false, l.Text("print the version"))
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return ExitOK
		}
		return ExitMistake
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, l.Sprintf("%s takes no arguments, got %q; it is configured by the environment, see --help", p.Name, flags.Arg(0)))
		return ExitMistake
	}
	if *version {
		_, _ = fmt.Fprintln(stdout, p.Name, FullVersion())
		return ExitOK
	}
	ctx, stop := SignalContext()
	defer stop()
	err := p.run(ctx, *health, screen)
	if code := ExitCode(err); code != ExitOK {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", p.Name, l.Error(err))
		return code
	}
	return ExitOK
}

func (p Program) run(ctx context.Context, health bool, screen io.Writer) error {
	settings, err := ReadSettings()
	if err != nil {
		return err
	}
	if health {
		return CheckHealth(ctx, HealthURL(p.Admin(settings)))
	}
	log := settings.NewLog(screen, lang.Detect("", os.Getenv)).With().Str("process", p.Name).Logger()
	log.Info().Str("version", FullVersion()).Str("config", settings.Config).Msg("starting")
	if err := p.Run(ctx, settings, log); err != nil {
		return err
	}
	log.Info().Msg("the process has stopped")
	return nil
}

func (p Program) usage(flags *flag.FlagSet, l lang.Language) {
	w := flags.Output()
	_, _ = io.WriteString(w, l.Sprintf("%s\n\nUsage: %s [--healthcheck | --version]\n\nFlags:\n", l.Text(p.Summary), p.Name))
	flags.PrintDefaults()
	_, _ = io.WriteString(w, l.Text("\nEnvironment:\n"))
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

// Exit codes of every command.
const (
	ExitOK      = 0
	ExitFailed  = 1 // it failed, or found something missing
	ExitMistake = 2 // a mistake in the configuration or in the usage
)

// Mistake is an error that the person who configured or called Touchbox can mend.
type Mistake struct{ Err error }

func (m Mistake) Error() string { return m.Err.Error() }

// Unwrap gives the cause.
func (m Mistake) Unwrap() error { return m.Err }

// Mistakef formats a Mistake as fmt.Errorf does.
func Mistakef(format string, args ...any) error { return Mistake{fmt.Errorf(format, args...)} }

// ExitCode turns the error of a command into its exit code. A command that was asked to stop
// has not failed.
func ExitCode(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return ExitOK
	}
	if _, ok := errors.AsType[Mistake](err); ok {
		return ExitMistake
	}
	return ExitFailed
}

// Bounds of a stop, all counted from the first signal. Service managers are promised 25 s: what is in
// hand has 18 of them (the queue's default), the other parts a little longer, and the embedded server
// writes down what it knows in the rest.
const (
	partsWithin   = 22 * time.Second
	processWithin = 24500 * time.Millisecond
)

// tellStop logs the signal when it comes: the stop may take as long as the bounds above say, and a person watches. What it returns ends that.
func tellStop(ctx context.Context, log zerolog.Logger) (forget func() bool) {
	return context.AfterFunc(ctx, func() { log.Info().Msg("stopping: what is in hand is finished first") })
}

// stopClock is the deadline of a graceful shutdown, counted from the moment when its context ended.
type stopClock struct {
	began <-chan struct{}
	once  sync.Once
	at    time.Time
}

func newStopClock(ctx context.Context) *stopClock {
	c := &stopClock{began: ctx.Done()}
	context.AfterFunc(ctx, c.note)
	return c
}

func (c *stopClock) note() { c.once.Do(func() { c.at = time.Now() }) }

// within runs a part of the process. Once the stop has begun, the part has until so long after that; if
// it goes on for longer it is left behind, for the end of the process to end it: what it had in hand is
// delivered again, as after any other death.
func (c *stopClock) within(d time.Duration, what string, part func() error) error {
	done := make(chan error, 1)
	go func() { done <- part() }()
	select {
	case err := <-done:
		return err
	case <-c.began:
		c.note()
	}
	timer := time.NewTimer(time.Until(c.at.Add(d)))
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%s did not end within %s of the signal: left as it is, what was in hand is delivered again", what, d)
	}
}

// NewLog makes the log that the settings ask for, on w: JSON lines, or the console form where a
// person sits at a terminal or LOG_FORMAT asks for it. Whatever a field holds, nothing in it drives a
// terminal. The console form is in the person's language, JSON in English alone: machines read it.
func (s Settings) NewLog(w io.Writer, l lang.Language) zerolog.Logger {
	level, err := zerolog.ParseLevel(s.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if s.LogFormat == "console" || s.LogFormat == "" && IsTerminal(w) {
		return leveled(zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, FormatMessage: message(l), FormatErrFieldValue: failure(l)}, level)
	}
	return leveled(show.Writer(w), level)
}

func leveled(w io.Writer, level zerolog.Level) zerolog.Logger {
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// failure is how a line's error is said, which comes in quotes where it has blanks.
func failure(l lang.Language) zerolog.Formatter {
	return func(value any) string {
		text := fmt.Sprint(value)
		if plain, err := strconv.Unquote(text); err == nil {
			return strconv.Quote(l.Said(plain))
		}
		return show.Printable(l.Said(text))
	}
}

// message is how a line's message is said in the console form, which quotes the fields by itself.
func message(l lang.Language) zerolog.Formatter {
	return func(text any) string {
		if text == nil {
			return ""
		}
		return show.Printable(l.Said(fmt.Sprint(text)))
	}
}

// IsTerminal reports whether a person sits at w.
func IsTerminal(w io.Writer) bool {
	f, ok := bare(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TerminalWidth is how many characters a line has on the terminal that w is; 0 where it is none, or does not say.
func TerminalWidth(w io.Writer) int {
	f, ok := bare(w).(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// bare is w without the guards around it.
func bare(w io.Writer) io.Writer {
	for {
		guard, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			return w
		}
		w = guard.Unwrap()
	}
}

// Version is the release, stamped by the linker (see the Makefile).
var Version = "dev"

// FullVersion is the release with the commit it was built from, where Go knows it.
func FullVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return Version + " (" + s.Value[:min(12, len(s.Value))] + ")"
		}
	}
	return Version
}
