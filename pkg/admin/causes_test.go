package admin_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What differs in digits, ids and what is quoted alone is one cause; another link, reason, status or word is another one.
func TestLettersOfOneCause(t *testing.T) {
	t.Parallel()
	of := func(link, reason string, status int, answer string) string {
		return admin.CauseOf(queue.DeadLetter{Link: link, Trail: event.Trail{Reason: reason, Status: status, Answer: answer}})
	}
	first := of("calls", "refused", 400, `no customer "Анна" of 17 in 00000000-1111-4222-8333-444455556666`)
	if again := of("calls", "refused", 400, `no customer «Мария» of 9 in 99999999-1111-4222-8333-444455556666`); again != of("calls", "refused", 400, `no customer “x” of 1 in 1`) || again != first {
		t.Errorf("%s and %s are two", first, again)
	}
	for _, other := range []string{
		of("other", "refused", 400, `no customer "Анна" of 17 in 1`), of("calls", "expired", 400, `no customer "Анна" of 17 in 1`), of("calls", "refused", 500, `no customer "Анна" of 17 in 1`),
		of("calls", "refused", 400, `no such customer "Анна" of 17 in 1`),
	} {
		if other == first {
			t.Errorf("%s is one with another", other)
		}
	}
}
