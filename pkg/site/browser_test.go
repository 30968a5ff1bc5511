package site_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

var clinic = site.Config{Site: "10001", Counter: "abcd1234", Device: "mindboxDeviceUUID"}

// TestOrders loads the three scripts in every order, with a pause after each that is long enough
// for some looks: the id is handed over once, as soon as all are there.
func TestOrders(t *testing.T) {
	for _, order := range [][]string{
		{ours, calltouch, mindbox},
		{ours, mindbox, calltouch},
		{calltouch, ours, mindbox},
		{mindbox, ours, calltouch},
		{calltouch, mindbox, ours},
		{mindbox, calltouch, ours},
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			v := open(t, page{config: clinic, head: []string{calltouchStub, mindboxStub}})
			for i, src := range order {
				v.load(src)
				if browsertest.Eval[bool](v.Tab, "!!window.touchboxState") && i < 2 {
					v.pass(3 * time.Second)
					v.wantSets()
				}
			}
			v.told(1)
			v.pass(30 * time.Second)
			v.wantSets(attr(idTracker))
		})
	}
}

func setCookie(name, value string) string {
	return fmt.Sprintf("document.cookie = '%s=%s; path=/';", name, value)
}

// TestSources gives the page the id in some places and says which one counts.
func TestSources(t *testing.T) {
	cookie := setCookie("mindboxDeviceUUID", idCookie)
	session := setCookie("directCrm-session", url.QueryEscape(`{"deviceGuid":"`+idSession+`"}`))
	storage := "localStorage.setItem('mindboxDeviceUUID', '" + idStorage + "');"
	tests := []struct {
		name string
		head []string
		want string
	}{
		{"tracker before all else", []string{inline(cookie + session + storage), mindboxStub, mindbox}, idTracker},
		{"tracker without a stub", []string{inline(cookie), mindbox}, idTracker},
		{"tracker missing, cookie first", []string{inline(cookie + session + storage)}, idCookie},
		{"cookie only", []string{inline(cookie)}, idCookie},
		{"directCrm-session before localStorage", []string{inline(session + storage)}, idSession},
		{"directCrm-session only", []string{inline(session)}, idSession},
		{"localStorage only", []string{inline(storage)}, idStorage},
		{"stub without its tracker", []string{inline(cookie), mindboxStub}, idCookie},
		{"tracker throws", []string{inline(cookie + "mindbox = function () { throw new Error('broken') }")}, idCookie},
		{"tracker is no function", []string{inline(cookie + "mindbox = {}")}, idCookie},
		{"another cookie ends alike", []string{inline(setCookie("xmindboxDeviceUUID", idSession) + cookie)}, idCookie},
		{"another cookie holds the name", []string{inline(setCookie("a", "mindboxDeviceUUID="+idSession) + cookie)}, idCookie},
		{"malformed cookie, good session", []string{inline(setCookie("mindboxDeviceUUID", "%E0%A4") + session)}, idSession},
		{"all-zero cookie, good localStorage", []string{inline(setCookie("mindboxDeviceUUID", idZero) + storage)}, idStorage},
		{"malformed session, good localStorage", []string{inline(setCookie("directCrm-session", "%7Bnull") + storage)}, idStorage},
		{"null session, good localStorage", []string{inline(setCookie("directCrm-session", "null") + storage)}, idStorage},
		{"malformed from the tracker, good cookie", []string{inline(cookie), "/sim/mindbox/tracker.js?uuid=none"}, idCookie},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := open(t, page{config: clinic, head: append(test.head, calltouchStub, ours, calltouch)})
			v.told(1)
			v.wantSets(attr(test.want))
		})
	}
}

// TestPatience lets the tracker come late while the cookie is there: for two seconds it is waited
// for, no longer.
func TestPatience(t *testing.T) {
	head := []string{inline(setCookie("mindboxDeviceUUID", idCookie)), mindboxStub, calltouchStub, calltouch, ours}
	t.Run("soon", func(t *testing.T) {
		v := open(t, page{config: clinic, head: head})
		v.pass(1500 * time.Millisecond)
		v.load(mindbox)
		v.told(1)
		v.wantSets(attr(idTracker))
	})
	t.Run("never", func(t *testing.T) {
		v := open(t, page{config: clinic, head: head})
		if took := v.told(1); took < 1500*time.Millisecond || took > 3*time.Second {
			t.Errorf("the cookie counts after %v, want 2 s", took)
		}
		v.wantSets(attr(idCookie))
	})
	t.Run("a stub that forgets the question", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{inline("mindbox = function () {}"), calltouchStub, calltouch, ours}})
		v.pass(20 * time.Second)
		v.load(mindbox)
		v.told(1)
		v.wantSets(attr(idTracker))
	})
}

// TestBlocked forbids the page cookies and storage, as a sandbox does: reading them throws.
func TestBlocked(t *testing.T) {
	head := []string{calltouchStub, mindboxStub, ours, calltouch}
	blocked := map[string]string{"Content-Security-Policy": "sandbox allow-scripts"}
	t.Run("tracker answers", func(t *testing.T) {
		v := open(t, page{config: clinic, header: blocked, head: append(head, mindbox)})
		v.told(1)
		v.wantSets(attr(idTracker))
	})
	t.Run("no tracker", func(t *testing.T) {
		v := open(t, page{config: clinic, header: blocked, head: head})
		v.giveUp()
		v.wantSets()
	})
}

