package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestRepeatedHookIsNoted(t *testing.T) {
	file := linktest.File{
		Site: "key: a-key-of-the-test", To: "secret: a-secret",
		Links: []linktest.Link{{More: `when: [duration > 5, targetcall == "target"]`, Body: "customerAction.customFields.utm: ${utm_source}"}},
	}.Parse(t)
	q := queuetest.New(t)
	r := NewRepeats(q, func() *link.File { return file })
	go func() { _ = r.Run(t.Context()) }()
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}
	hook := func(target string, sent int) event.Event {
		return event.Event{
			Key: key, Origin: event.Webhook, Received: time.Now(), ContentType: "application/x-www-form-urlencoded",
			Body: fmt.Appendf(nil, "id=1&callphase=calldisconnected&callerphone=79991112233&targetcall=%s&sendingTimestamp=%d", target, sent),
		}
	}
	publish := func(e event.Event, want event.Receipt) {
		t.Helper()
		if got, err := r.Publish(t.Context(), e); got != want || err != nil {
			t.Fatalf("got %s, %v, want %s", got, err, want)
		}
	}
	publish(hook("non-target", 1), event.ReceiptStored)
	for i := range maxRepeats + 5 {
		publish(hook("target", 2+i), event.ReceiptRepeated)
	}
	notes := func() (n int, details []string) {
		records, err := q.History(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range records {
			if one.Note == NoteRepeated {
				n++
				details = append(details, string(one.Detail))
			}
		}
		return n, details
	}
	deadline := time.Now().Add(30 * time.Second)
	for n := 0; n < maxRepeats || len(r.in) > 0; n, _ = notes() {
		if time.Now().After(deadline) {
			t.Fatalf("%d notes, want %d", n, maxRepeats)
		}
		time.Sleep(5 * time.Millisecond)
	}
	n, details := notes()
	if n != maxRepeats {
		t.Errorf("%d notes, want %d", n, maxRepeats)
	}
	var detail repeatedDetail
	if err := json.Unmarshal([]byte(details[0]), &detail); err != nil || !slices.Equal(detail.Changed, []string{"targetcall"}) {
		t.Errorf("the note says %s, want targetcall alone", details[0])
	}
}
