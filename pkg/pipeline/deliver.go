package pipeline

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/wait"
)

// deliver makes an attempt, unless the link is parked, and decides by its answer. An attempt is one request,
// but on an event's first way: there what failed at once is asked again at once, with the same transaction id. Most
// such failures (a connection that a balancer closed, one bad server of many) are over by then, and the event need not wait
// for a retry. Whoever fails every time meets the breaker that much sooner.
func deliver(ctx context.Context, h *handling) {
	again := soon()
	for {
		fleeting := request(ctx, h)
		if !fleeting || h.delivery.Attempts > 0 || h.delivery.Probe {
			return
		}
		pause := again.NextBackOff()
		if pause == backoff.Stop || wait.Sleep(ctx, pause) != nil {
			return
		}
		h.detail.Again = append(h.detail.Again, h.decision.Reason)
		h.decision.Again++
		h.decision.Until = time.Time{}
	}
}

// request sends the event once and decides by the answer. It reports whether that was a failure that may be over at once: it
// came quickly, says nothing about the event, and asks for no pause.
func request(ctx context.Context, h *handling) (fleeting bool) {
	pin := h.pin()
	op := h.operation(pin)
	to := h.setup.to
	switch err := to.pace.wait(ctx); {
	case errors.Is(err, errPaused):
		h.decision.Answer = h.delivery.LastError()
		h.parked(string(mindbox.ReasonTooMany), to.pace.pausedUntil())
		return false
	case err != nil:
		h.interrupted()
		return false
	}
	pass, ok := h.breakers.Enter(ctx, h.delivery.Probe)
	if !ok {
		h.decision.Answer = h.delivery.LastError()
		h.parked(ReasonParked, time.Time{})
		return false
	}
	start := time.Now()
	answer := to.client.Deliver(ctx, op)
	h.now = time.Now()
	verdict := mindbox.Judge(answer)
	if to.pace.answered(h.now, verdict.Action == mindbox.Slow, answer.RetryAfter) {
		to.paused(to.pace.pausedUntil())
	}
	h.note(answer, op.TransactionID)
	if verdict.Pins {
		h.decision.Pin = &pin
	}
	if verdict.Reason == mindbox.Reason(mindbox.FailureInterrupted) { // our own stop is no attempt
		pass.GiveBack(ctx)
		h.interrupted()
		return false
	}
	if parked, next := pass.Answered(ctx, answer, verdict); parked {
		if asked := h.now.Add(answer.RetryAfter); asked.After(next) {
			next = asked
		}
		h.parked(string(verdict.Reason), next)
		return false
	}
	h.conclude(start, answer.RetryAfter, verdict)
	return verdict.Failure && answer.RetryAfter == 0 && answer.Duration < fleetingTime
}

// note keeps what came back, whatever follows from it.
func (h *handling) note(answer mindbox.Answer, transaction string) {
	d := &h.decision
	d.Status, d.Answer, d.Duration, d.TransactionID = answer.Status, answer.Message, answer.Duration, transaction
	if answer.Err != nil {
		d.Answer = answer.Err.Error()
	}
	h.detail.ErrorID = answer.ErrorID
}

// conclude counts the attempt, begun at start, and decides by its verdict. A retry waits for told at least.
func (h *handling) conclude(start time.Time, told time.Duration, verdict mindbox.Verdict) bool {
	attempts, first := h.delivery.Attempts+1, h.delivery.First
	if first.IsZero() {
		first = start
	}
	h.decision.Attempts, h.decision.First = attempts, first
	retry := h.setup.link.To.Retry
	switch {
	case verdict.Action == mindbox.Success:
		return h.decide(event.Delivered, string(verdict.Reason))
	case verdict.Action == mindbox.Refused:
		return h.decide(event.Dead, string(verdict.Reason))
	case exhausted(first, h.now, attempts, retry):
		return h.decide(event.Dead, ReasonTooOld)
	}
	pause := max(h.setup.retry(attempts, retry.UpTo), told)
	if verdict.Action == mindbox.Slow && told > 0 {
		pause = afterTold(attempts, told, retry.UpTo)
	}
	h.decision.Until = h.now.Add(pause)
	return h.decide(event.Waiting, string(verdict.Reason))
}

// parked lets the event wait with its count as it was: the link or its endpoint is parked.
func (h *handling) parked(reason string, until time.Time) bool {
	h.decision.Attempts, h.decision.First = h.delivery.Attempts, h.delivery.First
	h.decision.Parked, h.decision.Until = true, until
	return h.decide(event.Waiting, reason)
}

