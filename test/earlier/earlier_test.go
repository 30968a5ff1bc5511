package earlier_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the commands that read say of the earlier version's store is, to the byte, what its own commands said.
func TestCommandsSayTheSame(t *testing.T) {
	needsStore(t)
	t.Parallel()
	var commands [][]string
	var want []string
	for _, one := range strings.SplitAfter("\n"+golden(t, "commands.txt"), "\n"+began)[1:] {
		one = strings.TrimSuffix(one, began)
		line, _, _ := strings.Cut(one, "\n")
		commands, want = append(commands, strings.Fields(line)), append(want, began+one)
	}
	if len(commands) < 100 {
		t.Fatalf("only %d commands in commands.txt", len(commands))
	}
	for n, have := range readAll(t, present, commands) {
		if have != want[n] {
			t.Errorf("touchbox %s:\n%s", strings.Join(commands[n], " "), cmp.Diff(strings.Split(want[n], "\n"), strings.Split(have, "\n")))
		}
	}
}

// The bridge goes on with the earlier version's store: what waited is delivered, what was given up is replayed, each with the
// transaction id and the body that the earlier version would have sent, and each event comes to the same outcome with each link.
func TestNothingIsLost(t *testing.T) {
	needsStore(t)
	t.Parallel()
	sent, after := settle(t, present)
	if diff := cmp.Diff(strings.Split(golden(t, "sent.txt"), "\n"), strings.Split(sent, "\n")); diff != "" {
		t.Errorf("what Mindbox was sent (-earlier +now):\n%s", diff)
	}
	if diff := cmp.Diff(strings.Split(golden(t, "after.txt"), "\n"), strings.Split(after, "\n")); diff != "" {
		t.Errorf("what became of the events (-earlier +now):\n%s", diff)
	}
}

func needsStore(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("some ten seconds")
	}
	if *earlier != "" {
		t.Skip("testdata is being made")
	}
}

// settle runs the bridge on the store, before a Mindbox that takes everything, until all that waits is settled and all dead letters and
// more are replayed. It returns the requests that Mindbox was sent, and the outcomes of all events.
func settle(t *testing.T, binary string) (sent, after string) {
	t.Helper()
	m := newMindbox(kind)
	i := newInstallation(t, binary, "http://"+mindboxAddress, serve(t, m), "http://"+calltouchAddress, serve(t, listed(t)), "grace: 12h", "grace: 1s")
	i.env = []string{"INGEST_ADDR=127.0.0.1:0", "INGEST_ADMIN_ADDR=127.0.0.1:0", "WORKER_ADMIN_ADDR=127.0.0.1:0", "CONSOLE_ADDR=off"}
	b := i.up()
	eventually(t, "the hook that waited aside is an event", func() bool { return i.run("event", "10002/request/2101").code == 0 })
	i.must("links", "start", "stopped")
	i.must("retries", "--now")
	eventually(t, "what is parked goes on by itself", func() bool { return !strings.Contains(i.must("links", "--fast", "--json").out, `"parked"`) })
	i.idle()
	i.must("replay", "--link", "removed", "--as", "ended", "--yes")
	for _, link := range []string{"ended", "strict", "numbers", "expires", "requests"} {
		i.must("replay", "--link", link, "--yes")
	}
	i.must("replay", "--outcome", "untaken", "--yes")
	i.idle()
	eventually(t, "nothing waits any more", func() bool { return strings.TrimSpace(i.run("retries", "--json").out) == "[]" })
	i.must("replay", "--outcome", "delivered", "--link", "ended", "--revision", "again2", "--yes")
	eventually(t, "nothing waits any more", func() bool { return strings.TrimSpace(i.run("retries", "--json").out) == "[]" })
	after = i.outcomesOfAll()
	b.stop(t)
	return m.requests(), after
}

// outcomesOfAll is what became of each event with each link, and what is left of dead letters.
func (i *installation) outcomesOfAll() string {
	i.t.Helper()
	var rows []struct {
		Key, Origin string
		Outcomes    map[string]string
	}
	var letters []struct{ Key, Link, Reason string }
	if err := json.Unmarshal([]byte(i.must(append([]string{"events", "--json"}, all...)...).out), &rows); err != nil {
		i.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(i.must("deadletters", "--json", "--limit", "1000").out), &letters); err != nil {
		i.t.Fatal(err)
	}
	var lines []string
	for _, r := range rows {
		line := r.Key + " " + r.Origin
		for _, link := range slices.Sorted(maps.Keys(r.Outcomes)) {
			line += fmt.Sprintf(", %s %s", link, r.Outcomes[link])
		}
		lines = append(lines, line)
	}
	for _, l := range letters {
		lines = append(lines, fmt.Sprintf("dead letter %s %s %s", l.Key, l.Link, l.Reason))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}
