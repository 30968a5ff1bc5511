package admin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// whole takes a list part by part, and holds that each says how many there are.
func whole[T any](t *testing.T, total int, part func(before uint64) (admin.Part[T], error)) (rows []T) {
	t.Helper()
	for before := uint64(0); ; {
		p, err := part(before)
		if err != nil {
			t.Fatal(err)
		}
		if p.Total != total {
			t.Errorf("before %d: %d in all, want %d", before, p.Total, total)
		}
		rows = append(rows, p.Rows...)
		if before = p.Older; before == 0 {
			return rows
		}
	}
}

// What is long is read from its newest end, part by part: nothing is left out, nothing comes twice.
func TestLongListsAreReadFromTheirNewestEndPartByPart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	const n, each = 2500, 40
	for i := range n {
		who := map[bool]string{true: "oleg", false: "anna"}[i%50 == 0]
		if err := h.Queue.WriteAudit(t.Context(), queue.AuditEntry{Who: who, By: admin.ByCLI, Verb: []string{"export", "reveal", "send"}[i%3], On: fmt.Sprint(i), Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 {
		reason := map[bool]string{true: "ping", false: "no_id"}[i%100 == 0]
		if err := h.Queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: reason, Origin: event.Webhook, Received: time.Now(), Body: []byte(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	a := h.board()
	audit := func(q admin.AuditQuery, total int) []admin.AuditEntry {
		return whole(t, total, func(before uint64) (admin.Part[admin.AuditEntry], error) {
			q.Before, q.Limit = before, each
			return a.AuditPart(t.Context(), q)
		})
	}
	all := audit(admin.AuditQuery{}, n)
	for i, e := range all {
		if e.On != fmt.Sprint(n-1-i) {
			t.Fatalf("row %d is %s", i, e.On)
		}
	}
	if got := len(audit(admin.AuditQuery{Verb: "send"}, n/3)); len(all) != n || got != n/3 {
		t.Errorf("%d in all, %d of one verb", len(all), got)
	}
	if got := audit(admin.AuditQuery{Verb: "no verb >"}, 0); len(got) != 0 {
		t.Errorf("%v", got)
	}
	mine := 0
	for before := uint64(0); ; { // whoever asks for a person is told what is looked at, part by part
		p, err := a.AuditPart(t.Context(), admin.AuditQuery{Who: "oleg", Before: before, Limit: each})
		if err != nil {
			t.Fatal(err)
		}
		mine += len(p.Rows)
		if before = p.Older; before == 0 {
			break
		}
	}
	if mine != n/50 {
		t.Errorf("%d are oleg's", mine)
	}
	for reason, total := range map[string]int{"": 300, "ping": 3, "no_id": 297, "none": 0} {
		rows := whole(t, total, func(before uint64) (admin.Part[queue.Aside], error) {
			return a.AsidePart(t.Context(), admin.AsideQuery{Reason: reason, Before: before}, each)
		})
		count, err := a.CountWork(t.Context(), admin.JobAsideTake, admin.Work{Reason: reason})
		if len(rows) != total || count != total || err != nil {
			t.Errorf("%q: %d rows, counted %d, want %d, %v", reason, len(rows), count, total, err)
		}
		for i := 1; i < len(rows); i++ {
			if rows[i].Sequence >= rows[i-1].Sequence {
				t.Fatalf("%q: %d comes behind %d", reason, rows[i].Sequence, rows[i-1].Sequence)
			}
		}
	}
	h.publish(1, 2, 3)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Waiting, Attempts: 1, Reason: "server_error", Status: 503, Until: time.Now().Add(time.Hour)}))
	h.until("three wait", func() bool {
		_, total, err := a.Retries(t.Context(), admin.Filter{Reason: "server_error"}, 1)
		return err == nil && total == 3
	})
	stop()
	waiting := whole(t, 3, func(before uint64) (admin.Part[queue.Retry], error) {
		return a.RetriesPart(t.Context(), admin.Filter{Reason: "server_error", Link: "dynamic"}, before, 2)
	})
	if len(waiting) != 3 || waiting[0].Sequence < waiting[2].Sequence {
		t.Errorf("%+v", waiting)
	}
}
