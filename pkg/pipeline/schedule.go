package pipeline

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/touchbox/touchbox/pkg/link"
)

const (
	// firstRetry bounds the wait after the first failed attempt.
	firstRetry = 5 * time.Second
	// leastAttempts is how often an event is tried before its age can bury it: a worker that
	// stood still for `retry.for` must not bury what it tried once.
	leastAttempts = 10
	// fewAttempts is how often an event is tried at most when the answers are a 2xx that says
	// nothing.
	fewAttempts = 5
)

// Backoff is how long an event waits after its attempt-th failed attempt, the first being 1: a
// random time (full jitter) of up to 5 s, 10 s, 20 s and so on, at most upTo. So 1000 events that
// failed in one second do not come back in one second.
func Backoff(attempt int, upTo time.Duration) time.Duration {
	b := backoff.NewExponentialBackOff(
		// Around the middle of 0..bound, by as much as the middle: that is full jitter.
		backoff.WithRandomizationFactor(1),
		backoff.WithInitialInterval(min(firstRetry, upTo)/2),
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
