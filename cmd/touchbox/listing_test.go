package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A table that is wider than the terminal keeps the columns that fit; the rest stands below its row, and nothing is lost.
func TestAWideTableIsFoldedToTheTerminal(t *testing.T) {
	rows := [][]string{
		{"СВЯЗКА", "СОСТОЯНИЕ", "НЕ ДОСТАВЛЕНО", "ИСХОДЫ"},
		{"calls", "работает", "12", "доставлено (delivered) 232, не прошло условия (filtered) 68"},
		{"requests", "работает", "0", ""},
	}
	for width, want := range map[int]string{
		0: `СВЯЗКА    СОСТОЯНИЕ  НЕ ДОСТАВЛЕНО  ИСХОДЫ
calls     работает   12             доставлено (delivered) 232, не прошло условия (filtered) 68
requests  работает   0              
`,
		40: `СВЯЗКА    СОСТОЯНИЕ  НЕ ДОСТАВЛЕНО
calls     работает   12
    ИСХОДЫ доставлено (delivered) 232,
    не прошло условия (filtered) 68
requests  работает   0
`,
		30: `СВЯЗКА    СОСТОЯНИЕ
calls     работает
    НЕ ДОСТАВЛЕНО 12; ИСХОДЫ
    доставлено (delivered)
    232, не прошло условия
    (filtered) 68
requests  работает
    НЕ ДОСТАВЛЕНО 0
`,
	} {
		got := folded(rows, width)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
		for line := range strings.Lines(got) {
			if long := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 0 && long > width {
				t.Errorf("width %d: a line of %d: %s", width, long, line)
			}
		}
	}
	if got := folded(rows, 1); strings.Count(got, "calls") != 1 {
		t.Errorf("no room at all: %s", got)
	}
}
