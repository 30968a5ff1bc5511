package lang_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// speakers are the methods of a Language, and of the commands, whose format must have a twin, with the place of the
// format among the arguments; linkSpeakers are those that pkg/link adds for its problems.
var (
	speakers     = map[string]int{"Sprintf": 0, "Text": 0, "say": 0}
	linkSpeakers = map[string]int{"mistake": 1, "warn": 1, "hint": 0, "fail": 0, "absent": 1, "notA": 1, "matching": 3}
)

// TestEveryMessageHasItsTwin reads the sources of the whole project.
func TestEveryMessageHasItsTwin(t *testing.T) {
	found := map[string]token.Position{}
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				messages(t, path, found)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 50 {
		t.Fatalf("only %d messages found: the search is broken", len(found))
	}
	for _, format := range slices.Sorted(maps.Keys(found)) {
		twin, ok := lang.Twin(format)
		if !ok {
			t.Errorf("%s: no Russian twin of\n%q", found[format], format)
			continue
		}
		if !maps.Equal(verbs(t, format), verbs(t, twin)) {
			t.Errorf("%s: %q and its twin %q have other verbs", found[format], format, twin)
		}
	}
}

// messages collects the constant formats of one file.
func messages(t *testing.T, path string, found map[string]token.Position) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		place, speaks := speakers[method.Sel.Name]
		if !speaks && strings.HasSuffix(filepath.Dir(path), "/link") {
			place, speaks = linkSpeakers[method.Sel.Name]
		}
		if pkg, ok := method.X.(*ast.Ident); !speaks || len(call.Args) <= place || ok && pkg.Name == "fmt" {
			return true
		}
		if format, ok := text(call.Args[place]); ok {
			found[format] = set.Position(call.Pos())
		}
		return true
	})
}

// text is a constant string: a literal or several joined by +.
func text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return constant.StringVal(constant.MakeFromLiteral(e.Value, e.Kind, 0)), true
		}
	case *ast.BinaryExpr:
		left, ok := text(e.X)
		right, ok2 := text(e.Y)
		return left + right, ok && ok2
	}
	return "", false
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[\d.]*([a-zA-Z%])`)

// verbs maps the number of each argument to its verb.
func verbs(t *testing.T, format string) map[int]string {
	out := map[int]string{}
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			var err error
			if next, err = strconv.Atoi(m[1]); err != nil {
				t.Fatal(err)
			}
		}
		out[next] = m[2]
		next++
	}
	return out
}
