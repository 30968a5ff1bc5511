package lang_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		name, flag string
		env        map[string]string
		want       lang.Language
	}{
		{"nothing set", "", nil, lang.English},
		{"flag", "ru", map[string]string{"LANG": "en_US.UTF-8"}, lang.Russian},
		{"flag wins", "en", map[string]string{"LANG": "ru_RU.UTF-8"}, lang.English},
		{"LANG", "", map[string]string{"LANG": "ru_RU.UTF-8"}, lang.Russian},
		{"LC_ALL over LANG", "", map[string]string{"LC_ALL": "C", "LANG": "ru_RU.UTF-8"}, lang.English},
		{"LC_MESSAGES over LANG", "", map[string]string{"LC_MESSAGES": "ru", "LANG": "C"}, lang.Russian},
		{"another language", "", map[string]string{"LANG": "rue_UA"}, lang.English},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lang.Detect(tt.flag, func(name string) string { return tt.env[name] }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSprintf(t *testing.T) {
	if got := lang.Russian.Sprintf("unknown name %s", "x"); got != "неизвестное имя x" {
		t.Errorf("Russian: %q", got)
	}
	if got := lang.English.Sprintf("unknown name %s", "x"); got != "unknown name x" {
		t.Errorf("English: %q", got)
	}
	if got := lang.Russian.Sprintf("nobody translated %d", 5); got != "nobody translated 5" {
		t.Errorf("without a twin: %q", got)
	}
	if got := lang.English.Sprintf("100 %"); got != "100 %" {
		t.Errorf("without arguments: %q", got)
	}
}

// Errors are made in English by packages that know nothing of languages, wrapped by others, and said in one.
func TestError(t *testing.T) {
	notFound := errors.New("not found")
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"as it stands", notFound, "не найдено"},
		{"wrapped with a key", fmt.Errorf("calls: %w", notFound), "calls: не найдено"},
		{"wrapped in words", fmt.Errorf("event %s: %w", "10001/request/7", notFound), "событие 10001/request/7: не найдено"},
		{"wrapped twice", fmt.Errorf("event %s of link %s: %w", "1", "calls", fmt.Errorf("remove link %s: %w", "calls", notFound)), "событие 1 связки calls: удалить связку calls: не найдено"},
		{"two at once", errors.Join(notFound, errors.New("no answer")), "не найдено\nответа нет"},
		{"of the system", &fs.PathError{Op: "open", Path: "touchbox.yaml", Err: fs.ErrNotExist}, "не открыть touchbox.yaml: нет такого файла"},
		{"a quoted argument", errors.New(`unknown command "lnks" for "touchbox"`), `неизвестная команда "lnks" у "touchbox"`},
		{"nobody translated it", errors.New("a word of another"), "a word of another"},
		{"none", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lang.Russian.Error(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.err != nil && lang.English.Error(tt.err) != tt.err.Error() {
				t.Errorf("in English: %q", lang.English.Error(tt.err))
			}
		})
	}
	if got := lang.Russian.Sprintf("without shares: %v", fmt.Errorf("calls: %w", notFound)); got != "без долей: calls: не найдено" {
		t.Errorf("among the arguments of a message: %q", got)
	}
}

// A text that wraps an error is known by what it looks like, so its twin has to stand where those are looked up: in coreCatalogue.
func TestWhatStandsAroundAnErrorIsSaidInThePersonsLanguage(t *testing.T) {
	for format, want := range map[string]string{
		"keep the old file: %w":                  "прежний файл не сохранился: нет прав",
		"write the results: %w":                  "записать итоги: нет прав",
		"version %s cannot be read any more: %w": "версию a1 больше не прочесть: нет прав",
	} {
		args := []any{fs.ErrPermission}
		if format[0] == 'v' {
			args = []any{"a1", fs.ErrPermission}
		}
		if got := lang.Russian.Error(fmt.Errorf(format, args...)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
