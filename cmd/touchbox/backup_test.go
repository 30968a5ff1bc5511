package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/backup"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// A store moves from `touchbox up` to a NATS of one's own and back, with all that it holds.
func TestStoreMovesThereAndBack(t *testing.T) {
	waittest.Slow(t, "each backup waits some seconds before its first copy")
	o := newOperator(t)
	o.die(1, 2)
	o.hook(3)
	copies := t.TempDir()
	first, second := filepath.Join(copies, "first"), filepath.Join(copies, "second")
	var m backup.Manifest
	o.reads(&m, "backup", first)
	if m.Streams[0].Messages != 3 || m.Streams[2].Messages != 2 {
		t.Errorf("manifest %+v", m)
	}
	o.runs(2, "backup", first)  // the folder is there
	o.runs(2, "restore", first) // `up` runs

	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go ns.Start()
	defer ns.Shutdown()
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	t.Setenv("NATS_URL", ns.ClientURL())
	o.runs(0, "restore", first)
	if _, errs := o.runs(1, "restore", first); !strings.Contains(errs, "empty") {
		t.Errorf("restored twice: %s", errs)
	}
	o.showsAll("in NATS")
	o.runs(0, "backup", second)

	t.Setenv("NATS_URL", "")
	data, err := os.MkdirTemp("", "tb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	t.Setenv("TOUCHBOX_DATA", data)
	o.runs(1, "backup", filepath.Join(copies, "none")) // there is no store
	o.runs(0, "restore", second)
	third := filepath.Join(copies, "third")
	o.reads(&m, "backup", third) // of a store that nobody serves
	if m.Streams[0].Messages != 3 || m.Streams[2].Messages != 2 || m.Streams[0].Consumers != 1 {
		t.Errorf("back again: %+v", m)
	}
}

// showsAll asks the queue for two dead letters and an event that no link has read.
func (o *operator) showsAll(where string) {
	o.t.Helper()
	for id, want := range map[string]event.Outcome{"1": event.Dead, "2": event.Dead, "3": event.Waiting} {
		var view admin.EventView
		o.reads(&view, "event", id)
		if len(view.Links) != 1 || view.Links[0].Outcome != want {
			o.t.Errorf("%s: event %s is %+v, want %s", where, id, view.Links, want)
		}
	}
	var list []queue.DeadLetter
	o.reads(&list, "deadletters")
	if len(list) != 2 {
		o.t.Errorf("%s: %d dead letters", where, len(list))
	}
}
