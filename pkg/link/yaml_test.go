package link_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// TestTraps changes one piece of the documentation's example and expects one problem, with its
// place and hint.
func TestTraps(t *testing.T) {
	data, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const callID = "customerAction.customFields.callId: ${id}\n"
	field := func(value string) string { return "customerAction.customFields.callId: " + value + "\n" }
	tests := []struct {
		name, old, new string
		want           string // LINE:COL: text and hint
	}{
		// What YAML reads otherwise than a person.
		{"a tag", "when: not dynamic ", "when: !empty(x) ", "52:11: !empty(x) is a YAML tag and would vanish (write `not empty(x)`, or put the whole value in quotes)"},
		{"a comment after one blank", "when: not dynamic  ", "when: not dynamic # ", "52:23: everything from # on is a comment here and no part of the value (put the value in quotes, or write the comment with two blanks before its # and one after)"},
		{"a number sign in a title", "title: Звонки, ", "title: Звонки #1 ", "33:19: everything from # on"},
		{"a comment without a blank after", "when: not dynamic  ", "when: not dynamic  #x", "52:24: everything from # on"},
		{"a colon in an expression", "when: [dynamic, duration > 5]", `when: unique ? "a": "b"`, "36:11: YAML syntax: mapping value is not allowed in this context (a value with a colon and a blank inside must stand in quotes)"},
		{"an expression in flow style", `"${id}"}`, "${id}}", `YAML syntax: ',' or '}' must be specified (inside { } and [ ] write an expression in quotes: "${...}")`},
		{"a percent sign", callID, field("%CLEAR%"), `46:43: %CLEAR% begins with a sign that YAML keeps for itself (put it in quotes: "%CLEAR%")`},
		{"an at sign", callID, field("@x"), "YAML syntax: '@' is a reserved character (a value that begins with @ must stand in quotes)"},
		{"leading zeros", callID, field("00123"), `46:43: 00123 would lose or change its digits (put it in quotes: "00123")`},
		{"hexadecimal", callID, field("0xdeadbeef"), `46:43: 0xdeadbeef would lose or change its digits (put it in quotes: "0xdeadbeef")`},
		{"octal", callID, field("0o17"), "46:43: 0o17 would lose or change its digits"},
		{"binary", callID, field("0b11"), "46:43: 0b11 would lose or change its digits"},
		{"underscored", callID, field("12_34"), "46:43: 12_34 would lose or change its digits"},
		{"exponent", callID, field("1e5"), "46:43: 1e5 would lose or change its digits"},
		{"plus sign", callID, field("+79161234567"), "46:43: +79161234567 would lose or change its digits"},
		{"infinity", callID, field(".inf"), "46:43: .inf would lose or change its digits"},
		{"site with a leading zero", "site: 10001", "site: 010001", `2:11: 010001 would lose or change its digits (put it in quotes: "010001")`},
		{"site of James", "site: 10001", "site: 007", "2:11: 007 would lose or change its digits"},
		{"yes", callID, field("yes"), `46:43: yes is a text to some readers of YAML and a boolean to others (write true or false, or put a text in quotes: "yes")`},
		{"Off", callID, field("Off"), "46:43: Off is a text to some readers"},
		{"True", callID, field("True"), "46:43: True is a text to some readers"},
		{"on as a key", "    mode: live", "    on: live", "43:5: on is a text to some readers"},
		{"tilde", callID, field("~"), "46:7: customerAction.customFields.callId has no value"},
		{"null", callID, field("null"), "46:7: customerAction.customFields.callId has no value (leave the key out, or give it a value)"},
		{"nothing", callID, field(""), "46:7: customerAction.customFields.callId has no value"},
		{"an empty item", "attrs: [mindboxDeviceUUID]", "attrs: [mindboxDeviceUUID, ~]", "10:32: an item of the list has no value"},
		{"byte order mark", "calltouch:\n", "\ufeffcalltouch:\n", "1:1: the file begins with a byte order mark, which would become part of the first key (save it as UTF-8 without BOM)"},
		{"no-break space after a colon", "name: clinic\n    key", "name:\u00a0clinic\n    key", "3:10: a space that is none stands here (U+00A0) (type it anew with the space bar)"},
		{"no-break space in front", "    name: clinic\n    key", "\u00a0   name: clinic\n    key", "3:1: a space that is none stands here (U+00A0)"},
		{"no-break space in a title", "title: Звонки, ", "title: «Звонки\u00a0и всё», ", ""},
		{"a blank of no width in front of a key", "    name: clinic\n    key", "    name: clinic\n    \u200bkey", "4:5: a space that is none stands here (U+200B)"},
		{"tab in front", "    name: clinic\n    key", "\tname: clinic\n    key", "3:1: YAML syntax: found character '\t' that cannot start any token (indent with spaces, not with tabs)"},
		{"a control character", "title: Звонки, ", "title: Звонки\x1b[2J, ", "33:18: a control character stands here"},
		{"JSON at column 0", "    body: {customer", "    body: |\n{\n  \"customer\": 1\n}\n    bxdy: {customer", "56:1: YAML syntax: unexpected map key (pasted JSON must stand indented under `body: |`)"},
		{"JSON at column 0 without a bar", "    body: {customer", "    body:\n{\n  \"customer\": 1\n}\n    bxdy: {customer", "56:1: YAML syntax: unexpected map key (pasted JSON must stand indented"},
		{"a second document", "links:\n", "---\nlinks:\n", "31:1: a second document begins here, and would be passed over (delete the line ---)"},
		{"a directive", "calltouch:\n", "%YAML 1.1\n---\ncalltouch:\n", "1:1: an instruction to YAML itself stands here"},
		{"a quoted text goes on", "when: not dynamic ", `when: "city" == "x" `, `put the whole value in single quotes: '"city" == "x"'`},
		{"an unknown anchor", "when: not dynamic ", "when: *foo ", "52:11: no anchor &foo stands above"},
		{"a key twice", "    mode: live", "    mode: live\n    mode: live", "44:5: mode stands here a second time, the first time in line 43"},

		// Shapes.
		{"a list for a text", "operation: CallTouchStatic", "operation: [CallTouchStatic]", "54:16: a text belongs here, not a list"},
		{"a misspelt key", "    mode: live", "    mdoe: live", "43:5: unknown key mdoe in link (did you mean mode?)"},
		{"a misspelt key at the top", "links:\n", "linkz:\n", "31:1: unknown key linkz in touchbox.yaml (did you mean links?)"},
		{"a misspelt word", "mode: live", "mode: lvie", "43:11: lvie is not possible here: live, shadow (did you mean live?)"},
		{"a span without unit", "delay: 0m", "delay: 5", "41:12: 5 is no span of time (a number with its unit: 30s, 15m, 72h, 10d)"},
		{"an unknown time zone", "timezone: Europe/Moscow", "timezone: Moscow", "8:15: Moscow is no time zone (an IANA name, as in Europe/Moscow, Asia/Yekaterinburg)"},
		{"an unknown site", "from: clinic  ", "from: clinik  ", "34:11: no site has the name clinik (did you mean clinic?)"},
		{"an unknown destination", "to: clinic\n    operation: CallTouch\n", "to: clinc\n    operation: CallTouch\n", "37:9: no destination has the name clinc (did you mean clinic?)"},
		{"events shorter than the sweep", "events: 30d", "events: 10d", "30:16: events must be kept longer than the longest sweep (clinic: 10d)"},
		{"history shorter than events", "history: 30d", "history: 20d", "30:30: history must be kept at least as long as events (30d), or not at all (0d)"},
		{"no history", "history: 30d", "history: 0d", ""},
		{"poll without a token", "token: {env: CALLTOUCH_TOKEN} ", "", "12:22: requests are to be polled, and the site has no token (give the site its API token, or write from: hook)"},
		{"a guessable key", "key: {env: CALLTOUCH_KEY}", "key: abc", "4:10: the key has only 3 characters and can be guessed (16 or more, as `touchbox init`"},
		{"a key of 15", "key: {env: CALLTOUCH_KEY}", "key: abcdefghij12345", "4:10: the key has only 15 characters and can be guessed"},
		{"a key of 16", "key: {env: CALLTOUCH_KEY}", "key: abcdefghij123456", ""},
		{"a short one of two keys", "key: {env: CALLTOUCH_KEY}", "key: [abcdefghij123456, short]", "4:10: the key has only 5 characters and can be guessed"},
		{"a key that is no part of an address", "key: {env: CALLTOUCH_KEY}", "key: 0123456789/abcdef", "4:10: the key must be of letters, digits, - and _"},
		{"secret of a misspelt kind", "{env: MINDBOX_SECRET}", "{evn: MINDBOX_SECRET}", "18:14: unknown key evn in secret (did you mean env?)"},
		{"secret file that is not there", "{env: MINDBOX_SECRET}", "{file: nowhere.key}", "18:20: the file of the secret cannot be read: testdata/nowhere.key"},
		{"a header of our own", "headers: {}", "headers: {authorization: x}", "21:15: the header authorization is set by Touchbox itself"},
		{"a header with a blank", "headers: {}", `headers: {"a b": c}`, "21:15: *** is no name of a header"},
		{"a parameter of our own", "query: {}", "query: {transactionId: x}", "22:13: the parameter transactionId is set by Touchbox itself"},
		{"a time format of another language", "timeFormat: yyyy-MM-dd HH:mm:ss.fff", "timeFormat: YYYY-MM-DD", "20:17: YYYY-MM-DD is no form of a time"},
		{"unencrypted", "url: https://api", "url: http://api", "16:10: phones and the secret would go unencrypted to api.mindbox.ru"},
		{"an unencrypted API", "api: https://api.calltouch.ru", "api: http://api.calltouch.ru", "the token and the list of calls would go unencrypted to api.calltouch.ru"},
		{"an API on this machine", "api: https://api.calltouch.ru", "api: http://127.0.0.1:9000", ""},
		{"attributes alike", "attrs: [mindboxDeviceUUID]", "attrs: [promo-code, promo_code]", "10:25: the attributes promo-code and promo_code cannot be told apart"},
		{"a condition named as a field", "  dynamic: filled", "  duration: filled", "27:3: duration is a field of Calltouch's and cannot be a name"},
		{"a condition named as a function", "  dynamic: filled", "  lower: filled", "27:3: lower is a function and cannot be a name"},
		{"a circle", "dynamic: filled(deviceUUID)", "dynamic: not dynamic", "27:3: the condition dynamic stands on itself"},
		{"a mistake in a condition", "dynamic: filled(deviceUUID)", "dynamic: filled(deviceUID)", "27:19: unknown name deviceUID (did you mean deviceUUID?)"},
		{"a condition in braces", "when: not dynamic ", "when: ${not dynamic} ", "52:12: the expression is not understood at { (write not dynamic)"},
		{"a condition that reads nothing", "when: not dynamic ", "when: 5 > 3 ", "52:11: this condition reads nothing of the event: it is the same for all"},
		{"a field of another kind", "when: not dynamic ", "when: filled(fio) ", "52:18: fio never comes with call.ended"},
		{"a link twice", "id: calls-static", "id: calls-dynamic", "49:9: the link calls-dynamic stands here a second time"},
		{"since of no day", "    mode: live", "    since: 2026-13-01\n    mode: live", `43:12: 2026-13-01 is no day and no moment ("2026-11-01", "2026-11-01T10:00:00+03:00")`},

		// Bodies.
		{"dotted and nested", "      executionDateTimeUtc", "      customer: {mobilePhone: x}\n      executionDateTimeUtc", "48:18: the field customer.mobilePhone stands here a second time, the first time in line 45"},
		{"a field over an object", "      executionDateTimeUtc", "      customer: x\n      executionDateTimeUtc", "48:7: fields stand below customer in line 45, so it cannot have a value of its own"},
		{"a field under a value", "      executionDateTimeUtc", "      customer.mobilePhone.x: x\n      executionDateTimeUtc", "48:7: customer.mobilePhone has a value of its own in line 45, so nothing can stand below it: customer.mobilePhone.x"},
		{"an empty name", "body: {customer.mobilePhone", "body: {customer..mobilePhone", "55:12: customer..mobilePhone is no name of a field"},
		{"a gap in a list", "body: {customer.mobilePhone", "body: {a.0: x, a.2: y, customer.mobilePhone", "55:12: the list a has no item 1"},
		{"a list with a name", "body: {customer.mobilePhone", "body: {a.0: x, a.b: y, customer.mobilePhone", "55:12: the list a has no item 1"},
		{"a placeholder", callID, field("<Уникальный id звонка>"), "46:43: <Уникальный id звонка> is a placeholder that nobody filled in (${...} with a field of Calltouch's)"},
		{"another placeholder", callID, field(`"{{id}}"`), "46:43: {{id}} is a placeholder"},
		{"a third placeholder", callID, field(`"{callerphone}"`), "46:43: {callerphone} is a placeholder"},
		{"a placeholder for the endpoint", "endpoint: clinic.Website ", "endpoint: <endpointId> ", "17:15: <endpointId> is a placeholder"},
		{"an empty text", callID, field(`""`), "46:43: the text is empty, and to Mindbox that may mean: erase the field (likely ${id}; or leave the field out)"},
		{"a large integer", callID, field("12345678901"), `46:43: 12345678901 does not fit an integer field of Mindbox's (32 bits) (as a text, in quotes: "12345678901")`},
		{"a long name", callID, "customer.firstName: " + strings.Repeat("я", 101) + "\n", "46:27: the text has 101 characters, Mindbox takes 100"},
		{"a long text", callID, field(strings.Repeat("я", 1001)), "46:43: the text has 1001 characters, Mindbox takes 1000"},
		{"an unclosed expression", callID, field("${id"), "46:43: ${ has no closing } (a literal ${ is written $${)"},
		{"an empty expression", callID, field("${}"), "46:45: the expression is empty"},
		{"a bare time", callID, field("${time}"), "46:45: a time has no form of its own (utc(time), local(time), date(time))"},
		{"a list inside a text", callID, field("a ${tags}"), `46:47: a list cannot stand inside a text (join(tags, ", "))`},
		{"a mistake deep inside a text", callID, field(`"за \"день\": ${date(time)} и ${cty}"`), "46:75: unknown name cty (did you mean city?)"},
		{"a mistake in a block", callID, "comment: |\n        первая строка\n        вторая ${cty}\n", "48:18: unknown name cty"},
		{"a mistake in a folded text", callID, field("первая\n        вторая ${cty}"), "47:18: unknown name cty"},
		{"a required field that is not there", "require: [customer.mobilePhone]", "require: [customer.mobilePhoen]", "40:15: the body has no field customer.mobilePhoen, so every event would be undeliverable (did you mean customer.mobilePhone?)"},
		{"no identifier", `{customer.mobilePhone: "${phone(callerphone)}", `, "{", "55:11: the body names no identifier of the customer, so every event would be undeliverable (add customer.mobilePhone, or write require: [])"},
		{"a literal", callID, field("$${id}"), ""},
		{"a brace in a text", callID, field(`${utm_term ?? "}"}`), ""},
		{"an anchor", "when: not dynamic ", "when: &a not dynamic ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(string(data), tt.old) {
				t.Fatalf("the example has no %q", tt.old)
			}
			text := strings.Replace(string(data), tt.old, tt.new, 1)
			_, problems, _ := link.Parse("testdata/touchbox.yaml", []byte(text), link.Options{Getenv: environment})
			got := strings.ReplaceAll(problems.String(), "testdata/touchbox.yaml:", "")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if len(problems) > 3 {
				t.Errorf("one slip makes %d problems:\n%s", len(problems), got)
			}
		})
	}
}

