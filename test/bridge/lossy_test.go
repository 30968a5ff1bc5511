package bridge_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Sizes of the test with a lossy Calltouch: calls and form requests, and how many of them happen
// in a second.
const (
	lossyEvents = 10_000
	lossyRate   = 500
)

const lossyConfig = `calltouch:
  - site: 10001
    name: clinic
    key: secret-key-of-the-test
    token: api-token
    api: CALLTOUCH
    attrs: [mindboxDeviceUUID]
    device: mindboxDeviceUUID
    requests: {from: poll, every: 1s, sweep: 1d, grace: 2s}
    journal: {every: 4s, sweep: 1d, grace: 1s}
mindbox:
  - name: clinic
    url: MINDBOX
    endpoint: clinic.Website
    secret: mindbox-secret
    timeout: 2s
    retry: {for: 1h, upTo: 2s}
links:
  - id: dynamic
    from: clinic
    since: "2020-01-01"
    event: call.ended
    when: filled(deviceUUID)
    to: clinic
    operation: CallTouch
    deviceUUID: ${deviceUUID}
    require: []  # calls with a hidden number, too
    body: &call
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      executionDateTimeUtc: ${utc(time)}
  - id: static
    from: clinic
    since: "2020-01-01"
    event: call.ended
    when: not filled(deviceUUID)
    to: clinic
    operation: CallTouchStatic
    require: []
    body: *call
  - id: requests
    from: clinic
    since: "2020-01-01"
    event: request
    to: clinic
    operation: CallTouchRequest
    require: []
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${requestId}
`

// TestLossyCalltouch loses a fifth of the webhooks and repeats a fifth, lists some records late,
// fails now and then and is down for a while, answers Mindbox's part with failures, and kills the
// bridge twice on the way. At the end both sides are counted.
func TestLossyCalltouch(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "some minutes of traffic, with kills")
	usual := calltouchtest.Faults{
		DropHooks: .2, RepeatHooks: .2, TooMany: .03, Cut: .03, Unstable: true, ControlChars: true, LateShare: .05, LateSeconds: 4,
	}
	cabinet := calltouchtest.New(calltouchtest.Config{Seed: 3, Token: "api-token", Faults: usual})
	box := newMindbox(t, mindboxtest.Config{Secret: "mindbox-secret", Seed: 3, Faults: mindboxtest.Faults{P500: 2, PLost: 1, PReset: 1, P429: 1}})
	s := newStack(t)
	s.configure(strings.NewReplacer("CALLTOUCH", here(t, cabinet), "MINDBOX", box.url).Replace(lossyConfig))

	up := s.up()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		cabinet.Send(t.Context(), calltouchtest.Sending{
			URL: "http://" + s.ingest + "/calltouch/10001/secret-key-of-the-test", Count: lossyEvents, Rate: lossyRate, Workers: 32, Ended: true, Long: 2 * time.Second,
		})
	}()
	happened := func(share float64) {
		t.Helper()
		eventually(t, 3*time.Minute, "a part of the calls has happened", func() bool {
			stats := cabinet.Stats()
			return float64(stats.Calls+stats.Requests) >= share*.95*lossyEvents // some of the hooks are pings
		})
	}
	happened(.3)
	up.kill()
	up = s.up()
	happened(.5)
	down := usual
	down.APIOutage, down.NoHooks = true, true
	cabinet.SetFaults(down)
	happened(.6)
	cabinet.SetFaults(usual)
	happened(.8)
	up.kill()
	s.up()
	<-sent

	calls, requests := cabinet.Calls(), cabinet.Requests()
	started := time.Now()
	eventually(t, 2*time.Minute, "all that is in the cabinet is executed", func() bool { return box.Stats().Executed >= len(calls)+len(requests) })
	eventually(t, 30*time.Second, "the links are idle", func() bool { return s.idle("dynamic", "static", "requests") })
	t.Logf("%d calls, %d requests, hooks %+v, API %+v, Mindbox %+v; %s after the last hook", len(calls), len(requests), cabinet.Stats().Hooks, cabinet.Stats().API, box.Stats(), time.Since(started))

	times := box.executions()
	check := func(kind string, id int64, sort calltouchtest.Sort) {
		t.Helper()
		key := strconv.FormatInt(id, 10)
		if n := times[key]; n != 1 {
			t.Errorf("%s %s (%s) was executed %d times", kind, key, sort, n)
		}
		if ids := box.transactions(key); len(ids) != 1 {
			t.Errorf("%s %s (%s) came under %d transaction ids", kind, key, sort, len(ids))
		}
		delete(times, key)
	}
	for _, c := range calls {
		check("call", c.ID, c.Sort)
	}
	for _, r := range requests {
		check("request", r.ID, r.Sort)
	}
	if len(times) > 0 {
		t.Errorf("executed, but never happened: %v", times)
	}
	if hooks := cabinet.Stats().Hooks; hooks.Dropped < lossyEvents/10 || hooks.Repeated < lossyEvents/10 || hooks.Failed == 0 {
		t.Errorf("hooks %+v: not much of a test", hooks)
	}
}
