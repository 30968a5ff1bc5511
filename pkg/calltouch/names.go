package calltouch

import (
	"strings"
	"unicode"
)

// names are the parts of a person's name; "" means unknown.
type names struct{ last, first, middle string }

// splitName takes a full name apart. Russian forms ask for Фамилия Имя Отчество, in this order;
// people write Имя Отчество Фамилия too, which the patronymic in the second place gives away. One
// word alone is what people give when a form asks for a name: the first name. Of more than three
// words the rest belongs to the patronymic (Алиев Расим Гасан оглы). What has digits or an "@" in
// it is no name.
func splitName(s string) names {
	if strings.ContainsFunc(s, unicode.IsDigit) || strings.Contains(s, "@") || !strings.ContainsFunc(s, unicode.IsLetter) {
		return names{}
	}
	w := strings.Fields(s)
	switch {
	case len(w) == 1:
		return names{first: w[0]}
	case len(w) == 2 && isPatronymic(w[1]):
		return names{first: w[0], middle: w[1]}
	case len(w) == 2:
		return names{last: w[0], first: w[1]}
	case len(w) == 3 && isPatronymic(w[1]) && !isPatronymic(w[2]):
		return names{first: w[0], middle: w[1], last: w[2]}
	}
	return names{last: w[0], first: w[1], middle: strings.Join(w[2:], " ")}
}

// isPatronymic knows Russian patronymics by their endings. Surnames in -ович exist (Абрамович),
// so it is only asked of words that do not come first.
func isPatronymic(word string) bool {
	word = strings.ToLower(word)
	for _, ending := range []string{"ович", "евич", "ьич", "овна", "евна", "ична", "инична"} {
		if strings.HasSuffix(word, ending) {
			return true
		}
	}
	return word == "ильич" || word == "кузьмич" || word == "фомич" || word == "лукич"
}
