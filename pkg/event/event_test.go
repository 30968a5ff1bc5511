package event_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/event"
)

func TestKeySurvivesSubjectAndText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, 20, event.MaxID).Filter(func(s string) bool { return s != "" }).Draw(t, "id")
		key, err := event.NewKey("10001", rapid.SampledFrom(event.Kinds).Draw(t, "kind"), id)
		if err != nil {
			t.Fatal(err)
		}
		if tokens := strings.Split(key.Subject(), "."); len(tokens) != 3 || strings.ContainsAny(key.Subject(), " *>\t\r\n") {
			t.Fatalf("subject %q is not three safe tokens", key.Subject())
		}
		fromSubject, err := event.ParseSubject(key.Subject())
		if err != nil || fromSubject != key {
			t.Fatalf("subject %q came back as %v, %v", key.Subject(), fromSubject, err)
		}
		fromText, err := event.ParseKey(key.String())
		if err != nil || fromText != key {
			t.Fatalf("key %q came back as %v, %v", key, fromText, err)
		}
	})
}

func TestParseKey(t *testing.T) {
	tests := []struct {
		name, text, want string // want "" means refused
	}{
		{"as people write it", "10001/call-ended/148071", "10001/call-ended/148071"},
		{"dotted kind", "10001/call.ended/148071", "10001/call-ended/148071"},
		{"leading zeros are another id", "10001/request/007", "10001/request/007"},
		{"bare number", "148071", ""},
		{"unknown kind", "10001/deal/1", ""},
		{"site is a name", "clinic/request/1", ""},
		{"id with a wildcard", "10001/request/*", ""},
		{"decimal written as encoded", "10001/request/x64", ""},
		{"empty id", "10001/request/", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := event.ParseKey(tt.text)
			if tt.want == "" {
				if !errors.Is(err, event.ErrBadKey) {
					t.Fatalf("got %v, %v; want ErrBadKey", key, err)
				}
				return
			}
			if err != nil || key.String() != tt.want {
				t.Fatalf("got %v, %v; want %s", key, err, tt.want)
			}
		})
	}
}

func TestFingerprintOther(t *testing.T) {
	base := event.Fingerprint{Phone: "79000000001", Time: time.Unix(1_700_000_000, 0)}
	later := base.Time.Add(3 * time.Minute)
	tests := []struct {
		name string
		with event.Fingerprint
		want bool
	}{
		{"same", base, false},
		{"other phone, same time", event.Fingerprint{Phone: "79000000002", Time: base.Time}, false},
		{"same phone, other time", event.Fingerprint{Phone: base.Phone, Time: later}, false},
		{"both differ", event.Fingerprint{Phone: "79000000002", Time: later}, true},
		{"two minutes are the same moment", event.Fingerprint{Phone: "79000000002", Time: base.Time.Add(2 * time.Minute)}, false},
		{"hidden number equals any", event.Fingerprint{Time: later}, false},
		{"unknown time equals any", event.Fingerprint{Phone: "79000000002"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := base.Other(tt.with); got != tt.want {
				t.Errorf("Other = %v, want %v", got, tt.want)
			}
			if got := tt.with.Other(base); got != tt.want {
				t.Errorf("Other the other way round = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEventSurvivesHeaders(t *testing.T) {
	key, err := event.NewKey("10001", event.CallEnded, "148071")
	if err != nil {
		t.Fatal(err)
	}
	want := event.Event{
		Key: key, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded; charset=UTF-8",
		Query: "utm_source=a%20b", Body: []byte("id=148071&callerphone=%00\xff"),
		Received: time.Date(2026, 11, 1, 10, 0, 5, 123456789, time.UTC), Time: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
	}
	got, err := event.Read(want.Header(), want.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A call of the year 0 was stored with a time that cannot be read back; it must not stay unreadable.
func TestReadForgivesImpossibleYears(t *testing.T) {
	key, _ := event.NewKey("10001", event.CallEnded, "1")
	e := event.Event{Key: key, Received: time.Date(2026, 11, 1, 10, 0, 5, 0, time.UTC), Origin: event.Webhook}
	for _, stored := range []string{"-001-12-31T21:29:43Z", "10000-01-01T00:00:00Z"} {
		h := e.Header()
		h["ce-time"] = []string{stored}
		if got, err := event.Read(h, nil); err != nil || !got.Time.Equal(e.Received) {
			t.Errorf("%q: %v, %v; want the time of receipt", stored, got.Time, err)
		}
	}
	for _, year := range []int{-1, 0, 10000} {
		e.Time = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		if got, err := event.Read(e.Header(), nil); err != nil || !got.Time.Equal(e.Received) {
			t.Errorf("year %d: %v, %v; want the time of receipt", year, got.Time, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	key, _ := event.NewKey("10001", event.CallEnded, "1")
	good := event.Event{Key: key, Received: time.Now(), Origin: event.Webhook}
	change := func(name, value string) map[string][]string {
		h := good.Header()
		h[name] = []string{value}
		return h
	}
	tests := []struct {
		name   string
		header map[string][]string
		want   error
	}{
		{"a newer format", change("Touchbox-Format", "2"), event.ErrNewerFormat},
		{"no format", change("Touchbox-Format", ""), event.ErrDamaged},
		{"no key", change("Touchbox-Key", ""), event.ErrDamaged},
		{"no time", change("ce-time", "yesterday"), event.ErrDamaged},
		{"nothing", nil, event.ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := event.Read(tt.header, nil); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
