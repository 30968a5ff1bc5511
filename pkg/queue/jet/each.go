package jet

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// PublishEach is Publish of many messages at once: each is stored or refused by itself, and what became of it stands
// at its place. One goroutine sends them and waits for all the answers.
func (c *Client) PublishEach(ctx context.Context, all []*nats.Msg) []error {
	if err := ctx.Err(); err != nil {
		return slices.Repeat([]error{err}, len(all))
	}
	_, ended := c.epoch.now()
	late := time.NewTimer(c.opts.AnswerTimeout)
	defer late.Stop()
	began := time.Now()
	errs, replies, came := make([]error, len(all)), make([]string, len(all)), make(chan answer, len(all))
	open := 0
	for i, m := range all {
		if replies[i], errs[i] = c.send(m, waiter{i, came}); errs[i] == nil {
			open++
		}
	}
	var cut error
	for open > 0 && cut == nil {
		select {
		case a := <-came:
			_, errs[a.at] = readAck(a.m)
			replies[a.at] = ""
			open--
		case <-late.C:
			cut = context.DeadlineExceeded
		case <-ended.Done():
			cut = errCut
		case <-ctx.Done():
			cut = ctx.Err()
		}
	}
	for i, reply := range replies {
		if reply != "" { // no answer has come
			c.answers.forget(reply)
			errs[i] = cut
		}
		errs[i] = c.published(ctx, all[i].Subject, began, errs[i])
	}
	return errs
}

// send publishes a message and returns the subject of its answer.
func (c *Client) send(m *nats.Msg, w waiter) (string, error) {
	reply, err := c.answers.expect(c.nc, w)
	if err != nil {
		return "", err
	}
	if err := c.nc.PublishMsg(&nats.Msg{Subject: m.Subject, Reply: reply, Header: m.Header, Data: m.Data}); err != nil {
		c.answers.forget(reply)
		return "", err
	}
	return reply, nil
}
