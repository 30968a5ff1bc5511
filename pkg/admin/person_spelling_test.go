package admin_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

const (
	lookedFor = "79161234567"
	written   = "anna.k@example.ru"
)

func TestPersonIsFoundWhateverStandsBeside(t *testing.T) {
	p := admin.NewPerson(lookedFor, written, nil)
	for _, text := range []string{
		// an address beside typographic signs, letters and what nobody sees
		"Почта «anna.k@example.ru»", "почта:\u00a0anna.k@example.ru", "почта—anna.k@example.ru", "anna.k@example.ru—спасибо", "anna.k@example.ru…", "…anna.k@example.ru",
		"“anna.k@example.ru”", "„anna.k@example.ru“", "‹anna.k@example.ru›", "почтаanna.k@example.ru", "anna.k@example.ruспасибо", "anna.k@example.ru.Перезвоните",
		"\u200banna.k@example.ru\u200b", "anna\u00ad.k@exam\u2060ple.ru", "\u202aanna.k@example.ru\u202c", "anna.k\u200b@example.ru", "№anna.k@example.ru", "•anna.k@example.ru",
		"ａｎｎａ．ｋ＠ｅｘａｍｐｌｅ．ｒｕ", "anna.k﹫example.ru", "ANNA.K@EXAMPLE.RU", "mailto:anna.k@example.ru", "anna.k @ example.ru", "_anna.k@example.ru_", "-anna.k@example.ru-", "anna.k@example.ru\u3000",
		// encodings
		"anna.k%40example.ru", "anna.k%2540example.ru", "anna.k&#64;example.ru", "anna.k&#x40;example.ru", "anna.k&commat;example.ru", `anna.k\u0040example.ru`, "anna.k=40example.ru",
		"=61=6E=6E=61=2E=6B=40=65=78=61=6D=70=6C=65=2E=72=75", "anna.k<wbr>@example.ru", "&nbsp;anna.k@example.ru&nbsp;", "&laquo;anna.k@example.ru&raquo;", "anna.k%u0040example.ru",
		// a number
		"8_916_123_45_67", "8/916/123/45/67", "8·916·123·45·67", "8&nbsp;916&nbsp;123&nbsp;45&nbsp;67", "８９１６１２３４５６７", "8\u2011916\u2011123\u201145\u201167", "8\t916\t123\t45\t67",
		"{8}{916}{123}{45}{67}", "8*916*123*45*67", "8~916~123~45~67", "8'916'123'45'67", "8,916,123,45,67", "8 – 916 – 123 – 45 – 67", "+7…916…123…45…67", "8:916:123:45:67", "8;916;123;45;67",
		"8|916|123|45|67", "8=916=123=45=67", "[8][916][123][45][67]", "«8916»1234567", "8\u200b916\u200b123\u200b45\u200b67", "8<b>916</b>123-45-67", "%2B7%20916%20123-45-67", "%252B7%2520916%2520123-45-67",
		`\u0038\u0039\u0031\u0036\u0031\u0032\u0033\u0034\u0035\u0036\u0037`, "&#56;&#57;&#49;&#54;1234567", "=38=39=31=36=31=32=33=34=35=36=37", "٨٩١٦١٢٣٤٥٦٧", "тел.8(916)123-45-67добавочный", "№8-916-123-45-67", "+ 7 ( 916 ) 123 - 45 - 67",
		"7️⃣9️⃣1️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "𝟕𝟗𝟏𝟔𝟏𝟐𝟑𝟒𝟓𝟔𝟕", "8 916\n123 45 67", "8 (916) 123=45=67",
	} {
		for form, e := range forms(text) {
			if got := p.In(e); got != admin.Certain {
				t.Errorf("%q as %s: %d", text, form, got)
			}
		}
	}
}

// An address in Russian letters is found in the charsets in which hooks are read, named or not.
func TestPersonIsFoundInOtherCharsets(t *testing.T) {
	p := admin.NewPerson("", "анна@пример.рф", nil)
	for label, charset := range map[string]*charmap.Charmap{"windows-1251": charmap.Windows1251, "koi8-r": charmap.KOI8R} {
		text, err := charset.NewEncoder().String("почта анна@пример.рф")
		if err != nil {
			t.Fatal(err)
		}
		form := "id=1&comment=" + url.QueryEscape(text)
		part := "--x\r\nContent-Disposition: form-data; name=\"comment\"\r\nContent-Type: text/plain; charset=" + label + "\r\n\r\n" + text + "\r\n--x--"
		for name, e := range map[string]event.Event{
			"a form that names it": {ContentType: "application/x-www-form-urlencoded; charset=" + label, Body: []byte(form)}, "a form": {Body: []byte(form)}, "a query": {Query: form},
			"a raw form": {ContentType: "text/plain; charset=" + label, Body: []byte("id=1&comment=" + text)}, "JSON": {ContentType: "application/json; charset=" + label, Body: []byte(`{"comment":"` + text + `"}`)},
			"a part": {ContentType: "multipart/form-data; boundary=x", Body: []byte(part)}, "a page": {Body: []byte("url=" + url.QueryEscape("https://x.example/?q="+url.QueryEscape(text)))},
		} {
			if named := strings.Contains(e.ContentType, label) || name == "a part"; !named && label != "windows-1251" {
				continue // nothing says that it is another one
			}
			if p.In(e) != admin.Certain {
				t.Errorf("not found in %s, %s", name, label)
			}
		}
	}
}

