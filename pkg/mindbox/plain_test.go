package mindbox

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestThePlainAnswerIsReadAsAnyOther: what is read without a decoder comes to the same as with one.
func TestThePlainAnswerIsReadAsAnyOther(t *testing.T) {
	for body, plain := range map[string]bool{
		`{"status":"Success"}`: true,
		" {\r\n\t\"status\" : \"TransactionAlreadyProcessed\" }\n": true,
		`{"status":"ProtocolError"}`:                               true,
		`{"status":"success"}`:                                     false,
		`{"status":" Success "}`:                                   false,
		`{"status":"Surprise"}`:                                    false,
		`{"status":"Success","errorMessage":"a"}`:                  false,
		`{"status":"Success"}}`:                                    false,
		`{"status":"Success"`:                                      false,
		`{"status":"Success}`:                                      false,
		`{"status":"`:                                              false,
		`{"status":"}`:                                             false,
		`{"status":}`:                                              false,
		`{"Status":"Success"}`:                                     false,
		`{"status":null}`:                                          false,
		`"status":"Success"`:                                       false,
		"\xef\xbb\xbf{\"status\":\"Success\"}":                     false,
		`{"status":"Success","status":"ProtocolError"}`:            false,
		`{"status":{"status":"Success"}}`:                          false,
		``:                                                         false,
	} {
		if got := plainState([]byte(body)) != ""; got != plain {
			t.Errorf("%q is plain: %v", body, got)
		}
		var short, whole Answer
		parseBody(&short, []byte(body))
		parseBody(&whole, append([]byte("\xef\xbb\xbf"), body...)) // by the decoder, which passes over the mark
		if plain {
			if diff := cmp.Diff(short, whole); diff != "" {
				t.Errorf("%q: %s", body, diff)
			}
		}
	}
}

func TestParameters(t *testing.T) {
	op := Operation{Endpoint: "a b&c", Name: "Имя+", DeviceUUID: "d=/?", TransactionID: "t%"}
	want := url.Values{"endpointId": {op.Endpoint}, "operation": {op.Name}, "deviceUUID": {op.DeviceUUID}, "transactionId": {op.TransactionID}}
	if got := parameters(&url.URL{}, op, op.TransactionID); got != want.Encode() {
		t.Errorf("got %s, want %s", got, want.Encode())
	}
	op.DeviceUUID = ""
	want.Del("deviceUUID")
	want.Del("transactionId")
	if got := parameters(&url.URL{}, op, ""); got != want.Encode() {
		t.Errorf("got %s, want %s", got, want.Encode())
	}
	want.Set("page", "1")
	op.Query = map[string]string{"operation": "Other"}
	if got := parameters(&url.URL{RawQuery: "page=1&endpointId=x"}, op, ""); got != want.Encode() {
		t.Errorf("got %s, want %s", got, want.Encode())
	}
}

// TestHeaderIsOfItsSecretAndOperation: the header that requests share is no other's.
func TestHeaderIsOfItsSecretAndOperation(t *testing.T) {
	c, err := New(Config{URL: "https://api.example", Authorization: AuthorizationSecretKey})
	if err != nil {
		t.Fatal(err)
	}
	own := Operation{Header: map[string]string{"X-Page": "1"}}
	for _, tt := range []struct {
		op           Operation
		secret, page string
	}{{Operation{}, "one", ""}, {own, "one", "1"}, {Operation{}, "one", ""}, {Operation{}, "two", ""}, {own, "two", "1"}, {Operation{}, "", ""}} {
		h, authorization := c.header(tt.op, tt.secret), ""
		if tt.secret != "" {
			authorization = "SecretKey " + tt.secret
		}
		want := http.Header{"User-Agent": {"Touchbox"}, "Content-Type": {"application/json; charset=utf-8"}, "Accept": {"application/json"}}
		if authorization != "" {
			want.Set("Authorization", authorization)
		}
		if tt.page != "" {
			want.Set("X-Page", tt.page)
		}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Errorf("%q: %s", tt.secret, diff)
		}
	}
}