// TestAllMistakesAtOnce: five mistakes are five places, in order, and only warnings make no error.
func TestAllMistakesAtOnce(t *testing.T) {
	const text = `calltouch:
  - {site: 10001, name: clinic, timezone: Moskow}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website, timeout: 30}
links:
  - id: one
    from: clinic
    event: call.ended
    when: sesionId != nil
    to: clinik
    operation: CallTouch
    body:
      customer.mobilePhone: ${phone(callerfone)}
`
	_, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	if _, ok := errorsAs[*link.InvalidError](err); !ok {
		t.Fatalf("got %v", err)
	}
	var places []link.Pos
	for _, p := range problems.Mistakes() {
		places = append(places, p.Pos)
	}
	want := []link.Pos{{Line: 2, Column: 43}, {Line: 4, Column: 86}, {Line: 9, Column: 11}, {Line: 10, Column: 9}, {Line: 13, Column: 37}}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("%s\n%s", diff, problems)
	}
	if !strings.HasPrefix(err.Error(), "touchbox.yaml:2:43: Moskow is no time zone") {
		t.Errorf("the error begins %q", err)
	}
}

func TestRussian(t *testing.T) {
	_, problems, _ := link.Parse("touchbox.yaml", []byte(configuration("sesionId == nil", "x")), link.Options{Language: lang.Russian})
	const want = "touchbox.yaml:14:12: неизвестное имя sesionId (может быть, sessionId?)"
	if got := problems.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(dir+"/secret", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	const text = `calltouch:
  - {site: 10001, name: clinic, key: [{env: OLD}, {env: NEW}], token: 12345}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website, secret: {file: secret}}
`
	getenv := func(name string) string {
		return map[string]string{"OLD": "0123456789abcdef-old", "NEW": " 0123456789abcdef-new\n"}[name]
	}
	f, problems, err := link.Parse(dir+"/touchbox.yaml", []byte(text), link.Options{Getenv: getenv})
	if err != nil {
		t.Fatal(err, problems)
	}
	s, d := f.Site("10001"), f.Destination("clinic")
	if diff := cmp.Diff([]string{"0123456789abcdef-old", "0123456789abcdef-new"}, s.Keys()); diff != "" {
		t.Error(diff)
	}
	if s.Token.Value() != "12345" || d.Secret.Value() != "first" {
		t.Errorf("got %q, %q", s.Token.Value(), d.Secret.Value())
	}
	write(" second\t\r\n")
	if d.Secret.Value() != "second" {
		t.Error("a changed file of a secret is not read again")
	}
	if s.Requests.From != calltouch.RequestsFromPoll {
		t.Error("with a token requests are polled by default")
	}
}

// A secret is hidden wherever it stands in a text: one of a letter would be hidden in every word.
func TestASecretOfAFewLettersIsAMistake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("ab\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(string) string { return "ключ" }
	for secret, want := range map[string]int{"e": 1, "[e, a-longer-one]": 1, "[e, abc]": 2, "{file: " + file + "}": 1, "{env: KEY}": 0, "abcd": 0} {
		text := "calltouch:\n  - {site: 10001, name: clinic, key: " + secret + "}\n"
		_, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: getenv, Lenient: true})
		said := strings.Count(fmt.Sprint(problems.Mistakes()), "a secret has at least 4 characters")
		if said != want {
			t.Errorf("%s: %v", secret, problems)
		}
	}
}

