// Package doctor looks at an installation from outside and from inside and says, of each thing that
// is not right, what to do. It changes nothing, stores nothing, and prints no secret.
//
//	file, modes, disk ─┐
//	hosts, keys, clock ─┼──▶ results: ok, finding (with what to do), skipped (with why)
//	webhook's address ──┤
//	queue and its links ┘
package doctor

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// State says how a look ended.
type State string

// All states.
const (
	OK      State = "ok"
	Finding State = "finding" // a person should do something: Advice says what
	Skipped State = "skipped" // not looked at: Text says why
)

// Result is what one look found.
type Result struct {
	Check   string `json:"check"`             // disk, modes, clock, ...
	Subject string `json:"subject,omitempty"` // of several: a site, a host, a file
	State   State  `json:"state"`
	Text    string `json:"text"`
	Advice  string `json:"advice,omitempty"` // of a finding
}

// Doctor looks at one installation.
type Doctor struct {
	Settings app.Settings
	File     *link.File
	Problems link.Problems // of the file: its warnings
	Address  string        // that Calltouch calls, as https://HOST; "" = not known
	Lang     lang.Language
	Log      zerolog.Logger

	Tell func(Result) // told of each result at once
	Slow func(string) // told before what may take long; nil tells nobody

	findings int
	clocks   []clock
}

// netTimeout bounds each look over the network, slowTimeout each that reads much of the queue.
const (
	netTimeout  = 15 * time.Second
	slowTimeout = 3 * time.Minute
)

// Run looks at everything and returns how many findings there are.
func (d *Doctor) Run(ctx context.Context) int {
	d.versions()
	d.warnings()
	d.modes()
	d.hosts(ctx)
	d.calltouch(ctx)
	d.mindbox(ctx)
	d.certificate()
	d.webhook(ctx)
	d.queue(ctx)
	d.disk()
	d.clock()
	return d.findings
}

func (d *Doctor) ok(check, subject, text string) {
	d.Tell(Result{Check: check, Subject: subject, State: OK, Text: text})
}

func (d *Doctor) skip(check, subject, text string) {
	d.Tell(Result{Check: check, Subject: subject, State: Skipped, Text: text})
}

func (d *Doctor) finding(check, subject, text, advice string) {
	d.findings++
	d.Tell(Result{Check: check, Subject: subject, State: Finding, Text: text, Advice: advice})
}

func (d *Doctor) slow(text string) {
	if d.Slow != nil {
		d.Slow(text)
	}
}

// warnings are what `touchbox check` warns of.
func (d *Doctor) warnings() {
	for _, p := range d.Problems.Warnings() {
		d.finding("file", d.Settings.Config, p.String(), d.Lang.Text("see `touchbox check`"))
	}
	if len(d.Problems.Warnings()) == 0 {
		d.ok("file", d.Settings.Config, d.Lang.Sprintf("no mistakes, links: %d", len(d.File.Links)))
	}
}
