package queue

import (
	"context"
	"sync"
	"time"
)

// maxWaiting is how many events of one link may wait in RETRIES before no fresh ones are taken:
// RETRIES itself has no bound.
const maxWaiting = 10_000

// backlogAge is how old the server's count may be: other workers, replays and cancelled retries
// change it too. Near the bound it is read more often.
const (
	backlogAge     = time.Minute
	backlogAgeNear = 2 * time.Second
)

// backlog counts what waits in RETRIES for one link: by the server now and then, in between by
// what this process adds and takes away.
type backlog struct {
	mu   sync.Mutex
	n    int64
	read time.Time
}

func (b *backlog) add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += n
}

// full reports whether too much waits, asking count when what is known is old.
func (b *backlog) full(ctx context.Context, count func(context.Context) (uint64, error)) (bool, error) {
	b.mu.Lock()
	n, age := b.n, time.Since(b.read)
	b.mu.Unlock()
	if age < backlogAgeNear || age < backlogAge && n < maxWaiting/2 {
		return n >= maxWaiting, nil
	}
	read, err := count(ctx)
	if err != nil {
		return true, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n, b.read = int64(read), time.Now()
	return b.n >= maxWaiting, nil
}

// Waiting counts what waits in RETRIES for a link, due or not, in hand included.
func (q *Queue) Waiting(ctx context.Context, link string) (uint64, error) {
	n, _, err := q.count(ctx, retriesStream, anyRetry+link+".>", 1)
	return n, describe("count the waiting retries", err)
}
