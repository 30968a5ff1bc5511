package mindbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

// TestPreviewIsWhatGoesOut: what a person is shown is what the client sends, but for the secret, the
// transaction id and what every HTTP client adds.
func TestPreviewIsWhatGoesOut(t *testing.T) {
	for _, authorization := range []string{"", mindbox.AuthorizationMindbox, mindbox.AuthorizationSecretKey} {
		t.Run(authorization, func(t *testing.T) {
			var got *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
			defer server.Close()
			config := mindbox.Config{URL: server.URL + "/gateway", Authorization: authorization, Secret: func() string { return "***" }}
			op := mindbox.Operation{
				Endpoint: "clinic.Website", Name: "CallTouch", DeviceUUID: "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84",
				TransactionID: "8b9ba7a6-32f1-4b61-9f6b-3a53c1b33dc9", Body: []byte(`{"a":1}`),
				Header: map[string]string{"X-Page": " a\r\nb "}, Query: map[string]string{"source": "я"},
			}
			newClient(t, config).Deliver(t.Context(), op)
			shown := config.Preview(op)

			query := got.URL.Query()
			query.Del("transactionId")
			u, err := url.Parse(shown.URL)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(query, u.Query()); diff != "" {
				t.Error(diff)
			}
			if shown.Method != got.Method || u.Path != got.URL.Path || u.Host != got.Host || string(shown.Body) != string(op.Body) {
				t.Errorf("got %+v, sent %s %s", shown, got.Method, got.URL)
			}
			sent := map[string]string{}
			for name := range got.Header {
				sent[name] = got.Header.Get(name)
			}
			for _, name := range []string{"User-Agent", "Content-Length", "Accept-Encoding"} {
				delete(sent, name)
			}
			if diff := cmp.Diff(sent, shown.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFields(t *testing.T) {
	for path, want := range map[string]int{"customer.firstName": 100, "fullName": 100, "customer.name": 1000, "comment": 1000} {
		if got := mindbox.Longest(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	for path, want := range map[string]bool{
		"customer.mobilePhone": true, "customer.email": true, "customer.ids.site": true, "customer.ids": false,
		"customer.ids.a.b": false, "customer.discountCard.ids.number": true, "customer.lastName": false,
	} {
		if got := mindbox.Identifies(path); got != want {
			t.Errorf("%s identifies: %v", path, got)
		}
	}
	for v, want := range map[int64]bool{1<<31 - 1: true, 1 << 31: false, -1 << 31: true, -1<<31 - 1: false} {
		if got := mindbox.FitsInteger(v); got != want {
			t.Errorf("%d fits: %v", v, got)
		}
	}
}
