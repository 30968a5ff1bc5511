package lang_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

// speakers are the methods of a Language, and of the commands, whose format must have a twin, with the place of the
// format among the arguments; fileSpeakers are those that the packages which read files add for their problems; errorMakers make
// errors, which the commands say in the person's language.
var (
	speakers     = map[string]int{"Sprintf": 0, "Text": 0, "say": 0}
	fileSpeakers = map[string]int{"Mistake": 1, "mistake": 1, "Warn": 1, "warn": 1, "Hint": 0, "fail": 0, "absent": 1, "NotA": 1}
	errorMakers  = map[string]int{"fmt.Errorf": 0, "errors.New": 0, "app.Mistakef": 0, "Mistakef": 0, "complain": 0}
)

// logWriters are methods whose texts go to the log, the metrics or a program that asked: they are English.
var logWriters = regexp.MustCompile(`^(Msg|Msgf|Str|Err|Dur|Int|Error|NewDesc|MustRegister)$`)

// TestEveryMessageHasItsTwin reads the sources of the whole project: what a Language says, what errors say, and in the commands
// every literal in which two English words follow each other, wherever it stands.
func TestEveryMessageHasItsTwin(t *testing.T) {
	found := map[string]token.Position{}
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(filepath.Dir(path), "test") {
				s := source{path: filepath.ToSlash(path), set: token.NewFileSet(), found: found}
				s.read(t)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	templateMessages(t, "../console/templates", found)
	if len(found) < 900 {
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

// source is one file of the project.
type source struct {
	path  string
	set   *token.FileSet
	found map[string]token.Position
}

// read collects the constant texts of the file that a person may read.
func (s source) read(t *testing.T) {
	file, err := parser.ParseFile(s.set, s.path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.Field: // a path, a tag
			return false
		case *ast.CallExpr:
			s.call(n)
			return !s.toTheLog(n)
		case *ast.BinaryExpr, *ast.BasicLit:
			if words, ok := text(n.(ast.Expr)); ok {
				s.literal(words, n.Pos())
				return false
			}
		}
		return true
	})
}

// call notes the text of a call that speaks or makes an error.
func (s source) call(call *ast.CallExpr) {
	name, pkg := nameOf(call.Fun)
	place, speaks := speakers[name]
	speaks = speaks && pkg != "fmt" && pkg != ""
	if !speaks && pkg != "" && s.readsFiles() {
		place, speaks = fileSpeakers[name]
	}
	makes := false
	if !speaks {
		full := name
		if pkg == "fmt" || pkg == "errors" || pkg == "app" {
			full = pkg + "." + name
		}
		place, makes = errorMakers[full]
	}
	if !speaks && !makes || len(call.Args) <= place {
		return
	}
	format, ok := text(call.Args[place])
	if ok && (speaks || hasWords(format)) {
		s.found[format] = s.set.Position(call.Pos())
	}
}

// literal notes a text of a command in which English words follow each other.
func (s source) literal(words string, at token.Pos) {
	if strings.Contains(s.path, "/cmd/") && isSentence(words) {
		s.found[words] = s.set.Position(at)
	}
}

// toTheLog reports whether what stands in a call is read by no person, or by one who reads the log.
func (s source) toTheLog(call *ast.CallExpr) bool {
	name, pkg := nameOf(call.Fun)
	return logWriters.MatchString(name) || name == "inOrder" || pkg == "http" && name == "Error" || pkg == "io" && name == "WriteString" && strings.HasSuffix(s.path, "/app/admin.go") ||
		strings.HasSuffix(s.path, "/app/metrics.go") || strings.HasSuffix(s.path, "/app/series.go")
}

// readsFiles is true of the folders whose code reports problems of a file.
func (s source) readsFiles() bool {
	folder := filepath.ToSlash(filepath.Dir(s.path))
	return strings.HasSuffix(folder, "/strictyaml") || strings.Contains(folder+"/", "/pkg/link/")
}

// nameOf is the name of a function and of what it belongs to: a package, a variable, or "." for something longer.
func nameOf(fun ast.Expr) (name, pkg string) {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name, ""
	case *ast.SelectorExpr:
		if of, ok := fun.X.(*ast.Ident); ok {
			return fun.Sel.Name, of.Name
		}
		return fun.Sel.Name, "."
	}
	return "", ""
}

// sentence are two English words in a row; a program's name and an argument in capitals are none.
var sentence = regexp.MustCompile(`[A-Za-z]?[a-z]{2,}[,:;]? [a-z]{2,}`)

// isSentence is false of what a person types, and of headings in SQL or JSON.
func isSentence(words string) bool {
	return sentence.MatchString(words) && !commandPath.MatchString(words)
}

// commandPath is a command as a person types it: touchbox links stop.
var commandPath = regexp.MustCompile(`^touchbox( [a-z-]+)+$`)

// hasWords is false of a format that only puts other texts together.
func hasWords(format string) bool {
	return regexp.MustCompile(`(^|[^a-z-])[a-z]{2,}`).MatchString(verb.ReplaceAllString(format, ""))
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
	case *ast.ParenExpr:
		return text(e.X)
	}
	return "", false
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[\d.]*([a-zA-Z%])`)

// verbs maps the number of each argument to its verb; %w is %v to who reads it.
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

// spoken is a message in a template: {{t "format" ...}}, alone or as an argument.
var spoken = regexp.MustCompile(`[{(]\s*-?\s*t ("(?:[^"\\]|\\.)*")`)

// templateMessages collects the formats of the templates in a folder.
func templateMessages(t *testing.T, folder string, found map[string]token.Position) {
	files, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates in %s: %v", folder, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range spoken.FindAllStringSubmatch(string(text), -1) {
			format, err := strconv.Unquote(m[1])
			if err != nil {
				t.Fatalf("%s: %s: %v", path, m[1], err)
			}
			found[format] = token.Position{Filename: path}
		}
	}
}
