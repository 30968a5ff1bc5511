package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

func TestBadInputGetsAWordAndWhatCouldBeRead(t *testing.T) {
	tests := []struct {
		name, text string
		note       string // in one of the notes; "" = none is wanted
		line       int    // of that note
		paths      []string
	}{
		{"nothing", "", "no field was found", 0, nil},
		{"no field", "Добрый день! Операцию завели, ТЗ пришлю завтра.", "no field was found", 0, nil},
		{"an answer of Mindbox's", `{"status": "Success", "customer": {"processingStatus": "Found"}}`, "no field was found", 0, nil},
		{
			"two JSONs", "{\"customer\": {\"mobilePhone\": \"\", \"email\": \"\"}}\n\nа для статики:\n{\"customer\": {\"mobilePhone\": \"\"}}",
			"another JSON begins here: the one of line 1", 4, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"the same JSON twice", "{\"customer\": {\"mobilePhone\": \"\"}}\n{\"customer\": {\"mobilePhone\": \"79001234567\"}}",
			"", 0, []string{"customer.mobilePhone"},
		},
		{
			"a request and its answer", "{\"customer\": {\"mobilePhone\": \"\"}}\n{\"status\": \"Success\"}",
			"", 0, []string{"customer.mobilePhone"},
		},
		{
			"cut in the middle", "{\n  \"customer\": {\n    \"mobilePhone\": \"<Телефон>\",\n    \"email\": \"<E-ma",
			"the JSON is cut here", 4, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"cut, and a letter goes on", "{\n  \"customer\": {\n    \"mobilePhone\": \"<Телефон>\",\n\nС уважением",
			"the JSON is cut here", 5, []string{"customer.mobilePhone"},
		},
		{
			"quotes of Word", "{ «customer»: { „mobilePhone“: “<Телефон>”, ”email”: ”<E-mail>” } }",
			"the quotes here are those of a text editor", 1, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"blanks that do not break", "{\u00a0\"customer\":\u00a0{\u200b\"mobilePhone\":\u202f\"<Телефон>\"\ufeff}\u00a0}\r\n",
			"", 0, []string{"customer.mobilePhone"},
		},
		{
			"values without quotes, in one line", "{\"customer\": {\"firstName\": <имя>, \"mobilePhone\": <телефон>, \"email\": почта, \"area\": -1, \"lastName\": (фамилия)}}",
			"", 0, []string{"customer.firstName", "customer.mobilePhone", "customer.email", "customer.area", "customer.lastName"},
		},
		{
			"a field without a name", "{\"customer\": {\"\": {\"a\": 1}, \"mobilePhone\": \"\"}}",
			"a field without a name", 1, []string{"customer.mobilePhone"},
		},
		{
			"something odd in the only line", "{\"customer\": {\"mobilePhone\": \"\", ?!, \"email\": \"\"}}",
			"this line could not be read", 1, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"a body in a collection of Postman's", `{"info": {"name": "Mindbox"}, "item": [{"request": {"body": {"mode": "raw", "raw": "{\r\n \"customer\": {\"mobilePhone\": \"<телефон>\",\n\"email\": \"\"}}"}}}]}`,
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"a page of HTML", "<table><tr><th>Поле</th><th>Смысл</th></tr>\n<tr><td>customer.mobilePhone</td><td><b>Телефон</b></td></tr><tr><td>customer.email</td><td>&lt;почта&gt;</td></tr></table>",
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"entities of HTML", "{&quot;customer&quot;: {&quot;mobilePhone&quot;: &quot;&lt;телефон&gt;&quot;, &quot;email&quot;: &quot;&quot;}}",
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"marks of a messenger", "> *customer.mobilePhone* : телефон\n- [customer.email](https://docs.example) — почта\n",
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"an operation above a list", "Operation: CallTouch\ncustomer.mobilePhone - телефон\ncustomerAction.customFields.город - город\n",
			"", 0, []string{"customer.mobilePhone", "customerAction.customFields.город"},
		},
		{
			"fields unknown to Mindbox", "{\"customer\": {\"mobilePhon\": \"\", \"loyalty\": \"\"}}",
			"no field customer.mobilePhon: is it mobilePhone?", 1, []string{"customer.mobilePhon", "customer.loyalty"},
		},
		{
			"a name with a dot in it", "{\"customerAction\": {\"customFields\": {\"utm.source\": \"\"}}}",
			"the name utm.source has a dot in it", 1, []string{"customerAction.customFields.utm.source"},
		},
		{
			"dotted names as Albato's", "{\"customer.mobilePhone\": \"\"}", "", 0, []string{"customer.mobilePhone"},
		},
		{
			"one field, two meanings", "customer.customFields.a;Город\ncustomer.mobilePhone;Телефон\ncustomer.customFields.a;Источник",
			"customer.customFields.a stands here a second time", 3, []string{"customer.customFields.a", "customer.mobilePhone"},
		},
		{
			"a secret", "customer.mobilePhone\ncustomer.email\nсекретный ключ: hT5qWq0ZkPmLr81x",
			"a secret stands here", 3, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"a comma forgotten", "{\"customer\": {\"mobilePhone\": \"<Телефон>\"\n\"email\": \"<E-mail>\"}}",
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"remarks behind values", "{\"customer\": {\n\"mobilePhone\": \"\", — телефон клиента\n\"email\": \"\" (если есть)\n}}",
			"", 0, []string{"customer.mobilePhone", "customer.email"},
		},
		{
			"escaped for a shell", `curl -d "{\"customer\": {\"mobilePhone\": \"<phone>\"}}" https://api.mindbox.ru/v3/operations/async?operation=Call1`,
			"", 0, []string{"customer.mobilePhone"},
		},
		{"lists", `{"customer": {"subscriptions": [{"topic": "a"}, {"topic": "b"}]}, "x": [], "y": {}}`, "", 0, []string{"customer.subscriptions.0.topic", "customer.subscriptions.1.topic"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := spec.Read(tt.text, lang.English)
			var paths []string
			for _, f := range s.Fields {
				paths = append(paths, f.Path)
			}
			if !slices.Equal(paths, tt.paths) {
				t.Errorf("fields %q, want %q", paths, tt.paths)
			}
			if tt.note == "" && len(s.Notes) > 0 {
				t.Errorf("notes: %v", s.Notes)
			}
			if tt.note != "" && !slices.ContainsFunc(s.Notes, func(n spec.Note) bool { return strings.Contains(n.Text, tt.note) && n.Line == tt.line }) {
				t.Errorf("no note %q at line %d: %v", tt.note, tt.line, s.Notes)
			}
		})
	}
}

