package link

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

var update = flag.Bool("update", false, "rewrite what is generated: docs/vocabulary.md, docs/vocabulary.ru.md")

// TestVocabularyIsGenerated holds the two pages equal to the vocabulary.
func TestVocabularyIsGenerated(t *testing.T) {
	golden(t, "../../docs/vocabulary.md", vocabularyPage(englishVocabulary))
	golden(t, "../../docs/vocabulary.ru.md", vocabularyPage(russianVocabulary))
}

// vocabularyWords is what a page says besides the vocabulary.
type vocabularyWords struct {
	intro   string
	types   map[calltouch.Type]string
	kinds   map[event.Kind]string
	always  string // before what a record always is
	meaning func(calltouch.Field) string
}

var englishVocabulary = vocabularyWords{
	intro: `# The vocabulary

[По-русски](vocabulary.ru.md)

Generated from the code: do not edit. What links may name in ` + "`when` and `${...}`" + `, whatever brought the event. "Hook" is the parameter to tick in
Calltouch's webhook; "poll" and "journal" say where the value stands in the records of Calltouch's API. A field without any of them for a way never comes by it.

Types: text; number; yes/no; list of texts; time; attrs (the attributes declared in ` + "`attrs`" + `). S, E and R: started calls, ended calls, requests. \* derived by Touchbox. † personal: masked wherever it is shown. ≠ worded otherwise by the API.

| Field | Meaning | Type, values | Events | Hook | Poll | Journal |
`,
	types:   map[calltouch.Type]string{calltouch.Boolean: "yes/no", calltouch.Attributes: "attrs"},
	kinds:   map[event.Kind]string{event.CallStarted: "S", event.CallEnded: "E", event.Request: "R"},
	always:  "always ",
	meaning: func(f calltouch.Field) string { return f.English },
}

var russianVocabulary = vocabularyWords{
	intro: `# Словарь полей

[In English](vocabulary.md)

Создано из кода, не правьте. Имена, которые понимают ` + "`when` и `${...}`" + `, откуда бы событие ни пришло. «Вебхук» — галочка в настройках вебхука
Calltouch; «опрос» и «журнал» — место значения в ответах API Calltouch: заявок и журнала звонков. Если в столбце пусто, этим путём поле не приходит.

Типы: текст; число; да/нет (в условии пишут ` + "`unique`" + ` или ` + "`not unique`" + `); список текстов; время; атрибуты (названные в ` + "`attrs`" + `). События: Н — начало звонка, З — завершение звонка, ЗК — заявка. \* вычислено Touchbox. † личное: показывается только закрытым. ≠ в API записано другими словами.

| Поле | Что это | Тип, значения | События | Вебхук | Опрос | Журнал |
`,
	types: map[calltouch.Type]string{
		calltouch.Text: "текст", calltouch.Number: "число", calltouch.Boolean: "да/нет", calltouch.List: "список", calltouch.Time: "время", calltouch.Attributes: "атрибуты",
	},
	kinds:   map[event.Kind]string{event.CallStarted: "Н", event.CallEnded: "З", event.Request: "ЗК"},
	always:  "всегда ",
	meaning: func(f calltouch.Field) string { return f.Russian },
}

func vocabularyPage(w vocabularyWords) string {
	var b strings.Builder
	b.WriteString(w.intro + "|---|---|---|---|---|---|---|\n")
	for _, f := range calltouch.Vocabulary() {
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{"`" + f.Name + "`" + marks(f), w.meaning(f), w.typeColumn(f), w.kindColumn(f),
			hookColumn(f), w.cell(f.Poll, f.Origins.Has(calltouch.FromPoll)), w.cell(f.Journal, f.Origins.Has(calltouch.FromJournal))}, " | "))
	}
	return b.String()
}

func marks(f calltouch.Field) string {
	var m string
	if f.Derived {
		m += `\*`
	}
	if f.Personal {
		m += "†"
	}
	if f.Differs {
		m += "≠"
	}
	return m
}

func (w vocabularyWords) typeColumn(f calltouch.Field) string {
	name := w.types[f.Type]
	if name == "" {
		name = string(f.Type)
	}
	if f.Values != nil {
		name += ": `" + strings.Join(f.Values, "`, `") + "`"
	}
	return name
}

func (w vocabularyWords) kindColumn(f calltouch.Field) string {
	var letters []string
	for _, k := range f.Kinds {
		letters = append(letters, w.kinds[k])
	}
	return strings.Join(letters, " ")
}

func hookColumn(f calltouch.Field) string {
	switch {
	case !f.Origins.Has(calltouch.FromHook):
		return ""
	case f.Derived:
		return "✓"
	}
	return "`" + f.Name + "`"
}

func (w vocabularyWords) cell(place string, comes bool) string {
	switch {
	case strings.HasPrefix(place, "("):
		return strings.Replace(place, "always ", w.always, 1)
	case place != "":
		return "`" + place + "`"
	case comes:
		return "✓"
	}
	return ""
}

// golden compares with a generated file; -update rewrites it.
func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the code generates; run go test ./pkg/link -update\n%s", path, diff)
	}
}
