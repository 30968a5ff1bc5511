package hook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/event"
)

// nowhere is a store that takes everything at once.
type nowhere struct{}

func (nowhere) Publish(context.Context, event.Event) (event.Receipt, error) {
	return event.ReceiptStored, nil
}
func (nowhere) PutAside(context.Context, event.Aside) error { return nil }

// A hook from its request to its answer, but for the store.
func BenchmarkHandler(b *testing.B) {
	const body = endedCall + "&siteId=10001&leadtype=call&utm_source=yandex&utm_medium=cpc&attribution=1" +
		"&attrs=%7B%22mindboxDeviceUUID%22%3A%224f2d0a7c-1111-4222-8333-944455566677%22%7D"
	h := hook.NewHandler(hook.Config{Sites: []calltouch.Site{cabinet(site, "secret-key")}, Store: nowhere{}})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, goodPath, strings.NewReader(body))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