// A column of examples says nothing, and is kept nowhere.
func TestExamplesInATableAreNotRead(t *testing.T) {
	s := spec.Read("Field\tMeaning\tExample\ncustomer.fullName\tFull name\tIvan Ivanov\ncustomerAction.customFields.form\tForm name\tCallback\n", lang.English)
	if made := fmt.Sprintf("%+v", s); strings.Contains(made, "Ivan") || strings.Contains(made, "Callback") || len(s.Fields) != 2 {
		t.Errorf("%s", made)
	}
}

// What is in doubt is never sure, whatever its name says.
func TestWhatIsInDoubtIsNotSure(t *testing.T) {
	for _, text := range []string{
		"customerAction.customFields.city;Город\ncustomer.mobilePhone;Телефон\ncustomerAction.customFields.city;Источник",
		`{"customerAction": {"customFields": {"utm.source": "<utm_source>"}}}`,
		`{"customerAction": {"customFields": {"callId": "<ID сделки>"}}}`,                   // the name says call, the words say deal
		`{"customerAction": {"customFields": {"callId": "<ID звонка из нашей CRM>"}}}`,      // more than the id of the call
		`{"customerAction": {"customFields": {"duration": "<Длительность в минутах>"}}}`,    // seconds are what Calltouch has
		`{"customerAction": {"customFields": {"phoneHash": "<хеш телефона>"}}}`,             // not the phone
		`{"customerAction": {"customFields": {"phoneNumber": ""}}}`,                         // the caller's, or the one that was called
		`{"customerAction": {"customFields": {"url": ""}}}`,                                 // of the landing page, or of the call
		`{"customerAction": {"customFields": {"clientId": "<ID клиента>"}}}`,                // Calltouch's, Yandex's, Google's
		`{"customerAction": {"customFields": {"managerPhone": "<Телефон менеджера>"}}}`,     // not the caller's
		`{"customerAction": {"customFields": {"region": "<Регион>"}}}`,                      // not the city
		`{"customerAction": {"customFields": {"previousSource": "<Предыдущий источник>"}}}`, // not this one
	} {
		s := spec.Read(text, lang.English)
		p := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}})[0]
		if p.Certainty != spec.Unsure {
			t.Errorf("%s: %s is %s: %s", text, p.Path, p.Certainty, p.Value)
		}
	}
}

