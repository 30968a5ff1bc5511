package link

import (
	"testing"
	"time"
)

func TestTimeFormat(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.FixedZone("", 3*3600))
	tests := []struct{ pattern, want string }{
		{"yyyy-MM-dd HH:mm:ss.fff", "2026-03-04 05:06:07.089"},
		{"yyyy-MM-ddTHH:mm:ssZ", "2026-03-04T05:06:07Z"},
		{"yyyy-MM-dd'T'HH:mm:sszzz", "2026-03-04T05:06:07+03:00"},
		{"d.M.yy H:m:s", "4.3.26 5:6:7"},
		{"SSSSSS", "089000"},
		{"'день' dd", "день 04"},
		{"YYYY", ""}, {"yyy", ""}, {"MMM", ""}, {"zz", ""}, {"'open", ""}, {"", ""}, {"hh", ""},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			f, err := parseTimeFormat(tt.pattern)
			if (err == nil) != (tt.want != "") {
				t.Fatalf("error %v", err)
			}
			if got := f.format(at); err == nil && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "10d": 240 * time.Hour, "0m": 0} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%s: got %s, %v", text, got, ok)
		}
	}
	for text, want := range map[string]int64{"10GB": 10e9, "1.5MB": 1.5e6} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s: got %d, %v", text, got, ok)
		}
	}
	for text, want := range map[string]float64{"100/s": 100, "6000/m": 100, "0.5/s": 0.5} {
		if got, ok := parseRate(text); !ok || got != want {
			t.Errorf("%s: got %g, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "5", "5w", "-5s", "1.5h", "999999999d", "5 s"} {
		if _, ok := parseDuration(text); ok {
			t.Errorf("%q is taken for a span of time", text)
		}
	}
	if _, ok := parseRate("0/s"); ok {
		t.Error("no rate at all is taken for one")
	}
}
