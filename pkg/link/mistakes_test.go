package link_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// written is what a marketer has before the slip; each row of mistakes changes one piece of it.
const written = `calltouch:
  - site: 10001
    name: clinic
    key: abcdefghij123456
    token: abcdef0123456789
    attrs: [mindboxDeviceUUID, promo]
mindbox:
  - name: clinic
    url: https://api.mindbox.ru
    endpoint: clinic.Website
    secret: hunter2
conditions:
  dynamic: filled(deviceUUID)
tables:
  places: {"78120000005": nevsky}
links:
  - id: calls
    from: clinic
    event: call.ended
    when: dynamic or empty(deviceUUID)
    to: clinic
    operation: CallTouch
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      customerAction.customFields.comment: звонок
  - id: requests
    from: clinic
    event: request
    to: clinic
    operation: Request
    body: |
      {
        "customer": {"mobilePhone": "${phone(callerphone)}"},
        "subject": "${subject}"
      }
`

// mistake is a slip of a marketer's: what is changed, and what check says of it, LINE:COL: text (advice). One that
// check cannot see has the reason instead.
type mistake struct {
	name, old, new string
	want           string
	unseen         string
}

const (
	whenLine    = "when: dynamic or empty(deviceUUID)"
	phoneLine   = "customer.mobilePhone: ${phone(callerphone)}"
	callIDLine  = "callId: ${id}"
	commentLine = "comment: звонок"
	bodyOfJSON  = `"subject": "${subject}"`
)

// The look-alike letters are spelt out by code point: nobody can see them.
const ruA, ruE, ruO, ruR, ruS, ruBigS = "\u0430", "\u0435", "\u043e", "\u0440", "\u0441", "\u0421"

