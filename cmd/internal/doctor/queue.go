package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/watch"
)

// queue looks at the queue and at what the processes have written there.
func (d *Doctor) queue(ctx context.Context) {
	q, err := d.Settings.OpenForCommand(ctx, d.File, d.Log.Level(zerolog.Disabled))
	if denied, ok := errors.AsType[*app.DeniedError](err); ok {
		d.finding("queue", "", denied.Text(d.Lang), d.Lang.Text("run the command in the environment that Touchbox runs in, as in sudo touchboxctl doctor"))
		return
	}
	if err != nil {
		d.finding("queue", "", d.Lang.Error(err), d.Lang.Text("start `touchbox up`, or see NATS_URL and its credentials; what stands in the queue was not looked at"))
		return
	}
	defer q.Close()
	within, cancel := context.WithTimeout(ctx, netTimeout)
	defer cancel()
	if err := q.Ready(within); err != nil {
		d.finding("queue", "", d.Lang.Error(err), d.Lang.Text("while it lasts hooks are answered 503; what was acknowledged is not lost"))
		return
	}
	d.server(within, q)
	d.streams(within, q)
	d.links(within, q)
	d.troubles(within, q)
	d.unsent(within, q)
	d.lost(ctx, q)
	d.unticked(ctx, q)
}

func (d *Doctor) server(ctx context.Context, q *queue.Queue) {
	asked := time.Now()
	e, err := q.Client().Extent(ctx, event.EventsStream) // which says what time the server has
	if err != nil {
		d.finding("queue", "", d.Lang.Error(err), d.Lang.Text("see the NATS server's log"))
		return
	}
	d.ok("queue", q.Client().Where(), d.Lang.Text("it can store events"))
	d.ok("version", "nats-server", q.Client().Version())
	if d.Settings.NATSURL != "" { // else it is this machine's own clock
		took := time.Since(asked)
		d.clocks = append(d.clocks, clock{"nats-server", asked.Add(took / 2).Sub(e.At), took / 2})
	}
}

// nearlyFull is from which share of its bound on a stream is a finding.
const nearlyFull = 0.8

func (d *Doctor) streams(ctx context.Context, q *queue.Queue) {
	sizes, err := q.Sizes(ctx)
	if err != nil {
		d.finding("streams", "", d.Lang.Error(err), d.Lang.Text("see the NATS server's log"))
		return
	}
	for _, s := range sizes {
		text := d.Lang.Sprintf("messages: %d, %.3f GB", s.Messages, gigabytes(uint64(s.Bytes)))
		if s.Limit > 0 {
			text += d.Lang.Sprintf(", %.0f %% of its bound", 100*s.Share())
		}
		if s.Share() > nearlyFull {
			d.finding("streams", s.Stream, text, d.Lang.Text("see `touchbox links` for one that stands still; raise keep.disk, or lower the keep times"))
			continue
		}
		d.ok("streams", s.Stream, text)
	}
}

func (d *Doctor) links(ctx context.Context, q *queue.Queue) {
	links, err := admin.Admin{Queue: q, File: d.File}.Links(ctx)
	if err != nil {
		d.finding("links", "", d.Lang.Error(err), d.Lang.Text("see the NATS server's log"))
		return
	}
	for _, l := range links {
		text := d.Lang.Sprintf("%s, unread: %d, retries: %d, dead letters: %d", d.Lang.Text(l.State), l.Unread, l.Retries, l.DeadLetters)
		switch {
		case l.State == admin.StateParked:
			d.finding("links", l.ID, text+": "+d.parkedBy(l.Why), d.Lang.Text("see docs/operations: it goes on by itself once the cause is gone"))
		case l.State == admin.StateGone:
			d.finding("links", l.ID, text, d.Lang.Sprintf("put it back into the file, or give it up: `touchbox links remove %s`; it holds the log", l.ID))
		case l.State == admin.StateStopped && l.Unread > 0:
			d.finding("links", l.ID, text, d.Lang.Sprintf("let it go on: `touchbox links start %s`; it holds the log", l.ID))
		case l.DeadLetters > 0:
			d.finding("links", l.ID, text, d.Lang.Sprintf("see `touchbox deadletters --link %s`, mend the cause, then `touchbox replay --link %s`", l.ID, l.ID))
		case l.Differs:
			d.finding("links", l.ID, text, d.Lang.Sprintf("it runs on other events than the file says now; `touchbox links reset %s` changes that", l.ID))
		default:
			d.ok("links", l.ID, text)
		}
	}
}

// parkedBy says why a link is parked: a reason in words, and behind it what Mindbox answered.
func (d *Doctor) parkedBy(why string) string {
	code, answer, more := strings.Cut(why, ": ")
	if code = d.Lang.Worded(admin.ReasonWord(code), code); more {
		return code + ": " + show.Printable(answer)
	}
	return code
}

