package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// What runs already when a later part cannot start must not keep the process alive.
func TestANodeOfWhichAPartCannotStartEnds(t *testing.T) {
	server := queuetest.Start(t)
	broken := &link.Destination{Name: "mindbox", URL: "ftp://mindbox.invalid", Endpoint: "clinic.Website"}
	for _, ingest := range []bool{true, false} {
		n := &Node{
			Ingest: ingest, Worker: true, Fixed: true, Log: zerolog.Nop(),
			Settings: Settings{IngestAddr: "127.0.0.1:0", IngestAdminAddr: "127.0.0.1:0", WorkerAdminAddr: "127.0.0.1:0", AlertURL: "http://127.0.0.1:1"},
			File: &link.File{
				Destinations: []*link.Destination{broken}, Keep: link.Keep{Disk: 200_000_000, Events: 24 * time.Hour, History: 24 * time.Hour},
			},
		}
		ended := make(chan error, 1)
		go func() {
			ended <- n.run(t.Context(), queue.Options{Connection: queue.Connection{InProcess: server.Conn, Log: zerolog.Nop()}, SyncKnown: true, Limits: queue.Limits{Disk: 200_000_000}})
		}()
		select {
		case err := <-ended:
			if ExitCode(err) != ExitMistake {
				t.Errorf("ingest %v: exit code %d: %v", ingest, ExitCode(err), err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("ingest %v: it hangs", ingest)
		}
	}
}

// An address in use is told by the variable in which another one is set.
func TestAnAddressThatCannotBeOpenedIsNamedByItsVariable(t *testing.T) {
	server := queuetest.Start(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for variable, set := range map[string]func(*Settings, string){
		"INGEST_ADDR":       func(s *Settings, addr string) { s.IngestAddr = addr },
		"INGEST_ADMIN_ADDR": func(s *Settings, addr string) { s.IngestAdminAddr = addr },
		"WORKER_ADMIN_ADDR": func(s *Settings, addr string) { s.WorkerAdminAddr = addr },
	} {
		n := &Node{
			Ingest: true, Worker: true, Fixed: true, Log: zerolog.Nop(),
			Settings: Settings{IngestAddr: "127.0.0.1:0", IngestAdminAddr: "127.0.0.1:0", WorkerAdminAddr: "127.0.0.1:0"},
			File:     &link.File{Keep: link.Keep{Disk: 200_000_000, Events: 24 * time.Hour, History: 24 * time.Hour}},
		}
		set(&n.Settings, taken.Addr().String())
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		err := n.run(ctx, queue.Options{Connection: queue.Connection{InProcess: server.Conn, Log: zerolog.Nop()}, SyncKnown: true, Limits: queue.Limits{Disk: 200_000_000}})
		stop()
		if err == nil || !strings.HasPrefix(lang.Russian.Error(err), variable+": не открыть адрес") {
			t.Errorf("%s: %v", variable, err)
		}
	}
}

// What keeps a process from starting is for the person, in their language, whichever process it is.
func TestMistakesOfTheFileAreSaidInThePersonsLanguage(t *testing.T) {
	t.Setenv("LC_ALL", "ru_RU.UTF-8")
	s := Settings{Config: filepath.Join(t.TempDir(), "touchbox.yaml")}
	if err := os.WriteFile(s.Config, []byte("calltuch: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]func() error{
		"ingest":  func() error { return RunIngest(t.Context(), s, zerolog.Nop()) },
		"worker":  func() error { return RunWorker(t.Context(), s, zerolog.Nop()) },
		"console": func() error { return RunConsole(t.Context(), s, zerolog.Nop(), &Node{}) },
	} {
		if err := start(); ExitCode(err) != ExitMistake || !strings.Contains(err.Error(), "неизвестный ключ calltuch") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartThatFailedIsTheCause(t *testing.T) {
	failed, calledOff := errors.New("address in use"), fmt.Errorf("register link: %w", context.Canceled)
	if got := cause(calledOff, failed); !errors.Is(got, failed) || ExitCode(got) != ExitFailed {
		t.Errorf("got %v", got)
	}
	if got := cause(failed, calledOff); !errors.Is(got, failed) {
		t.Errorf("got %v", got)
	}
}

// A warning of the file is said once, however often the file is changed and wherever the warning then stands.
func TestAWarningOfTheFileIsSaidOnce(t *testing.T) {
	var log bytes.Buffer
	n := &Node{Log: zerolog.New(&log)}
	problem := func(line int, text string) link.Problem {
		return link.Problem{File: "touchbox.yaml", Pos: link.Pos{Line: line, Column: 1}, Warning: true, Text: text}
	}
	n.warn(link.Problems{problem(3, "a"), problem(4, "b")})
	n.warn(link.Problems{problem(5, "a")})
	n.warn(link.Problems{problem(5, "a"), problem(6, "b")}) // b was gone, and is back
	if got := strings.Count(log.String(), ": a"); got != 1 {
		t.Errorf("said %d times:\n%s", got, log.String())
	}
	if got := strings.Count(log.String(), ": b"); got != 2 {
		t.Errorf("what came back is said %d times:\n%s", got, log.String())
	}
}
