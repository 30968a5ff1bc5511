package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestReloadsInAnOutageLeaveNothingBehind takes a file up again and again while the queue is away, as
// a process does whose other half refuses the file.
func TestReloadsInAnOutageLeaveNothingBehind(t *testing.T) {
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	one, other := testFile(t, "http://localhost", "One"), testFile(t, "http://localhost", "Other")
	w, err := New(Config{Queue: q, File: one, Log: zerolog.Nop(), Finish: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	waittest.Eventually(t, "running", func() bool { return w.Use(one) == nil })
	for range 50 {
		for _, file := range []*link.File{other, one} {
			if err := w.Use(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := running("putVersion"); n > 2 {
		t.Errorf("%d goroutines keep two versions", n)
	}
	server.Start()
	var document json.RawMessage
	for _, file := range []*link.File{one, other} {
		waittest.Eventually(t, "version stored", func() bool {
			_, err := q.State().Get(t.Context(), event.VersionKeys.Of(file.Links[0].Version), &document)
			return err == nil
		})
	}
	waittest.Eventually(t, "done", func() bool { return running("putVersion") == 0 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAVersionThatComesBackIsStoredAgain: retention may have removed it.
func TestAVersionThatComesBackIsStoredAgain(t *testing.T) {
	q := queuetest.New(t)
	one, other := testFile(t, "http://localhost", "One"), testFile(t, "http://localhost", "Other")
	w, err := New(Config{Queue: q, File: one, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	key, stored := event.VersionKeys.Of(one.Links[0].Version), func() bool {
		var document json.RawMessage
		_, err := q.State().Get(t.Context(), event.VersionKeys.Of(one.Links[0].Version), &document)
		return err == nil && running("putVersion") == 0
	}
	waittest.Eventually(t, "stored", stored)
	if err := w.Use(other); err != nil {
		t.Fatal(err)
	}
	if err := q.State().Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := w.Use(one); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "stored again", stored)
	cancel()
	<-done
}

// running counts the goroutines that are in a function of the worker. No other test runs beside.
func running(function string) int {
	stack := make([]byte, 8<<20)
	stack = stack[:runtime.Stack(stack, true)]
	return bytes.Count(stack, []byte("(*Worker)."+function+"("))
}

// TestUndeclaredAttributesAreWarnedOfAllTheTime: strangers send any names, and those of the site are
// still named.
func TestUndeclaredAttributesAreWarnedOfAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := &warnings{log: zerolog.New(&log)}
		warns := func(name string) bool {
			log.Reset()
			w.undeclared("10001", []string{name})
			if log.Len() > 300 {
				t.Fatalf("a name is told in %d bytes", log.Len())
			}
			return log.Len() > 0
		}
		if !warns("known") || warns("known") {
			t.Error("an attribute is named once")
		}
		named := 1
		for i := range 3 * wait.MaxNames {
			if warns(fmt.Sprintf("%c%d %s", 'a'+i%26, i, strings.Repeat("x ", 1_000))) {
				named++
			}
		}
		if named != wait.MaxNames {
			t.Errorf("%d names are remembered", named)
		}
		time.Sleep(25 * time.Hour)
		if !warns("known") || !warns("new") {
			t.Error("a day later nothing is named any more")
		}
	})
}
