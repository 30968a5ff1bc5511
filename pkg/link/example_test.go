package link_test

import (
	"fmt"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
)

// show prints what each expression comes to for an event with these fields, as JSON.
func show(fields calltouch.Fields, expressions ...string) {
	for _, e := range expressions {
		f, problems, err := link.Parse("touchbox.yaml", []byte(configuration("unique", "${"+e+"}")), link.Options{})
		if err != nil {
			fmt.Println(problems)
			continue
		}
		r, err := f.Link("one").Render(fields)
		value := strings.TrimSuffix(strings.TrimPrefix(string(r.Body), `{"always":"x"`), "}")
		value = strings.TrimPrefix(value, `,"field":`)
		if value == "" {
			value = "nil"
		}
		if err != nil {
			value = "an error"
		}
		fmt.Printf("%s = %s\n", e, value)
	}
}

// What came: filled is false for nothing, for blanks and for an empty list; empty is its contrary.
func Example_filled() {
	show(calltouch.Fields{"city": "Москва", "tags": []string{"vip"}},
		`filled(city)`, `filled(utm_term)`, `filled(tags)`, `empty(utm_term)`, `filled("  ")`)
	// Output:
	// filled(city) = true
	// filled(utm_term) = false
	// filled(tags) = true
	// empty(utm_term) = true
	// filled("  ") = false
}

// A phone as Mindbox takes it: digits with the country's code, or nil for what is no number that
// can be called back.
func Example_phone() {
	show(calltouch.Fields{"callerphone": "79161234567"},
		`phone(callerphone)`, `phone("8 (916) 123-45-67")`, `phone("+375 29 123-45-67")`, `phone("375291234567")`,
		`phone("9161234567")`, `phone("anonymous")`, `phone("1234")`)
	// Output:
	// phone(callerphone) = "79161234567"
	// phone("8 (916) 123-45-67") = "79161234567"
	// phone("+375 29 123-45-67") = "375291234567"
	// phone("375291234567") = "375291234567"
	// phone("9161234567") = nil
	// phone("anonymous") = nil
	// phone("1234") = nil
}

// An e-mail address without what people paste around it, or nil for what is none. The function and the field have one name.
func Example_email() {
	show(calltouch.Fields{"email": "anna@example.ru", "comment": "пишите на «boris@example.ru», спасибо"},
		`email(email)`, `email(comment)`, `email("mailto:Anna@example.ru?subject=1")`, `email("@anna_k")`, `filled(email) and email(email) == email`)
	// Output:
	// email(email) = "anna@example.ru"
	// email(comment) = "boris@example.ru"
	// email("mailto:Anna@example.ru?subject=1") = "Anna@example.ru"
	// email("@anna_k") = nil
	// filled(email) and email(email) == email = true
}

// A UUID in small letters, or nil for what is none and for the one of zeros.
func Example_uuid() {
	show(calltouch.Fields{},
		`uuid("6A2D9B40-1C7E-4F58-B3D1-9E0F7A5C2B84")`, `uuid("3f1c2a64")`, `uuid("00000000-0000-0000-0000-000000000000")`)
	// Output:
	// uuid("6A2D9B40-1C7E-4F58-B3D1-9E0F7A5C2B84") = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	// uuid("3f1c2a64") = nil
	// uuid("00000000-0000-0000-0000-000000000000") = nil
}

// Times: utc in the destination's timeFormat, local the same in the site's zone, date the day
// there. All take a time, Unix seconds or Calltouch's local text; utc and local also a form.
func Example_utc() {
	show(calltouch.Fields{"timestamp": int64(1698092972), "requestDate": "2023-10-23 23:29:32"},
		`utc(timestamp)`, `utc(requestDate)`, `local(timestamp)`, `local(timestamp, "HH:mm")`,
		`utc(timestamp, "yyyy-MM-ddTHH:mm:ssZ")`, `date(timestamp)`, `utc(time)`,
		`utc(99999999999)`, `date("0001-01-01")`)
	// Output:
	// utc(timestamp) = "2023-10-23 20:29:32.000"
	// utc(requestDate) = "2023-10-23 20:29:32.000"
	// local(timestamp) = "2023-10-23 23:29:32.000"
	// local(timestamp, "HH:mm") = "23:29"
	// utc(timestamp, "yyyy-MM-ddTHH:mm:ssZ") = "2023-10-23T20:29:32Z"
	// date(timestamp) = "2023-10-23"
	// utc(time) = nil
	// utc(99999999999) = nil
	// date("0001-01-01") = nil
}

// Texts: lower, trim, cut to so many characters. An empty result is nil.
func Example_cut() {
	show(calltouch.Fields{"city": "  Санкт-Петербург ", "fio": "Константинопольский"},
		`lower(trim(city))`, `cut(fio, 10)`, `cut(fio, 100)`, `trim("  ")`, `upper(fio[0:1]) + "."`)
	// Output:
	// lower(trim(city)) = "санкт-петербург"
	// cut(fio, 10) = "Константин"
	// cut(fio, 100) = "Константинопольский"
	// trim("  ") = nil
	// upper(fio[0:1]) + "." = "К."
}

// A value as JSON text, for a text field of Mindbox that keeps a structure.
func Example_json() {
	show(calltouch.Fields{"tags": []string{"a", "b"}, "attrs": map[string]string{"promo": "x"}},
		`json(tags)`, `json(attrs)`, `json({phone: callerphone, n: 5})`)
	// Output:
	// json(tags) = "[\"a\",\"b\"]"
	// json(attrs) = "{\"promo\":\"x\"}"
	// json({phone: callerphone, n: 5}) = "{\"n\":5}"
}

// A look-up in `tables`, here places: {"78120000005": nevsky}.
func Example_lookup() {
	show(calltouch.Fields{"phonenumber": "78120000005"},
		`places[phonenumber]`, `lookup(places, phonenumber)`, `places[callerphone] ?? "other"`, `lookup(places, callerphone, "other")`, `phonenumber in places`)
	// Output:
	// places[phonenumber] = "nevsky"
	// lookup(places, phonenumber) = "nevsky"
	// places[callerphone] ?? "other" = "other"
	// lookup(places, callerphone, "other") = "other"
	// phonenumber in places = true
}

// Nothing (nil): comparisons are false, arithmetic is nil, == and != always answer.
func Example_nil() {
	show(calltouch.Fields{"duration": int64(42)},
		`duration > 5`, `rating > 3`, `not (rating > 3)`, `rating + 1`, `rating == nil`, `city != "Москва"`, `city contains "а"`, `lower(city)`, `city ?? "неизвестен"`)
	// Output:
	// duration > 5 = true
	// rating > 3 = false
	// not (rating > 3) = true
	// rating + 1 = nil
	// rating == nil = true
	// city != "Москва" = true
	// city contains "а" = false
	// lower(city) = nil
	// city ?? "неизвестен" = "неизвестен"
}
