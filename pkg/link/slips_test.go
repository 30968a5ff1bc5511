package link_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

// slips are conditions and values as other languages, tables and people write them, with the right form that the hint gives.
var slips = []struct{ wrong, right string }{
	// Operators written as functions and methods, functions written as operators.
	{`endsWith(id, "1")`, `id endsWith "1"`},
	{`not contains(city, "ск")`, `not (city contains "ск")`},
	{`unique and !contains(city, "ск")`, `unique and not (city contains "ск")`},
	{`id.endsWith("1")`, `id endsWith "1"`},
	{`phone(callerphone).startsWith('7495')`, `phone(callerphone) startsWith '7495'`},
	{`city.includes("ск")`, `city contains "ск"`},
	{`regex(city, "^М")`, `city matches "^М"`},
	{`city =~ /^м/i`, `city matches "(?i)^м"`},
	{`isIn(city, ["Москва", "Тверь"])`, `city in ["Москва", "Тверь"]`},
	{`city.toLowerCase() == "москва"`, `lower(city) == "москва"`},
	{`city.length > 3`, `len(city) > 3`},
	{`len city > 3`, `len(city) > 3`},
	{`filled{city}`, `filled(city)`},
	{`empty city`, `empty(city)`},
	{`substr(callerphone, 0, 4) == "7495"`, `callerphone[0:4] == "7495"`},
	{`right(id, 1) == "1"`, `id[-1:] == "1"`},
	{`id[-1] == "1"`, `id[-1:] == "1"`},
	{`hour(time) >= 9`, `int(local(time, "HH")) >= 9`},
	{`time.hour >= 9`, `int(local(time, "HH")) >= 9`},
	{`iif(unique, spam, dynamic)`, `unique ? spam : dynamic`},
	{`if unique then spam else dynamic`, `unique ? spam : dynamic`},
	{`unique and if spam then unique else dynamic`, `unique and (spam ? unique : dynamic)`},
	{`iif(unique, "a", "b") == "a"`, `(unique ? "a" : "b") == "a"`},
	{`mid(callerphone, 1, 4) == "7495"`, `callerphone[0:4] == "7495"`},
	{`dynamic()`, `dynamic`},
	{`places(phonenumber)`, `places[phonenumber]`},

	// Words and signs.
	{`unique AND NOT spam`, `unique and not spam`},
	{`не unique или spam`, `not unique or spam`},
	{`city == "Москва" & unique`, `city == "Москва" and unique`},
	{`city = "Москва"`, `city == "Москва"`},
	{`city === 'Москва'`, `city == 'Москва'`},
	{`city <> "Москва"`, `city != "Москва"`},
	{`city == ‘Москва’`, `city == "Москва"`},
	{`city == „Москва“`, `city == "Москва"`},
	{`city == ''Москва''`, `city == "Москва"`},
	{`город содержит «ск»`, `city contains "ск"`},
	{`Город не равно "Москва"`, `city != "Москва"`},
	{`длительность разговора больше 30`, `duration > 30`},
	{`Номер телефона клиента начинается с "7495"`, `callerphone startsWith "7495"`},
	{`city startswith "М"`, `city startsWith "М"`},
	{`city begins with "М"`, `city startsWith "М"`},
	{`city LIKE "М%"`, `city startsWith "М"`},
	{`city not like "%ск%"`, `city not contains "ск"`},
	{`duration ≥ 30`, `duration >= 30`},
	{`duration gt 30`, `duration > 30`},
	{`duration не более 30`, `duration <= 30`},
	{`duration greater than or equal to 30`, `duration >= 30`},
	{`duration between 30 and 60`, `duration >= 30 and duration <= 60`},
	{`duration > 30 and < 60`, `duration > 30 and duration < 60`},
	{`utmSource = "yandex"`, `utm_source == "yandex"`},
	{`CITY == "Москва"`, `city == "Москва"`},
	{`call.duration > 30`, `duration > 30`},
	{`data["duration"] > 30`, `duration > 30`},
	{`"duration" > 30`, `duration > 30`},
	{`{{duration}} > 30`, `duration > 30`},
	{`${duration} > 30`, `duration > 30`},
	{`$duration > 30`, `duration > 30`},

	// Nothing.
	{`city is not null`, `filled(city)`},
	{`city IS NULL or unique`, `empty(city) or unique`},
	{`city не пусто`, `filled(city)`},
	{`city не заполнен`, `empty(city)`},
	{`city != undefined`, `city != nil`},
	{`isset(city)`, `filled(city)`},
	{`!city`, `empty(city)`},
	{`city and unique`, `filled(city) and unique`},
	{`duration != empty`, `duration != nil`},

	// Several values, lists.
	{`city == "Москва" or "Тверь"`, `city in ["Москва", "Тверь"]`},
	{`unique and city == "Москва" || "Тверь"`, `unique and city in ["Москва", "Тверь"]`},
	{`city in ("Москва", "Тверь")`, `city in ["Москва", "Тверь"]`},
	{`city NOT IN "Москва, Тверь"`, `city not in ["Москва", "Тверь"]`},
	{`unique and callerphone startsWith "7495" or "7499"`, `unique and (callerphone startsWith "7495" or callerphone startsWith "7499")`},
	{`callerphone startsWith ["7495", "7499"]`, `callerphone startsWith "7495" or callerphone startsWith "7499"`},
	{`tags == "VIP"`, `"VIP" in tags`},
	{`tags.includes("VIP")`, `"VIP" in tags`},
	{`tags in ["VIP"]`, `"VIP" in tags`},
	{`"VIP" in tags or "Опт"`, `"VIP" in tags or "Опт" in tags`},
	{`VIP in tags`, `"VIP"`},
	{`unique and "VIP" in tags or "Опт"`, `unique and ("VIP" in tags or "Опт" in tags)`},
	{`callerphone like "7495%" or "7499%"`, `callerphone startsWith "7495" or callerphone startsWith "7499"`},

	// Values of another type.
	{`duration > '30'`, `duration > 30`},
	{`id == 148071`, `id == "148071"`},
	{`id > 5`, `int(id) > 5`},
	{`callerphone startsWith 7495`, `callerphone startsWith "7495"`},
	{`unique == 1`, `unique`},
	{`spam = 0`, `not spam`},
	{`targetcall == true`, `targetcall == "target"`},
	{`callback = да`, `callback == "callback"`},
	{`time > "2026-01-01"`, `date(time) > "2026-01-01"`},
	{`date(time) >= 2026-01-01`, `date(time) >= "2026-01-01"`},
	{`date(time) == "01.11.2026"`, `"2026-11-01"`},
	{`local(time, "HH:mm") > "9:00"`, `"09:05"`},
	{`lower(city) == "Москва"`, `"москва"`},
	{`local(time, "HH") >= 9`, `int(local(time, "HH")) >= 9`},
	{`duration > 5 мин`, `duration > 5 * 60`},
	{`duration > 0:30`, `duration > 30`},

	// How a function is called.
	{`phone() == "79161234567"`, `phone(callerphone)`},
	{`phone == "79161234567"`, `phone(callerphone)`},
	{`cut(city) == "x"`, `cut(comment, 1000)`},
	{`cut(city, "5") == "x"`, `cut(comment, 1000)`},
	{`replace(city, "a") == "x"`, `replace(city, "г. ", "")`},
	{`lookup(places) == "x"`, `lookup(table, phonenumber, "other")`},

	// Values.
	{`= ${utm_source || "direct"}`, `utm_source ?? "direct"`},
	{`= ${coalesce(utm_source, source)}`, `utm_source ?? source`},
	{`= ${city ?: source}`, `city ?? source`},
	{`= ${if(unique, "да", "нет")}`, `unique ? "да" : "нет"`},
	{`= ${callerphone | phone}`, `phone(callerphone)`},
	{`= ${fio.split(" ")[0]}`, `split(fio, " ")[0]`},
	{`= ${"Звонок " + duration}`, `"Звонок " + string(duration)`},
	{`= ${date(time, "dd.MM.yyyy")}`, `local(time, "dd.MM.yyyy")`},
	{`= ${ID звонка}`, `id`},
	{`= #callerphone#`, `${callerphone}`},
}

