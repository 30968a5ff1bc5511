package site_test

import (
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

// TestOwnAttributes lets the site set attributes of its own, before and after the id is handed
// over: nobody overwrites anybody.
func TestOwnAttributes(t *testing.T) {
	before := `{"plan":"gold"}`
	both := `{"plan":"gold","mindboxDeviceUUID":"` + idTracker + `"}`
	set := func(text string) string { return inline("ct_set_attrs('" + text + "')") }

	t.Run("before and after", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{calltouchStub, ours, calltouch, set(before)}})
		v.load(mindbox)
		v.told(2)
		v.Run(`ct_set_attrs('{"page":"prices"}')`)
		v.wantSets(before, both, `{"plan":"gold","mindboxDeviceUUID":"`+idTracker+`","page":"prices"}`)
	})
	t.Run("at once where Calltouch defines it", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{mindbox, ours, calltouchStub, calltouch, set(before)}})
		v.told(2)
		v.wantSets(before, both)
	})
	t.Run("declared as a function", func(t *testing.T) {
		declared := "simulatedCalltouch = {sets: []}; function ct() { return {sessionId: 7} } function ct_set_attrs(text) { sets().push(text) }"
		v := open(t, page{config: clinic, head: []string{ours, inline(declared)}})
		v.pass(500 * time.Millisecond)
		v.Run("ct_set_attrs('" + before + "')")
		v.load(mindbox)
		v.told(2)
		v.wantSets(before, both)
	})
	t.Run("the id itself, by hand", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{mindbox, ours, calltouchStub, calltouch}})
		v.told(1)
		v.Run(`ct_set_attrs('{"mindboxDeviceUUID":""}')`)
		v.wantSets(attr(idTracker), attr(idTracker))
	})
	t.Run("what is no object goes through", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{mindbox, ours, calltouchStub, calltouch}})
		v.told(1)
		v.Run(`ct_set_attrs('5')`)
		v.Run(`ct_set_attrs('null')`)
		v.wantSets(attr(idTracker), "5", "null")
	})
	t.Run("its errors are the site's own", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{mindbox, ours, calltouchStub, calltouch}})
		v.told(1)
		if got := browsertest.Eval[string](v.Tab, `(function () { try { ct_set_attrs('{') } catch (e) { return e.name } })()`); got != "SyntaxError" {
			t.Errorf("got %q, want Calltouch's own SyntaxError", got)
		}
	})
	t.Run("another name", func(t *testing.T) {
		config := site.Config{Counter: "abcd1234", Device: "device uuid"}
		v := open(t, page{config: config, head: []string{mindbox, ours, calltouchStub, calltouch}})
		v.told(1)
		v.wantSets(`{"device uuid":"` + idTracker + `"}`)
	})
}

// TestStrictPolicy runs it under policies that allow no inline code and no eval.
func TestStrictPolicy(t *testing.T) {
	lock := "; default-src 'none'; object-src 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	nonce := func(tags ...string) (head []string) {
		for _, src := range tags {
			head = append(head, `<script nonce="r4nd0m" src="`+src+`"></script>`)
		}
		return head
	}
	scripts := []string{calltouchStub, mindboxStub, ours, calltouch, mindbox}
	tests := []struct {
		name, policy string
		head         []string
	}{
		{"host", "script-src 'self'", scripts},
		{"nonce", "script-src 'nonce-r4nd0m' 'strict-dynamic'", nonce(append([]string{"/harness.js"}, scripts...)...)},
		{"inline with a nonce", "script-src 'self' 'nonce-r4nd0m'", append(scripts[:2:2],
			strings.Replace(site.Inline(clinic), "<script>", `<script nonce="r4nd0m">`, 1), calltouch, mindbox)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := open(t, page{config: clinic, head: test.head, header: map[string]string{"Content-Security-Policy": test.policy + lock}})
			v.told(1)
			v.wantSets(attr(idTracker))
			// The policy holds: the page's own first tag, which has no nonce, is refused, and so is eval.
			if refused := len(v.TakeErrors()) > 0; refused != (test.name == "nonce") {
				t.Errorf("a tag was refused: %v", refused)
			}
			v.Run(`(channel = new MessageChannel(), channel.port2.postMessage(0), channel.port1.onmessage = function () {
				try { eval('1') } catch (e) {}
			}, 0)`)
			v.Wait("window.refused && !/^http/.test(refused)") // 'eval' or 'trusted-types-sink'
			v.TakeErrors()
		})
	}
}

