package queue

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
)

// maxBatch is how many messages go into one atomic batch; the server takes up to 1000.
const maxBatch = 256

// committer stores records in atomic batches: while one batch is on its way, the next one gathers.
// There is no timer: a record that comes alone goes at once.
type committer struct {
	q     *Queue
	in    chan commit
	end   chan struct{}
	ended sync.WaitGroup
}

type commit struct {
	m    *nats.Msg
	done chan<- error
}

var errClosed = errors.New("the queue is closed")

func newCommitter(q *Queue) *committer {
	c := &committer{q: q, in: make(chan commit, maxBatch), end: make(chan struct{})}
	c.ended.Go(c.run)
	return c
}

func (c *committer) close() {
	close(c.end)
	c.ended.Wait()
}

// add stores a message and returns when that is done, refused or undecided.
func (c *committer) add(ctx context.Context, m *nats.Msg) error {
	done := make(chan error, 1)
	select {
	case c.in <- commit{m, done}:
	case <-c.end:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-c.end:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *committer) run() {
	for {
		select {
		case first := <-c.in:
			c.store(c.gather(first))
		case <-c.end:
			return
		}
	}
}

// gather takes what waits, without waiting for more.
func (c *committer) gather(first commit) []commit {
	batch := []commit{first}
	for len(batch) < maxBatch {
		select {
		case next := <-c.in:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// store stores a batch and, when that fails, its records singly: one that cannot be stored must
// not hold the others up, and a record twice does no harm.
func (c *committer) store(batch []commit) {
	ctx := context.Background()
	if len(batch) > 1 && c.q.publishBatch(ctx, messages(batch)) == nil {
		for _, b := range batch {
			b.done <- nil
		}
		return
	}
	for _, b := range batch {
		_, err := c.q.publish(ctx, b.m)
		b.done <- err
		if unanswered(err) {
			refuse(batch, err)
			return
		}
	}
}

// refuse answers everybody who has no answer yet.
func refuse(batch []commit, err error) {
	for _, b := range batch {
		select {
		case b.done <- err:
		default:
		}
	}
}

func messages(batch []commit) []*nats.Msg {
	out := make([]*nats.Msg, len(batch))
	for i, b := range batch {
		out[i] = b.m
	}
	return out
}

// Headers of an atomic batch, see NATS ADR-50.
const (
	headerBatchID     = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
)

// publishBatch stores messages of one stream, all or none, and waits for the one answer. The
// messages themselves stay as they are.
func (q *Queue) publishBatch(ctx context.Context, batch []*nats.Msg) error {
	id := uuid.NewString()
	for i, m := range batch {
		part := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: ownHeader(m.Header)}
		part.Header.Set(headerBatchID, id)
		part.Header.Set(headerBatchSeq, strconv.Itoa(i+1))
		if i < len(batch)-1 {
			if err := q.nc.PublishMsg(part); err != nil {
				return err
			}
			continue
		}
		part.Header.Set(headerBatchCommit, "1")
		_, err := q.publish(ctx, part)
		return err
	}
	return nil
}