// Each slip is told at its place with the right form written out, in both languages, and the right form is right.
func TestTheRightFormIsWrittenOut(t *testing.T) {
	for _, tt := range slips {
		t.Run(tt.wrong, func(t *testing.T) {
			text := configured(tt.wrong)
			english, russian := problemsIn(text, lang.English), problemsIn(text, lang.Russian)
			for _, said := range []string{english, russian} {
				if !strings.Contains(said+"\n", tt.right+")\n") {
					t.Errorf("got\n%s\nwant %s", said, tt.right)
				}
			}
			if strings.Contains(russian, "(write") || strings.Contains(russian, "understood") {
				t.Errorf("no Russian: %s", russian)
			}
			if !strings.Contains(english, "(write "+tt.right+")") || !strings.ContainsAny(tt.right, " (") {
				return // a part of the right form
			}
			right := tt.right
			if strings.HasPrefix(tt.wrong, "= ") {
				right = "= ${" + right + "}"
			}
			if again := problemsIn(configured(right), lang.English); strings.Contains(again, "understood") || strings.Contains(again, "does not go with") {
				t.Errorf("the right form is wrong:\n%s", again)
			}
		})
	}
}

func configured(text string) string {
	if value, ok := strings.CutPrefix(text, "= "); ok {
		return configuration("unique", value)
	}
	return configuration(text, "x")
}

