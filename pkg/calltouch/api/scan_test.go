package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// answering is a client to whom Calltouch answers a text, a byte at a time.
func answering(text string) *api.Client {
	return &api.Client{Site: "10001", Token: token, HTTP: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(text)))}, nil
	})}}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// Of an answer with one record that is no JSON, the others are taken. Those that follow are a
// record that is sound but for its beginning's like, and one more.
func TestBrokenRecordHidesNoOther(t *testing.T) {
	const first, last = `{"requestId":1,"client":{"phones":[]}}`, `{"requestId":3,"a":[{"b":1},{"b":2}]}`
	tests := []struct{ name, record string }{
		{"a wrong escape", `{"requestId":2,"comment":"O\'Hara"}`},
		{"quotation marks in a text", `{"requestId":2,"fio":"OOO "Romashka""}`},
		{"one of them", `{"requestId":2,"size":"12" pipe"}`},
		{"one of them, with lists behind it", `{"requestId":2,"size":"12" pipe","a":[{"b":1},{"b":2}],"c":{"d":"}]"}}`},
		{"a text without its end", `{"requestId":2,"size":"12}`},
		{"a bracket too few", `{"requestId":2,"a":[{"b":1}}`},
		{"a brace too few", `{"requestId":2,"a":{"b":1}`},
		{"a bracket too many", `{"requestId":2,"a":[{"b":1}]]}`},
		{"a bracket too many, with a list behind it", `{"requestId":2,"a":1],"c":[{"requestIds":1},{"d":1}]}`},
		{"a brace too many", `{"requestId":2,"a":1}}`},
		{"a word that is no value", `{"requestId":2,"a":NaN,"b":undefined}`},
		{"no value", `{"requestId":2,"a":,"b":1}`},
		{"no comma", `{"requestId":2 "a":1}`},
		{"one quotation mark", `{"requestId":2,'a':1}`},
		{"a comma too many", `{"requestId":2,"a":1,}`},
		{"no record at all", `"requestId"`},
		{"null", `null`},
		{"bytes", "\x01\xff\xfe"},
	}
	ends := map[string][2]string{"array": {"[", "]"}, "page": {`{"pageTotal":1,"records":[`, `],"recordsTotal":3}`}}
	for _, tt := range tests {
		for shape, end := range ends {
			for where, records := range map[string]string{
				"between": first + "," + tt.record + ",\n" + last, "first": tt.record + ", " + first + "," + last, "last": first + "," + last + "," + tt.record,
			} {
				t.Run(tt.name+"/"+shape+"/"+where, func(t *testing.T) {
					var ids []string
					err := answering(end[0]+records+end[1]).Requests(t.Context(), calltouch.Day{}, func(r calltouch.Listed) error {
						if string(r.Raw) == first || string(r.Raw) == last {
							ids = append(ids, r.ID)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					if diff := cmp.Diff([]string{"1", "3"}, ids); diff != "" {
						t.Errorf("taken (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// A cut answer is told from one that ends with a broken record: it is asked for again.
func TestCutAnswerIsNoWholeOne(t *testing.T) {
	const list = `[{"requestId":1,"a":[{"b":"}]"}]},{"requestId":2,"c":"d"}]`
	for _, whole := range []string{list, `{"records":` + list + `,"pageTotal":1}`} {
		for i := range len(whole) - 1 {
			if err := cutOff(whole[:i], io.ErrUnexpectedEOF); err == nil {
				t.Errorf("the connection broke off, and it is whole: %s", whole[:i])
			}
			inText := strings.HasSuffix(whole[:i], `"}]`) || strings.HasSuffix(whole[:i], `"}`)
			if err := cutOff(whole[:i], io.EOF); err == nil && !inText {
				t.Errorf("whole: %s", whole[:i])
			}
		}
	}
}

// cutOff is the error of an answer that ends so.
func cutOff(text string, end error) error {
	c := &api.Client{Site: "10001", Token: token, HTTP: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(text), iotest.ErrReader(end))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	})}}
	return c.Requests(context.Background(), calltouch.Day{}, func(calltouch.Listed) error { return nil })
}

func TestEndlessPages(t *testing.T) {
	asked := 0
	c := &api.Client{Site: "10001", Token: token, HTTP: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		asked++
		body := `{"pageTotal":1000000000,"records":[{"callId":1}]}`
		if asked > 3 {
			body = `{"pageTotal":1000000000,"records":[]}`
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})}}
	if err := c.Calls(context.Background(), calltouch.Day{}, func(calltouch.Listed) error { return nil }); asked != 4 || err != nil {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// An answer that goes on behind its end may hold records there.
func TestAnswerGoesOnBehindItsEnd(t *testing.T) {
	for _, text := range []string{`{"records":[{"callId":1}]},{"callId":2}]}`, `{"records":[],"a":1}{"records":[{"callId":2}]}`} {
		if err := answering(text).Calls(t.Context(), calltouch.Day{}, func(calltouch.Listed) error { return nil }); err == nil {
			t.Errorf("whole: %s", text)
		}
	}
}

// Of a record without end no more is kept than its bound, and those behind it are taken.
func TestHugeRecordIsNotHeldInMemory(t *testing.T) {
	waittest.Slow(t, "20 MB")
	huge := fmt.Sprintf(`{"requestId":2,"a":%q}`, strings.Repeat("x", 20<<20))
	c := &api.Client{Site: "10001", Token: token, HTTP: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("[" + huge + `,{"requestId":3}]`))}, nil
	})}}
	var ids []string
	longest := 0
	err := c.Requests(t.Context(), calltouch.Day{}, func(r calltouch.Listed) error {
		ids, longest = append(ids, r.ID), max(longest, len(r.Raw))
		return nil
	})
	if err != nil || len(ids) != 2 || ids[0] != "2" || ids[1] != "3" || longest > 1<<20 {
		t.Errorf("%v: %v, longest %d", err, ids, longest)
	}
}

// Whatever one byte too many or too few does to a record, the one before it is taken, and those
// behind it are, or the answer is known to be unsound.
func TestOneWrongByteHidesNoOther(t *testing.T) {
	const first, last = `{"requestId":1,"a":[{"b":1}]}`, `{"requestId":3,"c":{"requestId":9}}`
	const middle = `{"requestId":2,"a":[{"requestIds":[1,2]},{"d":"x"}],"e":{"f":"say \"hi\""},"g":null}`
	for i := range len(middle) + 1 {
		for _, wrong := range []string{"", `"`, `\`, "{", "}", "[", "]", ",", ":", "x", `"}]`, "\x00"} {
			for _, gone := range []int{0, 1} {
				record := middle[:i] + wrong + middle[min(i+gone, len(middle)):]
				for _, end := range [][2]string{{"[", "]"}, {`{"records":[`, `],"pageTotal":1}`}} {
					var taken []string
					err := answering(end[0]+first+","+record+","+last+end[1]).Requests(t.Context(), calltouch.Day{}, func(r calltouch.Listed) error {
						if string(r.Raw) == first || string(r.Raw) == last {
							taken = append(taken, r.ID)
						}
						return nil
					})
					if !slices.Contains(taken, "1") || err == nil && !slices.Contains(taken, "3") {
						t.Errorf("taken %v of %s", taken, end[0]+first+","+record+","+last+end[1])
					}
				}
			}
		}
	}
}
