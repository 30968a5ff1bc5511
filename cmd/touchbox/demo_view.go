package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// demoView shows a person what happens to each call, and counts what came in.
type demoView struct {
	*cli
	cabinet *calltouchtest.Calltouch
	shared  *demoCounts
}

// demoCounts are what the observers of several goroutines write.
type demoCounts struct {
	mu       sync.Mutex
	received int // hooks answered with 200, and records offered
	receipts map[event.Receipt]int
	aside    int
	sorts    map[string]calltouchtest.Sort // by kind and id
}

func newDemoView(c *cli, cabinet *calltouchtest.Calltouch) demoView {
	return demoView{cli: c, cabinet: cabinet, shared: &demoCounts{receipts: map[event.Receipt]int{}, sorts: map[string]calltouchtest.Sort{}}}
}

func (v demoView) greet(hookURL, pageURL string) {
	if v.json {
		return
	}
	v.say("A simulated Calltouch sends calls to %s.", hookURL)
	v.say("Send one yourself from another terminal:\n  curl -d 'callphase=calldisconnected&id=1&callerphone=79161234567&duration=30' %s", hookURL)
	if pageURL != "" {
		v.say("A page with the site script, on which a click calls: %s", pageURL)
	}
	v.say("Ctrl-C stops and prints the sums.\n")
}

// line prints one line of the live view.
func (v demoView) line(key event.Key, text string) {
	if v.json {
		return
	}
	v.shared.mu.Lock()
	defer v.shared.mu.Unlock()
	sort := v.shared.sorts[sortKey(key.Kind == event.Request, key.ID)]
	_, _ = fmt.Fprintf(v.out, "%s  %-30s %-13s %s\n", time.Now().Format(time.TimeOnly), key, v.lang.Text(string(sort)), text)
}

func sortKey(request bool, id string) string { return strconv.FormatBool(request) + id }

// sent remembers what sort of call an id is, and shows the hooks that Calltouch lost.
func (v demoView) sent(s calltouchtest.Sent) {
	if s.Hook.ID == 0 {
		return
	}
	id := strconv.FormatInt(s.Hook.ID, 10)
	v.shared.mu.Lock()
	v.shared.sorts[sortKey(s.Hook.Phase == "request", id)] = s.Hook.Sort
	v.shared.mu.Unlock()
	if s.Dropped {
		kind := event.CallEnded
		switch s.Hook.Phase {
		case "request":
			kind = event.Request
		case "started":
			kind = event.CallStarted
		}
		v.line(event.Key{Site: "10001", Kind: kind, ID: id}, v.lang.Sprintf("hook lost on the way"))
	}
}

// hook counts one hook.
func (v demoView) hook(o intake.Observation) {
	v.shared.mu.Lock()
	defer v.shared.mu.Unlock()
	if o.Status == http.StatusOK && !o.Waits {
		v.shared.received++
	}
	switch {
	case o.Aside != "":
		v.shared.aside++
	case o.Receipt != "":
		v.shared.receipts[o.Receipt]++
	}
}

// record counts one record that the poll or the journal offered.
func (v demoView) record(key event.Key, origin event.Origin, receipt event.Receipt) {
	v.shared.mu.Lock()
	v.shared.received++
	if receipt == event.ReceiptCollision {
		v.shared.aside++
	} else {
		v.shared.receipts[receipt]++
	}
	v.shared.mu.Unlock()
	if receipt == event.ReceiptStored {
		v.line(key, v.lang.Sprintf("found by the %s, no hook had brought it", v.lang.Text(string(origin))))
	}
}

// settled shows what one link made of one event.
func (v demoView) settled(d *queue.Delivery, x queue.Decision) {
	if x.Outcome == event.Filtered {
		return // half of all lines: each call is filtered by the link that is not for it
	}
	text := fmt.Sprintf("%-14s %s", d.Link, v.lang.Coded(string(x.Outcome)))
	if x.Reason != "" && x.Outcome != event.Delivered {
		text += ": " + v.lang.Worded(admin.ReasonWord(x.Reason), x.Reason)
	}
	if x.Outcome == event.Waiting && !x.Until.IsZero() {
		text += v.lang.Sprintf(", next attempt in %s", time.Until(x.Until).Round(100*time.Millisecond))
	}
	if x.Outcome == event.Delivered {
		text += v.lang.Sprintf(" in %s, attempt %d", x.Duration.Round(time.Millisecond), x.Attempts)
	}
	v.line(d.Event.Key, text)
}

// sums is the table at the end of the demo. Its JSON names are part of the public interface.
type sums struct {
	Received int                     `json:"received"`
	Stored   int                     `json:"stored"`
	Repeated int                     `json:"repeated"`
	Aside    int                     `json:"aside"`
	TooOld   int                     `json:"too_old,omitempty"`
	Erased   int                     `json:"erased,omitempty"`
	Links    map[string]admin.Counts `json:"links"`
}

func (v demoView) count(ctx context.Context, q *queue.Queue, file *link.File) (sums, error) {
	links, err := admin.Tally(ctx, q, file)
	v.shared.mu.Lock()
	defer v.shared.mu.Unlock()
	s := sums{
		Received: v.shared.received, Stored: v.shared.receipts[event.ReceiptStored], Repeated: v.shared.receipts[event.ReceiptRepeated],
		TooOld: v.shared.receipts[event.ReceiptTooOld], Erased: v.shared.receipts[event.ReceiptErased],
		Aside: v.shared.aside, Links: links,
	}
	return s, err
}

func (s sums) print(c *cli) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(s)
	}
	c.say("\nreceived %d = stored %d + repeated %d + aside %d", s.Received, s.Stored, s.Repeated, s.Aside)
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, c.lang.Sprintf("link\ttaken\tdelivered\tfiltered\tundeliverable\twaiting\tdead\t"))
	for _, id := range slices.Sorted(maps.Keys(s.Links)) {
		n := s.Links[id]
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", id, n.Taken, n.Delivered, n.Filtered, n.Undeliverable, n.Waiting, n.Dead)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	c.say("More is stored than taken: no link of the demo takes the beginnings of calls.\n\nNext: `touchbox init` writes your own touchbox.yaml, `touchbox link new` the first link (docs/first-link.md).")
	return nil
}
