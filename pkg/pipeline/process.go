// Package pipeline takes one event of one link from the log to Mindbox: parse, filter, render, require,
// expire, shadow, deliver. Each stage is a function; process runs them in this order until one has
// decided. A delivery of the queue goes in, a decision goes out, which the queue carries out.
//
// Worker runs it for the links of a file. It also knows when not to send: a circuit breaker for each link
// and each endpoint (package breaker) parks what would only repeat the same refusal, and a pace for each
// endpoint slows down when Mindbox says "too many requests".
//
// What an answer means stands in package mindbox, what an outcome does to a message in package
// queue. This package connects the two languages and, with its breakers, is the only one to speak both.
package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// Reasons of a decision are words of a closed list: those of mindbox.Reason and mindbox.Failure
// for what an answer meant, and these for what this package decided itself.
const (
	ReasonUnreadable = "unreadable" // dead: the body is no hook and no record
	ReasonExpression = "expression" // dead: a condition or template met a value that it cannot use
	ReasonCondition  = "condition"  // filtered: a condition of `when` does not hold
	ReasonMissing    = "missing"    // undeliverable: a required field came out empty
	ReasonExpired    = "expired"    // dead: older than the link's `expire`
	ReasonTooOld     = "too_old"    // dead: tried for longer than `retry.for`
	ReasonParked     = "parked"     // waiting: not sent, the link or its endpoint is parked
	ReasonCrashed    = "crashed"    // dead: this process ended again and again while it was tried
	ReasonUnknown    = "unknown"    // dead: the event's site or its link is not in the file
)

// handling is one event being handled for one link: what the stages read and what they leave.
type handling struct {
	setup    *setup
	breakers breaker.Pair
	delivery *queue.Delivery
	now      time.Time

	fields   calltouch.Fields
	rendered link.Rendered
	detail   Detail
	decision queue.Decision
}

// setup is a link with all that its events need, as one version of the file says. It never changes.
type setup struct {
	link  *link.Link
	views map[string]calltouch.View // by site
	reads *readings                 // shared by the links of the file
	to    *destination
	retry func(attempt int, upTo time.Duration) time.Duration

	crashes  *crashes // nil: nobody looks for the event that ends the process
	warnings *warnings
}

// views are how the events of each site of a file are read for a link: what it does not use of them is not.
func views(file *link.File, l *link.Link) map[string]calltouch.View {
	m, reads := make(map[string]calltouch.View, len(file.Sites)), l.Reads()
	for _, s := range file.Sites {
		m[s.ID] = s.View().Reading(reads)
	}
	return m
}

// stage is one step on the way. It returns true when it has decided; then no later stage runs.
type stage func(ctx context.Context, h *handling) bool

// stages are those inside this process. What an event costs grows from stage to stage; deliver, the only
// one that leaves the process, follows.
var stages = []stage{parse, filter, render, require, expire, shadow}

// process takes an event through the stages.
func process(ctx context.Context, s *setup, b breaker.Pair, d *queue.Delivery) queue.Decision {
	h := newHandling(s, b, d)
	if !h.inside(ctx) {
		deliver(ctx, h)
	}
	return h.decided()
}

func newHandling(s *setup, b breaker.Pair, d *queue.Delivery) *handling {
	return &handling{setup: s, breakers: b, delivery: d, now: time.Now(),
		decision: queue.Decision{Attempts: d.Attempts, First: d.First, Pin: d.Pin, Version: s.link.Version}}
}

// decided is the decision with the detail of its record.
func (h *handling) decided() queue.Decision {
	if !h.detail.empty() {
		h.decision.Detail = h.detail.stored()
	}
	return h.decision
}

// inside runs the stages of this process and reports whether one has decided. An event that ended
// the process again and again does not get there.
func (h *handling) inside(ctx context.Context) bool {
	decided := false
	run := func() {
		decided = slices.ContainsFunc(stages, func(s stage) bool { return s(ctx, h) })
	}
	if h.setup.crashes == nil {
		run()
		return decided
	}
	switch h.setup.crashes.try(ctx, h.delivery, run) {
	case tryCondemned:
		return h.decide(event.Dead, ReasonCrashed)
	case tryInterrupted:
		return h.interrupted()
	}
	return decided
}

// decide sets the outcome and its reason. It returns true, as a stage does that has decided.
func (h *handling) decide(outcome event.Outcome, reason string) bool {
	h.decision.Outcome, h.decision.Reason = outcome, reason
	return true
}

// maxError bounds the text of an expression's error.
const maxError = 500

// parse reads the raw body into the vocabulary.
func parse(_ context.Context, h *handling) bool {
	view, ok := h.setup.views[h.delivery.Event.Key.Site]
	if !ok {
		return h.decide(event.Dead, ReasonUnknown)
	}
	read := h.setup.reads.read(h.delivery, view)
	if read.err != nil {
		return h.decide(event.Dead, ReasonUnreadable)
	}
	h.fields = read.fields
	if len(read.undeclared) > 0 {
		h.setup.warnings.undeclared(h.delivery.Event.Key.Site, read.undeclared)
	}
	if read.doubts != (calltouch.Doubts{}) {
		h.setup.warnings.doubtful(h.delivery.Event.Key.Site, read.doubts)
	}
	return false
}

// filter asks the link's conditions. One that fails to answer buries the event: it must neither be
// sent unfiltered nor be dropped.
func filter(_ context.Context, h *handling) bool {
	verdict, err := h.setup.link.Filter(h.fields)
	if err != nil {
		return h.failed(err)
	}
	if !verdict.Pass {
		mask(verdict)
		h.detail.Conditions = verdict.Conditions
		return h.decide(event.Filtered, ReasonCondition)
	}
	return false
}

// render makes the request. Today's link renders, also for a retry.
func render(_ context.Context, h *handling) bool {
	rendered, err := h.setup.link.Render(h.fields)
	if err != nil {
		return h.failed(err)
	}
	h.rendered = rendered
	h.detail.Notes = rendered.Notes
	return false
}

func (h *handling) failed(err error) bool {
	h.detail.Error = show.Line(err.Error(), maxError)
	return h.decide(event.Dead, ReasonExpression)
}

// require keeps back what Mindbox would lose without a word: without an identifier it answers
// Success and saves nothing.
func require(_ context.Context, h *handling) bool {
	if len(h.rendered.Missing) == 0 {
		return false
	}
	h.detail.Missing = h.rendered.Missing
	return h.decide(event.Undeliverable, ReasonMissing)
}

// expire buries what would come too late to be of use. A person who replays knows how old it is.
func expire(_ context.Context, h *handling) bool {
	happened, ok := h.fields["time"].(time.Time)
	if !ok {
		happened = h.delivery.Event.Time
	}
	if h.delivery.Replayed || !h.setup.link.Expired(happened, h.now) {
		return false
	}
	return h.decide(event.Dead, ReasonExpired)
}

// shadow ends here what a link in shadow mode would have sent.
func shadow(_ context.Context, h *handling) bool {
	if !h.setup.link.Shadow {
		return false
	}
	h.decision.TransactionID = h.operation(h.pin()).TransactionID
	return h.decide(event.Shadow, "")
}
