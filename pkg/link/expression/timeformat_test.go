package expression

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
			f, err := ParseTimeFormat(tt.pattern)
			if (err == nil) != (tt.want != "") {
				t.Fatalf("error %v", err)
			}
			if got := f.format(at); err == nil && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
