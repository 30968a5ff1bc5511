package spec

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokens are the words of a text, in small letters, without those that say nothing of what is meant. A name is taken
// apart at its capital letters and its signs: utmSource and utm_source are utm, source.
func tokens(text string) []string {
	var all []string
	for _, word := range strings.FieldsFunc(camel(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		word = same(strings.ReplaceAll(strings.ToLower(word), "ё", "е"))
		if !noise(word) && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

// camel puts a blank before each capital letter behind a small one.
func camel(text string) string {
	text = strings.NewReplacer("E-mail", "email", "e-mail", "email", "E-Mail", "email", "е-mail", "email", "DeviceUUID", "device uuid", "deviceUUID", "device uuid",
		"ID", "id", "UTM", "utm", "URL", "url", "UTC", "utc", "IP", "ip").Replace(text)
	var b strings.Builder
	small := false
	for _, c := range text {
		if small && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(c) || unicode.IsDigit(c)
		b.WriteRune(c)
	}
	return b.String()
}

// same writes words that mean the same as one.
func same(word string) string {
	switch {
	case strings.HasPrefix(word, "идентификатор"), word == "ид", word == "айди", word == "identifier":
		return "id"
	case strings.HasPrefix(word, "тэг"):
		return "тег" + strings.TrimPrefix(word, "тэг")
	case word == "имейл", word == "емейл", word == "емайл", word == "мейл", word == "mail":
		return "email"
	case word == "utm": // of «UTM-метка»
		return word
	}
	return word
}

// said of nearly every field, these say nothing of what is meant.
var noiseWords = strings.Fields(`
	из в во для по от о об и или к у за же это сюда тут здесь как что
	the of a an and or from in into to for by as is be this
	calltouch коллтач колтач mindbox ct
	клиент client customer пользовател потребител user contact значени value пол поле field данные data
	строка строк string text текст число int integer number? тип? дробн
	обязательн необязательн опциональн required optional mandatory нужн надо
	параметр param метк передать передава передаем передается подставить вставить указать заполнить put insert fill your our ваш наш
	например пример example формат format yyyy mm dd hh ss fff признак флаг flag bool boolean true false да нет
	пример значение текущ`)

func noise(word string) bool {
	if digits(word) {
		return true
	}
	return slices.ContainsFunc(noiseWords, func(n string) bool { return matches(n, word) })
}

func digits(word string) bool { return strings.Trim(word, "0123456789xхyмd") == "" }

// matches reports whether a word is one of a stem's: звонк is звонка, звонков.
func matches(stem, word string) bool {
	if stem == word {
		return true
	}
	n := utf8.RuneCountInString(stem)
	return n >= 3 && strings.HasPrefix(word, stem) && (n >= 4 && stem[0] >= utf8.RuneSelf || n >= 5 || utf8.RuneCountInString(word) <= n+2 && stem[0] >= utf8.RuneSelf)
}

// phrase is a way of saying what is meant: stems that must be there, and others that may.
type phrase struct{ must, may []string }

// phrases reads ways of saying from lines of stems; ? stands before those that may be missing.
func phrases(lines ...string) []phrase {
	out := make([]phrase, 0, len(lines))
	for _, line := range lines {
		var p phrase
		for stem := range strings.FieldsSeq(line) {
			if may, ok := strings.CutPrefix(stem, "?"); ok {
				p.may = append(p.may, may)
			} else {
				p.must = append(p.must, stem)
			}
		}
		out = append(out, p)
	}
	return out
}

// fit says how well a phrase fits some words.
type fit struct {
	whole bool    // all that must be there is there, and nothing else is said
	score float64 // above 0 where it fits in part
}

func (p phrase) fit(words []string) fit {
	matched, missing, left := 0, 0, 0
	for _, stem := range p.must {
		if slices.ContainsFunc(words, func(w string) bool { return matches(stem, w) }) {
			matched += utf8.RuneCountInString(stem)
		} else {
			missing += utf8.RuneCountInString(stem)
		}
	}
	for _, w := range words {
		if !slices.ContainsFunc(slices.Concat(p.must, p.may), func(stem string) bool { return matches(stem, w) }) {
			left++
		}
	}
	return fit{missing == 0 && left == 0, float64(matched) - float64(missing) - float64(left)/4}
}
