package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// Calltouch has a list of fields for calls and one for form requests: so have we, under Calltouch's own words for the moments.
func TestAddressNamesMomentsAndTheirFields(t *testing.T) {
	text := linktest.File{Site: "key: key-of-the-test-0123456789", Links: []linktest.Link{
		{More: "when: duration > 5"}, {ID: "begun", Event: "call.started", Operation: "Begun"}, {ID: "forms", Event: "request", Body: "customerAction.customFields.subject: ${subject}"},
	}}.Text()
	at := strings.Index(text, "id: forms")
	text = text[:at] + strings.Replace(text[at:], "callId: ${id}", "requestId: ${requestId}", 1)
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	if err != nil {
		t.Fatal(problems)
	}
	var out bytes.Buffer
	c := &cli{out: &out, errs: &out, lang: lang.Russian}
	c.sayAddress(c.addressOf(file, file.Sites[0], "k"))
	for _, want := range []string{
		"событие «Начало звонка», «Завершение звонка», отметить поля: callerphone, callphase, duration, id, siteId, timestamp\n",
		"событие «Заявка», отметить поля: callerphone, ", "requestDate, requestId, siteId, subject\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	calls := linktest.File{Site: "key: key-of-the-test-0123456789"}.Parse(t)
	a := c.addressOf(calls, calls.Sites[0], "k")
	if diff := cmp.Diff([]string{"Завершение звонка"}, a.Calls.Moments); diff != "" || a.Requests != nil {
		t.Errorf("where no link takes form requests: %s, %v", diff, a.Requests)
	}
}

// What to enter in Calltouch is told until a hook has come, and not at each restart after that.
func TestWhatToEnterIsToldUntilAHookCame(t *testing.T) {
	o := newOperator(t)
	file := linktest.File{Site: "key: key-of-the-test-0123456789"}.Parse(t)
	told := func() string {
		var out bytes.Buffer
		c := &cli{out: &out, errs: &out, lang: lang.Russian}
		c.settings.IngestAddr = "127.0.0.1:8080"
		c.tellWhatToEnter(file, func(site string) bool { return heard(t.Context(), o.queue, site) })
		return out.String()
	}
	publish := func(id string, origin event.Origin) {
		t.Helper()
		_, err := o.queue.Publish(t.Context(), event.Event{
			Key: event.Key{Site: linktest.Site, Kind: event.CallEnded, ID: id}, Origin: origin, Body: []byte("id=" + id), Received: time.Now(), Time: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	publish("1", event.Journal)
	if got := told(); !strings.Contains(got, "Ждём первый вебхук") || !strings.Contains(got, "«Завершение звонка»") {
		t.Errorf("before the first hook: %s", got)
	}
	publish("2", event.Webhook)
	if got := told(); strings.Contains(got, "Ждём") || strings.Contains(got, "отметить поля:") || !strings.Contains(got, "вебхуки приходят") {
		t.Errorf("after it: %s", got)
	}
}
