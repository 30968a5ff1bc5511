package lang_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/lang"
)

// wrong are words that stood for a thing which has another one (CONTRIBUTING lists them): with several roots for one thing, or one
// root for several, nobody can tell what is meant.
var wrong = regexp.MustCompile(`(?i)аудит|недоставл|недоставк|стоянк|отфильтр|недоставля|переигр|воркер|поддельн|[^а-яё](тень|тени|тенью)[^а-яё]`)

func TestOneWordAThing(t *testing.T) {
	var files []string
	for _, pattern := range []string{"catalogue_*.go", "../../README.ru.md", "../../docs/*.ru.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if word := wrong.FindString(line); word != "" {
				t.Errorf("%s:%d: %q has another word", file, n, word)
			}
		}
	}
}

func TestCoded(t *testing.T) {
	if got := lang.Russian.Coded("dead"); got != "не доставлено (dead)" {
		t.Errorf("Russian: %q", got)
	}
	if got := lang.English.Coded("dead"); got != "dead" {
		t.Errorf("English: %q", got)
	}
	if got := lang.Russian.Coded("of a newer Touchbox"); got != "of a newer Touchbox" {
		t.Errorf("unknown: %q", got)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 с", 250 * time.Microsecond: "250 мкс", 16 * time.Millisecond: "16 мс", 1500 * time.Millisecond: "1,5 с", 90 * time.Second: "1 мин 30 с",
		2*time.Hour + 3*time.Second: "2 ч 3 с", 49 * time.Hour: "2 д 1 ч", -time.Minute: "-1 мин", time.Hour: "1 ч",
	} {
		if got := lang.Russian.Duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
		if got := lang.English.Duration(d); got != d.String() {
			t.Errorf("English: %q", got)
		}
	}
	if got := lang.Russian.Sprintf("%s, at most %s", "ждём", 90*time.Second); got != "ждём, не дольше 1 мин 30 с" {
		t.Errorf("among the arguments of a message: %q", got)
	}
}

// flattened is an error or a span of time that is made a text before a Language could say it.
var flattened = regexp.MustCompile(`(?:[^.\w]say|[lL]ang\.Sprintf|\bl\.Sprintf)\([^\n]*(?:\b[eE]rr\.Error\(\)|\.(?:Round|Truncate)\([^)\n]*\)\.String\(\))`)

func TestErrorsAndSpansAreSaidByTheLanguage(t *testing.T) {
	for _, root := range []string{"../../cmd", "../../pkg"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range flattened.FindAllString(string(text), -1) {
				t.Errorf("%s: give the error or the span itself: %s", path, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFractionsHaveAComma(t *testing.T) {
	if got := lang.Russian.Sprintf("%.1f GB free of %.1f GB; keep.disk %.1f GB", 1.25, 10.0, -0.5); got != "свободно 1,2 ГБ из 10,0 ГБ; keep.disk -0,5 ГБ" {
		t.Errorf("%q", got)
	}
	if got := lang.English.Sprintf("%.1f GB", 1.25); got != "1.2 GB" {
		t.Errorf("English: %q", got)
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)
	moscow := time.FixedZone("MSK", 3*3600)
	for _, tt := range []struct {
		t             time.Time
		russian, text string
	}{
		{time.Date(2026, 1, 1, 2, 0, 5, 0, moscow), "01.01 02:00:05", "2026-01-01 02:00:05"}, // the zone's year, which UTC has not reached
		{time.Date(2025, 12, 31, 23, 0, 0, 0, moscow), "31.12.2025 23:00:00", "2025-12-31 23:00:00"},
		{time.Time{}, "", ""},
	} {
		if got := lang.Russian.Moment(tt.t, now); got != tt.russian {
			t.Errorf("Russian: %q, want %q", got, tt.russian)
		}
		if got := lang.English.Moment(tt.t, now); got != tt.text {
			t.Errorf("English: %q, want %q", got, tt.text)
		}
	}
}