// TestNewSession changes the session of a single-page site: each is told once.
func TestNewSession(t *testing.T) {
	const route = "history.pushState({}, '', '/prices')"
	const begin = "simulatedCalltouch.begin()"
	start := func(t *testing.T) visit {
		v := open(t, page{config: clinic, head: []string{calltouchStub, mindbox, ours, calltouch}})
		v.told(1)
		return v
	}
	soon := func(v visit, times int, bound time.Duration) {
		v.t.Helper()
		if took := v.told(times); took > bound {
			v.t.Errorf("told after %v, want %v at most", took, bound)
		}
	}
	t.Run("pushState and popstate", func(t *testing.T) {
		v := start(t)
		v.Run(route)
		v.pass(3 * time.Second)
		v.Run(begin)
		soon(v, 2, time.Second)
		if path := browsertest.Eval[string](v.Tab, "location.pathname"); path != "/prices" {
			t.Errorf("the route is %s", path)
		}
		v.pass(30 * time.Second)
		v.Run("(addEventListener('popstate', function () { " + begin + "; back = true }), history.back())")
		v.Wait("window.back")
		soon(v, 3, time.Second)
		v.pass(time.Minute)
		v.wantSets(attr(idTracker), attr(idTracker), attr(idTracker))
	})
	t.Run("without a route", func(t *testing.T) {
		v := start(t)
		v.pass(101 * time.Second)
		v.Run(begin)
		soon(v, 2, 10*time.Second)
		v.pass(time.Minute)
		v.wantSets(attr(idTracker), attr(idTracker))
	})
	t.Run("looks seldom when all is done", func(t *testing.T) {
		v := start(t)
		for range 5 {
			v.Run(route)
		}
		v.pass(2 * time.Minute)
		v.Run("(looks = 0, real = ct, ct = function () { looks++; return real.apply(this, arguments) })")
		v.pass(100 * time.Second)
		if looks := browsertest.Eval[int](v.Tab, "looks"); looks != 10 {
			t.Errorf("%d looks in 100 s, want one every 10 s", looks)
		}
	})
	t.Run("same session", func(t *testing.T) {
		v := start(t)
		v.Run("history.pushState({}, '', '/prices')")
		v.pass(90 * time.Second)
		v.wantSets(attr(idTracker))
	})
	t.Run("a route after it gave up", func(t *testing.T) {
		v := open(t, page{config: clinic, head: []string{calltouchStub, mindbox, ours}})
		v.giveUp()
		v.load(calltouch)
		v.wantSets()
		v.Run("history.pushState({}, '', '/prices')")
		v.told(1)
	})
	t.Run("a site that looks at its routes too", func(t *testing.T) {
		wrapped := "real = history.pushState; history.pushState = function () { real.apply(history, arguments); return this === history && 'kept' }"
		v := open(t, page{config: clinic, head: []string{inline(wrapped), ours}})
		if got := browsertest.Eval[string](v.Tab, route); got != "kept" {
			t.Errorf("pushState gives %q", got)
		}
	})
	t.Run("a route with the site's attributes", func(t *testing.T) {
		v := start(t)
		v.Run(`ct_set_attrs('{"plan":"gold"}')`)
		v.Run("(" + route + ", " + begin + ")")
		v.told(3)
		both := `{"mindboxDeviceUUID":"` + idTracker + `","plan":"gold"}`
		v.wantSets(attr(idTracker), both, both)
	})
}

// TestConsent holds everything back until there is consent, however late it comes.
func TestConsent(t *testing.T) {
	config := clinic
	config.Consent = "clinicConsent"
	head := []string{calltouchStub, mindbox, ours, calltouch}
	const minutes = 5 * time.Minute // far above the bound of all other waiting

	late := func(name, no, yes string) {
		t.Run(name, func(t *testing.T) {
			v := open(t, page{config: config, head: append([]string{inline(no)}, head...)})
			v.pass(minutes)
			v.wantSets()
			v.wantWaits("consent")
			v.Run(yes)
			if took := v.told(1); took > 2*time.Second {
				t.Errorf("heard after %v, want 2 s at most", took)
			}
			v.pass(30 * time.Second)
			v.wantSets(attr(idTracker))
		})
	}
	late("function says yes", "clinicConsent = function () { return false }", "(clinicConsent = function () { return true })")
	late("function comes", "", "(clinicConsent = function () { return true })")
	late("function throws at first", "clinicConsent = function () { throw new Error('not ready') }", "(clinicConsent = function () { return true })")
	late("a promise is no yes", "clinicConsent = function () { return Promise.resolve(false) }", "(clinicConsent = function () { return true })")
	late("event on window", "", "dispatchEvent(new Event('clinicConsent'))")
	late("event on document", "", "document.dispatchEvent(new Event('clinicConsent'))")
	late("event on an element", "", "document.querySelector('p').dispatchEvent(new CustomEvent('clinicConsent'))")

	t.Run("not even the tracker is asked", func(t *testing.T) {
		v := open(t, page{config: config, head: []string{inline("asked = 0; mindbox = function () { asked++ }"), ours, calltouch}})
		v.pass(5 * time.Second)
		if asked := browsertest.Eval[int](v.Tab, "asked"); asked > 0 {
			t.Errorf("the tracker was asked %d times before consent", asked)
		}
	})
	t.Run("consent, then a late Calltouch", func(t *testing.T) {
		v := open(t, page{config: config, head: head[:3]})
		v.pass(minutes)
		v.Run("(dispatchEvent(new Event('clinicConsent')))")
		v.pass(20 * time.Second)
		v.load(calltouch)
		v.told(1)
		v.wantSets(attr(idTracker))
	})
	t.Run("taken back", func(t *testing.T) {
		v := open(t, page{config: config, head: append([]string{inline("yes = true; function clinicConsent() { return yes }")}, head...)})
		v.told(1)
		v.Run("(yes = false, simulatedCalltouch.begin())")
		v.pass(20 * time.Second)
		v.Run(`ct_set_attrs('{"plan":"gold"}')`)
		v.wantSets(attr(idTracker), `{"plan":"gold"}`)
	})
}
