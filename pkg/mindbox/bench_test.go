package mindbox_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

// accepting answers each request as Mindbox does that takes it, without a network between.
type accepting struct{}

func (accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"status":"Success"}`)), Request: r,
	}, nil
}

// BenchmarkDeliver measures an attempt without its network: making the request, reading the answer.
func BenchmarkDeliver(b *testing.B) {
	client, err := mindbox.New(mindbox.Config{URL: "https://api.mindbox.ru", Transport: accepting{}, Secret: func() string { return "k3y-0123456789" }})
	if err != nil {
		b.Fatal(err)
	}
	op := mindbox.Operation{
		Endpoint: "clinic.Website", Name: "CallTouch", DeviceUUID: "0f8fad5b-d9cb-469f-a165-701000000000",
		TransactionID: "9140eb82-0507-5ceb-b1a4-0b57f40bc2d0",
		Body:          []byte(`{"customer":{"mobilePhone":"79000000001"},"customerAction":{"customFields":{"callId":"148071","utmSource":"yandex"}}}`),
	}
	b.ReportAllocs()
	for b.Loop() {
		if a := client.Deliver(b.Context(), op); a.State != mindbox.StateSuccess {
			b.Fatal(a)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, a := range []mindbox.Answer{
		{Status: http.StatusOK, State: mindbox.StateSuccess},
		{Status: http.StatusTooManyRequests, State: mindbox.StateProtocol},
	} {
		b.Run(http.StatusText(a.Status), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := mindbox.Judge(a); v.Action == mindbox.Refused {
					b.Fatal(v)
				}
			}
		})
	}
}
