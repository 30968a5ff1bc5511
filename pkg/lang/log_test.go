package lang_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

// logTexts are functions and constants that make a message of the log: each of their sentences is one.
var logTexts = []string{"outcomeText", "parkAdvice", "troubleText", "doubtful", "logFailure", "differs", "warnError", "allowHint", "hints"}

// logArguments are what a message is made of where it is no constant: by the above, by `warn` of a hook's site, or by somebody else.
var logArguments = regexp.MustCompile(`^(allowHint|text|one\.text|opened\.Differs|outcomeText\(x\)|parkAdvice\(park\)|troubleText\(name\.reason, c\.detail\)|name|hint\.text|strings\.TrimSpace\(.*\))$`)

// TestEveryMessageOfTheLogHasItsTwin walks the sources of the whole project.
func TestEveryMessageOfTheLogHasItsTwin(t *testing.T) {
	found := map[string]token.Position{}
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err == nil {
				logMessages(t, set, file, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 90 {
		t.Fatalf("only %d messages found: the search is broken", len(found))
	}
	for _, message := range slices.Sorted(maps.Keys(found)) {
		if twin, ok := lang.Twin(message); !ok {
			t.Errorf("%s: no Russian twin of\n%q", found[message], message)
		} else if !maps.Equal(verbs(t, message), verbs(t, twin)) {
			t.Errorf("%s: %q and its twin %q have other verbs", found[message], message, twin)
		}
	}
}

func logMessages(t *testing.T, set *token.FileSet, file *ast.File, found map[string]token.Position) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name, _ := nameOf(n.Fun)
			at := map[string]int{"Msg": 0, "Msgf": 0, "warn": 2}
			place, ok := at[name]
			if _, method := n.Fun.(*ast.SelectorExpr); !ok || !method || len(n.Args) <= place || name == "warn" && !strings.HasSuffix(filepath.ToSlash(filepath.Dir(set.Position(n.Pos()).Filename)), "calltouch/hook") {
				return true
			}
			if message, constant := text(n.Args[place]); constant {
				found[message] = set.Position(n.Pos())
				return true
			}
			var arg bytes.Buffer
			if err := printer.Fprint(&arg, set, n.Args[place]); err != nil || !logArguments.Match(arg.Bytes()) {
				t.Errorf("%s: where does the message %s come from?", set.Position(n.Pos()), &arg)
			}
		case *ast.FuncDecl:
			if slices.Contains(logTexts, n.Name.Name) {
				sentences(set, n.Body, found)
			}
		case *ast.ValueSpec:
			if slices.Contains(logTexts, n.Names[0].Name) {
				sentences(set, n, found)
			}
		}
		return true
	})
}

// sentences collects the texts below a node.
func sentences(set *token.FileSet, below ast.Node, found map[string]token.Position) {
	ast.Inspect(below, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if words, ok := text(e); ok {
				if isSentence(words) || words == "delivered" {
					found[words] = set.Position(n.Pos())
				}
				return false
			}
		}
		return true
	})
}

func TestAMessageOfTheLogIsSaidWithWhatItHolds(t *testing.T) {
	for text, want := range map[string]string{
		"12 wrong keys from 3 networks in the last minute":                                          "неверных ключей за последнюю минуту: 12, из сетей: 3",
		"the time zone of this site is wrong in touchbox.yaml: the cabinet's clock shows UTC+05:00": "часовой пояс этого сайта в touchbox.yaml неверен: часы кабинета показывают UTC+05:00",
		"open /x: no such file or directory":                                                        "не открыть /x: нет такого файла или папки",
		"what nobody knows":                                                                         "what nobody knows",
	} {
		if got := lang.Russian.Said(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := lang.English.Said(text); got != text {
			t.Errorf("English: %q", got)
		}
	}
}