// What may be meant in several ways is not guessed, and what is right beside a mistake stays as it is.
func TestNothingElseIsMeant(t *testing.T) {
	for _, tt := range []struct{ wrong, guess string }{
		{`!duration`, `empty(duration)`}, // of a call of 0 s something else
		{`duration and unique = 1`, `filled(duration)`},
		{`duration == 30,60`, `30.60`},
		{`substr(callerphone, 1, 3) == "916"`, `[1:3]`}, // counted from 0 or from 1, by the end or by the length
		{`left(city + source, 3) == "Мос"`, `source[:3]`},
		{`city ~= "Москва"`, `matches`}, // in Lua, not equal
		{`city ilike "м%"`, `startsWith "м"`},
		{`city like "М%а"`, `"М%а"`},
		{`unique = 1 and city in ["Ростов, РФ"]`, `["Ростов", "РФ"]`},
		{`unique = 1 and "callback" == callback`, `callback == callback`},
		{`time > "10:00"`, `date(time) > "10:00"`},
		{`= ${unique or spam = 1 ? "a" : "b"}`, `unique ?? spam`},
		{`= ${dynamic or city ? "a" : "b"}`, `??`},
		{`= ${city, source}`, `city ?? source`},
		{`= ${concat(unique ? "a" : "b", "c")}`, `"b" + "c"`},
	} {
		if said := problemsIn(configured(tt.wrong), lang.English); said == "" || strings.Contains(said, tt.guess) {
			t.Errorf("%s: %s", tt.wrong, said)
		}
	}
}

// Texts in order come to something, whatever they are: a process that has run with them starts.
func TestTextsInOrderAreWarnedOf(t *testing.T) {
	for _, when := range []string{`date(time) > "2026-11-01T00:00"`, `date(time) > "01.11.2026"`, `local(time, "HH:mm") > "9:00"`} {
		problems := problemsOf(configuration(when, "x"))
		if len(problems.Mistakes()) > 0 || !strings.Contains(problems.String(), "never gives") {
			t.Errorf("%s: %v", when, problems)
		}
	}
}

// What is right is called wrong by nobody: times and letters that may well come.
func TestRightComparisonsArePassed(t *testing.T) {
	for _, when := range []string{
		`date(time) >= "2026-11"`, `"2026-11-01" == date(time)`, `local(time, "HH:mm") >= "09"`, `local(time, "HH:mm") == "09:05"`, `local(time, "dd.MM.yyyy HH:mm") != "01.11.2026 09:05"`,
		`local(time, "H:mm") == "15:00"`, `local(time, "d.M.yyyy") != "15.11.2026"`, `local(time, "zzz") == "-05:00"`, `utc(time, "yyyy") == "2026"`, `lower(city) == "москва 24"`, `upper(city) != "МОСКВА"`,
	} {
		if said := problemsIn(configuration(when, "x"), lang.English); said != "" {
			t.Errorf("%s:\n%s", when, said)
		}
	}
}
