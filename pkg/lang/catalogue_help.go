package lang

// helpCatalogue holds what --help says: the commands, in the order of the list, their flags, and the frame around them.
var helpCatalogue = map[string]string{
	// The frame, and what cobra adds.
	"Usage:":                         "Использование:",
	"Aliases:":                       "Другие имена:",
	"Examples:":                      "Примеры:",
	"Available Commands:":            "Команды:",
	"Start and run:":                 "Начать и запустить:",
	"Write links and try them:":      "Составить связки и испытать их:",
	"See what became of events:":     "Увидеть, что стало с событиями:",
	"Deliver again, keep and erase:": "Отправить заново, сохранить, стереть:",
	"Other commands:":                "Прочие команды:",
	"Flags:":                         "Флаги:",
	"Global Flags:":                  "Общие флаги:",
	"[flags]":                        "[флаги]",
	"%s [command]":                   "%s [команда]",
	"Use \"%s [command] --help\" for more information about a command.": "Подробно о команде: \"%s [команда] --help\".",
	" (default %s)":          " (по умолчанию %s)",
	"float":                  "доля",
	"string":                 "текст",
	"strings":                "список",
	"int":                    "число",
	"duration":               "срок",
	"help for %s":            "справка о %s",
	"version for %s":         "версия %s",
	"Help about any command": "Справка о любой команде",
	"help [command]":         "help [команда]",
	"touchbox help COMMAND is touchbox COMMAND --help.":          "touchbox help КОМАНДА — то же, что touchbox КОМАНДА --help.",
	"Generate the autocompletion script for the specified shell": "Сделать сценарий автодополнения для оболочки",
	"Print the script with which the shell completes commands, flags and their values. For the session that runs: source <(touchbox completion bash);\nfor all: write it into the folder of completions, as in touchbox completion bash >/etc/bash_completion.d/touchbox, or for zsh into a folder of fpath as _touchbox.": "Напечатать сценарий, с которым оболочка дополняет команды, флаги и их значения. Для этого сеанса: source <(touchbox completion bash);\nдля всех: записать его в папку дополнений, например touchbox completion bash >/etc/bash_completion.d/touchbox, а для zsh в папку из fpath под именем _touchbox.",
	"disable completion descriptions": "без пояснений к дополнениям",

	// touchbox.
	"The bridge from Calltouch to Mindbox": "Мост из Calltouch в Mindbox",
	"Touchbox takes calls and form requests from Calltouch and delivers them to Mindbox.\n\nFirst steps: touchbox demo, then touchbox init, touchbox link new, touchbox check, touchbox up.": "Touchbox берёт звонки и заявки из Calltouch и доставляет их в Mindbox.\n\nПервые шаги: touchbox demo, затем touchbox init, touchbox link new, touchbox check, touchbox up.",
	"language of what a person reads: ru or en (default: the locale's)": "язык для человека: ru или en (по умолчанию как в системе)",
	"print JSON": "печатать JSON",
	"show phones, names and e-mails unmasked (secrets stay masked)": "показывать телефоны, имена и почту без маски (секреты остаются скрыты)",
	"do not ask":      "не спрашивать",
	"healthcheck URL": "healthcheck АДРЕС",
	"Ask an address for its health: exit code 0 or 1": "Спросить адрес, всё ли в порядке: код выхода 0 или 1",

	// compare.
	"compare --link A --with B | compare --link A --ids FILE":                                                         "compare --link A --with B | compare --link A --ids ФАЙЛ",
	"Compare a link with another one, with a version of itself, or with what another system delivered; sends nothing": "Сравнить связку с другой, с её же версией или с тем, что доставила другая система; ничего не отправляет",
	"--with: what two links make of the same stored events. The second is another link, as one in shadow mode beside a live one, or\n" +
		"a version of the first, by the beginning of its hash, as `touchbox links history` shows it. Which events both send, which only\n" +
		"one and why not the other, and in what the requests differ. A link in shadow mode counts as if it sent.\n\n" +
		"--ids: what the link sent, by its history, beside the ids that another system says it delivered: a CSV, or one id a line (- is\n" +
		"standard input). Which both have; which only Touchbox has; which only the list has, with what is known of them: never came, set\n" +
		"aside, filtered by which condition. Without --since and --until the span is from the first to the last event of the list.": "--with: что делают две связки с одними и теми же сохранёнными событиями. Вторая — другая связка, например в пробном режиме рядом с живой, или\n" +
		"версия первой, по началу её хеша, как показывает `touchbox links history`. Какие события отправили бы обе, какие только одна и\n" +
		"почему не другая, и чем различаются запросы. Связка в пробном режиме считается так, будто она отправляет.\n\n" +
		"--ids: что связка отправила, по её истории, рядом с номерами, которые, по словам другой системы, доставила она: CSV или по одному\n" +
		"номеру в строке (- это стандартный ввод). Какие есть и там и там; какие только у Touchbox; какие только в списке и что о них известно: не\n" +
		"приходило, отложено, не прошло такого-то условия. Без --since и --until промежуток — от первого до последнего события списка.",
	"`id` of the link (required)":                                                                    "`имя` связки (обязательно)",
	"`id` of another link, or a version of this one":                                                 "`имя` другой связки или версия этой",
	"`file` with the ids of calls or requests that another system delivered":                         "`файл` с номерами звонков или заявок, которые доставила другая система",
	"`name` or number of the column of a CSV that holds the ids":                                     "`имя` или номер столбца CSV, в котором номера",
	"not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago (with --with: 7d)": "не раньше; `время` вида 2026-11-01, 2026-11-01T10:00:00+03:00 либо 2h, 3d назад (с --with: 7d)",
	"with --with: about so many events, evenly picked, where there are more":                         "с --with: если событий больше, взять примерно столько, равномерно",
	"also list each event that makes a difference":                                                   "назвать и каждое событие, в котором есть отличие",
	"with --with: also show both requests of some events that differ":                                "с --with: показать и оба запроса некоторых событий с отличиями",

	// Flags that select.
	"of this link only, by its `id`":                                               "только эта `связка`, имя из файла",
	"of this site only, by its `id` or name":                                       "только этот `сайт`, ID или имя",
	"only call.started, call.ended or request":                                     "только call.started, call.ended или request",
	"only this event, by its `key` or id; may be repeated":                         "только это `событие`, ключ или номер; можно повторять",
	"only of this cause, by its `id`, as the console shows it":                     "только по этой причине, по её `id` из консоли",
	"only with this reason, as the list shows it":                                  "только с этой причиной, как её показывает список",
	"only with this HTTP status of Mindbox's answer":                               "только с этим статусом HTTP в ответе Mindbox",
	"not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago": "не раньше; `время` вида 2026-11-01, 2026-11-01T10:00:00+03:00 либо 2h, 3d назад",
	"and before this `time`":                                                       "и раньше, чем это `время`",
	"show at most so many":                                                         "показать не больше стольких",

	// up, address, site-script.
	"Run the whole bridge in this process: ingest, worker and the queue": "Запустить весь мост одним процессом: ingest, worker и очередь",
	"Run ingest, worker and an embedded NATS server with its store in TOUCHBOX_DATA (./data). Everything survives restarts.\n" +
		"Other commands of this machine reach it through TOUCHBOX_DATA/nats.sock. Ctrl-C or SIGTERM stops it, after what is in hand.": "Запустить ingest, worker и встроенный сервер NATS с хранилищем в TOUCHBOX_DATA (./data). Всё переживает перезапуск.\n" +
		"Другие команды этой машины находят его через TOUCHBOX_DATA/nats.sock. Ctrl-C или SIGTERM останавливают, когда начатое закончено.",
	"Print the webhook addresses to enter in Calltouch, with their keys": "Напечатать адреса вебхуков для Calltouch, вместе с ключами",
	"Print for each site the address to enter in Calltouch, in full, and the fields to tick there. The address holds the site's\n" +
		"key: who knows it can send calls in your name. `touchbox up` prints it on a terminal alone, so that no log keeps it.": "Напечатать для каждого сайта адрес, который вписать в Calltouch, целиком, и поля, которые там отметить. В адресе ключ\n" +
		"сайта: кто его знает, может слать звонки от вашего имени. `touchbox up` печатает его только на терминал, чтобы он не попал в журнал.",
	"Print the script that hands Mindbox's device id to Calltouch": "Напечатать скрипт, который передаёт Calltouch id устройства Mindbox",
	"Print the tag that loads the site script from ingest (--address), or, with --inline, the whole script to paste into the\n" +
		"site's pages. It must run on every page that Calltouch's script runs on.": "Напечатать тег, который берёт скрипт сайта у ingest (--address), или, с --inline, весь скрипт, чтобы вставить его в\n" +
		"страницы сайта. Он нужен на каждой странице, где есть скрипт Calltouch.",
	"id or name of the site (required)":                                            "ID или имя сайта (обязательно)",
	"`address` of ingest as browsers see it, such as https://touchbox.example.com": "`адрес` ingest, каким его видят браузеры, например https://touchbox.example.com",
	"print the script itself between tags":                                         "напечатать сам скрипт между тегами",

	// demo, simulate.
	"See calls flow from a simulated Calltouch to a simulated Mindbox": "Посмотреть, как звонки идут из имитации Calltouch в имитацию Mindbox",
	"Run the whole bridge over a fresh store in a temporary folder, with a simulated Calltouch that sends all sorts of calls\n" +
		"(some hooks are lost and come back through the journal) and a simulated Mindbox that fails now and then.\n" +
		"Ctrl-C, or the end of --for, prints a table whose sums agree. Nothing leaves this machine.": "Запустить весь мост с новым хранилищем во временной папке: имитация Calltouch шлёт самые разные звонки\n" +
		"(часть вебхуков теряется и находится через журнал звонков), имитация Mindbox время от времени отказывает.\n" +
		"Ctrl-C или конец --for печатает таблицу, в которой суммы сходятся. Ничего не покидает эту машину.",
	"More is stored than taken: no link of the demo takes the beginnings of calls.\n\nNext: `touchbox init` writes your own touchbox.yaml, `touchbox link new` the first link (docs/first-link.md).": "Сохранено больше, чем взято: начала звонков не берёт ни одна связка демонстрации.\n\nДальше: `touchbox init` запишет ваш touchbox.yaml, `touchbox link new` — первую связку (docs/first-link.ru.md).",
	"stop after this long (default: at Ctrl-C)":                      "остановиться через столько (по умолчанию по Ctrl-C)",
	"calls and form requests a second":                               "звонков и заявок в секунду",
	"calls and form requests a second, of each site":                 "звонков и заявок в секунду, на каждый сайт",
	"also serve a page with the site script, on which a click calls": "ещё открыть страницу со скриптом сайта, где звонят щелчком",
	"Run a simulated Mindbox or Calltouch to try links on":           "Запустить имитацию Mindbox или Calltouch, чтобы пробовать на ней связки",
	"A Mindbox that remembers what it executed and fails on request": "Mindbox, который помнит, что выполнил, и отказывает по просьбе",
	"Takes operations at /v3/operations/async as Mindbox does, executes each transactionId once, and shows what it executed:\n\n" +
		"  curl 'http://127.0.0.1:9090/executed?callId=148071'\n  curl http://127.0.0.1:9090/stats\n  curl -X POST 'http://127.0.0.1:9090/admin?p500=10'": "Принимает операции на /v3/operations/async, как Mindbox, выполняет каждый transactionId один раз и показывает, что выполнил:\n\n" +
		"  curl 'http://127.0.0.1:9090/executed?callId=148071'\n  curl http://127.0.0.1:9090/stats\n  curl -X POST 'http://127.0.0.1:9090/admin?p500=10'",
	"where to listen": "где слушать",
	"Mindbox's `endpointId`, from the description of your operations":                              "`endpointId` Mindbox, из описания ваших операций",
	"the only operations that there are, `A,B`: others are refused as Mindbox does (default: any)": "единственные операции, какие есть, `A,B`: прочие отвергаются, как это делает Mindbox (по умолчанию любые)",
	"the only endpointIds that there are, `A,B` (default: any)":                                    "единственные endpointId, какие есть, `A,B` (по умолчанию любые)",
	"the only secret that is right (default: any)":                                                 "единственный верный секрет (по умолчанию любой)",
	"A Calltouch that sends hooks of invented calls and serves both APIs":                          "Calltouch, который шлёт вебхуки выдуманных звонков и отвечает за оба API",
	"Sends hooks of all sorts of invented calls and form requests to the webhook's address (--to), and serves the requests and\n" +
		"journal APIs (--addr) over the same calls; POST /control changes its faults while it runs. Several sites at once:\n" +
		"--site 10001,10002 --to URL1,URL2.": "Шлёт вебхуки самых разных выдуманных звонков и заявок на адрес вебхука (--to) и отвечает за API заявок и журнала\n" +
		"(--addr) по тем же звонкам; POST /control меняет его сбои на ходу. Несколько сайтов сразу:\n" +
		"--site 10001,10002 --to URL1,URL2.",
	"the webhook's `address`, such as http://127.0.0.1:8080/calltouch/10001/KEY; one for each site": "`адрес` вебхука, например http://127.0.0.1:8080/calltouch/10001/КЛЮЧ; свой у каждого сайта",
	"POST or GET": "POST или GET",
	"how many of each site (default: until stopped)":              "сколько на каждый сайт (по умолчанию до остановки)",
	"serve the APIs, /stats and /control here":                    "здесь отвечать за API, /stats и /control",
	"the cabinet's `id`, or several":                              "`id` кабинета или несколько",
	"`pause` before every answer":                                 "`перерыв` перед каждым ответом",
	"`percent` of requests answered with 500":                     "`процент` запросов с ответом 500",
	"`percent` answered with 429":                                 "`процент` с ответом 429",
	"`percent` answered with 400":                                 "`процент` с ответом 400",
	"`percent` answered with a ValidationError in a 200":          "`процент` с ValidationError в ответе 200",
	"`percent` executed whose answer is lost":                     "`процент` выполненных, ответ на которые теряется",
	"`percent` of connections broken before anything is executed": "`процент` соединений, которые рвутся до выполнения",
	"`percent` that are never answered":                           "`процент` запросов, на которые ответа нет",
	"`time` that the requests of --phang wait":                    "`время`, которое ждут запросы из --phang",
	"every request fails for this `time` from the start":          "`время` от начала, пока отказ получает каждый запрос",
	"`seconds` of Retry-After in a 429; 0 leaves it out":          "`секунды` в Retry-After при 429; 0 — без него",
	"share of hooks sent twice, 0 to 1":                           "доля вебхуков, которые шлются дважды, от 0 до 1",
	"share of hooks that are never sent, 0 to 1":                  "доля вебхуков, которые не шлются совсем, от 0 до 1",
	"the only API token that is right (default: any)":             "единственный верный токен API (по умолчанию любой)",

	// init, check, explain, fields, send.
	"Write a commented touchbox.yaml with fresh random keys":                                                                                                                        "Записать touchbox.yaml с пояснениями и новыми случайными ключами",
	"the site's id (ID сайта) in Calltouch, with a name for it if you like; several sites: `10001=clinic,10002=pharmacy`":                                                           "ID сайта в Calltouch, при желании с именем; несколько сайтов: `10001=clinic,10002=pharmacy`",
	"Write a commented configuration to TOUCHBOX_CONFIG (touchbox.yaml), with a fresh random key for each site's webhook.\nAn existing file is left alone unless --force is given.": "Записать настройки с пояснениями в TOUCHBOX_CONFIG (touchbox.yaml), с новым случайным ключом для вебхука каждого сайта.\nФайл, который уже есть, не трогается, если не дан --force.",
	"overwrite an existing file":                        "заменить файл, который уже есть",
	"Check touchbox.yaml: every mistake with its place": "Проверить touchbox.yaml: каждая ошибка с её местом",
	"Check the file of TOUCHBOX_CONFIG. It needs no server. Mistakes and warnings go to standard error, each as\n" +
		"touchbox.yaml:LINE:COL: text. Exit code 0 with warnings alone, 2 with a mistake, 1 when a host does not answer.": "Проверить файл из TOUCHBOX_CONFIG. Сервер не нужен. Ошибки и предупреждения идут в стандартный поток ошибок, каждое как\n" +
		"touchbox.yaml:СТРОКА:СТОЛБЕЦ: текст. Код выхода 0, если есть только предупреждения, 2 при ошибке, 1, если не отвечает хост.",
	"say what this file would do to the links of the running Touchbox, or, with --diff `OLD`, to links that run by that file": "сказать, что этот файл изменил бы в связках, которые работают, или, с --diff `СТАРЫЙ`, в связках по тому файлу",
	"also ask whether the hosts of Calltouch and Mindbox answer":                                                              "ещё спросить, отвечают ли хосты Calltouch и Mindbox",
	"explain [--link ID] FILE|-|EVENT":                            "explain [--link ИМЯ] ФАЙЛ|-|СОБЫТИЕ",
	"Say what the links make of an event, and why; sends nothing": "Сказать, что связки делают из события и почему; ничего не отправляет",
	"Read the body of a hook from a file or standard input, url-encoded or JSON, or an API record, or a stored event by its\n" +
		"key or id, and show each condition with the values it saw, the rendered request, and what is nil and why. Without --link\n" +
		"every link of the event's site says so. A file needs no server. --version asks the link as it once ran. Exit code 0 whatever\n" +
		"the verdict.": "Прочитать тело вебхука из файла или стандартного ввода, как форму или JSON, либо запись API, либо сохранённое событие по\n" +
		"ключу или номеру и показать каждое условие со значениями, которые оно видело, составленный запрос и то, что пусто, с причиной.\n" +
		"Без --link это говорит каждая связка сайта, откуда событие. Файлу сервер не нужен. --version спрашивает связку, какой она была\n" +
		"раньше. Код выхода 0, каким бы ни был ответ.",
	"by this `version` of the link, as `touchbox links history` shows it":                           "по этой `версии` связки, как её показывает `touchbox links history`",
	"`id` of the link (default: every link of the event's site)":                                    "`имя` связки (по умолчанию каждая связка сайта, откуда событие)",
	"`id` or name of the site that a hook in a file came to (default: the link's, or the only one)": "`ID` или имя сайта, на который пришёл вебхук из файла (по умолчанию сайт связки или единственный)",
	"List the words that links may use, and how often each came":                                    "Показать слова, которые можно писать в связках, и как часто каждое приходило",
	"List the vocabulary with its names in both languages, first what the links of the file read. Where a Touchbox runs, also the share of the site's stored events of\n" +
		"the last days in which each field came, and its newest value, masked. A field that never came is unticked in Calltouch. It reads the log of these days, 50,000 events at most,\n" +
		"and shows how far it is; Ctrl-C stops that, and what was counted until then is listed.": "Показать словарь с именами на обоих языках, сначала то, что читают связки файла. Где Touchbox работает, ещё и долю сохранённых за последние дни событий сайта,\n" +
		"в которых поле приходило, и его последнее значение под маской. Поле, которое не приходило, не отмечено в Calltouch. Читает журнал событий за эти дни,\n" +
		"не больше 50 000 событий, и показывает, сколько прочитано; Ctrl-C это прекращает, и показано будет то, что посчитано.",
	"name or id of the site (default: the first one)":                        "имя или ID сайта (по умолчанию первый)",
	"how many days back to look":                                             "за сколько последних дней смотреть",
	"send [--link ID] FILE|-|EVENT":                                          "send [--link ИМЯ] ФАЙЛ|-|СОБЫТИЕ",
	"Send one real request to the real Mindbox, after showing it and asking": "Отправить настоящий запрос в настоящий Mindbox, показав его и спросив",
	"Render an event over a link, show the request, ask, send it once with a transactionId of its own, and say what the answer\n" +
		"means. The event is a hook in a file, or a stored one by its key or id. Without --link every link of the event's site whose\n" +
		"conditions hold sends. A file needs no running Touchbox. Exit code 1 when Mindbox did not accept it.": "Составить запрос связки по событию, показать его, спросить, отправить один раз со своим transactionId и сказать, что значит\n" +
		"ответ. Событие — вебхук в файле или сохранённое, по ключу или номеру. Без --link отправляет каждая связка сайта, откуда событие,\n" +
		"условия которой выполнены. Файлу работающий Touchbox не нужен. Код выхода 1, если Mindbox запрос не принял.",

	// alerts, doctor.
	"Try the address that is called when a person is needed":    "Проверить адрес, по которому зовут человека",
	"Send one test message to ALERT_URL and say what came back": "Отправить пробное сообщение на ALERT_URL и сказать, что пришло в ответ",
	"Send one message with the cause \"test\" to ALERT_URL, as an alert would be sent, and say what came back.\n" +
		"Exit code 1 when it was not taken: no answer, a redirect, or any status but 2xx.": "Отправить на ALERT_URL сообщение с причиной \"test\", как отправилось бы оповещение, и сказать, что пришло в ответ.\n" +
		"Код выхода 1, если его не приняли: ответа нет, перенаправление или статус не 2xx.",
	"Look at the whole installation: what is not right, and what to do about it": "Осмотреть всё, что установлено: что не так и что с этим делать",
	"Look at the file, the modes of private files, the disk, the clocks, the hosts of Calltouch and Mindbox, the token, the key,\n" +
		"the address that Calltouch calls, the queue, its links, and what waits in it. Nothing is changed or stored: Calltouch is asked\n" +
		"once for today's requests, Mindbox once for an operation that does not exist. Run it where Touchbox runs, with its user and\n" +
		"environment. Exit code 1 with a finding, 2 with a mistake in the file.": "Осмотреть файл, права закрытых файлов, диск, часы, хосты Calltouch и Mindbox, токен, ключ, адрес, по которому обращается\n" +
		"Calltouch, очередь, связки и то, что в ней ждёт. Ничего не меняется и не сохраняется: Calltouch один раз спрашивают о сегодняшних\n" +
		"заявках, Mindbox один раз об операции, которой нет. Запускайте там, где работает Touchbox, от его пользователя и с его\n" +
		"окружением. Код выхода 1, если есть замечания, 2 при ошибке в файле.",
	"the `address` that Calltouch calls, as https://HOST": "`адрес`, по которому обращается Calltouch, как https://ХОСТ",

	// event, events.
	"event KEY|ID|PHONE | event --phone NUMBER":                                    "event КЛЮЧ|НОМЕР|ТЕЛЕФОН | event --phone НОМЕР",
	"Show all that is known of one event, and why it did or did not reach Mindbox": "Показать всё, что известно о событии, и почему оно дошло или не дошло до Mindbox",
	"Show an event by its key (10001/call-ended/148071), by Calltouch's id alone, or all events of a phone: what came, and for\n" +
		"each link every attempt, answer and outcome. Digits that are no stored id and can be a phone are looked for as one. With\n" +
		"--json one object for each event.": "Показать событие по ключу (10001/call-ended/148071), по одному номеру Calltouch или все события телефона: что пришло, а по\n" +
		"каждой связке все попытки, ответы и исход. Цифры, под которыми событий нет и которые могут быть телефоном, ищутся как телефон.\n" +
		"С --json по объекту на событие.",
	"all events of this phone `number`, in any field and spelling; - reads it from the terminal; reads the whole log": "все события, где есть этот `телефон`, в любом поле и написании; - спросит его на терминале; читает весь журнал событий",
	"List stored events with their outcomes, the newest last":                                                         "Показать сохранённые события с исходами, новые внизу",
	"List the newest events that the flags select, with what each link made of them; --since and --until are about when the call\n" +
		"or request happened. The log is read from its end, until there are enough; --phone reads on until it has as many, as a rule all\n" +
		"of the log. What has an --outcome is known by the counts that a worker keeps: only what it has not counted yet is read.\n" +
		"A long reading shows how far it is; Ctrl-C stops it, and what was found until then is listed.\n" +
		"--follow goes on with what comes, until Ctrl-C; with --json one object a line then.": "Показать последние события, которые выбирают флаги, и что из них сделала каждая связка; --since и --until — о времени звонка\n" +
		"или заявки. Журнал событий читается с конца, пока не наберётся сколько нужно; с --phone дальше, пока не наберётся столько же, обычно\n" +
		"весь. Что имеет --outcome, известно по счёту, который ведёт обработчик: читается только то, что ещё не посчитано.\n" +
		"Долгое чтение показывает, сколько прочитано; Ctrl-C его прекращает, и показано будет то, что нашлось.\n" +
		"--follow показывает дальше то, что приходит, до Ctrl-C; с --json тогда по объекту в строке.",
	"only with this newest outcome, for --link or for any link":                            "только с таким последним исходом, у --link или у любой связки",
	"only of this phone `number`, in any field and spelling; - reads it from the terminal": "только где есть этот `телефон`, в любом поле и написании; - спросит его на терминале",
	"go on with new events and new outcomes as they come":                                  "показывать дальше новые события и исходы",

	// retries, deadletters.
	"List what waits for its next attempt, run it now, or give it up": "Показать, что ждёт следующей попытки; сделать её сейчас или отказаться",
	"List the events that wait in RETRIES: until when, after which error, replays too. --now makes those that the flags select due\n" +
		"at once, --cancel makes dead letters of them, which can be replayed. --restore puts back what waits by its history and is not in\n" +
		"the list any more, because a damaged disk or an older copy of the store took it away. --since and --until are about when the\n" +
		"waiting began.": "Показать события, которые ждут в RETRIES: до какого времени, после какой ошибки; отправляемые заново тоже. --now делает попытку\n" +
		"сразу, --cancel отказывается от них: они станут не доставленными, их можно отправить заново. --restore возвращает то, что по\n" +
		"истории ждёт, а в списке его больше нет, потому что его унёс повреждённый диск или старая копия хранилища. --since и --until —\n" +
		"о том, когда началось ожидание.",
	"make the next attempt at once":        "сделать следующую попытку сразу",
	"make dead letters of what waits":      "отказаться от того, что ждёт: оно станет не доставленным",
	"put back what was lost from the list": "вернуть то, что пропало из списка",
	"List what was given up, show or count it, or drop it; touchbox replay tries it again": "Показать, что не доставлено, посчитать или удалить; заново отправляет touchbox replay",
	"List dead letters, oldest first; --since and --until are about when they died.":       "Показать не доставленное, сначала старое; --since и --until — о том, когда от него отказались.",
	"show KEY|ID":                                   "show КЛЮЧ|НОМЕР",
	"Show an event's dead letters whole":            "Показать целиком, что не доставлено из события",
	"Count dead letters by link, reason and status": "Посчитать не доставленное по связке, причине и статусу",
	"drop --why TEXT":                               "drop --why ТЕКСТ",
	"Remove dead letters for good; the history keeps that and why": "Удалить не доставленное навсегда; история хранит это и почему",
	"`text` that the history keeps (required); no personal data":   "`текст`, который останется в истории (обязательно); без личных данных",

	// replay.
	"Give dead letters, or other events, back to their links": "Отправить заново то, что не доставлено, или другие события",
	"Give the events that the flags select back to their links, by default all dead letters. Today's link renders them anew; each\n" +
		"keeps its transactionId, so that what Mindbox has executed is not executed twice. --outcome selects other events:\n" +
		"undeliverable and filtered (the link was wrong and is mended), shadow (the link was tried out and goes live now),\n" +
		"untaken (from before the link's start, or from a backfill),\n" +
		"abandoned (by a link that was removed and is back, as far as the log still holds them),\n" +
		"delivered (only with --revision NAME, which makes new transactionIds). --since and --until are about when a dead letter died\n" +
		"and, with --outcome, about when the call or request happened.\n\n" +
		"Interrupted at any moment, the same command goes on. Nothing left to do is no failure.": "Вернуть связкам события, которые выбирают флаги, по умолчанию всё, что не доставлено. Сегодняшняя связка составляет запрос\n" +
		"заново; transactionId прежний, поэтому выполненное в Mindbox второй раз не выполняется. --outcome выбирает другие события:\n" +
		"undeliverable и filtered (связка была неверна и исправлена), shadow (связка была в пробном режиме и теперь работает),\n" +
		"untaken (случилось до начала связки или пришло из backfill),\n" +
		"abandoned (утрачено связкой, которую убрали и вернули, пока события ещё хранятся),\n" +
		"delivered (только с --revision ИМЯ: transactionId будут новые). --since и --until — о том, когда от события отказались,\n" +
		"а с --outcome о времени звонка или заявки.\n\n" +
		"Прервать можно в любой момент, та же команда продолжит. Если делать уже нечего, это не ошибка.",
	"dead, undeliverable, filtered, shadow, untaken, abandoned or delivered":             "dead, undeliverable, filtered, shadow, untaken, abandoned или delivered",
	"say how many and which, and what would be sent; send nothing":                       "сказать, сколько, какие и что отправилось бы; ничего не отправлять",
	"short `name` of a correction: Mindbox executes the events anew, once for each name": "короткое `имя` исправления: Mindbox выполнит события ещё раз, по разу на имя",
	"`id` of the link that does the work of a renamed one, which --link names":           "`имя` связки, которая делает работу переименованной; ту называет --link",
	"at most so many, as in 10/s": "не чаще, например 10/s",
	"do not ask, however many":    "не спрашивать, сколько бы их ни было",

	// aside.
	"List what came and is no event, show it, or take it all the same": "Показать отложенное: что пришло, но не стало событием; взять его, если ошибка исправлена",
	"List what was set aside: pings, hooks without an id or of another site, another call under a known id. It is kept a week.\n" +
		"`aside take` stores what was set aside by mistake, once the mistake is mended.": "Показать отложенное: проверочные запросы, вебхуки без номера или другого сайта, другой звонок под известным номером. Хранится\n" +
		"неделю. `aside take` сохраняет то, что отложено по ошибке, когда ошибка исправлена.",
	"received not before this `time`: 2026-11-01, or 2h, 3d ago": "пришло не раньше; `время` вида 2026-11-01 либо 2h, 3d назад",
	"show NUMBER":                   "show НОМЕР",
	"Show what was set aside whole": "Показать отложенное целиком",
	"take [NUMBER]":                 "take [НОМЕР]",
	"Store as events what was set aside by mistake": "Сохранить как события то, что отложено по ошибке",
	"Look again at what was set aside, by the file as it is now, and store what is an event: links then take it as of the time\n" +
		"when it came. Another call under a known id is stored under its id with ~2 behind it. --kind takes as that kind what does\n" +
		"not say what it is; without an id it gets one made of its bytes, and a sweep of the journal may then bring it a second time.": "Посмотреть на отложенное ещё раз, по файлу, каков он сейчас, и сохранить то, что событие: связки возьмут его по времени, когда\n" +
		"оно пришло. Другой звонок под известным номером сохраняется под своим номером и ~2. --kind берёт как этот вид то, что само\n" +
		"не говорит, что оно такое; без номера оно получает номер из своих байтов, и обход журнала звонков может принести его второй раз.",
	"take it as call.started, call.ended or request, whatever it says": "взять как call.started, call.ended или request, что бы в нём ни стояло",

	// links.
	"List the links: how each stands, how far behind it is, and why; stop, start, reset, remove them": "Показать связки: состояние, отставание и почему; остановить, запустить, перевести, удалить",
	"List each link's state (running, stopped, parked, shadow, gone, new, unwell), its outcomes, what is unread and waits, and each\n" +
		"source's last event. A worker counts the outcomes ahead; what it has not counted yet is read, all of the log and the history where\n" +
		"it has only begun: some ten seconds for a million events, which Ctrl-C stops and --fast leaves out.": "Показать состояние каждой связки, её исходы, что не прочитано и ждёт, и последнее событие каждого источника. Исходы считает\n" +
		"заранее обработчик; чего он ещё не посчитал, читается: где он только начал, весь журнал событий и история, около десяти секунд\n" +
		"на миллион событий; Ctrl-C это прекращает, --fast обходится без этого.",
	"without outcomes and sources, which need a scan": "без исходов и источников, ради которых всё читается",
	"record KEY...":                  "record КЛЮЧ...",
	"test [FILE...]":                 "test [ФАЙЛ...]",
	"try [FILE]":                     "try [ФАЙЛ]",
	"history ID [VERSION [VERSION]]": "history ИМЯ [ВЕРСИЯ [ВЕРСИЯ]]",
	"stop ID":                        "stop ИМЯ",
	"start ID":                       "start ИМЯ",
	"reset ID":                       "reset ИМЯ",
	"remove ID":                      "remove ИМЯ",
	"Stop a link: it keeps its place, other links go on":               "Остановить связку: своё место она сохраняет, другие работают",
	"Let a stopped link go on from its place":                          "Запустить остановленную связку с её места",
	"Bring what a link reads, and from when on, to what the file says": "Перевести связку на то, что ей читать и с какого времени, по файлу",
	"A link keeps the sites, the events and the start with which it first ran, whatever the file says later; all else of it may\n" +
		"change at any time. This brings them to the file. The link reads the log again from its start: what has an outcome is not\n" +
		"sent again, what it had not taken so far is. A running worker takes it up at once. Without `since` in the file the start stays.": "Связка хранит сайты, события и начало, с которыми впервые заработала, что бы файл ни говорил потом; остальное в ней меняется\n" +
		"когда угодно. Эта команда приводит их к файлу. Связка прочитает журнал событий от своего начала: то, у чего есть исход, снова не\n" +
		"отправляется, то, чего она не брала, отправляется. Работающий обработчик переходит сразу. Без `since` в файле начало прежнее.",
	"Give up a link that has left the file": "Отказаться от связки, которой больше нет в файле",
	"A link that leaves the file keeps its place, and the log cannot be purged beyond it. This gives it up for good: what waits for\n" +
		"another attempt becomes dead letters, which `touchbox replay --link ID --as NEW` delivers, what it has not read is recorded as\n" +
		"abandoned. Interrupted at any moment, the same command ends it.": "Связка, которую убрали из файла, хранит своё место, и журнал событий дальше него не очищается. Эта команда отказывается от неё\n" +
		"навсегда: что ждёт повтора, станет не доставленным (отправит `touchbox replay --link ИМЯ --as НОВАЯ`), чего она не прочитала,\n" +
		"записывается как утраченное. Прервать можно в любой момент, та же команда доведёт до конца.",

	// erase, backup, restore.
	"erase --phone NUMBER|- | --email ADDRESS|-":      "erase --phone НОМЕР|- | --email АДРЕС|-",
	"Remove all that is stored of a person, for good": "Стереть навсегда всё, что хранится о человеке",
	"Remove every event in which the number (in any spelling) or the address stands, whatever the field, with its retries, dead\n" +
		"letters and history, and what was set aside; then verify that nothing is left. With both flags one of the two is enough.\n" +
		"What is left of an event is its key, so that a repeated hook or the next sweep does not bring it back. A new call of the\n" +
		"person is taken as usual. What Mindbox has is not touched.\n\n" +
		"A dash instead of the number or address reads it from the terminal or standard input: then it is in no log of sudo. What\n" +
		"may be chance (the digits with words between them, anna+shop@...) is listed for a person, who decides; until then nothing\n" +
		"is called verified, and the exit code is 1.\n\n" +
		"It reads all that is stored, and asks before it removes anything. Interrupted at any moment, the same command ends it.": "Стереть каждое событие, где стоит этот номер (в любом написании) или адрес, в каком бы поле ни стоял, с ожиданием повтора,\n" +
		"с тем, что не доставлено, с историей и отложенным; затем проверить, что ничего не осталось. С двумя флагами хватает одного из двух.\n" +
		"От события остаётся его ключ, чтобы пришедший ещё раз вебхук или следующий обход не вернул его. Новый звонок этого\n" +
		"человека принимается как обычно. То, что есть у Mindbox, не затрагивается.\n\n" +
		"Дефис вместо номера или адреса спросит его на терминале или прочтёт со стандартного ввода: тогда его нет в журнале sudo. То,\n" +
		"что может быть совпадением (цифры, между которыми слова, anna+shop@...), показывается человеку, и решает он; до тех пор ничего\n" +
		"не называется проверенным, а код выхода 1.\n\n" +
		"Читает всё, что хранится, и спрашивает, прежде чем стереть. Прервать можно в любой момент, та же команда доведёт до конца.",
	"the person's `number`, in any spelling; - reads it":      "`телефон` человека, в любом написании; - спросит его",
	"the person's e-mail `address`; - reads it":               "`адрес` почты человека; - спросит его",
	"erase doubtful finds too":                                "стереть и сомнительное",
	"backup DIR":                                              "backup ПАПКА",
	"Copy the queue into a new folder, while everything runs": "Скопировать очередь в новую папку, пока всё работает",
	"Copy all streams with what the links have read of them into DIR, which must not be there yet. Everything goes on meanwhile; only\n" +
		"replays and `aside take` wait for the end. Without NATS_URL and without a running `touchbox up` it copies the store in TOUCHBOX_DATA.\n\n" +
		"The copy holds personal data, and no secrets: keep touchbox.yaml and its variables beside it. `touchbox restore` brings it back.": "Скопировать все потоки и то, что связки в них прочитали, в ПАПКУ, которой ещё нет. Всё тем временем работает; конца ждут только\n" +
		"отправка заново и `aside take`. Без NATS_URL и без работающего `touchbox up` копируется хранилище в TOUCHBOX_DATA.\n\n" +
		"В копии личные данные, секретов в ней нет: храните рядом touchbox.yaml и его переменные. Возвращает её `touchbox restore`.",
	"restore DIR": "restore ПАПКА",
	"Bring a copy made by `touchbox backup` into an empty queue": "Вернуть копию, сделанную `touchbox backup`, в пустую очередь",
	"Check the copy in DIR and restore it into the empty queue of NATS_URL, or into an empty TOUCHBOX_DATA: so it also moves a store from\n" +
		"`touchbox up` to a NATS of one's own and back. ingest, worker and `touchbox up` must be stopped. Interrupted, it leaves the queue empty.\n\n" +
		"What was delivered since the copy was made is delivered again with the same transactionId, which Mindbox executes once. Whom you have\n" +
		"erased since must be erased again.": "Проверить копию в ПАПКЕ и вернуть её в пустую очередь из NATS_URL или в пустую TOUCHBOX_DATA: так хранилище и переезжает из\n" +
		"`touchbox up` в свой NATS и обратно. ingest, worker и `touchbox up` должны быть остановлены. Прерванная, оставляет очередь пустой.\n\n" +
		"Доставленное после копирования доставится ещё раз с тем же transactionId, Mindbox выполнит его один раз. Кого вы стёрли\n" +
		"после копирования, нужно стереть снова.",

	// backfill, gaps.
	"backfill --site ID --from DAY [--to DAY]":                            "backfill --site ID --from ДЕНЬ [--to ДЕНЬ]",
	"Store what Calltouch knows of past days; delivers nothing by itself": "Сохранить, что Calltouch знает о прошлых днях; само ничего не доставляет",
	"Read the requests API and the calls journal for some days and store what is not stored yet. No link takes it by itself:\n" +
		"look at it, then deliver it with `touchbox replay --outcome untaken`. Ctrl-C is safe, the same command goes on.": "Прочитать API заявок и журнал звонков за несколько дней и сохранить то, что ещё не сохранено. Сама ни одна связка этого не берёт:\n" +
		"посмотрите, затем доставьте командой `touchbox replay --outcome untaken`. Ctrl-C безопасен, та же команда продолжит.",
	"gaps --site ID --from DAY [--to DAY]":                                   "gaps --site ID --from ДЕНЬ [--to ДЕНЬ]",
	"Compare what Calltouch lists with what is stored and what became of it": "Сверить, что отдаёт Calltouch, с тем, что сохранено, и что с ним стало",
	"Ask Calltouch's requests API and calls journal for some days and say, by day, how many events they list, how many are\n" +
		"stored, and what became of those. Exit code 1 when something is missing.": "Спросить API заявок и журнал звонков Calltouch за несколько дней и сказать по дням, сколько событий в них есть, сколько\n" +
		"сохранено и что с ними стало. Код выхода 1, если чего-то не хватает.",
	"first day, `YYYY-MM-DD`, in the cabinet's zone (required)":           "первый день, `ГГГГ-ММ-ДД`, по часовому поясу кабинета (обязательно)",
	"last day, `YYYY-MM-DD`, included (default: today)":                   "последний день, `ГГГГ-ММ-ДД`, включительно (по умолчанию сегодня)",
	"call.ended or request (default: both)":                               "call.ended или request (по умолчанию оба)",
	"store nothing; say what would be stored and which links would match": "ничего не сохранять; сказать, что сохранилось бы и какие связки подошли бы",

	// ingest and worker.
	"ingest takes Calltouch's webhooks, reads its APIs, and stores the raw events in JetStream.": "ingest принимает вебхуки Calltouch, читает его API и сохраняет события как пришли в JetStream.",
	"worker reads the stored events by link, renders Mindbox operations and delivers them.":      "worker читает сохранённые события по связкам, составляет операции Mindbox и доставляет их.",
	"%s takes no arguments, got %q; it is configured by the environment, see --help":             "%s не берёт аргументов, а дано %q; настраивается через окружение, смотрите --help",
	"ask the running console for its health, exit 0 or 1":                                        "спросить работающую консоль, всё ли в порядке: код выхода 0 или 1",
	"ask the running %s for its health, exit 0 or 1":                                             "спросить работающий %s, всё ли в порядке: код выхода 0 или 1",
	"print the version": "напечатать версию",
	"%s\n\nUsage: %s [--healthcheck | --version]\n\nFlags:\n": "%s\n\nИспользование: %s [--healthcheck | --version]\n\nФлаги:\n",
	"\nEnvironment:\n": "\nПеременные окружения:\n",
	// init.

	// try, test, links history.
	"Try a changed touchbox.yaml on the stored events of the past; sends nothing": "Попробовать изменённый touchbox.yaml на прошлых событиях; ничего не отправляет",
	"Say what the links of a file, by default that of TOUCHBOX_CONFIG, make of the stored events, beside what the running links\n" +
		"make of them: how many go from which outcome to which and why, in what the requests differ, which events no link takes, which\n" +
		"are sent twice, which are sent by none any more. A new link is tried on all of them, so one sees what a `since` would bring.\n" +
		"The outcomes are those of the links: whether Mindbox then accepts a request is not known. --since and --until are about when\n" +
		"the call or request happened. Ctrl-C stops it; nothing is changed. Exit code 1 where --fail-on says so.": "Сказать, что связки файла, по умолчанию из TOUCHBOX_CONFIG, сделают из сохранённых событий рядом с тем, что делают\n" +
		"работающие связки: сколько событий перейдёт из какого исхода в какой и почему, чем отличаются запросы, какие события не возьмёт\n" +
		"ни одна связка, какие уйдут дважды, какие больше не уйдут. Новая связка пробуется на всех событиях, поэтому видно, что дал бы `since`.\n" +
		"Исходы здесь — решения связок: примет ли запрос Mindbox, неизвестно. --since и --until — о времени звонка или заявки.\n" +
		"Ctrl-C прекращает прогон; ничего не меняется. Код выхода 1, если так велит --fail-on.",
	"only the events of this link, by its `id`":                                                                    "только события этой связки, по её `имени`",
	"beside this `version` of a link, as `touchbox links history` shows it, and not what runs":                     "рядом с этой `версией` связки, как её показывает `touchbox links history`, а не с тем, что работает",
	"try about so many events, evenly picked, where there are more":                                                "пробовать примерно столько событий, выбранных равномерно, если их больше",
	"also list each event of which a link makes something else":                                                    "ещё перечислить каждое событие, из которого связка сделает что-то другое",
	"also show the requests of some events that differ, before and after":                                          "ещё показать несколько запросов с отличиями: прежде и теперь",
	"end with 1 on `any|lost|double`: any change, events that no link sends any more, events that more links send": "завершиться с кодом 1 при `any|lost|double`: любое изменение, события, которые больше не отправит ни одна связка, события, которые отправит больше связок",
	"%q is none of %s, %s and %s":                                                                                  "%q — не %s, не %s и не %s",
	"say how many and which, what would be sent, and in what it differs from what was; send nothing":               "сказать, сколько и какие, что ушло бы и чем это отличается от прежнего; ничего не отправлять",
	"Run the tests of the links: tests/*.yaml beside touchbox.yaml":                                                "Проверить связки тестами: tests/*.yaml рядом с touchbox.yaml",
	"Give each link the events of the test files, or of those that are named, and compare what it makes of them with what is expected. It\n" +
		"needs no server and sends nothing. Exit code 1 when something does not come as expected, 2 with a mistake in a file.": "Дать каждой связке события из файлов тестов, всех или названных, и сравнить, что она из них сделает, с тем, что ожидается. Сервер\n" +
		"не нужен, ничего не отправляется. Код выхода 1, если что-то вышло не так, как ожидалось, 2 при ошибке в файле.",
	"also list what comes as expected":                                                                                     "ещё перечислить то, что вышло как ожидалось",
	"also write the results to `FILE` as JUnit's XML, for a build server":                                                  "ещё записать итоги в `ФАЙЛ` в виде JUnit XML, для сервера сборки",
	"List the links: how each stands, how far behind it is, and why; stop, start, reset, remove them, show their versions": "Показать связки: как каждая стоит, насколько отстала и почему; остановить, запустить, начать заново, убрать, показать версии",
	"List the versions of a link and when each was in force; show what two of them differ in":                              "Показать версии связки и когда какая действовала; показать, чем отличаются две из них",
	"List every version of a link that ran, as far as the history reaches: when a worker took it up the last time, and from when to\n" +
		"when it decided. With one version, by the beginning of its hash, show what today's file differs in from it; with two, what the\n" +
		"second differs in from the first. `touchbox try --against VERSION` and `touchbox explain --version VERSION` ask one of them.\n" +
		"The list reads the whole history: some ten seconds for a million events.": "Показать все версии связки, которые работали, насколько хватает истории: когда обработчик в последний раз принял версию и с какого\n" +
		"по какое время она решала. С одной версией, по началу её хеша, показать, чем от неё отличается сегодняшний файл; с двумя — чем\n" +
		"вторая отличается от первой. `touchbox try --against ВЕРСИЯ` и `touchbox explain --version ВЕРСИЯ` спрашивают одну из них.\n" +
		"Список читает всю историю: около десяти секунд на миллион событий.",
	"--version is one of a link: say by --link of which": "--version — это версия связки: назовите связку через --link",
}
