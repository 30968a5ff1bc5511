package lang

// wordCatalogue holds the words that JSON, flags and the store keep in English: outcomes, states of links, the ways by which
// events come, notes of the history, and the sorts of invented calls. A person reads the twin; Coded shows both.
var wordCatalogue = map[string]string{
	// Outcomes.
	"waiting":       "ждёт",
	"delivered":     "доставлено",
	"shadow":        "пробный режим",
	"filtered":      "не прошло условия",
	"undeliverable": "не хватает данных",
	"dead":          "не доставлено",
	"untaken":       "не бралось",
	"erased":        "стёрто",
	"abandoned":     "утрачено",

	// States of a link.
	"running": "работает",
	"gone":    "нет в файле",
	"new":     "новая",
	"unwell":  "очередь неисправна",
	"idle":    "ничего не обрабатывает",

	// Ways.
	"webhook":  "вебхук",
	"poll":     "опрос API",
	"journal":  "журнал звонков",
	"backfill": "backfill",

	// Types of fields.
	"text":       "текст",
	"number":     "число",
	"boolean":    "да или нет",
	"list":       "список",
	"attributes": "атрибуты",
	"time":       "время",

	// Notes.
	"replayed":  "отправлено заново",
	"cancelled": "повтор отменён",
	"dropped":   "удалено",
	"restored":  "повтор возвращён",

	// Sorts of calls and form requests in the demo.
	"dynamic":      "динамический",
	"static":       "статический",
	"no cookie":    "без cookie",
	"call-back":    "обр. звонок",
	"missed":       "пропущенный",
	"short":        "короткий",
	"foreign":      "из-за рубежа",
	"hidden":       "скрытый номер",
	"internal":     "внутренний",
	"negative":     "длина < 0",
	"long":         "идёт долго",
	"form":         "заявка",
	"form, 8 (…)":  "заявка, 8 (…)",
	"form, no web": "заявка из API",
	"test ping":    "проверка",
}

// Coded is a word of the catalogue with its code beside it, which flags and JSON take; in English the two are one.
func (l Language) Coded(code string) string {
	if word := l.Text(code); word != code {
		return word + " (" + code + ")"
	}
	return code
}

// Worded is a text with the code that it says beside it, which flags and JSON take; where the text is the code, it is said once.
func (l Language) Worded(text, code string) string {
	if text == code {
		return l.Coded(code)
	}
	return l.Text(text) + " (" + code + ")"
}
