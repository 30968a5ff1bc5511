package spec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// An operation for some calls alone must not get them all without a word.
func TestWhatReadsLikeAConditionIsSaid(t *testing.T) {
	const fields = "\n\ncustomer.mobilePhone — телефон\ncustomerAction.customFields.x — пропущенный звонок, да или нет\n"
	for text, want := range map[string]string{
		"Операция Calls.Missed, только по пропущенным звонкам": `status == "unsuccessful"`,
		"Если не дозвонился в рабочее время":                   `status == "unsuccessful" worktime == "worktime"`,
		"Звонки дольше 30 секунд":                              `duration > …`,
		"Вызывать на каждый целевой звонок":                    `targetcall == "target"`,
		"Операция Calls, на каждый завершённый звонок":         "",
		"Нецелевые тоже":                                       "",
	} {
		var got []string
		for _, note := range spec.Read(text+fields, lang.English).Notes {
			if _, when, ok := strings.Cut(note.Text, "`when` of the link: "); ok && note.Line == 1 {
				got = append(got, when)
			} else if ok {
				t.Errorf("%q: %+v", text, note)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