func TestPersonIsFoundInBase64(t *testing.T) {
	p := admin.NewPerson(lookedFor, written, nil)
	for _, plain := range []string{written, "Anna.K@Example.ru", `{"email":"anna.k@example.ru","n":1}`, lookedFor, "Тел. +7 (916) 123-45-67", "tel=8%20916%201234567"} {
		for encoded, form := range map[string]string{
			base64.StdEncoding.EncodeToString([]byte(plain)): "standard", base64.RawURLEncoding.EncodeToString([]byte(plain)): "for addresses",
			base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(plain)))): "twice",
		} {
			for where, text := range map[string]string{"alone": encoded, "in a link": "https://x.example/u/?e=" + encoded + "&page=1", "in a header": "=?utf-8?B?" + encoded + "?="} {
				for name, e := range forms(text) {
					if name != "JSON in JSON" && name != "a page" && p.In(e) != admin.Certain {
						t.Errorf("%q %s, %s, as %s: not found", plain, form, where, name)
					}
				}
			}
		}
	}
	for _, text := range []string{"calldisconnected", "79161234568", "00000000-1111-4222-8333-444455556666", base64.StdEncoding.EncodeToString([]byte("joanna.k@example.ru"))} {
		if got := p.In(event.Event{Body: []byte("a=" + text)}); got != admin.NoTrace {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// A number in several fields may be chance: a person decides.
func TestPersonIsDoubtfulInSeveralFields(t *testing.T) {
	p := admin.NewPerson(lookedFor, "", nil)
	for body, want := range map[string]admin.Trace{
		"code=916&phone=1234567": admin.Doubtful, "code=8+%28916%29&phone=123-45-67": admin.Doubtful, "c=%2B7&code=916&phone=1234567&n=2": admin.Doubtful,
		`{"code":"916","phone":"123-45-67"}`: admin.Doubtful, `{"phone":["8","916","1234567"]}`: admin.Doubtful, `{"code":916,"phone":1234567}`: admin.Doubtful,
		"code=495&phone=1234567": admin.NoTrace, "code=916&phone=1234568": admin.NoTrace, "phone=1234567&code=916": admin.NoTrace, `{"code":[916],"list":[4567]}`: admin.NoTrace,
	} {
		if got := p.In(event.Event{Body: []byte(body)}); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
		if body[0] != '{' && p.In(event.Event{Query: body}) != want {
			t.Errorf("%s in a query: not %d", body, want)
		}
	}
}

// forms are the ways in which a text may come.
func forms(text string) map[string]event.Event {
	quoted, _ := json.Marshal(text)
	inner, _ := json.Marshal(fmt.Sprintf(`{"a":%s}`, quoted))
	form := []byte("id=1&comment=" + url.QueryEscape(text) + "&b=2")
	return map[string]event.Event{
		"a form": {Body: form}, "a query": {Query: string(form)}, "JSON": {Body: []byte(`{"id":1,"list":[{"comment":` + string(quoted) + `}]}`)},
		"JSON in JSON": {Body: []byte(`{"id":1,"attrs":` + string(inner) + `}`)}, "a page": {Body: []byte("url=" + url.QueryEscape("https://x.example/?q="+url.QueryEscape(text)))},
		"gzip":      {Body: packed(form, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })},
		"zlib":      {Body: packed(form, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })},
		"multipart": {Body: []byte("--x\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n" + text + "\r\n--x--"), ContentType: "multipart/form-data; boundary=x"},
	}
}