// interrupted lets the event wait with its count as it was: this process stops.
func (h *handling) interrupted() bool {
	return h.decide(event.Waiting, string(mindbox.FailureInterrupted))
}

// pin is what holds the operation from the first attempt on that Mindbox may have executed: endpoint and
// operation are today's unless an earlier attempt pinned them, for another transaction id would be executed
// a second time. A revision asked for by a replay wins over the pinned one: that is what it is for.
func (h *handling) pin() event.Pin {
	l := h.setup.link
	pin := event.Pin{Endpoint: l.To.Endpoint, Operation: l.Operation}
	if old := h.delivery.Pin; old != nil {
		if pin.Endpoint != old.Endpoint || pin.Operation != old.Operation {
			h.detail.Pinned = old
		}
		pin = *old
	}
	pin.Revision = cmp.Or(h.delivery.Revision, pin.Revision)
	return pin
}

// operation is what Mindbox is to execute.
func (h *handling) operation(pin event.Pin) mindbox.Operation {
	link := cmp.Or(h.delivery.As, h.setup.link.ID)
	id := TransactionID(pin.Endpoint, pin.Operation, link, h.delivery.Event.Key, pin.Revision)
	return mindbox.Operation{
		Endpoint: pin.Endpoint, Name: pin.Operation, TransactionID: id.String(),
		DeviceUUID: h.rendered.DeviceUUID, Body: h.rendered.Body, Header: h.rendered.Header, Query: h.rendered.Query,
		Concealed: h.rendered.Concealed,
	}
}

// namespace of all transaction ids. It must never change: an event that was sent under one id
// and is sent again under another is executed twice.
var namespace = uuid.MustParse("6f0c7a52-9d6e-5b0a-8c3e-7f1b0d2a4e91")

// TransactionID names one effect at Mindbox. Every retry, redelivery and replay of an event over
// a link sends the same id, and Mindbox executes it once. The operation is part of it because
// Mindbox does not tie the id to the operation; the revision, empty as a rule, is a person's name
// for a correction that is to be executed beside what was sent before.
func TransactionID(endpoint, operation, link string, key event.Key, revision string) uuid.UUID {
	name := strings.Join([]string{endpoint, operation, link, key.String(), revision}, "\n")
	return uuid.NewSHA1(namespace, []byte(name))
}

// fleetingTime bounds how long a request may have taken that is made again at once: one that has hung would hang again, and hold
// what others could use.
const fleetingTime = time.Second

// soon is the pauses before a request is made again at once: about 0.1, 0.2 and 0.4 s, then no more.
func soon() backoff.BackOff {
	return backoff.WithMaxRetries(backoff.NewExponentialBackOff(backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMultiplier(2)), 3)
}

const (
	// firstRetry bounds the wait after the first failed attempt.
	firstRetry = 5 * time.Second
	// leastAttempts is how often an event is tried before its age can bury it: a worker that
	// stood still for `retry.for` must not bury what it tried once.
	leastAttempts = 10
)

// Backoff is how long an event waits after its attempt-th failed attempt, the first being 1: a
// random time (full jitter) of up to 5 s, 10 s, 20 s and so on, at most upTo. So 1000 events that
// failed in one second do not come back in one second.
func Backoff(attempt int, upTo time.Duration) time.Duration {
	return fullJitter(attempt, firstRetry, upTo)
}

// afterTold is how long an event waits whose attempt-th attempt was refused for its rate, with a word on when to come again: that is
// better known at the far end than here. A random time on top, up to a quarter of it at first, spreads those that were told the same
// and grows for what is refused again and again. The pace bounds how many go out then.
func afterTold(attempt int, told, upTo time.Duration) time.Duration {
	return told + fullJitter(attempt, told/4, upTo)
}

// fullJitter is a random time of up to first, twice first, four times first and so on, at most upTo.
func fullJitter(attempt int, first, upTo time.Duration) time.Duration {
	b := backoff.NewExponentialBackOff(
		// Around the middle of 0..bound, by as much as the middle: that is full jitter.
		backoff.WithRandomizationFactor(1),
		backoff.WithInitialInterval(min(first, upTo)/2),
		backoff.WithMultiplier(2),
		backoff.WithMaxInterval(upTo/2),
		backoff.WithMaxElapsedTime(0),
	)
	wait := b.NextBackOff()
	for range min(attempt, 64) - 1 {
		wait = b.NextBackOff()
	}
	return min(wait, upTo)
}

// exhausted reports whether an event has been tried for long enough: the time has passed since
// its first attempt, and it had its attempts.
func exhausted(first, now time.Time, attempts int, retry link.Retry) bool {
	return now.Sub(first) >= retry.For && attempts >= leastAttempts
}
