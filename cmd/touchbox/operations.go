package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// operations are the commands that show what became of events, and mend it.
func (c *cli) operations() []*cobra.Command {
	return []*cobra.Command{
		c.eventCommand(), c.eventsCommand(), c.retriesCommand(), c.deadlettersCommand(), c.replayCommand(),
		c.asideCommand(), c.linksCommand(), c.sendCommand(),
	}
}

// desk is a command at work on a running Touchbox.
type desk struct {
	*cli
	admin.Admin
	zone *time.Location // in which times are shown and read: the first site's
}

// withDesk runs f over the queue of a running Touchbox.
func (c *cli) withDesk(cmd *cobra.Command, f func(context.Context, *desk) error) error {
	return c.withQueue(cmd.Context(), func(ctx context.Context, q *queue.Queue, file *link.File) error {
		d := &desk{cli: c, Admin: admin.Admin{Queue: q, File: file, Fields: reader(file)}, zone: time.Local}
		if len(file.Sites) > 0 {
			d.zone = file.Sites[0].Location
		}
		return mistake(f(ctx, d))
	})
}

// mistake marks the errors that the person who called the command can mend.
func mistake(err error) error {
	for _, one := range []error{admin.ErrNoLink, admin.ErrNotReplayable, admin.ErrRevision, event.ErrBadKey} {
		if errors.Is(err, one) {
			return app.Mistake{Err: err}
		}
	}
	return err
}

// reader reads events as their sites are configured.
func reader(file *link.File) func(event.Event) (map[string]any, error) {
	return func(e event.Event) (map[string]any, error) {
		var view calltouch.View
		if site := file.Site(e.Key.Site); site != nil {
			view = site.View()
		}
		return calltouch.Parse(e, view)
	}
}

// showJSON prints a value as indented JSON, or one line of a stream where compact is set.
func (c *cli) showJSON(v any, compact bool) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	if !compact {
		encoder.SetIndent("", "  ")
	}
	return encoder.Encode(v)
}

// table prints rows under a header, whose columns are separated by tabs. Every cell is safe to
// print, whoever chose it.
func (c *cli) table(header string, rows [][]string) error {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, header)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = admin.Printable(cell)
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// more says on standard error that a list was cut.
func (c *cli) more(shown, total int) {
	if total > shown {
		_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("%d of %d shown; --limit shows more", shown, total))
	}
}

// when writes a time for a person, "" for none.
func (d *desk) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.zone).Format("2006-01-02 15:04:05")
}

// confirm asks before something that cannot be taken back. With yes it asks nothing; without a
// terminal nobody can be asked, and the command is refused.
func (c *cli) confirm(question string, yes bool) error {
	if yes {
		return nil
	}
	if !c.asked() {
		return app.Mistakef("%s", c.lang.Sprintf("%s Nobody can be asked here: add --yes", question))
	}
	_, _ = fmt.Fprint(c.errs, question+" "+c.lang.Text("[y/N] "))
	answer, _ := bufio.NewReader(c.in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes", "д", "да":
		return nil
	}
	return errors.New(c.lang.Text("nothing was done"))
}

// asked reports whether a person sits there who can answer.
func (c *cli) asked() bool {
	f, ok := c.in.(*os.File)
	return ok && app.IsTerminal(f) && app.IsTerminal(c.errs)
}
