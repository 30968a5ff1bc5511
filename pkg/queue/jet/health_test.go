package jet_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestHealth(t *testing.T) {
	server := queuetest.Start(t)
	const subject = "test.health"
	command := open(t, server)
	ask := func(want ...jet.Health) {
		t.Helper()
		got, err := command.AskHealth(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(x, y jet.Health) bool { return x.Process < y.Process }), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
	ask()
	ingest, worker := dial(t, jet.Options{InProcess: server.Conn, Name: "ingest"}), dial(t, jet.Options{InProcess: server.Conn, Name: "worker"})
	if err := errors.Join(
		ingest.AnswerHealth(subject, func(context.Context) error { return errors.New("the disk is full") }),
		worker.AnswerHealth(subject, func(context.Context) error { return nil }),
	); err != nil {
		t.Fatal(err)
	}
	ask(jet.Health{Process: "ingest", Problem: "the disk is full"}, jet.Health{Process: "worker"})
	ingest.Close()
	ask(jet.Health{Process: "worker"})
}
