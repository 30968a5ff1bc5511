package jet_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	guarded := func(sequence uint64) error {
		m := number("a")
		jet.Guard(m.Header, sequence)
		_, err := c.Publish(t.Context(), m)
		return err
	}
	if err := guarded(0); err != nil {
		t.Fatal(err)
	}
	if err := guarded(0); !jet.GuardFailed(err) || jet.InFlight(err) {
		t.Errorf("stored twice: %v", err)
	}
	if err := guarded(1); err != nil {
		t.Error(err)
	}
	m := number("b")
	jet.GuardOn(m.Header, "n.*", 1)
	if _, err := c.Publish(t.Context(), m); !jet.GuardFailed(err) {
		t.Errorf("a guard over several subjects: %v", err)
	}
}

// Nothing is kept of a publish that has its answer, and nothing of one that has none.
func TestNoAnswerIsWaitedForLongerThanItsPublish(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	publish(t, c, "a", "b")
	if n := jet.AnswersWaited(c); n != 0 {
		t.Errorf("%d answers are waited for that have come", n)
	}
	if _, err := c.Conn().Subscribe("mute", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := c.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Publish(ctx, &nats.Msg{Subject: "mute"}); !jet.Unanswered(err) {
		t.Errorf("published where nobody answers: %v", err)
	}
	if n := jet.AnswersWaited(c); n != 0 {
		t.Errorf("%d answers are waited for by nobody", n)
	}
}

// A batch is stored whole or not at all, each message held to its guard, and the code of a refusal is told.
func TestBatch(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	batch := []*nats.Msg{number("a"), number("b"), number("c")}
	jet.Guard(batch[1].Header, 0)
	if err := c.PublishBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	m, err := c.Last(t.Context(), stream, "n.b")
	if err != nil || m.Header.Get("Own") != "x" || m.Header.Get("Nats-Batch-Id") == "" {
		t.Errorf("stored %+v, %v", m, err)
	}
	if batch[0].Header.Get("Nats-Batch-Id") != "" {
		t.Errorf("the message was changed: %v", batch[0].Header)
	}
	if err := c.PublishBatch(t.Context(), batch); !jet.GuardFailed(err) {
		t.Errorf("stored twice: %v", err)
	}
	config := jetstream.StreamConfig{Name: stream, Subjects: []string{"n.>"}, AllowDirect: true, AllowAtomicPublish: true, MaxBytes: 1, Discard: jetstream.DiscardNew}
	if _, err := c.JetStream().UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := jet.Describe("store", c.PublishBatch(t.Context(), batch)); !errors.Is(err, jet.ErrFull) {
		t.Errorf("full: %v", err)
	}
	if last, err := c.LastSequence(t.Context(), stream); last != 3 || err != nil {
		t.Errorf("a part was stored: %d, %v", last, err)
	}
}

// A batch whose answer does not come is undecided, in time.
func TestBatchWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	address, _ := queuetest.Scripted(t, queuetest.AnswerSilence)
	c := dial(t, jet.Options{Servers: address, AnswerTimeout: 200 * time.Millisecond})
	if err := c.PublishBatch(t.Context(), []*nats.Msg{number("a"), number("b")}); !jet.Unanswered(err) {
		t.Errorf("got %v", err)
	}
}

