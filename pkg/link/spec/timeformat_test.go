package spec_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

func TestATimeGetsTheFormThatIsNamed(t *testing.T) {
	for _, tt := range []struct{ said, value, certainty string }{
		{"Дата и время звонка в формате ДД.ММ.ГГГГ ЧЧ:ММ", `${local(time, "dd.MM.yyyy HH:mm")} ${utc(time, "dd.MM.yyyy HH:mm")}`, "unsure"},
		{"Дата и время звонка по Москве, формат: ДД.ММ.ГГГГ ЧЧ:ММ:СС", `${local(time, "dd.MM.yyyy HH:mm:ss")}`, "sure"},
		{"Дата и время звонка в UTC (YYYY-MM-DD HH:mm:ss)", `${utc(time, "yyyy-MM-dd HH:mm:ss")}`, "sure"},
		{"Дата и время звонка, МСК", `${local(time)}`, "sure"},
		{"Дата и время звонка (московское время)", `${local(time)}`, "sure"},
		{"Дата и время звонка по московскому часовому поясу", `${local(time)}`, "sure"},
		{"Дата и время звонка, UTC+3", `${local(time)}`, "sure"},
		{"Дата и время звонка, UTC+03:00", `${local(time)}`, "sure"},
		{"Дата и время звонка, UTC+5", ``, "unsure"},
		{"Дата и время звонка, UTC+3:30", ``, "unsure"},
		{"Дата и время звонка, GMT-3, ДД.ММ.ГГГГ ЧЧ:ММ", ``, "unsure"},
		{"Дата и время звонка по местному времени", `${local(time)}`, "sure"},
		{"Дата звонка по Москве", `${date(time)}`, "sure"},
		{"Дата и время звонка в UTC", `${utc(time)}`, "sure"},
		{"Дата и время звонка для Омск, Томск", ``, "unsure"}, // a town is no clock
		{"Дата и время звонка, YYYY-MM-DDThh:mm:ssZ", `${utc(time, "yyyy-MM-ddTHH:mm:ssZ")}`, "sure"},
		{"Дата и время звонка (yyyy-MM-dd'T'HH:mm:ss.fff'Z')", `${utc(time, "yyyy-MM-ddTHH:mm:ss.fffZ")}`, "sure"},
		{"Время звонка, YYYY-MM-DDThh:mm:ss+hh:mm", `${local(time, "yyyy-MM-ddTHH:mm:sszzz")}`, "sure"},
		{"Дата звонка, ISO 8601", `${utc(time, "yyyy-MM-ddTHH:mm:ssZ")}`, "sure"},
		{"Дата звонка ДД.ММ.ГГГГ", `${local(time, "dd.MM.yyyy")}`, "sure"},
		{"Дата звонка, гггг-мм-дд", `${date(time)}`, "sure"},
		{"Дата и время звонка, unix time", `${timestamp}`, "sure"},
		{"Время звонка, Unix timestamp в миллисекундах", `${timestamp * 1000}`, "sure"},
		{"Дата и время звонка, формат американский", `${calltime}`, "unsure"},
		{"Статус звонка в формате ДД", `${status}`, "unsure"}, // no time
	} {
		text := `{"customerAction": {"customFields": {"x1": "<` + tt.said + `>"}}}`
		p := spec.Read(text, lang.English).Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}})[0]
		got := p.Value
		if p.Certainty == spec.Unsure && strings.Contains(tt.value, "time,") {
			var values []string
			for _, c := range p.Candidates {
				values = append(values, c.Value)
			}
			got = strings.Join(values, " ")
		}
		if tt.value != "" && got != tt.value || string(p.Certainty) != tt.certainty {
			t.Errorf("%s: %s, %s; want %s, %s (%+v)", tt.said, got, p.Certainty, tt.value, tt.certainty, p.Candidates)
		}
		if len(p.Said) != 1 || !strings.Contains(p.Said[0], tt.said[:10]) {
			t.Errorf("%s: what is said is lost: %q", tt.said, p.Said)
		}
	}
	p := spec.Read("customer.mobilePhone\nexecutionDateTimeUtc — дата и время, ДД.ММ.ГГГГ ЧЧ:ММ", lang.English).Propose(spec.Context{Kinds: event.Kinds})[1]
	if p.Value != "${utc(time)}" {
		t.Errorf("Mindbox's own field: %+v", p)
	}
	p = spec.Read("customerAction.customFields.date — дата заявки, unix", lang.English).Propose(spec.Context{Kinds: []event.Kind{event.Request}})[0]
	if p.Certainty != spec.Unsure {
		t.Errorf("a form request has no Unix time: %+v", p)
	}
}

// Where the site's clock is another one, local() is not Moscow's time.
func TestMoscowsTimeIsTheSitesWhereItsClockSaysSo(t *testing.T) {
	s := spec.Read("customerAction.customFields.x1 — дата и время звонка по Москве\nexecutionDateTimeUtc — время звонка, по Москве", lang.English)
	for _, tt := range []struct {
		elsewhere bool
		certainty spec.Certainty
	}{{false, spec.Sure}, {true, spec.Unsure}} {
		all := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}, Elsewhere: tt.elsewhere})
		if p := all[0]; p.Certainty != tt.certainty {
			t.Errorf("elsewhere %t: %+v", tt.elsewhere, p)
		}
		if p := all[1]; p.Certainty == spec.Sure && p.Value != "${utc(time)}" {
			t.Errorf("Mindbox's own field is UTC, whatever is said: %+v", p)
		}
	}
}

// Of two clocks that are named neither is taken for sure.
func TestTwoClocksAreUnsure(t *testing.T) {
	s := spec.Read("{\"customerAction\": {\"customFields\": {\n\"callDate\": \"<Дата и время звонка, МСК>\"  // в UTC\n}}}", lang.English)
	if p := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}})[0]; p.Certainty != spec.Unsure {
		t.Errorf("%+v", p)
	}
}

func TestOperationsOfAListAreRead(t *testing.T) {
	const body = "\n\n{\"customer\": {\"mobilePhone\": \"\"}}"
	for text, want := range map[string]string{
		"Нужны две операции:\n1) CallTouch — динамические номера\n2) CallTouchStatic — статика" + body: "CallTouch, CallTouchStatic",
		"1) Calls.Ended — звонки\n2) Calls.Missed — пропущенные" + body:                                "Calls.Ended, Calls.Missed",
		"Операции для звонков\n - «CallTouch» (динамика)\n - «CallTouchStatic»" + body:                 "CallTouch, CallTouchStatic",
		"Операции:\n• Callback: обратный звонок" + body:                                                "Callback",
		"Операция CallTouch, поля:\n1) customer.mobilePhone — телефон\n2) utmSource — источник":        "CallTouch",
		"Поля операции:\n- UtmSource — источник\n- customer.mobilePhone — телефон":                     "",
		"Вопросы:\n1) Телефон нужен всегда?\n2) Email — тоже" + body:                                   "",
	} {
		if got := strings.Join(spec.Read(text, lang.English).Operations, ", "); got != want {
			t.Errorf("%q: operations %q, want %q", text, got, want)
		}
	}
}
