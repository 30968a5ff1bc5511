package link

import (
	"fmt"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// TestVocabularyIsGenerated holds docs/vocabulary.md equal to the vocabulary.
func TestVocabularyIsGenerated(t *testing.T) {
	golden(t, "../../docs/vocabulary.md", vocabularyPage())
}

func vocabularyPage() string {
	var b strings.Builder
	b.WriteString(`# The vocabulary · Словарь

Generated from the code: do not edit. What links may name in ` + "`when` and `${...}`" + `, whatever brought the event. "Hook" is the parameter to tick in
Calltouch's webhook; "poll" and "journal" say where the value stands in the records of Calltouch's API. A field without any of them for a way never comes by it.

Создано из кода, не правьте. Имена, которые понимают ` + "`when` и `${...}`" + `, откуда бы событие ни пришло. «Hook» — галочка в настройках вебхука Calltouch;
«poll» и «journal» — место в ответах API Calltouch. Если в столбце пусто, этим путём поле не приходит.

Types: text; number; yes/no; list of texts; time; attrs (the attributes declared in ` + "`attrs`" + `). S, E and R: started calls, ended calls, requests. \* derived by Touchbox. † personal: masked wherever it is shown. ≠ worded otherwise by the API.

| Field | Type, values | Events | Hook | Poll | Journal | English | Русский |
|---|---|---|---|---|---|---|---|
`)
	for _, f := range calltouch.Vocabulary() {
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{"`" + f.Name + "`" + marks(f), typeColumn(f), kindColumn(f),
			hookColumn(f), cell(f.Poll, f.Origins.Has(calltouch.FromPoll)), cell(f.Journal, f.Origins.Has(calltouch.FromJournal)), f.English, f.Russian}, " | "))
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

func typeColumn(f calltouch.Field) string {
	name := map[calltouch.Type]string{calltouch.Boolean: "yes/no", calltouch.Attributes: "attrs"}[f.Type]
	if name == "" {
		name = string(f.Type)
	}
	if f.Values != nil {
		name += ": `" + strings.Join(f.Values, "`, `") + "`"
	}
	return name
}

func kindColumn(f calltouch.Field) string {
	letters := map[string]string{"call.started": "S", "call.ended": "E", "request": "R"}
	var out string
	for _, k := range f.Kinds {
		out += letters[k.Dotted()]
	}
	return out
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

func cell(place string, comes bool) string {
	switch {
	case strings.HasPrefix(place, "("):
		return place
	case place != "":
		return "`" + place + "`"
	case comes:
		return "✓"
	}
	return ""
}
