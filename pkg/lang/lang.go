// Package lang speaks to a person in Russian or English.
//
// A message is written once, in English, as the format of Sprintf; its Russian twin stands in the
// catalogue under that format. Metrics and JSON, that of the log too, are always English and do not pass here.
package lang

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Language is what a person reads. The zero value reads English.
type Language string

// The two languages.
const (
	English Language = "en"
	Russian Language = "ru"
)

// Detect takes the language from a --lang flag, or else from the locale as POSIX orders it:
// LC_ALL, LC_MESSAGES, LANG; the first one that is set decides. Anything but Russian is English.
func Detect(flag string, getenv func(string) string) Language {
	if flag != "" {
		return parse(flag)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return parse(v)
		}
	}
	return English
}

func parse(s string) Language {
	if s = strings.ToLower(s); s == "ru" || strings.HasPrefix(s, "ru_") || strings.HasPrefix(s, "ru-") {
		return Russian
	}
	return English
}

// Sprintf formats a message in this language, the errors, spans of time and fractions among its arguments too. A format without a twin comes out in English.
func (l Language) Sprintf(format string, args ...any) string {
	if len(args) == 0 {
		return l.Text(format)
	}
	said := slices.Clone(args)
	for i, arg := range said {
		switch arg := arg.(type) {
		case error:
			said[i] = l.Error(arg)
		case time.Duration:
			said[i] = l.Duration(arg)
		case float64:
			if l == Russian {
				said[i] = withComma(arg)
			}
		}
	}
	return fmt.Sprintf(l.Text(format), said...)
}

// Text is a format, or a message without verbs, in this language.
func (l Language) Text(format string) string {
	if twin, ok := Twin(format); ok && l == Russian {
		return twin
	}
	return format
}

// catalogues lists the Russian twins, one file per subject. Two subjects may share a message.
func catalogues() []map[string]string {
	return []map[string]string{
		linkCatalogue,
		yamlCatalogue,
		casesCatalogue,
		tryCatalogue,
		keyCatalogue,
		commandCatalogue,
		adminCatalogue,
		alertCatalogue,
		doctorCatalogue,
		draftCatalogue,
		errorCatalogue,
		consoleCatalogue,
		jobCatalogue,
		apiCatalogue,
		coreCatalogue,
		helpCatalogue,
		wordCatalogue,
		logCatalogue,
	}
}

// Twin returns the Russian form of a format and whether the catalogue has one.
func Twin(format string) (string, bool) {
	for _, c := range catalogues() {
		if twin, ok := c[format]; ok {
			return twin, true
		}
	}
	return "", false
}
