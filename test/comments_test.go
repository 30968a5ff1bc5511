package test_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestCommentsBeginWithTheirName: the comment of a function or type, exported or not, begins with its name. One that was
// renamed, or moved above another one, is found by it.
func TestCommentsBeginWithTheirName(t *testing.T) {
	seen := 0
	check := func(at token.Position, name string, doc *ast.CommentGroup) {
		if doc == nil {
			return
		}
		seen++
		words := strings.FieldsFunc(doc.Text(), func(r rune) bool { return strings.ContainsRune(" \n,:;.'", r) })
		if len(words) == 0 || words[0] != name {
			t.Errorf("%s: the comment of %s begins with %q", at, name, strings.SplitN(doc.Text(), "\n", 2)[0])
		}
	}
	eachSource(t, func(_, file string) error {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(set.Position(d.Pos()), d.Name.Name, d.Doc)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					s, ok := s.(*ast.TypeSpec)
					switch {
					case !ok:
					case s.Doc != nil:
						check(set.Position(s.Pos()), s.Name.Name, s.Doc)
					case !d.Lparen.IsValid():
						check(set.Position(s.Pos()), s.Name.Name, d.Doc)
					}
				}
			}
		}
		return nil
	})
	if seen < 1000 {
		t.Errorf("only %d comments were read", seen)
	}
}
