// Package test_test holds what is true of the repository as a whole.
package test_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/touchbox/touchbox"
	root   = ".."
)

// arrows says which packages of ours each package may import. Source and sink never know each
// other: only the pipeline and the commands speak both languages. A package below another
// (calltouch/calltouchtest) may import it and what it may import, unless it has a line of its own; who
// may import a room may not import those below it that have one. Commands may import anything.
var arrows = map[string][]string{
	"pkg/phone":           {},
	"pkg/email":           {"pkg/spelling"},
	"pkg/lang":            {},
	"pkg/spelling":        {},
	"pkg/wait":            {},
	"pkg/web":             {},
	"pkg/show":            {"pkg/spelling"},
	"pkg/defaults":        {},
	"pkg/event":           {"pkg/phone"},
	"pkg/calltouch":       {"pkg/defaults", "pkg/event", "pkg/phone", "pkg/email", "pkg/show", "pkg/spelling"},
	"pkg/strictyaml":      {"pkg/lang", "pkg/show", "pkg/spelling"},
	"pkg/link":            {"pkg/defaults", "pkg/event", "pkg/calltouch", "pkg/lang", "pkg/mindbox", "pkg/show", "pkg/spelling", "pkg/strictyaml", "pkg/web"},
	"pkg/link/cases":      {"pkg/event", "pkg/calltouch", "pkg/email", "pkg/lang", "pkg/link", "pkg/link/expression", "pkg/link/keys", "pkg/link/schema", "pkg/phone", "pkg/show", "pkg/strictyaml"},
	"pkg/link/draft":      {"pkg/event", "pkg/lang", "pkg/link", "pkg/link/expression", "pkg/link/keys", "pkg/link/spec", "pkg/strictyaml"},
	"pkg/link/expression": {"pkg/event", "pkg/calltouch", "pkg/phone", "pkg/email", "pkg/spelling"},
	"pkg/link/keys":       {"pkg/defaults", "pkg/event", "pkg/calltouch", "pkg/mindbox"},
	"pkg/link/schema":     {"pkg/calltouch", "pkg/lang", "pkg/link/expression", "pkg/link/keys"},
	"pkg/link/spec":       {"pkg/calltouch", "pkg/event", "pkg/lang", "pkg/link/expression", "pkg/mindbox", "pkg/show", "pkg/spelling", "pkg/strictyaml"},
	"pkg/mindbox":         {"pkg/defaults", "pkg/show", "pkg/wait", "pkg/web"},
	"pkg/queue":           {"pkg/defaults", "pkg/event", "pkg/wait"},
	"pkg/queue/erase":     {"pkg/event", "pkg/queue", "pkg/queue/jet", "pkg/wait"},
	"pkg/queue/jet":       {"pkg/wait"},
	"pkg/queue/keep":      {"pkg/defaults", "pkg/event", "pkg/queue", "pkg/queue/jet", "pkg/wait"},
	"pkg/queue/streams":   {"pkg/event", "pkg/queue/jet", "pkg/wait"},
	"pkg/pipeline":        {"pkg/event", "pkg/queue", "pkg/link", "pkg/calltouch", "pkg/mindbox", "pkg/show", "pkg/wait"},
	"pkg/admin":           {"pkg/event", "pkg/queue", "pkg/queue/erase", "pkg/queue/keep", "pkg/link", "pkg/calltouch", "pkg/phone", "pkg/show", "pkg/spelling", "pkg/wait"},
	"pkg/console":         {"pkg/admin", "pkg/event", "pkg/lang", "pkg/web", "schemas"},
	"pkg/watch":           {"pkg/event", "pkg/queue", "pkg/link", "pkg/calltouch", "pkg/lang", "pkg/wait", "pkg/web"},
	"pkg/site":            {"pkg/defaults"},

	"pkg/pipeline/breaker": {"pkg/mindbox", "pkg/queue"},

	"schemas":             {},
	"test/internal/ports": {},

	// The rooms of the source: its words know none of them.
	"pkg/calltouch/api":    {"pkg/calltouch", "pkg/defaults", "pkg/event", "pkg/show", "pkg/wait", "pkg/web"},
	"pkg/calltouch/intake": {"pkg/calltouch", "pkg/event"},
	"pkg/calltouch/hook":   {"pkg/calltouch", "pkg/calltouch/intake", "pkg/event", "pkg/wait", "pkg/web"},
	"pkg/calltouch/poll":   {"pkg/calltouch", "pkg/calltouch/api", "pkg/calltouch/intake", "pkg/defaults", "pkg/event", "pkg/show", "pkg/wait"},
}