// What waits while a batch is on its way goes with the next one.
func TestCommitter(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	committer := jet.NewCommitter(c)
	const n = 300
	var group errgroup.Group
	for i := range n {
		group.Go(func() error { return committer.Add(t.Context(), number(strconv.Itoa(i))) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if stored, _, err := c.Count(t.Context(), stream, jet.Anything, 1); stored < n || err != nil {
		t.Errorf("%d stored, %v", stored, err)
	}
	large := number("x")
	large.Data = make([]byte, c.Conn().MaxPayload())
	if err := committer.Add(t.Context(), large); !errors.Is(err, jet.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	committer.Close()
	if err := committer.Add(t.Context(), number("y")); !errors.Is(err, jet.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// What waited together is one batch; few, and one that comes alone, are plain publishes.
func TestManyAreOneBatch(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	for name, n := range map[string]int{"alone": 1, "few": 7, "many": 100} {
		for i, err := range jet.StoreTogether(c, held(name, n)...) {
			m, readErr := c.Last(t.Context(), stream, fmt.Sprintf("n.%s.%d", name, i))
			if err != nil || readErr != nil {
				t.Fatalf("%s: %v, %v", name, err, readErr)
			}
			if batched := m.Header.Get("Nats-Batch-Id") != ""; batched != (name == "many") {
				t.Errorf("%s: in a batch: %v", name, batched)
			}
		}
	}
}

// held are n messages, each of which its subject must be empty for.
func held(name string, n int) []*nats.Msg {
	all := make([]*nats.Msg, n)
	for i := range all {
		all[i] = number(fmt.Sprintf("%s.%d", name, i))
		jet.Guard(all[i].Header, 0)
	}
	return all
}

// Whatever is wrong with one message of a batch, it alone is refused, for its own reason, and the others are
// stored, once.
func TestOneMessageCostsTheOthersNothing(t *testing.T) {
	t.Parallel()
	const n, bad = 40, 7
	is := func(kind error) func(error) bool {
		return func(err error) bool { return errors.Is(jet.Describe("store", err), kind) }
	}
	tests := []struct {
		name    string
		spoil   func(c *jet.Client, all []*nats.Msg)
		want    func(error) bool // of the message that is spoilt
		subject string           // that it shares with another one, of which either is stored
	}{
		{"its key is stored", func(c *jet.Client, _ []*nats.Msg) { publish(t, c, "x.7") }, jet.GuardFailed, ""},
		{"its key comes twice", func(_ *jet.Client, all []*nats.Msg) { all[bad].Subject = all[30].Subject }, jet.GuardFailed, "n.x.30"},
		{"it is larger than the stream takes", func(_ *jet.Client, all []*nats.Msg) { all[bad].Data = make([]byte, 5000) }, is(jet.ErrTooLarge), ""},
		{"the last one is", func(_ *jet.Client, all []*nats.Msg) {
			all[bad], all[n-1] = all[n-1], all[bad]
			all[n-1].Data = make([]byte, 5000)
		}, is(jet.ErrTooLarge), ""},
		{"its header is too large", func(_ *jet.Client, all []*nats.Msg) { all[bad].Header.Set("X", strings.Repeat("x", 70<<10)) }, is(jet.ErrTooLarge), ""},
		{"its subject is nobody's", func(_ *jet.Client, all []*nats.Msg) { all[bad].Subject = "nobody" }, is(jet.ErrAway), ""},
		{"the server takes it from nobody", func(c *jet.Client, all []*nats.Msg) { all[bad].Data = make([]byte, c.Conn().MaxPayload()+1) }, is(jet.ErrTooLarge), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := numbers(t)
			config := jetstream.StreamConfig{Name: stream, Subjects: []string{"n.>"}, AllowDirect: true, AllowAtomicPublish: true, MaxMsgSize: 100 << 10}
			if strings.Contains(tt.name, "stream") || strings.Contains(tt.name, "last") {
				config.MaxMsgSize = 4000
			}
			if _, err := c.JetStream().UpdateStream(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			all := held("x", n)
			spoilt := all[bad]
			tt.spoil(c, all)
			refused := 0
			for i, err := range jet.StoreTogether(c, all...) {
				shared := all[i].Subject == tt.subject
				switch {
				case err == nil && all[i] == spoilt && !shared:
					t.Error("it is taken")
				case err != nil && (all[i] != spoilt && !shared || !tt.want(err)):
					t.Errorf("%s: %v", all[i].Subject, err)
				case err != nil:
					refused++
				}
				if stored, _, readErr := c.Count(t.Context(), stream, all[i].Subject, 1); err == nil && (stored != 1 || readErr != nil) {
					t.Errorf("%s is acknowledged and stored %d times: %v", all[i].Subject, stored, readErr)
				}
			}
			if refused != 1 {
				t.Errorf("%d are refused", refused)
			}
		})
	}
}

// Where nobody answers for a moment, as while a leader changes, one message and many are tried again.
func TestWhatNobodyTakesIsTriedAgainAMomentLater(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(*jet.Client, context.Context, []*nats.Msg) []error{
		"one after the other": func(c *jet.Client, ctx context.Context, all []*nats.Msg) (errs []error) {
			for _, m := range all {
				_, err := c.Publish(ctx, m)
				errs = append(errs, err)
			}
			return errs
		},
		"all at once": (*jet.Client).PublishEach,
	} {
		t.Run(name, func(t *testing.T) {
			c := numbers(t)
			for i := 0; !storedLater(t, c, strconv.Itoa(i), store); i++ {
				t.Log("the stream came when the last try was over")
			}
		})
	}
}

// storedLater stores a message in a stream that is there and two in one that comes between the first try and the last. False: it came too
// late for that, which a busy machine cannot help.
func storedLater(t *testing.T, c *jet.Client, name string, store func(*jet.Client, context.Context, []*nats.Msg) []error) bool {
	t.Helper()
	all := held(name, 3)
	for _, m := range all[1:] {
		m.Subject = "later." + m.Subject
	}
	inTime := make(chan bool, 1)
	began := time.Now()
	go func() {
		time.Sleep(jetstream.DefaultPubRetryWait / 2)
		_, err := c.JetStream().CreateStream(context.WithoutCancel(t.Context()), jetstream.StreamConfig{Name: "LATER" + name, Subjects: []string{"later.n." + name + ".>"}, AllowDirect: true})
		if err != nil {
			t.Error(err)
		}
		inTime <- time.Since(began) < jetstream.DefaultPubRetryAttempts*jetstream.DefaultPubRetryWait
	}()
	errs := store(c, t.Context(), all)
	if !<-inTime {
		return false
	}
	for i, err := range errs {
		if err != nil {
			t.Errorf("%s: %v", all[i].Subject, err)
		}
	}
	for _, m := range all[1:] {
		if n, _, err := c.Count(t.Context(), "LATER"+name, m.Subject, 1); n != 1 || err != nil {
			t.Errorf("%s is stored %d times, %v", m.Subject, n, err)
		}
	}
	return true
}

// A full stream takes what fits, and says of the rest that it is full.
func TestABatchForAStreamThatIsNearlyFull(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	config := jetstream.StreamConfig{Name: stream, Subjects: []string{"n.>"}, AllowDirect: true, AllowAtomicPublish: true, MaxMsgs: 25, Discard: jetstream.DiscardNew}
	if _, err := c.JetStream().UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for i, err := range jet.StoreTogether(c, held("x", 40)...) {
		_, readErr := c.Last(t.Context(), stream, fmt.Sprintf("n.x.%d", i))
		if (err == nil) != (readErr == nil) {
			t.Errorf("%d: answered %v, read %v", i, err, readErr)
		}
		if err == nil {
			taken++
		} else if !errors.Is(jet.Describe("store", err), jet.ErrFull) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if taken != 25 {
		t.Errorf("%d are stored", taken)
	}
}

// Whether batches pay is learnt from what writes cost beside the way there and back.
func TestPriceOfAWrite(t *testing.T) {
	t.Parallel()
	const trip, unsynced, synced = 50 * time.Microsecond, 60 * time.Microsecond, 240 * time.Microsecond
	tests := []struct {
		name   string
		trip   error
		writes []time.Duration // the last one is repeated
		err    error           // of the first
		low    bool
	}{
		{"no sync", nil, []time.Duration{unsynced}, nil, true},
		{"a sync", nil, []time.Duration{synced}, nil, false},
		{"no sync on a busy machine", nil, []time.Duration{time.Millisecond, unsynced, time.Millisecond}, nil, true},
		{"no answer at first, then no sync", nil, []time.Duration{time.Second, unsynced}, nats.ErrTimeout, true},
		{"no answer at first, then a sync", nil, []time.Duration{time.Second, synced}, nats.ErrTimeout, false},
		{"no way there", nats.ErrTimeout, []time.Duration{unsynced}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := jet.NewPrice()
			for i := range 150 {
				p.Tripped(trip, tt.trip)
				err := tt.err
				if i > 0 {
					err = nil
				}
				p.Wrote(tt.writes[min(i, len(tt.writes)-1)], err)
			}
			if p.Low() != tt.low {
				t.Errorf("low: %v", p.Low())
			}
		})
	}
	p := jet.NewPrice()
	p.Tripped(trip, nil)
	p.Wrote(unsynced, nil)
	if p.Low() {
		t.Error("known after one write")
	}
}

// A publish without an answer ends with its time, with its caller's context, and with the connection; each time
// it is undecided whether the message is stored.
func TestPublishWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	address, _ := queuetest.Scripted(t, queuetest.AnswerSilence)
	hurried := dial(t, jet.Options{Servers: address, AnswerTimeout: 200 * time.Millisecond})
	if _, err := hurried.Publish(t.Context(), number("a")); !jet.Unanswered(err) || jet.Away(err) {
		t.Errorf("no answer in time: %v", err)
	}
	patient := dial(t, jet.Options{Servers: address, AnswerTimeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := patient.Publish(ctx, number("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = patient.Conn().ForceReconnect() })
	if _, err := patient.Publish(t.Context(), number("a")); !jet.Unanswered(err) || jet.Away(err) {
		t.Errorf("another connection: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, patient.Close)
	if _, err := patient.Publish(t.Context(), number("a")); !errors.Is(err, jet.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// What a stream answers, or that there is none, comes as the error that it is.
func TestPublishIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		want   func(error) bool
	}{
		"nobody":    {queuetest.AnswerNobody, jet.Away},
		"too long":  {`{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}`, jet.TooLarge},
		"no JSON":   {"stored", func(err error) bool { return errors.Is(err, jetstream.ErrInvalidJSAck) }},
		"no stream": {`{"seq":1}`, func(err error) bool { return errors.Is(err, jetstream.ErrInvalidJSAck) }},
	} {
		address, _ := queuetest.Scripted(t, tt.answer)
		c := dial(t, jet.Options{Servers: address})
		if sequence, err := c.Publish(t.Context(), number("a")); !tt.want(err) || sequence != 0 {
			t.Errorf("%s: %d, %v", name, sequence, err)
		}
	}
}

// Nearly every answer has one form, which is read without a decoder; whatever has another means what JSON says.
func TestReadAck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		answer string
		want   uint64
		err    error
	}{
		{`{"stream":"EVENTS","seq":7}`, 7, nil},
		{`{"stream":"EVENTS","seq":18446744073709551615}`, 18446744073709551615, nil},
		{`{"stream":"EVENTS","domain":"hub","seq":7}`, 7, nil},
		{`{"stream":"EVENTS","seq":7,"duplicate":true}`, 7, nil},
		{`{"seq":7,"stream":"EVENTS"}`, 7, nil},
		{`{ "stream": "EVENTS", "seq": 7 }`, 7, nil},
		{`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence"},"stream":"EVENTS","seq":0}`, 0, &jetstream.APIError{ErrorCode: 10071}},
		{`{"stream":"EVENTS","seq":7,"error":{"code":503,"err_code":10077}}`, 0, &jetstream.APIError{ErrorCode: 10077}},
		{`{"stream":"","seq":7}`, 0, jetstream.ErrInvalidJSAck},
		{`{"stream":"EVENTS","seq":}`, 0, jetstream.ErrInvalidJSAck},
		{`{"stream":"EVENTS","seq":-7}`, 0, jetstream.ErrInvalidJSAck},
		{`{"stream":"EVENTS","seq":7`, 0, jetstream.ErrInvalidJSAck},
		{`+OK`, 0, jetstream.ErrInvalidJSAck},
		{``, 0, jetstream.ErrInvalidJSAck},
	}
	for _, tt := range tests {
		got, err := jet.ReadAck(&nats.Msg{Data: []byte(tt.answer)})
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d, %v, want %d, %v", tt.answer, got, err, tt.want, tt.err)
		}
	}
	if _, err := jet.ReadAck(&nats.Msg{Header: nats.Header{"Status": {"503"}}}); !errors.Is(err, jetstream.ErrNoStreamResponse) {
		t.Errorf("nobody listens: %v", err)
	}
}

// Messages that are brought together are on their way together, whatever is known of the price, and each has its own answer.
func TestMessagesBroughtTogether(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	committer := jet.NewCommitter(c)
	defer committer.Close()
	for _, name := range []string{"first", "cheap"} {
		all := held(name, 40)
		all[3].Data = make([]byte, c.Conn().MaxPayload())
		publish(t, c, name+".7")
		for i, err := range committer.AddAll(t.Context(), all) {
			switch {
			case i == 3 && !errors.Is(err, jet.ErrTooLarge), i == 7 && !jet.GuardFailed(err), i != 3 && i != 7 && err != nil:
				t.Errorf("%s %d: %v", name, i, err)
			}
		}
		for i := range 100 { // what a write costs is learnt
			if err := committer.Add(t.Context(), number(fmt.Sprintf("more.%s.%d", name, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i, err := range committer.AddAll(ended, held("late", 5)) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("late %d: %v", i, err)
		}
	}
}

// A publish is waited for once, and its time, once over, is over for all its tries.
func TestAWaitForAnswersEnds(t *testing.T) {
	t.Parallel()
	if !jet.AnsweredAndUnsent(t, numbers(t)) {
		t.Error("the end of one wait has ended another")
	}
	over, stop := jet.OverAfter(time.Millisecond)
	defer stop()
	for range 2 {
		select {
		case <-over:
		case <-time.After(time.Minute):
			t.Fatal("a later try waits without end")
		}
	}
}

// An answer that came too late reaches nobody else: its subject is not used again, while that of one that came is.
func TestSubjectsOfAnswers(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	first, come, _ := jet.ExpectAnswer(t, c)
	come()
	second, _, forget := jet.ExpectAnswer(t, c)
	if second != first {
		t.Errorf("the subject %s was free, and %s is used", first, second)
	}
	forget()
	third, come, _ := jet.ExpectAnswer(t, c)
	if third == second {
		t.Errorf("%s is used again, and its answer may still come", second)
	}
	come()
}
