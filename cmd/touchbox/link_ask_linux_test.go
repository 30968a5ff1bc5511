package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// terminal is a pseudo-terminal: what a person types goes in at one end, the command sits at the other.
type terminal struct {
	t      *testing.T
	person *os.File
	screen waittest.Buffer
	done   chan int
}

// sit runs a command at a terminal.
func sit(t *testing.T, args ...string) *terminal {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	seat, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, person: person, done: make(chan int, 1)}
	go func() { _, _ = io.Copy(&term.screen, person) }()
	go func() { term.done <- run(t.Context(), args, seat, seat, seat) }()
	t.Cleanup(func() { _, _ = person.Close(), seat.Close() })
	return term
}

// answers waits for a question and types a line.
func (term *terminal) answers(question, line string) {
	term.t.Helper()
	term.sees(question)
	if _, err := io.WriteString(term.person, line); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) sees(text string) {
	term.t.Helper()
	waittest.Eventually(term.t, "the screen says "+text, func() bool { return strings.Contains(term.screen.String(), text) })
}

// Pasted at a terminal, the recipe of Calltouch's article takes two answers, and nothing else is asked.
func TestTheRecipeTakesTwoAnswers(t *testing.T) {
	config, _ := fileAndSpec(t, "")
	t.Setenv("TOUCHBOX_CONFIG", config)
	text, err := os.ReadFile("../../pkg/link/spec/testdata/shapes/01-seed/spec.txt")
	if err != nil {
		t.Fatal(err)
	}
	term := sit(t, "link", "new", "--write", "--lang", "ru")
	term.answers("Ctrl-D", string(text)+"\x04")
	term.answers("Какие события", "3\n")
	term.answers("От каких посетителей", "3\n")
	if code := <-term.done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, &term.screen)
	}
	if out, errs, code := command(t, config, "check"); code != 0 || !strings.Contains(out, "links: 2") {
		t.Errorf("check: %d, %s%s", code, out, errs)
	}
	written, _ := os.ReadFile(config)
	if !strings.Contains(string(written), "operation: CallTouchStatic\n    body: *calls-requests") {
		t.Errorf("%s", written)
	}
}

// From a specification to links that are checked, tested on what came, and tried on the past, without an editor.
func TestFromTheSpecificationToTestedLinks(t *testing.T) {
	o := newOperator(t)
	config := filepath.Join(t.TempDir(), "touchbox.yaml")
	t.Setenv("TOUCHBOX_CONFIG", config)
	t.Setenv("MINDBOX_SECRET", "any secret")
	o.runs(0, "init", "--no-links", "--site", queuetest.Site)
	text, err := os.ReadFile("../../pkg/link/spec/testdata/shapes/01-seed/spec.txt")
	if err != nil {
		t.Fatal(err)
	}
	term := sit(t, "link", "new", "--write", "--lang", "en")
	term.answers("Ctrl-D", string(text)+"\x04")
	term.answers("Which events", "3\n")
	term.answers("Of which visitors", "3\n")
	if code := <-term.done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, &term.screen)
	}
	o.runs(0, "check")

	visitor := `&attrs={"mindboxDeviceUUID":"6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"}`
	dynamic, static, request := queuetest.Call(1), queuetest.Call(2), queuetest.Request(3)
	dynamic.Body = []byte("id=1&callphase=calldisconnected&callerphone=79161112233&duration=40&utm_source=yandex" + visitor)
	static.Body = []byte("id=2&callphase=calldisconnected&callerphone=79161112244&duration=40")
	request.Body = []byte("leadtype=request&requestId=3&callerphone=79161112255&fio=Петрова Анна Ильинична" + visitor)
	queuetest.Publish(t, o.queue, dynamic, static, request)
	o.runs(0, "test", "record", dynamic.Key.String(), static.Key.String(), request.Key.String())
	if out, _ := o.runs(0, "test"); !strings.Contains(out, "as expected: 6 of 6") { // three events, two links
		t.Errorf("%s", out)
	}
	var trial tryJSON
	o.reads(&trial, "try")
	for _, one := range trial.Links {
		want := map[string]int{"calls-requests-dynamic": 2, "calls-requests-static": 1}[one.Link]
		if one.After.Delivered != want || one.After.Filtered != 3-want {
			t.Errorf("%s would make %+v of them", one.Link, one.After)
		}
	}
	if len(trial.Links) != 2 || trial.Tried != 3 {
		t.Errorf("tried %d events with %d links", trial.Tried, len(trial.Links))
	}
	written, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(strings.Replace(string(written), "${utm_source}", "${utm_medium}", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := o.runs(1, "test"); !strings.Contains(out, "as expected: 5 of 6") {
		t.Errorf("a broken link: %s", out)
	}
}

func TestUnsureFieldsAreAsked(t *testing.T) {
	config, given := fileAndSpec(t, asked+"customer.customFields.a;one\ncustomer.customFields.b;two\ncustomerAction.customFields.phoneNumber\n")
	_ = given
	t.Setenv("TOUCHBOX_CONFIG", config)
	specification := filepath.Join(t.TempDir(), "spec.txt")
	text := "customer.mobilePhone — phone\ncustomerAction.customFields.phoneNumber\ncustomer.customFields.a — whatever\ncustomer.customFields.b — whatever else\ncustomer.customFields.c — nobody knows"
	if err := os.WriteFile(specification, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	term := sit(t, "link", "new", specification, "--lang", "en")
	term.answers("Which events", "1\n")
	term.answers("Of which visitors", "3\n")
	term.answers("Name of the operation in Mindbox:", "Call\n")
	term.answers("for static numbers: [CallStatic]", "\n")
	term.answers("customerAction.customFields.phoneNumber", "2\n")
	term.answers("whatever\r\n> ", "city\n")
	term.answers("whatever else\r\n> ", "-\n")
	term.answers("nobody knows\r\n> ", "\n")
	if code := <-term.done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, &term.screen)
	}
	for _, want := range []string{"customFields.phoneNumber: ${phonenumber}", "customFields.a: ${city}", "# customer.customFields.b: left out", "customFields.c: TODO", "operation: CallStatic"} {
		term.sees(want)
	}
}

// A number that stands for no candidate is no answer: it would go to Mindbox with every call.
func TestANumberOutsideTheListIsAskedForAgain(t *testing.T) {
	config, given := fileAndSpec(t, "Operation Call\n\ncustomer.mobilePhone\ncustomer.ids.crm — id in our CRM\n")
	t.Setenv("TOUCHBOX_CONFIG", config)
	term := sit(t, "link", "new", given, "--lang", "en", "--event", "call.ended", "--numbers", "any", "--operation", "Call")
	term.answers("id in our CRM", "17\n")
	term.answers("there is no number 17 in the list", "ctClientId\n")
	if code := <-term.done; code != 0 {
		t.Fatalf("exit code %d\n%s", code, &term.screen)
	}
	term.sees("customer.ids.crm: ${ctClientId}")
}
