package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// englishIn finds three English words in a row. What a person types or reads in a file stands in backquotes, after two blanks, or
// has other signs than letters in it.
var (
	englishIn = regexp.MustCompile(`(?:^|[\s(«])([A-Za-z']+[,:;]? ){2}[a-z']+(?:[\s.,:;)»]|$)`)
	verbatim  = regexp.MustCompile("`[^`]*`")
	listed    = regexp.MustCompile(`^  +[A-Za-z-]+`)
)

// englishLines are the lines of a text that hold an English sentence, or a piece of one.
func englishLines(text string) (found []string) {
	for line := range strings.Lines(text) {
		for _, outcome := range event.Outcomes { // the codes stay
			line = strings.ReplaceAll(line, string(outcome), "…")
		}
		plain := listed.ReplaceAllString(verbatim.ReplaceAllString(line, "…"), "")
		if englishIn.MatchString(plain) && !strings.Contains(plain, "touchbox ") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// Every command has its help in both languages: the frame, its own texts, its flags, and those that cobra brings.
func TestHelpIsInThePersonsLanguage(t *testing.T) {
	if len(englishLines("  --limit   show at most so many\n")) == 0 || len(englishLines("Usage of this one\n")) == 0 {
		t.Fatal("English is not found where it stands")
	}
	root := (&cli{lang: lang.English}).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	seen := 0
	walk(root, func(cmd *cobra.Command) {
		seen++
		var out, errs bytes.Buffer
		line := append(strings.Fields(cmd.CommandPath())[1:], "--help", "--lang", "ru")
		if cmd.Name() == "help" {
			line = []string{"help", "--help", "--lang", "ru"}
		}
		if code := run(t.Context(), line, nil, &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%v: exit code %d: %s", line, code, &errs)
		}
		for _, english := range englishLines(out.String()) {
			t.Errorf("touchbox %s: %s", strings.Join(line, " "), english)
		}
	})
	if seen < 40 {
		t.Errorf("only %d commands were seen", seen)
	}
}

// What is to be put into a command line is named in the person's language.
func TestPlaceholdersAreInThePersonsLanguage(t *testing.T) {
	c := &cli{lang: lang.Russian}
	root := c.root()
	c.speak(root, nil)
	english := regexp.MustCompile(`\b[A-Z]{3,}\b`)
	walk(root, func(cmd *cobra.Command) {
		for _, word := range english.FindAllString(useLine(cmd, lang.Russian), -1) {
			if word != "URL" {
				t.Errorf("%s: %s", useLine(cmd, lang.Russian), word)
			}
		}
	})
}

// A flag that takes no value shows none, though its text quotes a command.
func TestAFlagWithoutAValueShowsNone(t *testing.T) {
	for _, l := range []lang.Language{lang.English, lang.Russian} {
		c := &cli{lang: l}
		root := c.root()
		c.speak(root, nil)
		quoting := 0
		walk(root, func(cmd *cobra.Command) {
			cmd.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Value.Type() != "bool" {
					return
				}
				name, text := spoken(f, l)
				if strings.HasSuffix(name, "--"+f.Name) && text != "" {
					quoting += strings.Count(text, "`")
					return
				}
				t.Errorf("%s: %s   %s", cmd.CommandPath(), name, text)
			})
		})
		if quoting == 0 {
			t.Errorf("%s: no flag without a value quotes a command", l)
		}
	}
}

// What cobra finds wrong in a command line is said in the person's language, which is known before anything is parsed.
func TestMistakesOfUsageAreSaidInRussian(t *testing.T) {
	for _, line := range []string{
		"lnks", "nosuch", "links --nosuch", "links nosuch", "links history", "links -x", "event 1 2", "restore", "deadletters nosuch", "gaps", "events --limit x", "events --limit",
		"demo --for x", "demo --for 3", "check --=", "links --json=perhaps", "alerts nosuch", "--lang", "events --limit 99999999999999999999",
	} {
		t.Setenv("LANG", "ru_RU.UTF-8")
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(line), nil, &out, &errs); code != 2 || !strings.ContainsAny(errs.String(), "абвгдежзиклмнопрстуфхцчшщыэюя") {
			t.Errorf("%s: exit code %d: %s%s", line, code, &out, &errs)
		}
		if english := englishLines(errs.String()); len(english) > 0 {
			t.Errorf("%s: %s", line, english)
		}
	}
}

// What one types is the same in both languages.
func TestCommandsKeepTheirNames(t *testing.T) {
	names := func(l lang.Language) (list []string) {
		c := &cli{lang: l}
		root := c.root()
		c.speak(root, nil)
		walk(root, func(cmd *cobra.Command) { list = append(list, cmd.CommandPath()) })
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff(names(lang.English), names(lang.Russian)); diff != "" {
		t.Errorf("English and Russian:\n%s", diff)
	}
}

// Of a flag that is given twice the last one counts.
func TestTheLastLanguageCounts(t *testing.T) {
	for want, args := range map[string][]string{"ru": {"--lang", "en", "check", "--lang", "ru"}, "en": {"--lang=ru", "--lang=en"}} {
		if got := languageOf(args, func(string) string { return "" }); string(got) != want {
			t.Errorf("%v: %s, want %s", args, got, want)
		}
	}
}
