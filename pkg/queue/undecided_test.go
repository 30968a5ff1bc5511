package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Answers to a publish as a server gives them.
const (
	answerStored = `{"stream":"TOUCHBOX_EVENTS","seq":7}`
	answerThere  = `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"}}`
	answerFlying = `{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`
	answerFull   = `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`
	answerSealed = `{"error":{"code":400,"err_code":10109,"description":"invalid operation on sealed stream"}}`
	answerLarge  = `{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}`
	answerLeader = `{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}`
)

// scripted is a queue on a server that answers by a script, and that is given a second for each answer.
func scripted(t *testing.T, script ...string) (*queue.Queue, *atomic.Int64) {
	t.Helper()
	return scriptedWithin(t, time.Second, script...)
}

func scriptedWithin(t *testing.T, answer time.Duration, script ...string) (*queue.Queue, *atomic.Int64) {
	t.Helper()
	address, asked := queuetest.Scripted(t, script...)
	q, err := queue.Open(t.Context(), queue.Options{Connection: queue.Connection{Servers: address, AnswerTimeout: answer}, SyncKnown: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q, asked
}

// Rule 1: only 10071 means "stored already". Another proposal in flight and an answer that did not
// come are undecided, and where nobody answers nothing is stored: tried again for as long as whoever
// waits has time, then an error, which the source answers with 503. What cannot be mended by waiting
// comes back at once.
func TestUndecidedIsNoRepeat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		script []string
		want   event.Receipt // "" means an error
		err    error         // that it is, where one is named
		asked  int64         // at least; exactly where it is stored or refused at once
	}{
		{"in flight, then stored", []string{answerFlying, answerFlying, answerStored}, event.ReceiptStored, nil, 3},
		{"unanswered, then stored", []string{queuetest.AnswerSilence, answerStored}, event.ReceiptStored, nil, 2},
		{"cut, then stored", []string{queuetest.AnswerCut, answerStored}, event.ReceiptStored, nil, 2},
		{"nobody, then stored", []string{queuetest.AnswerNobody, queuetest.AnswerNobody, queuetest.AnswerNobody, queuetest.AnswerNobody, answerStored}, event.ReceiptStored, nil, 5},
		{"no leader, then stored", []string{answerLeader, answerLeader, answerStored}, event.ReceiptStored, nil, 3},
		{"in flight for ever", []string{answerFlying}, "", nil, 5},
		{"unanswered for ever", []string{queuetest.AnswerSilence}, "", nil, 2},
		{"nobody for ever", []string{queuetest.AnswerNobody}, "", queue.ErrAway, 4},
		{"no leader for ever", []string{answerLeader}, "", queue.ErrAway, 4},
		{"there, but not to be read", []string{answerThere}, "", nil, 4},
		{"full", []string{answerFull}, "", queue.ErrFull, 1},
		{"too large", []string{answerLarge}, "", queue.ErrTooLarge, 1},
		{"sealed", []string{answerSealed}, "", nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q, asked := scripted(t, tt.script...)
			ctx := t.Context()
			if tt.want == "" && tt.asked > 1 { // as much as the caller has
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
				defer cancel()
			}
			got, err := q.Publish(ctx, queuetest.Call(1))
			if got != tt.want || (err == nil) != (tt.want != "") || !errors.Is(err, tt.err) && tt.err != nil {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
			if n := asked.Load(); n < tt.asked || n > tt.asked && (tt.want != "" || tt.asked == 1) {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
		})
	}
}

// What is set aside has nothing else that brings it again: it is tried as an event is.
func TestAsideIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, script := range map[string][]string{
		"nobody": {queuetest.AnswerNobody, queuetest.AnswerNobody, queuetest.AnswerNobody, answerStored}, "unanswered": {queuetest.AnswerSilence, answerStored}, "no leader": {answerLeader, answerStored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, asked := scripted(t, script...)
			if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "empty"}); err != nil || asked.Load() != int64(len(script)) {
				t.Errorf("asked %d times: %v", asked.Load(), err)
			}
		})
	}
	q, asked := scripted(t, answerFull)
	if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "empty"}); !errors.Is(err, queue.ErrFull) || asked.Load() != 1 {
		t.Errorf("full: asked %d times: %v", asked.Load(), err)
	}
}

// A hook that comes again while it is being stored waits for that, and is stored itself only where the first one was
// not.
func TestARepeatWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		script []string
		first  time.Duration // that the first one has
		want   event.Receipt // of the second
		asked  int64
	}{
		"it is stored": {[]string{queuetest.AnswerSilence, answerStored}, time.Minute, event.ReceiptRepeated, 2},
		"it is not":    {[]string{queuetest.AnswerSilence, answerStored}, 500 * time.Millisecond, event.ReceiptStored, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, asked := scripted(t, tt.script...)
			first := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), tt.first)
				defer cancel()
				_, err := q.Publish(ctx, queuetest.Call(1))
				first <- err
			}()
			queuetest.Eventually(t, "the first is under way", func() bool { return asked.Load() == 1 })
			impatient, cancel := context.WithCancel(t.Context())
			cancel()
			if got, err := q.Publish(impatient, queuetest.Call(1)); !errors.Is(err, context.Canceled) {
				t.Errorf("called off while it waited: %q, %v", got, err)
			}
			if got, err := q.Publish(t.Context(), queuetest.Call(1)); got != tt.want || err != nil {
				t.Errorf("the second: %q, %v; want %s", got, err, tt.want)
			}
			if err := <-first; (err == nil) != (tt.want == event.ReceiptRepeated) {
				t.Errorf("the first: %v", err)
			}
			if n := asked.Load(); n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
		})
	}
}
