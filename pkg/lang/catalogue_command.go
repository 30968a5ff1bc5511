package lang

// commandCatalogue holds what the command touchbox says while a person sets things up.
var commandCatalogue = map[string]string{
	// check, explain, fields, init.
	"mistakes: %d, warnings: %d":                  "ошибок: %d, предупреждений: %d",
	"%s is right: links: %d, warnings: %d":        "%s в порядке: связок: %d, предупреждений: %d",
	"Nothing changes for the links.":              "Для связок ничего не меняется.",
	"%s answers":                                  "%s отвечает",
	"no link %q in %s":                            "нет связки %q в %s",
	"no site %q in %s":                            "нет сайта %q в %s",
	"site %s has no API token: set `token` in %s": "у сайта %s нет токена API: задайте `token` в %s",
	"%d stored events that link %s reads have the id %s: give the whole key, as in 10001/call-ended/148071": "сохранённых событий связки %[2]s с номером %[3]s: %[1]d; дайте ключ целиком, например 10001/call-ended/148071",
	"%s exists already: --force overwrites it":                                                              "%s уже есть: --force заменит его",
	"Wrote %s. Put in your site and Mindbox's endpoint, then: touchbox check":                               "Записан %s. Впишите свой сайт и endpoint Mindbox, затем: touchbox check",
	"FIELD\tTYPE\tCAME\tLAST VALUE\tMEANING":                                                                "ПОЛЕ\tТИП\tПРИХОДИЛО\tПОСЛЕДНЕЕ\tЗНАЧЕНИЕ ПОЛЯ",
	"never: not ticked?":                                                                                    "никогда: не отмечено?",
	"without shares: %v":                                                                                    "без долей: %v",

	// up and demo.
	"NATS_URL is set, but `touchbox up` always runs its own server: unset it, or run ingest and worker": "NATS_URL задан, но `touchbox up` всегда запускает свой сервер: уберите его или запустите ingest и worker",
	"\nSite %s (%s). Enter in Calltouch, method POST, moment \"call ended\":":                           "\nСайт %s (%s). Впишите в Calltouch, метод POST, момент «после завершения звонка»:",
	"  https://YOUR-HOST/calltouch/%s/%s":                                                               "  https://ВАШ-ХОСТ/calltouch/%s/%s",
	"  this machine: http://%s/calltouch/%s/%s":                                                         "  эта машина: http://%s/calltouch/%s/%s",
	"  fields to tick there: %s":                                                                        "  поля, которые там отметить: %s",
	"\nWaiting for the first hook.":                                                                     "\nЖдём первый вебхук.",
	"A simulated Calltouch sends calls to %s.":                                                          "Поддельный Calltouch шлёт звонки на %s.",
	"Send one yourself from another terminal:\n  curl -d 'callphase=calldisconnected&id=1&callerphone=79161234567&duration=30' %s": "Пошлите звонок сами из другого терминала:\n  curl -d 'callphase=calldisconnected&id=1&callerphone=79161234567&duration=30' %s",
	"A page with the site script, on which a click calls: %s":                                                                      "Страница со скриптом сайта, на которой можно позвонить: %s",
	"Ctrl-C stops and prints the sums.\n":                                                                                          "Ctrl-C останавливает и печатает итоги.\n",
	"\nreceived %d = stored %d + repeated %d + aside %d":                                                                           "\nполучено %d = сохранено %d + повторно %d + отложено %d",
	"link\ttaken\tdelivered\tfiltered\tundeliverable\twaiting\tdead\t":                                                             "связка\tвзято\tдоставлено\tотфильтровано\tнедоставляемо\tждёт\tв недоставленных\t",
	" in %s, attempt %d":   " за %s, попытка %d",
	", next attempt in %s": ", следующая попытка через %s",

	// backfill and gaps.
	"Calltouch: %v; next try in %s":           "Calltouch: %v; следующая попытка через %s",
	", about %s left":                         ", осталось около %s",
	"found by the %s, no hook had brought it": "нашёл %s, вебхук его не принёс",
	"hook lost on the way":                    "вебхук потерялся в пути",
	"day\tkind\tlisted\tstored\tmissing\tin progress\ttoo old\toutcomes":                                               "день\tвид\tв Calltouch\tсохранено\tне хватает\tидут\tслишком старые\tчто с ними стало",
	"something is missing: touchbox backfill brings it":                                                                "чего-то не хватает: touchbox backfill это принесёт",
	"stopped; the same command goes on from here":                                                                      "остановлено; та же команда продолжит отсюда",
	"new: %d, known: %d, in progress: %d, too old: %d, set aside: %d":                                                  "новых: %d, известных: %d, идут: %d, слишком старых: %d, отложено: %d",
	"Nothing was stored: this was a dry run.":                                                                          "Ничего не сохранено: это был пробный прогон.",
	"Nothing is delivered by itself. To deliver: touchbox replay --outcome untaken --dry-run, then without --dry-run.": "Само ничего не доставляется. Чтобы доставить: touchbox replay --outcome untaken --dry-run, затем без --dry-run.",
}
