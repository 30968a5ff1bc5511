package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestUntickedFieldsAreNamed(t *testing.T) {
	file := linktest.File{
		Site: "key: a-key-of-the-test", To: "secret: s",
		Links: []linktest.Link{{More: `when: [duration > 5, targetcall == "target"]`, Body: "customerAction.customFields.utm: ${utm_source}"}},
	}.Parse(t)
	q := queuetest.New(t)
	for i := range enoughHooks {
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
	names, err := Unticked(t.Context(), q, file, file.Sites[0])
	if err != nil || !slices.Equal(names, []string{"targetcall"}) {
		t.Errorf("got %v, %v; want targetcall alone", names, err)
	}
}