func mistakes() []mistake {
	return []mistake{
		// Phones.
		{"phones in a human spelling", whenLine, `when: callerphone not in ["+7 (495) 111-22-33"]`,
			`20:31: callerphone is digits alone, with the country's code: what is written like this equals none (write it as in "79161234567")`, ""},
		{"a phone with 8", whenLine, `when: callerphone != "84951112233"`, `20:26: callerphone is digits alone, with the country's code`, ""},
		{"a phone without its 7", whenLine, `when: phonenumber == "4951112233"`, `20:26: phonenumber is digits alone`, ""},
		{"phone() with a human spelling", whenLine, `when: not (phone(callerphone) in ["79001112233", "8 900 111-22-34"])`, `20:54: phone() is digits alone`, ""},
		{"phones that begin with +7", whenLine, `when: callerphone startsWith "+7"`, `20:34: callerphone is digits alone`, ""},
		{"a table of phones in a human spelling", `"78120000005": nevsky}`, `"8 (812) 000-00-05": nevsky}` + "\nlinks:\n  - {id: x, from: clinic, event: call.ended, to: clinic, operation: X, require: [], body: {a: \"${places[phonenumber]}\"}}\nlinkz:",
			"keys of the table places that are written otherwise, and never found: 1", ""},
		{"a phone as it came", phoneLine, "customer.mobilePhone: ${callerphone}", "24:29: what is no number to call back, a hidden or an internal one, would be sent as a phone (${phone(callerphone)})", ""},
		{"a phone compared with a number", whenLine, "when: callerphone == 79161234567", `20:23: == does not go with a text and a number (callerphone == "79161234567")`, ""},
		{"an e-mail as it came", `"subject": "${subject}"`, `"customer.email": "${email}"`, "(${email(email)})", ""},

		// Letters that look right.
		{"a Russian letter in an id", "id: calls", "id: " + ruS + "alls", "17:9: " + ruS + "alls is no id of a link (small letters, digits and -, at most 32) (these letters in it are Russian: " + ruS, ""},
		{"in an operation", "operation: CallTouch", "operation: " + ruBigS + "allTouch", "22:16: the name " + ruBigS + "allTouch is of two alphabets (these letters in it are Russian: " + ruBigS + "; type the word anew)", ""},
		{"in an endpoint", "endpoint: clinic.Website", "endpoint: clinic.Websit" + ruE, "10:15: the name clinic.Websit" + ruE + " is of two alphabets", ""},
		{"in a function", "phone(callerphone)}\n      customerAction", ruR + "hone(callerphone)}\n      customerAction", "24:31: unknown function " + ruR + "hone (these letters in it are Russian: " + ruR, ""},
		{"in a field", callIDLine, "callId: ${" + ruS + "ity}", "(these letters in it are Russian: " + ruS, ""},
		{"in a field of the body", "customerAction.customFields.callId", "customerAction.customFields.c" + ruA + "llId", "25:7: the name customerAction.customFields.c" + ruA + "llId is of two alphabets", ""},
		{"in an attribute", "promo]", "pr" + ruO + "mo]", "6:32: the name pr" + ruO + "mo is of two alphabets", ""},
		{"in a site's name", "from: clinic\n    event: call", "from: " + ruS + "linic\n    event: call", "18:11: no site has the name", ""},
		{"in a key", "operation: CallTouch", ruO + "peration: CallTouch", "22:5: unknown key " + ruO + "peration in link (these letters in it are Russian: " + ruO, ""},
		{"in a value of a closed list", whenLine, `when: targetcall == "t` + ruA + `rget"`, "(these letters in it are Russian: " + ruA, ""},
		{"in a word of the language", whenLine, "when: unique " + ruA + "nd spam", "(these letters in it are Russian: " + ruA, ""},
		{"a whole name in Russian letters", "operation: CallTouch", "operation: " + ruBigS + ruA + ruR, "", "any word of one alphabet may be the name of an operation: Mindbox knows its names, the file does not"},

		// Names that are no expressions.
		{"a dollar without braces", commentLine, "comment: звонок $id", "26:51: $id would be sent as it stands (${id})", ""},
		{"doubled braces", commentLine, `comment: "звонок {{id}}"`, "26:52: {{id}} would be sent as it stands (${id})", ""},
		{"percent signs", commentLine, "comment: звонок %callerphone%", "%callerphone% would be sent as it stands (${callerphone})", ""},
		{"a field without anything", phoneLine, "customer.mobilePhone: callerphone", "24:29: callerphone would be sent as it stands (${phone(callerphone)})", ""},
		{"a field named as the body's", callIDLine, "callId: id", "25:43: id would be sent as it stands (${id})", ""},
		{"a call without ${ }", phoneLine, "customer.mobilePhone: phone(callerphone)", "24:29: phone(callerphone) would be sent as it stands (${phone(callerphone)})", ""},
		{"a placeholder of the specification", callIDLine, "callId: <ID звонка>", "25:43: <ID звонка> is a placeholder that nobody filled in", ""},
		{"${ } and braces within", callIDLine, "callId: ${{id}}", "(write id)", ""},
		{"braces alone", callIDLine, "callId: {id}", "(braces alone make a mapping; an expression is ${id})", ""},
		{"a number sign", callIDLine, "callId: #{id}", "25:7: customerAction.customFields.callId has no value (everything from # on is a comment here; an expression is ${...})", ""},
		{"a Russian name of a field", callIDLine, "callId: ${ID звонка}", "(write id)", ""},
		{"a Russian word for a field", commentLine, "comment: ${Город}", "26:46: unknown name Город (write city)", ""},
		{"another field than was meant", callIDLine, "callId: ${sessionId}", "", "both are fields of Calltouch's, and what a field of Mindbox's means is not in the file"},

		// Conditions.
		{"one equal sign", whenLine, `when: city = "Москва"`, `(write city == "Москва")`, ""},
		{"an arrow", whenLine, "when: duration => 30", "(write duration >= 30)", ""},
		{"a text without quotes", whenLine, "when: source != yandex", `20:21: unknown name yandex (a text stands in quotes: "yandex")`, ""},
		{"a value in Russian", whenLine, "when: status == успешный", `20:21: unknown name успешный (its values: "successful", "unsuccessful")`, ""},
		{"a number in quotes", whenLine, `when: duration > "30"`, "(write duration > 30)", ""},
		{"a unit behind a number", whenLine, "when: duration > 30s", "20:24: a number stands alone, without a unit (durations are in seconds, as in duration > 30)", ""},
		{"a unit in Russian", whenLine, "when: duration > 30 сек", "a number stands alone, without a unit", ""},
		{"minutes for seconds", whenLine, "when: duration > 1", "", "nobody but the writer knows that a minute was meant"},
		{"a comma between conditions", whenLine, "when: dynamic, duration > 30", "(conditions are joined by and; several values stand in brackets", ""},
		{"a Russian word between conditions", whenLine, "when: unique и spam", "(write unique and spam)", ""},
		{"${ } in a condition", whenLine, "when: duration > ${duration}", "(write duration > duration)", ""},
		{"a function without brackets", whenLine, "when: not filled deviceUUID", "(write not filled(deviceUUID))", ""},
		{"a misspelt value", whenLine, `when: targetcall == "targt"`, "its values: target, non-target", ""},
		{"another city", whenLine, `when: city == "Масква"`, "", "a field without a closed list may hold any text; `touchbox fields` shows which came"},
		{"typographic quotes", whenLine, "when: city == «Москва»", `(write city == "Москва")`, ""},

		// The body.
		{"an empty text left over", phoneLine, `customer.mobilePhone: ""`, "24:29: the text is empty, and to Mindbox that may mean: erase the field (likely ${phone(callerphone)}; or leave the field out)", ""},
		{"an empty text in JSON", bodyOfJSON, `"subject": ""`, "35:20: the text is empty, and to Mindbox that may mean: erase the field (likely ${subject}", ""},
		{"double quotes within ${ } in JSON", bodyOfJSON, `"subject": "${subject ?? "нет"}"`, "35:34: this quote ends the text of the JSON, inside of ${...} (inside ${...} write single quotes: '...')", ""},
		{"a list in quotes in JSON", bodyOfJSON, `"subject": "${tags}"`, `a list cannot stand inside a text (join(tags, ", "))`, ""},
		{"a field below one with a value", phoneLine, phoneLine + "\n      customer.mobilePhone.type: mobile",
			"25:7: customer.mobilePhone has a value of its own in line 24, so nothing can stand below it: customer.mobilePhone.type (leave one of the two out)", ""},
		{"a value above fields", phoneLine, "customer.mobilePhone.type: mobile\n      " + phoneLine, "25:7: fields stand below customer.mobilePhone in line 24, so it cannot have a value of its own (leave one of the two out)", ""},
		{"a misspelt required field", "    body:\n", "    require: [customer.mobilephone]\n    body:\n", "(did you mean customer.mobilePhone?)", ""},
		{"a misspelt field of Mindbox's", "customerAction.customFields.callId", "customerAction.customFields.calId", "", "which fields an operation has is known to Mindbox alone; it answers with the name, and the event becomes a dead letter"},

		// Addresses and secrets.
		{"the whole address of the operation", "url: https://api.mindbox.ru", "url: https://api.mindbox.ru/v3/operations/async?endpointId=clinic.Website&operation=CallTouch",
			"(the address ends behind the host; then endpoint: clinic.Website, and in the link operation: CallTouch)", ""},
		{"the address with its path", "url: https://api.mindbox.ru", "url: https://api.mindbox.ru/v3/operations/async", "9:10: the address of an operation stands here, and Touchbox makes that itself", ""},
		{"the address without https", "url: https://api.mindbox.ru", "url: api.mindbox.ru", "is no address (https://...)", ""},
		{"an address for the endpoint", "endpoint: clinic.Website", "endpoint: https://clinic.example", "10:15: a whole address stands here (this alone: endpointId)", ""},
		{"the whole header", "secret: hunter2", `secret: Mindbox secretKey="hunter2"`, "11:13: the whole header or parameter stands here, and not the secret in it alone", ""},
		{"a secret with its quotes", "secret: hunter2", `secret: '"hunter2"'`, "11:13: blanks or quotes stand in the secret, and are sent with it", ""},
		{"another project's secret", "secret: hunter2", "secret: hunter3", "", "a secret says nothing about itself; `touchbox send` and the first answer of Mindbox do"},
		{"the whole address for the key", "key: abcdefghij123456", "key: https://clinic.example/calltouch/10001/abcdefghij123456", "4:10: the whole address stands here (what stands behind its last / alone)", ""},
		{"one key at two sites", "mindbox:\n", "  - {site: 10002, name: pharmacy, key: abcdefghij123456}\nmindbox:\n", "7:40: the sites clinic and pharmacy have one key", ""},
		{"a variable's value for its name", "secret: hunter2", "secret: {env: hunter2}", "env: takes the name of a variable", ""},

		// Lines in the wrong place.
		{"a line too far to the left", "    from: clinic\n    event: call", "  from: clinic\n    event: call", "18:3: this line is indented otherwise than those around it", ""},
		{"a line at the margin", "    from: clinic\n    event: call", "from: clinic\n    event: call", "18:1: this line is indented otherwise than those around it", ""},
		{"a line too far to the right", "    to: clinic\n    operation: CallTouch", "    to: clinic\n      operation: CallTouch", "22:7: this line is indented otherwise than those around it", ""},
		{"a field of the body at the margin", "      customerAction.customFields.callId", "customerAction.customFields.callId", "25:1: this line is indented otherwise than those around it", ""},
		{"the body is not indented", "      " + phoneLine + "\n      customerAction.customFields.callId: ${id}\n      customerAction", "    " + phoneLine + "\n    customerAction",
			"24:5: unknown key customer.mobilePhone in link (fields of the body stand under body, some blanks further right)", ""},
		{"a condition that is no item", whenLine, "when:\n      - dynamic\n      unique", "(each item of a list begins with - and a blank", ""},
		{"JSON at the margin", "      {\n        \"customer\"", "{\n        \"customer\"", "(pasted JSON must stand indented under `body: |`)", ""},
		{"a key of another section", "    secret: hunter2\n", "", "", "a destination without a secret is right: not every host asks for one"},
		{"a key in another section", "    to: clinic\n    operation: CallTouch", "    to: clinic\n    operation: CallTouch\n    secret: x", "23:5: unknown key secret in link (secret is a key of destination)", ""},
	}
}

