// Command keys writes the reference of all keys of touchbox.yaml to standard output, in one of the two languages:
//
//	go run ./tools/keys en >docs/keys.md
//	go run ./tools/keys ru >docs/keys.ru.md
//
// It is made of the table of keys (pkg/link/keys) and its Russian twins. A test holds both pages up to date.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/keys"
)

func main() {
	if len(os.Args) != 2 || words[lang.Language(os.Args[1])].intro == "" {
		fmt.Fprintln(os.Stderr, "usage: keys en|ru")
		os.Exit(2)
	}
	if err := write(os.Stdout, lang.Language(os.Args[1])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wording is what the page says besides the table.
type wording struct {
	intro, header               string
	required, nothing, least    string
	list, orMore, byName, named string // around a kind: several of it
	kinds                       map[keys.Kind]string
}

// schemaAddress is where editors find the schema.
const schemaAddress = "https://raw.githubusercontent.com/touchbox/touchbox/main/schemas/config.schema.json"

var words = map[lang.Language]wording{
	lang.English: {
		intro: `# All keys of touchbox.yaml

[По-русски](keys.ru.md)

Generated from the code: do not edit. What these keys are for, with working links: [links.md](links.md). Which fields and functions stand in expressions:
[vocabulary.md](vocabulary.md). A key that is not here is a mistake, and ` + "`touchbox check`" + ` names the nearest one.

**In an editor.** With this as the first line, VS Code (the extension YAML by Red Hat), JetBrains and others that know yaml-language-server complete the keys
and underline mistakes while one types (` + "`touchbox init`" + ` writes it); a file that ` + "`touchbox schema >FILE`" + ` writes does as well, without the internet:

` + "```text\n# yaml-language-server: $schema=" + schemaAddress + "\n```" + `

A span of time is written ` + "`30s`, `15m`, `72h`, `10d` or `1h30m`" + `, a size ` + "`500MB` or `10GB`" + `, a rate ` + "`100/s` or `6000/m`" + `. A secret is ` + "`{env: NAME}`, `{file: path}`" + `,
a text, or a list of two while one replaces the other.
`,
		header: "| Key | Value | Default | |\n|---|---|---|---|\n", required: "**required**", nothing: "", least: "at least",
		list: "list: %s", orMore: "%s, or a list", byName: "by name: %s", named: "by a name for expressions: %s",
		kinds: map[keys.Kind]string{
			keys.Text: "text", keys.Word: "text", keys.Address: "address", keys.Duration: "span of time", keys.Size: "size", keys.Rate: "rate",
			keys.Secret: "secret", keys.Template: "text with `${...}`", keys.Parameter: "text with `${...}`, or a secret", keys.Expression: "condition",
			keys.Table: "table", keys.Body: "JSON, dotted, nested or pasted under `|`", keys.Mapping: "section [%s](#%s)",
			keys.Bool: "`true`, `false`", keys.AccessKey: "`{sha256: …}`, `{env: NAME}`, `{file: path}`",
		},
	},
	lang.Russian: {
		intro: `# Все ключи touchbox.yaml

[In English](keys.md)

Создано из кода, не правьте. Зачем эти ключи, с работающими связками: [links.ru.md](links.ru.md). Какие поля бывают в выражениях:
[vocabulary.ru.md](vocabulary.ru.md). Ключ, которого здесь нет, — ошибка, и ` + "`touchbox check`" + ` называет ближайший.

**В редакторе.** С такой первой строкой VS Code (расширение YAML от Red Hat), JetBrains и другие, кто знает yaml-language-server, дополняют ключи
и подчёркивают ошибки, пока вы пишете (` + "`touchbox init`" + ` пишет её сам); годится и файл, который пишет ` + "`touchbox schema >ФАЙЛ`" + `, без интернета:

` + "```text\n# yaml-language-server: $schema=" + schemaAddress + "\n```" + `

Промежуток времени пишут ` + "`30s`, `15m`, `72h`, `10d` или `1h30m`" + `, размер — ` + "`500MB` или `10GB`" + `, темп — ` + "`100/s` или `6000/m`" + `. Секрет — ` + "`{env: ИМЯ}`, `{file: путь}`" + `,
текст или список из двух, пока один сменяет другой.
`,
		header: "| Ключ | Значение | По умолчанию | |\n|---|---|---|---|\n", required: "**обязателен**", nothing: "", least: "не меньше",
		list: "список: %s", orMore: "%s или список", byName: "по имени: %s", named: "по имени для выражений: %s",
		kinds: map[keys.Kind]string{
			keys.Text: "текст", keys.Word: "текст", keys.Address: "адрес", keys.Duration: "промежуток времени", keys.Size: "размер", keys.Rate: "темп",
			keys.Secret: "секрет", keys.Template: "текст с `${...}`", keys.Parameter: "текст с `${...}` или секрет", keys.Expression: "условие",
			keys.Table: "таблица", keys.Body: "JSON: через точки, вложенный или вставленный под `|`", keys.Mapping: "раздел [%s](#%s)",
			keys.Bool: "`true`, `false`", keys.AccessKey: "`{sha256: …}`, `{env: ИМЯ}`, `{file: путь}`",
		},
	},
}

func write(w io.Writer, l lang.Language) error {
	var b strings.Builder
	b.WriteString(words[l].intro)
	section(&b, l, "", &keys.File)
	_, err := io.WriteString(w, b.String())
	return err
}

// section writes a section under its place in the file, and then those in it.
func section(b *strings.Builder, l lang.Language, place string, s *keys.Section) {
	fmt.Fprintf(b, "\n## %s\n\n%s", heading(l, place, s), words[l].header)
	for _, k := range s.Keys {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.Name, cell(value(l, k, inner(place, k))), fallback(l, k), cell(l.Text(k.About)))
	}
	for _, k := range s.Keys {
		if k.Of != nil {
			section(b, l, inner(place, k), k.Of)
		}
	}
}

// inner is the place of the section that a key holds.
func inner(place string, k keys.Key) string {
	if place != "" {
		place += "."
	}
	if k.Number == keys.List {
		return place + k.Name + "[]"
	}
	return place + k.Name
}

// heading is a section's, with its place in the file.
func heading(l lang.Language, place string, s *keys.Section) string {
	if place == "" {
		return l.Text(s.About)
	}
	return l.Text(s.About) + ": `" + place + "`"
}

// value says what a key takes.
func value(l lang.Language, k keys.Key, place string) string {
	w := words[l]
	one := w.kinds[k.Kind]
	switch k.Kind {
	case keys.Word:
		one = l.Text(k.Form)
	case keys.Choice:
		one = "`" + strings.Join(k.Choices, "`, `") + "`"
	case keys.EventKind:
		one = "`" + strings.Join(keys.EventKinds(), "`, `") + "`"
	case keys.Mapping:
		one = fmt.Sprintf(one, "`"+place+"`", anchor(heading(l, place, k.Of)))
	}
	switch k.Number {
	case keys.List:
		return fmt.Sprintf(w.list, one)
	case keys.OneOrMore:
		return fmt.Sprintf(w.orMore, one)
	case keys.Map:
		return fmt.Sprintf(w.byName, one)
	case keys.Named:
		return fmt.Sprintf(w.named, one)
	}
	return one
}

// fallback says what stands for a key that is left out, and the least that it may be.
func fallback(l lang.Language, k keys.Key) string {
	w := words[l]
	text := w.nothing
	switch {
	case k.Required:
		text = w.required
	case k.Default != "":
		text = "`" + k.Default + "`"
	}
	if k.Least != "" {
		text += ", " + w.least + " `" + k.Least + "`"
	}
	return text
}

// cell is a text that ends no column.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// anchor is a heading's address, as GitHub makes it.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case strings.ContainsRune("`.:[](),'’«»\"", r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