func TestAbsentSecrets(t *testing.T) {
	const text = `calltouch:
  - {site: 10001, name: clinic, key: {env: KEY}, token: {env: TOKEN}}
`
	_, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	if err == nil || len(problems.Mistakes()) != 2 || !strings.Contains(err.Error(), "touchbox.yaml:2:44: the environment variable KEY is not set") {
		t.Errorf("strict: %v", problems)
	}
	blank := func(string) string { return " \n" }
	if _, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: blank}); len(problems.Mistakes()) != 2 {
		t.Errorf("of blanks: %v", problems)
	}
	f, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Lenient: true})
	if err != nil || len(problems.Warnings()) != 3 { // and: there are no links
		t.Fatalf("lenient: %v, %v", err, problems)
	}
	if s := f.Site("clinic"); !s.Token.Set() || s.Token.Value() != "" || s.Requests.From != calltouch.RequestsFromPoll {
		t.Errorf("an absent token changes what is asked of the file: %+v", s.Requests)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	f := load(t, `
calltouch:
  - {site: 10001, name: clinic}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website}
links:
  - &base
    id: one
    from: clinic
    event: call.ended
    to: clinic
    operation: CallTouch
    body: &body
      customer.mobilePhone: ${phone(callerphone)}
  - <<: *base
    id: two
    when: unique
    body:
      <<: *body
      customer.email: x@example.com
  - {<<: [*base, {id: none}], id: three, body: *body}
`)
	for id, want := range map[string]string{
		"one": `{"customer":{"mobilePhone":"79000000001"}}`,
		"two": `{"customer":{"email":"x@example.com","mobilePhone":"79000000001"}}`, "three": `{"customer":{"mobilePhone":"79000000001"}}`,
	} {
		r, err := f.Link(id).Render(dynamicCall())
		if err != nil || string(r.Body) != want {
			t.Errorf("%s: got %s, %v, want %s", id, r.Body, err, want)
		}
	}
}