// TestMistakesOfAMarketer: each is told with its place and what to write instead, in both languages, or it is said here
// why nobody can see it.
func TestMistakesOfAMarketer(t *testing.T) {
	if got := problemsIn(written, lang.English); got != "" {
		t.Fatalf("the file has mistakes before any is made:\n%s", got)
	}
	for _, tt := range mistakes() {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(written, tt.old) {
				t.Fatalf("the file has no %q", tt.old)
			}
			text := strings.Replace(written, tt.old, tt.new, 1)
			english, russian := problemsIn(text, lang.English), problemsIn(text, lang.Russian)
			switch {
			case tt.unseen != "" && english != "":
				t.Errorf("it is seen after all, or something else is:\n%s", english)
			case tt.unseen == "" && (tt.want == "" || !strings.Contains(english, tt.want)):
				t.Errorf("got\n%s\nwant\n%s", english, tt.want)
			}
			for line := range strings.Lines(russian) {
				if !strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
					t.Errorf("no Russian: %s", line)
				}
			}
		})
	}
	if n := len(mistakes()); n < 60 {
		t.Errorf("%d mistakes", n)
	}
}

// problemsIn is all that check says of a text, a problem a line.
func problemsIn(text string, l lang.Language) string {
	file, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{Language: l})
	if file != nil {
		problems = append(problems, file.Check(l)...)
	}
	problems = slices.DeleteFunc(problems, func(p link.Problem) bool { // which events no link takes is another matter
		return strings.HasPrefix(p.Text, "no link of") || strings.HasPrefix(p.Text, "ни одна связка")
	})
	return strings.ReplaceAll(problems.String(), "touchbox.yaml:", "")
}

// TestExamplesGiveNoAlarm: what people copy is right, and nothing is said of it.
func TestExamplesGiveNoAlarm(t *testing.T) {
	files := map[string]string{}
	for _, page := range []string{"../../docs/links.md", "../../docs/links.ru.md"} {
		all := recipes(t, page)
		for name, block := range all {
			head := all["head"]
			if strings.Contains(block, "mindbox:\n") {
				head, _, _ = strings.Cut(head, "mindbox:\n")
			}
			if name != "head" {
				files[page+" "+name] = head + block
			}
		}
	}
	design, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files["design.yaml"] = string(design)
	for name, text := range files {
		_, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: environment})
		if len(problems) > 0 {
			t.Errorf("%s:\n%s", name, problems)
		}
	}
}