func TestThreeHundredFieldsAreRead(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "customer.customFields.f%d\n", i)
	}
	s := spec.Read(text.String(), lang.English)
	if n := len(s.Propose(spec.Context{Kinds: event.Kinds})); n != 300 || len(s.Notes) != 0 {
		t.Errorf("%d fields, %v", n, s.Notes)
	}
}

// A secret and a person's data that stand in a text are in nothing that is made of it.
func TestNothingSecretIsKept(t *testing.T) {
	for _, text := range []string{
		`curl -H 'Authorization: Mindbox secretKey="SECRET"' -d '{"customer": {"mobilePhone": "", "email": ""}}'`,
		`curl -H "Authorization: Mindbox secretKey=\"SECRET\"" -d "{\"customer\": {\"mobilePhone\": \"\"}}"`,
		"Authorization: SecretKey SECRET\n\n{\"customer\": {\"mobilePhone\": \"\"}}",
		"{\"customer\": {\"mobilePhone\": \"\"}} // secret: SECRET",
		"{\"customer\": {\"mobilePhone\": \"\" // секретный ключ — SECRET\n}}",
		"{\"customer\": {\"mobilePhone\": \"\"}, \"secretKey\": \"SECRET\"}",
		"customer.mobilePhone — телефон\nКлюч доступа: «SECRET»\n",
		"customer.mobilePhone;токен=SECRET\ncustomer.email;почта",
	} {
		text = strings.ReplaceAll(text, "SECRET", "Zx81kQpW7mLs")
		s := spec.Read(text, lang.English)
		if made := fmt.Sprintf("%+v", s); strings.Contains(made, "Zx81k") || !s.Secret || len(s.Fields) == 0 {
			t.Errorf("%s: %s", text, made)
		}
	}
	s := spec.Read("{\"customer\": {\"mobilePhone\": \"\", // например 79001234567, ivan@example.com\n}}", lang.English)
	if made := fmt.Sprintf("%+v", s); strings.Contains(made, "79001234567") || strings.Contains(made, "ivan@") {
		t.Errorf("%s", made)
	}
}

func TestWhatOtherLinksDoIsProposed(t *testing.T) {
	const path = "customerAction.customFields.level"
	known := map[string][]string{path: {"${attrs.level}"}, "customer.customFields.x": {"${city}", "${source}"}, "customerAction.customFields.utmSource": {"${cut(utm_source, 50)}"}}
	s := spec.Read(path+"\ncustomer.customFields.x\ncustomerAction.customFields.utmSource — utm_source", lang.English)
	got := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}, Known: known})
	if got[0].Value != "${attrs.level}" || got[0].Certainty != spec.Sure || got[1].Certainty != spec.Unsure || got[2].Value != "${cut(utm_source, 50)}" || got[2].Certainty != spec.Sure {
		t.Errorf("%+v", got)
	}
	s = spec.Read(path+" — город\ncustomer.email", lang.English)
	if got := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}, Known: known})[0]; got.Certainty != spec.Unsure || got.Candidates[0].Value != "${attrs.level}" || got.Candidates[1].Value != "${city}" {
		t.Errorf("%+v", got)
	}
}

