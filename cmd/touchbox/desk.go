package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// desk is a command at work on the queue of a running Touchbox.
type desk struct {
	*cli
	admin admin.Admin
	zone  *time.Location // in which times are shown and read: the first site's
}

// onDesk is the RunE of a command that works on the queue of a running Touchbox.
func (c *cli) onDesk(f func(ctx context.Context, d *desk, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return f(ctx, d, args) })
	}
}

// withDesk runs f over the queue of a running Touchbox.
func (c *cli) withDesk(ctx context.Context, f func(context.Context, *desk) error) error {
	return c.withQueue(ctx, func(ctx context.Context, q *queue.Queue, file *link.File) error {
		d := &desk{cli: c, admin: app.NewAdmin(q, file), zone: zoneOf(file)}
		d.admin.Actor, d.admin.Scans = app.CommandActor(), c.scanBar()
		return mistake(f(ctx, d))
	})
}

// revealing writes down, before anything is shown unmasked, what of: nothing is shown that is not written down.
func (d *desk) revealing(ctx context.Context, on string) error {
	if !d.reveal {
		return nil
	}
	return d.admin.Audit(ctx, admin.AuditEntry{Verb: admin.VerbReveal, On: on})
}

// mistake marks the errors that the person who called the command can mend.
func mistake(err error) error {
	for _, one := range []error{admin.ErrNoLink, admin.ErrNotReplayable, admin.ErrRevision, admin.ErrShadow, admin.ErrNotInFile, admin.ErrInFile, admin.ErrNoJob, admin.ErrJobEnded, admin.ErrNoWhy, event.ErrBadKey} {
		if errors.Is(err, one) {
			return app.Mistake{Err: err}
		}
	}
	return err
}

// confirm asks before something that cannot be taken back, unless --yes has answered already.
func (c *cli) confirm(question string, yes bool) error {
	if yes {
		return nil
	}
	return c.ask(question)
}

// ask asks a question whose answer has to be yes. Without a terminal nobody can be asked, and the
// command is refused.
func (c *cli) ask(question string) error {
	if !c.canAsk() {
		return app.Mistakef("%s", c.lang.Sprintf("%s Nobody can be asked here: add --yes", question))
	}
	_, _ = fmt.Fprint(c.errs, question+" "+c.lang.Text("[y/N] "))
	answer := c.readLine()
	switch strings.ToLower(answer) {
	case "y", "yes", "д", "да":
		return nil
	}
	return errors.New(c.lang.Text("nothing was done"))
}

// readLine reads one line that a person types, or a script writes.
func (c *cli) readLine() string {
	if c.lines == nil {
		c.lines = bufio.NewReader(c.in)
	}
	const most = 4096
	var line strings.Builder
	for line.Len() < most {
		b, err := c.lines.ReadByte()
		if err != nil || b == '\n' {
			break
		}
		line.WriteByte(b)
	}
	return strings.TrimSpace(line.String())
}

// flagOrLine is the value of a flag; for "-" it is read from the terminal or standard input, so that it
// stands in no list of processes and in no log of sudo.
func (c *cli) flagOrLine(value, question string) string {
	if value != "-" {
		return value
	}
	if c.canAsk() {
		_, _ = fmt.Fprint(c.errs, question+" ")
	}
	return c.readLine()
}

// canAsk reports whether a person sits there who can answer.
func (c *cli) canAsk() bool {
	f, ok := c.in.(*os.File)
	return ok && app.IsTerminal(f) && app.IsTerminal(c.errs)
}
