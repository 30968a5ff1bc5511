package test_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"
)

// homeOfNames is the one package that spells what is stored: its comment lists it.
const homeOfNames = "pkg/event"

// stored matches what a name of a stream, a subject, a header, a scope or a key of STATE looks like.
var stored = regexp.MustCompile(`TOUCHBOX_(EVENTS|RETRIES|DEADLETTERS|HISTORY|ASIDE|RESTORING)|touchbox-state|` +
	`touchbox\.(event|retry|dead|history|aside|forget|restoring|health)\b|` +
	`^Touchbox-|^ce-(specversion|id|source|type|time)$|` +
	`^(link|endpoint)/|^reset-|` +
	`^(link|removed|park|lease|version|worker|erasing|alert)\.$|^calltouch\.(poll|command|trouble)|\.(polled|swept)$`)

// A name that two packages spell is changed in one of them.
func TestNamesOfWhatIsStoredStandOnce(t *testing.T) {
	found := 0
	eachSource(t, func(folder, file string) error {
		texts, err := textsOf(file)
		for place, text := range texts {
			switch {
			case !stored.MatchString(text):
			case folder == homeOfNames:
				found++
			default:
				t.Errorf("%s: %q is spelt here: let %s make it", place, text, homeOfNames)
			}
		}
		return err
	})
	if found < 40 {
		t.Errorf("%d names found in %s: this test does not see them", found, homeOfNames)
	}
}

// textsOf are the string literals of a file, its imports left out, by their places.
func textsOf(file string) (map[string]string, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value)
			texts[set.Position(literal.Pos()).String()] = text
		}
		return true
	})
	return texts, nil
}