// only says who may import what is not ours: a technology has one home.
var only = map[string][]string{
	"github.com/nats-io/":                   {"pkg/queue"},
	"github.com/prometheus/":                {"cmd"},
	"github.com/spf13/cobra":                {"cmd"},
	"github.com/kelseyhightower/envconfig":  {"cmd"},
	"github.com/expr-lang/expr":             {"pkg/link/expression"},
	"github.com/goccy/go-yaml":              {"pkg/strictyaml"},
	"github.com/nyaruka/phonenumbers":       {"pkg/phone"},
	"github.com/aymanbagabas/go-udiff":      {"cmd", "pkg/admin"},
	"github.com/synadia-io/":                {"pkg/queue/jet"},
	"html/template":                         {"pkg/console", "pkg/site"},
	module + "/pkg/console":                 {"cmd/touchbox"},
	"golang.org/x/net":                      {"pkg/spelling"},
	"golang.org/x/text":                     {"pkg/spelling"},
	"github.com/testcontainers/":            {},
	"github.com/moby/":                      {},
	"github.com/chromedp/":                  {"pkg/site/browsertest"},
	"github.com/google/go-cmp":              {},
	"pgregory.net/rapid":                    {},
	"go.uber.org/goleak":                    {},
	"github.com/stretchr/testify":           {},
	"testing":                               {"test/internal/ports", "pkg/queue/queuetest", "pkg/link/linktest", "pkg/site/browsertest", "pkg/wait/waittest"},
	"net/http/httptest":                     {"pkg/mindbox/mindboxtest", "pkg/calltouch/calltouchtest"},
	module + "/pkg/queue/embedded":          {"cmd", "pkg/queue/queuetest"},
	module + "/pkg/queue/jet":               {"pkg/queue"},
	module + "/pkg/mindbox/mindboxtest":     {"cmd"},
	module + "/pkg/calltouch/calltouchtest": {"cmd"},
	module + "/pkg/queue/queuetest":         {},
	module + "/pkg/link/linktest":           {},
	module + "/pkg/wait/waittest":           {"pkg/queue/queuetest"},
	module + "/pkg/site/browsertest":        {},
}

func TestArrows(t *testing.T) {
	for pkg, imports := range sources(t) {
		if below(pkg, "cmd") {
			continue
		}
		home, ok := homeOf(pkg)
		if !ok {
			t.Errorf("%s is in no room: say in this table which way its arrows go", pkg)
			continue
		}
		for _, path := range imports {
			target, ours := strings.CutPrefix(path, module+"/")
			room, _ := homeOf(target)
			if ours && !below(target, home) && room != home && !slices.Contains(arrows[home], room) {
				t.Errorf("%s must not import %s", pkg, target)
			}
		}
	}
}

func TestEachTechnologyHasOneHome(t *testing.T) {
	for pkg, imports := range sources(t) {
		for _, path := range imports {
			for what, homes := range only {
				if (path == what || strings.HasPrefix(path, strings.TrimSuffix(what, "/")+"/")) &&
					!slices.ContainsFunc(homes, func(h string) bool { return below(pkg, h) }) {
					t.Errorf("%s must not import %s: that belongs to %v", pkg, path, homes)
				}
			}
		}
	}
}

// The simulators are part of the operator's tool; ingest and worker carry nothing of them.
func TestNoSimulatorInIngestAndWorker(t *testing.T) {
	graph := sources(t)
	for _, command := range []string{"cmd/ingest", "cmd/worker"} {
		for _, pkg := range reach(graph, command) {
			if strings.HasSuffix(pkg, "test") || below(pkg, "test") {
				t.Errorf("%s is built with %s", command, pkg)
			}
		}
	}
}

// sources maps each package of ours, by its folder, to what its files import; tests are left out.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	graph := map[string][]string{}
	eachSource(t, func(folder, file string) error {
		imports, err := importsOf(file)
		graph[folder] = append(graph[folder], imports...)
		return err
	})
	for pkg, imports := range graph {
		slices.Sort(imports)
		graph[pkg] = slices.Compact(imports)
	}
	return graph
}

// eachSource walks the files of the product, tests left out. A folder is named from the root on.
func eachSource(t *testing.T, do func(folder, file string) error) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && elsewhere(file):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		seen++
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(folder), file)
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Fatalf("only %d files of the product found: this test reads nothing", seen)
	}
}

// elsewhere is true of folders that hold no code of the product.
func elsewhere(folder string) bool {
	name := filepath.Base(folder)
	return folder != root && (strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "tools", "out"}, name))
}

func importsOf(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		paths = append(paths, imported)
	}
	return paths, nil
}

// reach lists the packages of ours that a command is built with, itself included.
func reach(graph map[string][]string, command string) []string {
	seen := map[string]bool{command: true}
	for todo := []string{command}; len(todo) > 0; todo = todo[1:] {
		for _, imported := range graph[todo[0]] {
			if target, ours := strings.CutPrefix(imported, module+"/"); ours && !seen[target] {
				seen[target] = true
				todo = append(todo, target)
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// homeOf finds the entry of arrows that pkg belongs to.
func homeOf(pkg string) (string, bool) {
	for at := pkg; at != "."; at = path.Dir(at) {
		if _, ok := arrows[at]; ok {
			return at, true
		}
	}
	return "", false
}

func below(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }
