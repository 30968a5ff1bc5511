package watch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The address of a messenger's webhook is its secret.
func TestAlertFollowsNoRedirect(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			moved := httptest.NewServer(http.RedirectHandler(other.URL+"/elsewhere", status))
			defer moved.Close()
			got, err := NewReceiver(moved.URL+"/bot123:SECRET/send", "", "Touchbox/test").post(t.Context(), Notice{Text: "x"})
			if err == nil || got != status {
				t.Errorf("status %d, error %v: a redirect is no delivery", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error holds the address: %v", err)
			}
		})
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests went to where the redirects point", n)
	}
}

func TestAlertErrorsHoldNoAddress(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, url := range []string{closed.URL + "/bot1:SECRET", "http://SECRET.invalid/", "http://127.0.0.1:1/%zzSECRET"} {
		if _, err := NewReceiver(url, "", "Touchbox/test").post(t.Context(), Notice{}); err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("error %v", err)
		}
	}
}