// An expression that stands there over several lines is one line of a link.
func TestAnExpressionIsOneLine(t *testing.T) {
	s := spec.Read("{\"customer\": {\"mobilePhone\": ${phone(\n    callerphone\n  )}, \"email\": \"\"}}", lang.English)
	if len(s.Fields) != 2 || s.Fields[0].Written != "${phone( callerphone )}" {
		t.Errorf("%+v", s.Fields)
	}
}

// A field cannot be a value and have fields besides; both are shown to a person.
func TestAValueWithFieldsBelowIsToldOf(t *testing.T) {
	s := spec.Read("customer.mobilePhone — телефон\ncustomer.mobilePhone.type — тип телефона\n", lang.Russian)
	if len(s.Notes) != 1 || s.Notes[0].Line != 2 || !strings.Contains(s.Notes[0].Text, "у customer.mobilePhone есть своё значение (строка 1)") {
		t.Errorf("%+v", s.Notes)
	}
	p := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}})
	if p[0].Certainty != spec.Sure || p[1].Certainty != spec.Unsure {
		t.Errorf("%+v", p)
	}
}

// A field of a customer that stands alone is told where it belongs.
func TestAFieldOfACustomerIsToldWhereItBelongs(t *testing.T) {
	s := spec.Read("mobilePhone\tТелефон\nexecutionDateTimeUtc\tДата\n", lang.English)
	if len(s.Notes) != 1 || !strings.HasSuffix(s.Notes[0].Text, "is it customer.mobilePhone?") {
		t.Errorf("%+v", s.Notes)
	}
}

// What looks like a program in a text or a remark of JSON is said to a person; in a program it is a value that nobody knows.
func TestProgramsWithinTextsAreLeftAlone(t *testing.T) {
	for _, text := range []string{
		`{"customer": {"mobilePhone": "Телефон: phone(клиент)"}, // разное: sum(a, b), new {}
		  "customerAction": {"customFields": {"a": "Ссылка: None, link['x']"}}, "executionDateTimeUtc": "Дата: utc(time)"}`,
		`$body = ['customer' => ['mobilePhone' => $call['phone'] ?? null],
		  'customerAction' => ['customFields' => ['a' => date('c', $call['at'])]], 'executionDateTimeUtc' => gmdate('c')];`,
		`var body = {customer: {mobilePhone: phone},
		  customerAction: {customFields: {a: new Date(call.at).toISOString()}}, executionDateTimeUtc: moment.utc().format("YYYY")};`,
	} {
		s := spec.Read(text, lang.English)
		var paths []string
		for _, f := range s.Fields {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != "customer.mobilePhone customerAction.customFields.a executionDateTimeUtc" || len(s.Notes) > 0 {
			t.Errorf("%s\n%s, %+v", text, got, s.Notes)
		}
	}
	s := spec.Read(`{"customerAction": {"customFields": {"link": "Ссылка: link(запись)"}}} // по правилам: id(число)`, lang.English)
	if s.Fields[0].Example != "Ссылка: link(запись)" {
		t.Errorf("%+v", s.Fields[0])
	}
}

// A bracket that a sentence closes behind a field says nothing of the next one.
func TestFieldsInBracketsOfASentence(t *testing.T) {
	s := spec.Read("Передаём город (customer.customFields.city) и длительность (customerAction.customFields.duration).", lang.Russian)
	if len(s.Fields) != 2 || !slices.Equal(s.Fields[1].Said, []string{"длительность"}) {
		t.Errorf("%+v", s.Fields)
	}
}