func TestHostileFiles(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"only a comment", "# x\n", "the file is empty"},
		{"a text", "hello", "a mapping (key: value) belongs here, not a text"},
		{"too large", strings.Repeat("#\n", 1<<20), "larger than 1 MB"},
		{"UTF-16", "\xff\xfec\x00", "UTF-16"},
		{"latin-1", "a: \xe9\n", "1:4: the file is not UTF-8"},
		{"brackets", "a: " + strings.Repeat("[\n", 50_000), "nested too deeply"},
		{"dashes", strings.Repeat("- ", 50_000), "nested too deeply"},
		{"laughs", laughs(), "the aliases make the file too large"},
		{"an alias of itself", "a: &a [*a]\n", "no anchor &a stands above"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problemsOf(tt.text).String(); !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s, want %s", got, tt.want)
			}
		})
	}
}

// laughs is a small file that grows by a power of ten a line.
func laughs() string {
	text := "a0: &a0 x\n"
	for i := range 9 {
		a := "*a" + string(rune('0'+i))
		text += "a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat(a+", ", 9) + a + "]\n"
	}
	return text
}

// TestConditionsWithinConditions: names for conditions stay cheap however they are piled up, and
// a link checks only those that it uses.
func TestConditionsWithinConditions(t *testing.T) {
	var b strings.Builder
	b.WriteString("c0: unique\n")
	for i := range 30 {
		b.WriteString("  c" + strconv.Itoa(i+1) + ": c" + strconv.Itoa(i) + " and c" + strconv.Itoa(i) + "\n")
	}
	text := strings.Replace(configuration("dynamic", "x"), "dynamic: filled(deviceUUID)", "dynamic: filled(deviceUUID)\n  "+b.String(), 1)
	load(t, text)
	text = strings.Replace(text, "when: 'dynamic'", "when: c30", 1)
	if got := problemsOf(text).String(); !strings.Contains(got, "too many conditions within conditions") {
		t.Errorf("got %s", got)
	}
	load(t, strings.Replace(text, "when: c30", "when: c5", 1))

	text = strings.Replace(configuration(`attrs.promo == "x"`, "${filled(attrs.promo)}"), "dynamic:", "promo: filled(email)\n  dynamic:", 1)
	load(t, strings.Replace(text, "event: [call.ended, request]", "event: call.ended", 1))
}
