package pipeline

import (
	"cmp"
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// call is the operation to send, and the pin that holds it from the first attempt on that
// Mindbox may have executed.
type call struct {
	op  mindbox.Operation
	pin queue.Pin
}

// call makes the operation. Endpoint and operation are today's unless an earlier attempt pinned
// them: another transaction id would be executed a second time. A revision asked for by a replay
// wins over the pinned one, for that is what it is for.
func (p *passage) call() call {
	pin := queue.Pin{Endpoint: p.link.To.Endpoint, Operation: p.link.Operation}
	if old := p.delivery.Pin; old != nil {
		if pin.Endpoint != old.Endpoint || pin.Operation != old.Operation {
			p.detail.Pinned = old
		}
		pin = *old
	}
	pin.Revision = cmp.Or(p.delivery.Revision, pin.Revision)
	name := cmp.Or(p.delivery.As, p.link.ID)
	id := TransactionID(pin.Endpoint, pin.Operation, name, p.delivery.Event.Key, pin.Revision)
	return call{pin: pin, op: mindbox.Operation{
		Endpoint: pin.Endpoint, Name: pin.Operation, TransactionID: id.String(),
		DeviceUUID: p.rendered.DeviceUUID, Body: p.rendered.Body, Header: p.rendered.Header, Query: p.rendered.Query,
	}}
}

// deliver makes one attempt, unless the link is parked, and decides by its answer.
func deliver(ctx context.Context, p *passage) bool {
	c := p.call()
	if p.to.pace.wait(ctx) != nil {
		return p.keep(string(mindbox.FailureInterrupted), time.Time{})
	}
	pass, ok := p.gates.enter(ctx, p.delivery.Probe, p.to.lease())
	if !ok {
		p.decision.Answer = p.delivery.LastError
		return p.keep(ReasonParked, time.Time{})
	}
	start := time.Now()
	answer := p.to.client.Deliver(ctx, c.op)
	p.now = time.Now()
	verdict := mindbox.Judge(answer)
	p.to.pace.answered(p.now, verdict.Action == mindbox.Slow)
	p.record(c, answer, verdict)
	return p.conclude(ctx, pass, attempt{start: start, answer: answer, verdict: verdict})
}

// record notes what the attempt was and what came back, whatever follows from it.
func (p *passage) record(c call, answer mindbox.Answer, verdict mindbox.Verdict) {
	d := &p.decision
	d.Status, d.Answer, d.Duration, d.TransactionID = answer.Status, answer.Message, answer.Duration, c.op.TransactionID
	if answer.Err != nil {
		d.Answer = answer.Err.Error()
	}
	if verdict.Pins {
		d.Pin = &c.pin
	}
	p.detail.ErrorID = answer.ErrorID
}

// attempt is one attempt with what it came to.
type attempt struct {
	start   time.Time
	answer  mindbox.Answer
	verdict mindbox.Verdict
}

// conclude turns the verdict into the decision.
func (p *passage) conclude(ctx context.Context, pass pass, a attempt) bool {
	reason := string(a.verdict.Reason)
	if reason == string(mindbox.FailureInterrupted) { // our own stop is no attempt
		pass.giveUp(ctx)
		return p.keep(reason, time.Time{})
	}
	attempts, first := p.delivery.Attempts+1, p.delivery.First
	if first.IsZero() {
		first = a.start
	}
	action := a.verdict.Action
	if action == mindbox.RetryFew && attempts >= fewAttempts {
		action = mindbox.Refused
	}
	if parked, next := pass.answered(ctx, a, action); parked {
		p.decision.Parked = true
		return p.keep(reason, later(next, p.now.Add(a.answer.RetryAfter)))
	}
	p.decision.Attempts, p.decision.First = attempts, first
	switch {
	case action == mindbox.Success:
		return p.decide(event.Delivered, reason)
	case action == mindbox.Refused:
		return p.decide(event.Dead, reason)
	case exhausted(first, p.now, attempts, p.link.To.Retry):
		return p.decide(event.Dead, ReasonTooOld)
	}
	wait := max(p.retry(attempts, p.link.To.Retry.UpTo), a.answer.RetryAfter)
	p.decision.Until = p.now.Add(wait)
	return p.decide(event.Waiting, reason)
}

// keep lets the event wait with its count as it was.
func (p *passage) keep(reason string, until time.Time) bool {
	p.decision.Until = until
	p.decision.Parked = p.decision.Parked || reason == ReasonParked
	return p.decide(event.Waiting, reason)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
