package test_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named is how a page names a room, a function, method or type in it, or files of it: `pkg/queue`, `pkg/queue.Queue.Publish`,
// `pkg/link/read*.go`.
var named = regexp.MustCompile("`((?:pkg|cmd|test|tools|schemas)(?:/[a-z0-9_*]+)*)(?:\\.([A-Za-z][A-Za-z0-9]*(?:\\.[A-Za-z][A-Za-z0-9]*)?))?`")

// TestPagesNameWhatThereIs: where docs/flow.md and CONTRIBUTING.md send a reader, there is something.
func TestPagesNameWhatThereIs(t *testing.T) {
	names := map[string]map[string]bool{}
	for page, least := range map[string]int{"docs/flow.md": 25, "CONTRIBUTING.md": 30} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		all := named.FindAllSubmatch(text, -1)
		for _, m := range all {
			room, name := string(m[1]), string(m[2])
			if name == "go" {
				if files, _ := filepath.Glob(filepath.Join(root, room+".go")); len(files) == 0 {
					t.Errorf("%s names the file %s.go, which is not there", page, room)
				}
				continue
			}
			if names[room] == nil {
				names[room] = declared(t, room)
			}
			switch {
			case len(names[room]) == 0:
				t.Errorf("%s names %s, which holds no Go code", page, room)
			case name != "" && !names[room][name]:
				t.Errorf("%s names %s.%s, which is not there", page, room, name)
			}
		}
		if len(all) < least {
			t.Errorf("%s names only %d rooms and functions", page, len(all))
		}
	}
}

// declared are the functions, types, constants and variables of a room, and its methods as Type.Method.
func declared(t *testing.T, room string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		names[""] = true
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// receiver is "Type." of a method, and nothing of a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	for {
		switch e := of.(type) {
		case *ast.StarExpr:
			of = e.X
		case *ast.IndexExpr:
			of = e.X
		case *ast.Ident:
			return strings.TrimSpace(e.Name) + "."
		default:
			return ""
		}
	}
}
