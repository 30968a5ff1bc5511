package jet

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/wait"
)

// PublishEach is Publish of many messages at once: each is stored or refused by itself, and what became of it stands
// at its place. One goroutine sends them and waits for all the answers.
func (c *Client) PublishEach(ctx context.Context, all []*nats.Msg) []error {
	_, ended := c.epoch.now()
	late, stop := overAfter(c.opts.AnswerTimeout)
	defer stop()
	began := time.Now()
	errs, open := make([]error, len(all)), make([]int, len(all))
	for i := range all {
		open[i] = i
	}
	for tries := 0; len(open) > 0; tries++ {
		if !c.publishRound(ctx, all, open, errs, ended.Done(), late) || tries == jetstream.DefaultPubRetryAttempts {
			break
		}
		if open = unheard(open, errs); len(open) > 0 && wait.Sleep(ctx, jetstream.DefaultPubRetryWait) != nil {
			break
		}
	}
	for i := range errs {
		errs[i] = c.published(ctx, all[i].Subject, began, errs[i])
	}
	return errs
}

// unheard are those of some places whose messages nobody was there to take.
func unheard(places []int, errs []error) (again []int) {
	for _, i := range places {
		if errors.Is(errs[i], jetstream.ErrNoStreamResponse) {
			again = append(again, i)
		}
	}
	return again
}

// publishRound publishes the messages at some places once, and waits for their answers. False: not all have come, and none will be waited for.
func (c *Client) publishRound(ctx context.Context, all []*nats.Msg, places []int, errs []error, ended, late <-chan struct{}) bool {
	if err := ctx.Err(); err != nil {
		for _, i := range places {
			errs[i] = err
		}
		return false
	}
	replies, answers := make([]string, len(places)), newAwaited(len(places))
	for n, i := range places {
		replies[n], errs[i] = c.send(all[i], waiter{n, answers})
	}
	cut := answers.wait(ctx, ended, late)
	for n, i := range places {
		if errs[i] != nil {
			continue
		}
		errs[i] = cut
		if came := c.answers.of(replies[n], waiter{n, answers}); came != nil {
			_, errs[i] = readAck(came)
		}
	}
	return cut == nil
}

// send publishes a message and returns the subject of its answer.
func (c *Client) send(m *nats.Msg, w waiter) (string, error) {
	reply, err := c.answers.expect(c.nc, w)
	if err == nil {
		err = c.nc.PublishMsg(&nats.Msg{Subject: m.Subject, Reply: reply, Header: m.Header, Data: m.Data})
	}
	if err != nil {
		c.answers.unsent(reply, w)
	}
	return reply, err
}