func packed(plain []byte, by func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := by(&b)
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

func TestPersonOfAnotherAlphabet(t *testing.T) {
	for _, email := range []string{"анна@пример.рф", "Анна@ПРИМЕР.рф", "анна@xn--e1afmkfd.xn--p1ai"} {
		p := admin.NewPerson("", email, nil)
		for text, want := range map[string]admin.Trace{
			"анна@пример.рф": admin.Certain, "«Анна@Пример.РФ»": admin.Certain, "анна@xn--e1afmkfd.xn--p1ai": admin.Certain, "mail:анна@xn--e1afmkfd.XN--P1AI.": admin.Certain,
			"жанна@пример.рф": admin.NoTrace, "анна@пример.рфа": admin.NoTrace, "анна@пример.рус": admin.NoTrace,
		} {
			if got := p.InText(text); got != want {
				t.Errorf("%s in %q: %d, want %d", email, text, got, want)
			}
		}
	}
}

// What may be chance is not erased without a person's word, and what is another's is not doubtful.
func TestPersonIsDoubtful(t *testing.T) {
	p := admin.NewPerson(lookedFor, written, nil)
	for text, want := range map[string]admin.Trace{
		"7 раз по 916, то есть 123, 45 и 67": admin.Doubtful, "тел. 8916 потом 123 потом 4567": admin.Doubtful, "179161234567890": admin.Doubtful, "anna.k (at) example.ru": admin.Doubtful,
		"anna.k собака example точка ru": admin.Doubtful, "anna.k+shop@example.ru": admin.Doubtful, "аnnа.k@example.ru": admin.Doubtful, "+380 916 123 45 67": admin.Doubtful,
		"anna.k@@example.ru": admin.Doubtful, "anna.k@example,ru": admin.Doubtful, "anna.k@example. ru": admin.Doubtful, "anna.k @example .ru": admin.Doubtful, `"anna.k"@example.ru`: admin.Doubtful,
		`anna.k\@example.ru`: admin.Doubtful, "anna.k@[example.ru]": admin.Doubtful, "anna.k(a)example.ru": admin.Doubtful, "anna.k_at_example.ru": admin.Doubtful, "anna.k🐶example.ru": admin.Doubtful,
		"anna.k@example。ru": admin.Doubtful, "anna.k example.ru": admin.NoTrace, "anna.k, example.ru": admin.NoTrace, "joanna.k@@example.ru": admin.NoTrace, "anna.k@@example.rural": admin.NoTrace,
		"joanna.k@example.ru": admin.NoTrace, "j.anna.k@example.ru": admin.NoTrace, "anna.k@example.ru.com": admin.NoTrace, "anna.k@example.rural": admin.NoTrace, "anna.k@example.ru-old": admin.NoTrace,
		"79161234568": admin.NoTrace, "1234567": admin.NoTrace, "anna.k": admin.NoTrace, "": admin.NoTrace,
	} {
		if got := p.InText(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestPersonIsFoundInAnySurroundings embeds the number and the address in whatever may stand around.
func TestPersonIsFoundInAnySurroundings(t *testing.T) {
	p := admin.NewPerson(lookedFor, written, nil)
	sign := rapid.SampledFrom([]string{"", "", "-", " ", "_", "/", "·", "\u00a0", "\u2011", "\t", "—", "…", "\u200b", ". ", ") ", "\u3000", "~", "&nbsp;", "|"})
	around := rapid.SampledFrom([]string{"", " ", "«", "»", "—", "…", "\u00a0", "\u200b", "письмо", "почта: ", ", ", "\n", "(", ")", "“", "№", "!", "&laquo;", "<p>", "語"})
	wrap := rapid.SampledFrom([]func(string) string{
		func(s string) string { return s }, url.QueryEscape, url.PathEscape, html.EscapeString,
		func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	})
	rapid.Check(t, func(t *rapid.T) {
		what := "Anna.K@Example.ru"
		if rapid.Bool().Draw(t, "number") {
			what = rapid.SampledFrom([]string{"8", "+7", "7"}).Draw(t, "begin")
			for _, digit := range "9161234567" {
				what += sign.Draw(t, "sign") + string(digit)
			}
		}
		text := around.Draw(t, "before") + what + around.Draw(t, "behind")
		for range rapid.IntRange(0, 2).Draw(t, "depth") {
			text = wrap.Draw(t, "wrap")(text)
		}
		all := forms(text)
		form := rapid.SampledFrom([]string{"a form", "JSON", "a page", "gzip", "multipart"}).Draw(t, "form")
		if got := p.In(all[form]); got != admin.Certain {
			t.Fatalf("%q as %s: %d", text, form, got)
		}
	})
}

func FuzzPerson(f *testing.F) {
	f.Add("8 (916) 123-45-67")
	f.Add("anna.k%2540example.ru &#x40; =40 \\u0040 xn--e1afmkfd")
	p := admin.NewPerson(lookedFor, written, []string{"7"})
	f.Fuzz(func(t *testing.T, text string) {
		p.In(event.Event{Body: []byte(text)})
		if !strings.ContainsAny(text, "%&\\=<+") && p.InText(text+" "+written+" ") != admin.Certain {
			t.Errorf("not found behind %q", text)
		}
	})
}
