package watch

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestUntickedFieldsAreNamed(t *testing.T) {
	file := linktest.File{
		Site: "key: a-key-of-the-test", To: "secret: a-secret",
		Links: []linktest.Link{{More: `when: [duration > 5, targetcall == "target"]`, Body: "customerAction.customFields.utm: ${utm_source}"}},
	}.Parse(t)
	q := queuetest.New(t)
	for i := range enoughHooks {
		if i == 5 {
			ticked, err := Unticked(t.Context(), q, file, file.Sites[0])
			if err != nil || len(ticked.Never) != 0 || !slices.Equal(ticked.NotYet, []string{"targetcall", "utm_source"}) || ticked.Hooks != i {
				t.Errorf("after few hooks: %+v, %v", ticked, err)
			}
		}
		// utm_source is ticked and empty in all hooks but one; targetcall is not ticked.
		utm := ""
		if i == 7 {
			utm = "yandex"
		}
		e := event.Event{
			Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(i)}, Origin: event.Webhook, Received: time.Now(),
			ContentType: "application/x-www-form-urlencoded",
			Body:        fmt.Appendf(nil, "callphase=calldisconnected&id=%d&callerphone=79991112233&duration=9&timestamp=1&siteId=10001&utm_source=%s", i, utm),
		}
		if _, err := q.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	ticked, err := Unticked(t.Context(), q, file, file.Sites[0])
	if err != nil || !slices.Equal(ticked.Never, []string{"targetcall"}) || ticked.Hooks != enoughHooks {
		t.Errorf("got %+v, %v; want targetcall alone", ticked, err)
	}
}

// The scan runs by itself, soon after each start: an event in which a mistake of ours is found must not end the process then.
func TestOneEventDoesNotEndTheScan(t *testing.T) {
	q := queuetest.New(t)
	for _, id := range []string{"1", "2", "3"} {
		e := event.Event{
			Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: id}, Origin: event.Webhook, Received: time.Now(),
			Body: []byte("callphase=calldisconnected&duration=9&id=" + id),
		}
		if _, err := q.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	file := linktest.File{}.Parse(t)
	uses, err := FieldScan{Site: file.Sites[0], read: func(e event.Event, v calltouch.View) (calltouch.Fields, calltouch.Doubts, error) {
		if bytes.HasSuffix(e.Body, []byte("id=2")) {
			panic("79991112233")
		}
		return calltouch.Read(e, v)
	}}.Count(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(uses, func(u FieldUse) bool { return u.Field.Name == "duration" })
	if uses[i].Of != 2 || uses[i].Came != 2 {
		t.Errorf("of %d events, came in %d", uses[i].Of, uses[i].Came)
	}
}