// unsent looks for alerts that nobody heard.
func (d *Doctor) unsent(ctx context.Context, q *queue.Queue) {
	if d.Settings.AlertURL == "" {
		d.skip("alerts", "", d.Lang.Text("ALERT_URL is not set here: nobody is called, unless Prometheus does"))
		return
	}
	if strings.HasPrefix(d.Settings.AlertURL, "http://") {
		d.skip("alerts", "ALERT_URL", d.Lang.Text("it is asked without TLS: right for this machine or a network of one's own alone"))
	}
	alerts, err := watch.UnsentAlerts(ctx, q)
	if err != nil {
		d.finding("alerts", "", d.Lang.Error(err), d.Lang.Text("see the NATS server's log"))
		return
	}
	for _, a := range alerts {
		d.finding("alerts", d.Lang.Text(watch.CauseWord(a.Cause))+" "+a.Subject, d.Lang.Sprintf("not taken by ALERT_URL in %d tries", a.Tries), d.Lang.Text("`touchbox alerts test` says what comes back"))
	}
	if len(alerts) == 0 {
		d.ok("alerts", "", d.Lang.Text("none waits to be sent"))
	}
}

// lost looks for events that wait and that nothing holds.
func (d *Doctor) lost(ctx context.Context, q *queue.Queue) {
	d.slow(d.Lang.Text("reading the history, some ten seconds for a million events"))
	ctx, cancel := context.WithTimeout(ctx, slowTimeout)
	defer cancel()
	lost, err := keep.LostRetries(ctx, q, queue.Filter{})
	switch {
	case err != nil:
		d.finding("retries", "", d.Lang.Sprintf("the history could not be read: %v", err), d.Lang.Text("try again when the server has less to do"))
	case len(lost) > 0:
		d.finding("retries", "", d.Lang.Sprintf("events that wait and that nothing holds: %d", len(lost)), d.Lang.Text("`touchbox retries --restore` puts them back; look at the server's disk"))
	default:
		d.ok("retries", "", d.Lang.Text("each event that waits has its retry"))
	}
}

// unticked looks for fields that links read and that never come.
func (d *Doctor) unticked(ctx context.Context, q *queue.Queue) {
	d.slow(d.Lang.Text("reading the hooks of the last three days"))
	for _, s := range d.File.Sites {
		within, cancel := context.WithTimeout(ctx, slowTimeout)
		ticked, err := watch.Unticked(within, q, d.File, s)
		cancel()
		subject := fmt.Sprintf("%s (%s)", s.Name, s.ID)
		switch {
		case err != nil:
			d.finding("fields", subject, d.Lang.Sprintf("the log could not be read: %v", err), d.Lang.Text("try again when the server has less to do"))
		case len(ticked.Never) > 0:
			d.finding("fields", subject, d.Lang.Sprintf("links read them, and they never came: %s", strings.Join(ticked.Never, ", ")), d.Lang.Text("tick them in the webhook's settings in Calltouch; see `touchbox fields`"))
		case ticked.Hooks == 0:
			d.skip("fields", subject, d.Lang.Text("no hook came in the last three days: what is ticked cannot be seen"))
		case len(ticked.NotYet) > 0:
			d.skip("fields", subject, d.Lang.Sprintf("links read them, and they have not come yet: %s; hooks in the last three days: %d, too few to call them not ticked", strings.Join(ticked.NotYet, ", "), ticked.Hooks))
		default:
			d.ok("fields", subject, d.Lang.Text("no field that a link reads is missing from the hooks of the last days"))
		}
	}
}

// troubles tells what the hooks of the last day have shown to be wrong.
func (d *Doctor) troubles(ctx context.Context, q *queue.Queue) {
	list, err := watch.ListTroubles(ctx, q.State(), time.Now())
	if err != nil {
		d.finding("hooks", "", d.Lang.Error(err), d.Lang.Text("see the NATS server's log"))
		return
	}
	for _, t := range list {
		text, advice := d.troubleWords(t)
		d.finding("hooks", show.Printable(t.Site), text, advice)
	}
	if len(list) == 0 {
		d.ok("hooks", "", d.Lang.Text("none of the last day came with a wrong key, site or time zone"))
	}
}

func (d *Doctor) troubleWords(t watch.Trouble) (text, advice string) {
	compare := d.Lang.Text("compare the webhook's address in Calltouch with what `touchbox address` prints")
	switch t.Reason {
	case calltouch.TroubleKey:
		return d.Lang.Sprintf("requests with a wrong key in the last day: %d", t.Count), compare
	case calltouch.TroubleNoKey:
		return d.Lang.Sprintf("requests to a site without a key in the last day: %d", t.Count), d.Lang.Text("give the site a `key`, and enter its address in Calltouch")
	case calltouch.TroubleSite:
		return d.Lang.Sprintf("requests to a site that is not in the file in the last day: %d", t.Count), compare
	case calltouch.TroubleNetwork:
		return d.Lang.Sprintf("requests with the right key from a network that is not allowed: %d", t.Count), d.Lang.Text("see INGEST_ALLOW and INGEST_TRUSTED_PROXIES")
	case calltouch.TroubleTimezone:
		return d.Lang.Sprintf("the cabinet's clock shows %s, and the file says another time zone; hooks: %d", show.Printable(t.Detail), t.Count), d.Lang.Text("set the site's `timezone` as in Calltouch's settings")
	}
	return d.Lang.Sprintf("%s in the last day: %d", show.Printable(string(t.Reason)), t.Count), d.Lang.Text("see the log of ingest")
}
