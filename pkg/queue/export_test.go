package queue

import "context"

// PublishReplay is the first half of Replay: a process that dies behind it.
func PublishReplay(q *Queue, ctx context.Context, d DeadLetter) error {
	t := readTrail(d.header)
	t.Link, t.Replayed = d.Link, true
	return q.giveBack(ctx, d.key, d.header, d.body, t)
}
