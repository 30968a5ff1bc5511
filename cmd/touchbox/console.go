package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os/user"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) consoleCommand() *cobra.Command {
	var health bool
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Serve the web console beside a NATS server of one's own; make keys and sign-in links for it",
		Long: "Serve the web console on CONSOLE_ADDR, on the queue of NATS_URL or of the running `touchbox up` (which serves one itself).\n" +
			"Who may sign in stands in touchbox.yaml under console.people; `touchbox console key` makes their keys.\n" +
			"Ctrl-C or SIGTERM stops it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.serves = true
			if c.settings.ConsoleAddr == app.ConsoleOff {
				return app.Mistakef("%s", c.lang.Sprintf("CONSOLE_ADDR is off: set it to the address at which the console is to be, as in 127.0.0.1:8083"))
			}
			if health {
				return app.CheckConsole(cmd.Context(), c.settings)
			}
			return app.RunConsole(cmd.Context(), c.settings, c.log, &app.Node{
				Console: func(s app.ConsoleSource) http.Handler { return c.console(c.settings, s) },
				Started: func(q *queue.Queue) { c.tellConsole(cmd.Context(), q, c.settings) },
			})
		},
	}
	cmd.Flags().BoolVar(&health, "healthcheck", false, "ask the running console for its health, exit 0 or 1")
	cmd.AddCommand(c.consoleKeyCommand(), c.consoleSignInCommand())
	return cmd
}

// console makes the console's handler of what it shows.
func (c *cli) console(s app.Settings, from app.ConsoleSource) http.Handler {
	desk := func() admin.Admin { return app.NewAdmin(from.Queue, from.File()) }
	board := admin.NewBoard(desk, c.log)
	from.Run(board.Run)
	o := console.Options{
		Admin: func() admin.Admin {
			a := desk()
			a.Board = board
			return a
		},
		People:  func() []console.Person { return people(from.File()) },
		Session: func() time.Duration { return from.File().Console.Session },
		Zone:    func() *time.Location { return zoneOf(from.File()) },
		Token:   s.AdminToken, Addr: s.ConsoleAddr, TLS: s.ConsoleTLSCert != "", Proxies: s.ConsoleProxies,
		File: s.Config, Broken: from.Broken, Version: app.FullVersion(), Log: c.log,
	}
	if s.ConsoleURL != "" {
		o.URL, _ = url.Parse(s.ConsoleURL) // ReadSettings has checked it
	}
	return console.New(o)
}

// zoneOf is the zone in which times are shown: the first site's.
func zoneOf(file *link.File) *time.Location {
	if len(file.Sites) > 0 {
		return file.Sites[0].Location
	}
	return time.Local
}

// people are those of the file who may sign in.
func people(file *link.File) []console.Person {
	list := make([]console.Person, 0, len(file.Console.People))
	for _, p := range file.Console.People {
		hash, ok := p.Key.Hash()
		list = append(list, console.Person{Name: p.Name, Role: console.Role(p.Role), Reveal: p.Reveal, Program: p.Program, Hash: hash, NoKey: !ok})
	}
	return list
}

// tellConsole says to a person at a terminal where the console is, with a link that signs in once. No log keeps the link.
func (c *cli) tellConsole(ctx context.Context, q *queue.Queue, s app.Settings) {
	if !app.IsTerminal(c.out) {
		c.say("\nConsole: %s. `touchbox console sign-in` prints a link that signs in.", s.ConsoleAddress())
		return
	}
	address, err := invite(ctx, q, s, "")
	if err != nil {
		c.log.Warn().Err(err).Msg("no sign-in link could be made; `touchbox console sign-in` tries again")
		return
	}
	c.say("\nConsole, by a link that signs in once, for ten minutes:\n  %s", address)
}

// invite makes a sign-in link for a name; "" is the user of this machine. Whoever may open the store may do everything
// with it already, so the link signs in as admin.
func invite(ctx context.Context, q *queue.Queue, s app.Settings, name string) (string, error) {
	if name == "" {
		name = "admin"
		if u, err := user.Current(); err == nil && u.Username != "" {
			name = u.Username
		}
	}
	token, err := (admin.Admin{Queue: q}).Invite(ctx, admin.Session{Name: name, Role: string(console.Admin), Reveal: true})
	return s.ConsoleAddress() + "/sign-in#" + token, err
}

func (c *cli) consoleSignInCommand() *cobra.Command {
	var name string
	cmd := c.withJSON(&cobra.Command{
		Use:   "sign-in",
		Short: "Print a link that signs in to the console once, for ten minutes",
		Long: "Print a link that signs in to the console once, within ten minutes, and may do everything there: whoever can run this has the\n" +
			"store already. It needs a running Touchbox.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error {
			address, err := invite(ctx, d.admin.Queue, c.settings, name)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]string{"address": address})
			}
			_, err = fmt.Fprintln(c.out, address)
			return err
		}),
	})
	cmd.Flags().StringVar(&name, "as", "", "sign in under this `name` (default: this machine's user)")
	return cmd
}

// plainName is a name that stands in a line of YAML as it is.
var plainName = regexp.MustCompile(`^[\pL_][\pL\pN_ .-]*$`)

func (c *cli) consoleKeyCommand() *cobra.Command {
	var name string
	cmd := c.withJSON(&cobra.Command{
		Use:   "key",
		Short: "Make a key for a person, and the line of touchbox.yaml that knows its hash",
		Long: "Make a key with which a person, or a program, signs in to the console, and the line for console.people in touchbox.yaml. The file\n" +
			"has the hash alone; the key is shown once, here.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key := newKey()
			sum := sha256.Sum256([]byte(key))
			hash := hex.EncodeToString(sum[:])
			if c.json {
				return c.printJSON(map[string]string{"key": key, "sha256": hash})
			}
			if !plainName.MatchString(name) {
				name = string(expression.AppendString(nil, name)) // as the line is pasted it must be YAML
			}
			c.say("The key, for the person alone; it is kept nowhere:\n  %s", key)
			c.say("The line for touchbox.yaml (role: see, act or admin):\n  console:\n    people:\n      - {name: %s, role: see, key: {sha256: %s}}", name, hash)
			return nil
		},
	})
	cmd.Flags().StringVar(&name, "name", "NAME", "`name` of the person, in the line")
	return cmd
}
