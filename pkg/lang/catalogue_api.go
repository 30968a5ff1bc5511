package lang

// apiCatalogue holds what the console's API and its tables say.
var apiCatalogue = map[string]string{

	// Errors.
	"there is no key, or one that opens nothing: send `Authorization: Bearer KEY` with a key of console.people": "ключа нет, или он ничего не открывает: пришлите `Authorization: Bearer КЛЮЧ` с ключом из console.people",
	"this address takes another method: see the header Allow":                                                   "у этого адреса другой метод: смотрите заголовок Allow",
	"the body is to be JSON: send Content-Type: application/json":                                               "тело должно быть в JSON: пришлите Content-Type: application/json",
	"the body is larger than anything that is asked for here: it has 1 MB at most":                              "тело больше всего, что здесь спрашивают: в нём не больше 1 МБ",
	"it was cut short":                                                 "оно оборвано",
	"want an object of JSON":                                           "нужен объект JSON",
	"more than one value":                                              "значений больше одного",
	"%s: want %s":                                                      "%s: нужно %s",
	"%s stands in the body more than once":                             "%s стоит в теле больше одного раза",
	"%s: there is no such field here; there are: %s":                   "%s: такого поля здесь нет; есть: %s",
	"%s: this address takes no parameters":                             "%s: у этого адреса нет параметров",
	"The body is not what it should be: %s":                            "Тело не такое, как нужно: %s",
	"%s stands in the address more than once":                          "%s стоит в адресе больше одного раза",
	"%s: there is no such parameter here; there are: %s":               "%s: такого параметра здесь нет; есть: %s",
	"limit: want a number from 1 to %d":                                "limit: нужно число от 1 до %d",
	"there is no link %q in the file, and the queue knows none either": "связки %q нет ни в файле, ни в очереди",
	"there is no site %q in the file, and nothing of it is stored":     "сайта %q нет в файле, и ничего с него не сохранено",
	"there is none of this name; there are: %s":                        "такого нет; есть: %s",
	"this time has not come yet, so nothing can be behind it":          "это время ещё не наступило, после него ничего быть не может",
	"want the id of a cause, as the list of causes has it":             "нужен ID причины, как в списке причин",
	"want the place in the list that the page's own link has":          "нужно место в списке, как в ссылке самой страницы",
	"Place": "Место в списке",
	"Say why: it stands beside the link until it is started, and in the audit.":                                                        "Скажите почему: причина стоит рядом со связкой до запуска и в журнале действий.",
	`Say of which preview this is ("preview": its hash, of POST /api/v1/replays/preview), or that nobody has looked ("unseen": true).`: `Скажите, по какому предпросмотру ("preview": его хеш из POST /api/v1/replays/preview), или что никто не смотрел ("unseen": true).`,
	"A preview says already which events it is about: send preview, why and rate alone.":                                               "Предпросмотр уже говорит, о каких событиях речь: пришлите только preview, why и rate.",
	"no such preview: it is older than ten minutes, or its replay was asked for already; ask for a new one":                            "такого предпросмотра нет: ему больше десяти минут, или по нему уже отправлено; запросите новый",
	"there are by more than a tenth more than the preview told of: ask for a new one":                                                  "событий больше, чем показал предпросмотр, более чем на десятую часть: запросите новый",

	// What fields of a filter want.
	"want a time: 2026-11-01, 2026-11-01 10:00, or 2h or 3d for how long ago":                  "нужно время: 01.11.2026, 2026-11-01 10:00 или 2h, 3d — сколько назад",
	"want a time later than since: 2026-11-01, 2026-11-01 10:00, or 2h or 3d for how long ago": "нужно время позже, чем «с»: 01.11.2026, 2026-11-01 10:00 или 2h, 3d — сколько назад",
	"The parameters of the address cannot be read.":                                            "Параметры адреса не читаются.",
	"%s is empty: give it a value, or leave it out":                                            "%s: пусто; дайте значение или уберите параметр",
	"want an HTTP status":                      "нужен статус HTTP",
	"want call.started, call.ended or request": "нужно call.started, call.ended или request",
	"want a key as 10001/call-ended/4711":      "нужен ключ вида 10001/call-ended/4711",
	"want how many a second, or 0":             "нужно сколько в секунду, или 0",

	// Sessions of people.
	"Signed in":                            "Вход выполнен",
	"Signed in without a line in the file": "Вошли без строки в файле",
	"By a sign-in link or by ADMIN_TOKEN: whoever has the machine.": "По ссылке для входа или по ADMIN_TOKEN: те, у кого есть доступ к машине.",
	"last seen":                  "последний раз",
	"this one":                   "этот",
	"Sign out everywhere":        "Закрыть все сеансы",
	"Sessions that were ended:":  "Закрыто сеансов:",
	"ended sessions of somebody": "закрыл чужие сеансы",

	// The text of a link.
	"Its last version, as it is kept": "Последняя версия, как она хранится",
	"line %d":                         "строка %d",
	"what was changed since":          "что изменилось с тех пор",

	// Lists and tables.
	"Selected: %s.":                        "Выбрано: %s.",
	"everything":                           "всё",
	"As a table (CSV)":                     "Таблицей (CSV)",
	"Id":                                   "ID",
	"By which way":                         "Откуда пришло",
	"Answer":                               "Ответ",
	"Due":                                  "Пора",
	"Content type":                         "Тип содержимого",
	"On":                                   "Над чем",
	"Found":                                "Найдено",
	"not all: a table has %d rows at most": "не всё: в таблице не больше %d строк",
}
