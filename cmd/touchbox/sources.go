package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// sources are the commands that read back what Calltouch knows.
func (c *cli) sources() []*cobra.Command {
	return []*cobra.Command{c.backfillCommand(), c.gapsCommand()}
}

// spanFlags say which days of which site to read back.
type spanFlags struct {
	site, from, to string
	kinds          []string
}

func (f *spanFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.site, "site", "", "id or name of the site (required)")
	flags.StringVar(&f.from, "from", "", "first day, `YYYY-MM-DD`, in the cabinet's zone (required)")
	flags.StringVar(&f.to, "to", "", "last day, `YYYY-MM-DD`, included (default: today)")
	flags.StringSliceVar(&f.kinds, "kind", nil, "call.ended or request (default: both)")
	_ = cmd.MarkFlagRequired("site")
	_ = cmd.MarkFlagRequired("from")
}

// span checks the flags against the file. Every complaint is a Mistake.
func (f *spanFlags) span(c *cli, q *queue.Queue, file *link.File) (calltouch.Span, error) {
	one := file.Site(f.site)
	if one == nil {
		return calltouch.Span{}, app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", f.site, c.settings.Config))
	}
	if one.Token.Value() == "" {
		return calltouch.Span{}, app.Mistakef("%s", c.lang.Sprintf("site %s has no API token: set `token` in %s", one.Name, c.settings.Config))
	}
	span := calltouch.Span{Site: app.PolledSite(one), State: app.NewState(q), Ledger: app.NewLedger(q, file), To: calltouch.DayOf(time.Now(), one.Location)}
	var err error
	if span.From, err = calltouch.ParseDay(f.from); err != nil {
		return span, app.Mistakef("--from: %w", err)
	}
	if f.to != "" {
		if span.To, err = calltouch.ParseDay(f.to); err != nil {
			return span, app.Mistakef("--to: %w", err)
		}
	}
	if span.To.Before(span.From) {
		return span, app.Mistakef("--to %s is before --from %s", span.To, span.From)
	}
	for _, text := range f.kinds {
		kind, err := event.ParseKind(text)
		if err != nil || kind == event.CallStarted {
			return span, app.Mistakef("--kind: use call.ended or request")
		}
		span.Kinds = append(span.Kinds, kind)
	}
	span.Waiting = func(err error, before time.Duration) {
		_, _ = fmt.Fprintf(c.errs, "\n%s\n", c.lang.Sprintf("Calltouch: %v; next try in %s", err, before.Round(time.Second).String()))
	}
	return span, nil
}

// bar draws the progress on a terminal; elsewhere it stays silent.
func (c *cli) bar(ctx context.Context, w io.Writer) func(calltouch.Progress) {
	if !app.IsTerminal(w) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(p calltouch.Progress) {
		if bar == nil {
			bar = progressbar.NewOptions(p.Steps, progressbar.OptionSetWriter(w), progressbar.OptionSetPredictTime(false),
				progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
		}
		text := fmt.Sprintf("%s %s, %d", p.Day, p.Kind.Dotted(), p.Records)
		if p.Left > 0 {
			text += c.lang.Sprintf(", about %s left", p.Left.Round(time.Second).String())
		}
		bar.Describe(text)
		_ = bar.Set(p.Step)
	}
}

// explainAPI adds what a person can do to an error of Calltouch's API.
func explainAPI(c *cli, err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New(c.lang.Sprintf("stopped; the same command goes on from here"))
	}
	return err
}
