package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// What came and could not be read turns a dynamic call into a static one: `event` and `fields` say so, instead of calling the field unticked.
func TestDoubtsAreShown(t *testing.T) {
	o := newOperator(t)
	for i, more := range []string{
		"attrs=%5Bobject+Object%5D", "attrs=" + url.QueryEscape(`{"mindboxDeviceUUID":"GA1.2.3"}`), "city=%CC%EE%F1%EA%E2%E0", "city=Тула",
	} {
		_, err := o.queue.Publish(t.Context(), event.Event{
			Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(i)}, Origin: event.Webhook,
			Body: fmt.Appendf(nil, "id=%d&callerphone=79160000001&duration=3&%s", i, more), Received: time.Now(), Time: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range []admin.Doubt{admin.DoubtAttrs, admin.DoubtDevice, admin.DoubtCharset, ""} {
		var view admin.EventView
		o.reads(&view, "event", fmt.Sprint(id))
		if got := append(view.Doubts, "")[0]; got != want || len(view.Doubts) > 1 {
			t.Errorf("event %d: doubts %q, want %q", id, view.Doubts, want)
		}
		if out, _ := o.runs(0, "event", fmt.Sprint(id)); want != "" && !strings.Contains(out, want.Text()) {
			t.Errorf("event %d does not say %q:\n%s", id, want.Text(), out)
		}
	}
	var rows []struct {
		Name   string
		Came   int
		Unread int
	}
	o.reads(&rows, "fields")
	for _, row := range rows {
		if want := map[string]int{"attrs": 1, "deviceUUID": 1}[row.Name]; row.Unread != want {
			t.Errorf("fields: %s was unread in %d events, want %d", row.Name, row.Unread, want)
		}
	}
	if out, _ := o.runs(0, "fields"); !strings.Contains(out, "attrs came in 1 events and could not be read") {
		t.Errorf("fields does not say it:\n%s", out)
	}
}