// TestNoSuchID holds back what is no id, and gives up.
func TestNoSuchID(t *testing.T) {
	for _, id := range []string{
		"none", idZero, "", "undefined", "3f1c2a647b0e4c1d9a550d2f6b8e4c11", idTracker + "0", "x" + idTracker,
		"3f1c2a64-7b0e-4c1d-9a55-0d2f6b8e4c1g", "%7B" + idTracker + "%7D",
	} {
		t.Run(id, func(t *testing.T) {
			v := open(t, page{config: clinic, head: []string{
				inline(setCookie("mindboxDeviceUUID", id)), calltouchStub, ours, calltouch, "/sim/mindbox/tracker.js?uuid=" + id}})
			v.giveUp()
			v.wantSets()
			v.wantWaits("mindbox")
		})
	}
}

// TestGivesUp waits for what never comes: at least 30 s, then nothing of the script is left.
func TestGivesUp(t *testing.T) {
	never := inline("addEventListener('load', function () { load('/never.js') })")
	tests := []struct {
		name string
		head []string
	}{
		{"nothing of Calltouch", []string{mindbox, ours}},
		{"only its stub", []string{calltouchStub, mindbox, ours, never}},
		{"another counter's", []string{calltouchStub, mindbox, ours, "/sim/calltouch/init.js?id=other123"}},
		{"ct is no function", []string{inline("ct = 1; ct_set_attrs = 2"), mindbox, ours}},
		{"ct throws", []string{inline("ct = ct_set_attrs = function () { throw new Error('broken') }"), mindbox, ours}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := open(t, page{config: clinic, head: test.head})
			if waited := v.giveUp(); waited < 30*time.Second || waited > 2*time.Minute {
				t.Errorf("gave up after %v, want 30 s to 2 min", waited)
			}
			v.wantWaits("calltouch")
			v.wantSets()
			if queued := browsertest.Eval[int](v.Tab, "window.ct && ct.callbacks ? ct.callbacks.length : 0"); queued > 0 {
				t.Errorf("%d questions in the queue of Calltouch's stub, want none", queued)
			}
		})
	}
}

// TestCounter finds the counter that Calltouch wants to be asked with.
func TestCounter(t *testing.T) {
	none := site.Config{}
	tests := []struct {
		name   string
		config site.Config
		head   []string
	}{
		{"from the configuration", clinic, []string{inline("document.cookie = '_ct_ids=wrong123%3A1%3A1; path=/'"), calltouch}},
		{"from the loader", none, []string{"/sim/calltouch/init.js?id=abcd1234"}},
		{"from the small loader", none, []string{"/sim/calltouch/init-min.js?id=abcd1234"}},
		{"from the cookie", none, []string{
			inline("load('" + calltouch + "').then(function () { document.querySelector('[src*=init]').remove() })")}},
		{"from the cookie, beside a stranger", none, []string{
			"/empty/initial.js?id=wrong123",
			inline("load('" + calltouch + "').then(function () { document.querySelector('[src*=\"init.js\"]').remove() })")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := open(t, page{config: test.config, head: append([]string{calltouchStub, mindbox, ours}, test.head...)})
			v.told(1)
			v.wantSets(attr(idTracker))
		})
	}
}

// TestCalltouchThrows calls a ct_set_attrs that throws: once, and the page does not hear of it.
func TestCalltouchThrows(t *testing.T) {
	v := open(t, page{config: clinic, head: []string{calltouchStub, mindbox, calltouch, inline(
		"calls = 0; ct_set_attrs = function () { calls++; throw new Error('broken') }"), ours}})
	v.until("calls")
	v.pass(30 * time.Second)
	if calls := browsertest.Eval[int](v.Tab, "calls"); calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

// TestTwice has the script on a page twice, in the page and by its tag.
func TestTwice(t *testing.T) {
	v := open(t, page{config: clinic, head: []string{
		calltouchStub, mindbox, site.Inline(clinic), site.Tag("", "10001"), ours, calltouch}})
	v.told(1)
	v.pass(30 * time.Second)
	v.wantSets(attr(idTracker))
}

// TestHarmless looks at what a page has after the script: no cookie, nothing stored, no request
// of its own, one global name, no name left on window that was not there.
func TestHarmless(t *testing.T) {
	v := open(t, page{config: clinic, head: []string{inline("before = 0; before = Object.keys(window).length"), ours}})
	v.pass(1 * time.Second)
	v.Wait("document.readyState == 'complete'")
	got := browsertest.Eval[map[string]any](v.Tab, `({
		cookies: document.cookie, stored: localStorage.length + sessionStorage.length,
		requests: performance.getEntriesByType('resource').map(function (e) { return new URL(e.name).pathname })
			.filter(function (path) { return path != '/favicon.ico' }).join(' '),
		names: Object.keys(window).length - before, set: typeof ct_set_attrs})`)
	want := map[string]any{"cookies": "", "stored": 0., "requests": "/harness.js " + ours, "names": 2., "set": "undefined"}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %v, want %v", name, got[name], want[name])
		}
	}
}
