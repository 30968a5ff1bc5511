package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

func (c *cli) testCommand() *cobra.Command {
	t := tester{cli: c}
	cmd := c.withJSON(&cobra.Command{
		Use:   "test [FILE...]",
		Short: "Run the tests of the links: tests/*.yaml beside touchbox.yaml",
		Long: "Give each link the events of the test files, or of those that are named, and compare what it makes of them with what is expected. It\n" +
			"needs no server and sends nothing. Exit code 1 when something does not come as expected, 2 with a mistake in a file.",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return t.run(args) },
	})
	cmd.Flags().BoolVarP(&t.verbose, "verbose", "v", false, "also list what comes as expected")
	cmd.Flags().StringVar(&t.junit, "junit", "", "also write the results to `FILE` as JUnit's XML, for a build server")
	cmd.Flags().BoolVar(&t.update, "update", false, "write what comes now into the files in the place of what was expected, and nothing else: look at the difference before you keep it")
	cmd.Flags().BoolVar(&t.cover, "coverage", false, "also name each condition, side of ?? and ?:, and row of a table that no case has decided both ways")
	cmd.AddCommand(c.recordCommand())
	return cmd
}

// tester runs the tests of links.
type tester struct {
	*cli
	verbose bool
	junit   string
	update  bool
	cover   bool
	noted   *expression.Coverage // with --coverage
}

// tested is what --json prints.
type tested struct {
	Results  []cases.Result      `json:"results"`
	Failed   int                 `json:"failed"`
	Problems strictyaml.Problems `json:"problems,omitempty"` // of the files: then nothing was run
	TookMS   float64             `json:"took_ms"`
	Coverage *cases.Covered      `json:"coverage,omitempty"`
}

func (t *tester) run(paths []string) error {
	links, _, err := t.settings.LoadConfigLeniently(t.lang)
	if err != nil {
		return err
	}
	if t.cover {
		t.noted = &expression.Coverage{}
		if links, _, err = link.Load(t.settings.Config, link.Options{Getenv: os.Getenv, Language: t.lang, Lenient: true, Coverage: t.noted}); err != nil {
			return err
		}
	}
	files, err := t.load(paths, links)
	if err != nil {
		return err
	}
	if t.update {
		if files, err = t.updated(files, links); err != nil {
			return err
		}
	}
	begun := time.Now()
	results := []cases.Result{} // none are [], not null
	for _, f := range files {
		results = append(results, f.Run()...)
	}
	return t.tell(results, time.Since(begun))
}

// updated writes what comes now into the files, and reads them again.
func (t *tester) updated(files []*cases.File, links *link.File) ([]*cases.File, error) {
	out := make([]*cases.File, len(files))
	for i, f := range files {
		file, changed := f.Update(links)
		if out[i] = file; !changed {
			continue
		}
		if err := writeTestFile(f.Path, f.Text(), file.Text()); err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintln(t.errs, t.lang.Sprintf("%s is updated", f.Path))
	}
	return out, nil
}

// load reads the files of tests, all of them before the first is run: a mistake in one is no failed test.
func (t *tester) load(paths []string, links *link.File) ([]*cases.File, error) {
	paths, err := t.paths(paths)
	if err != nil {
		return nil, err
	}
	var files []*cases.File
	var problems strictyaml.Problems
	for _, path := range paths {
		file, found, err := cases.Load(path, links, t.lang)
		if err != nil {
			return nil, app.Mistake{Err: err}
		}
		problems = append(problems, found...)
		files = append(files, file)
	}
	if len(problems.Mistakes()) > 0 {
		return nil, t.refuse(problems)
	}
	return files, nil
}

// refuse tells of the mistakes in files of tests.
func (t *tester) refuse(problems strictyaml.Problems) error {
	if !t.json {
		return app.Mistake{Err: &strictyaml.InvalidError{Problems: problems}}
	}
	counted := app.Mistakef("%s", t.lang.Sprintf("mistakes: %d, warnings: %d", len(problems.Mistakes()), len(problems.Warnings())))
	return errors.Join(counted, t.printJSON(tested{Results: []cases.Result{}, Problems: problems}))
}

// paths are the files that a person names, those in the folders that they name, or those beside the configuration.
func (t *tester) paths(named []string) ([]string, error) {
	if len(named) == 0 {
		found, err := cases.Find(t.settings.Config)
		if err == nil && len(found) == 0 {
			return nil, app.Mistakef("%s", t.lang.Sprintf("no tests are in %s: `touchbox test record KEY` makes one of a stored event", filepath.Join(filepath.Dir(t.settings.Config), cases.Folder)))
		}
		return found, err
	}
	var out []string
	for _, name := range named {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			out = append(out, name)
			continue
		}
		found, err := filepath.Glob(filepath.Join(name, "*.yaml"))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// tell prints the results, and reports whether all came as expected.
func (t *tester) tell(results []cases.Result, took time.Duration) error {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	if err := t.writeJUnit(results, took); err != nil {
		return err
	}
	if t.json {
		report := tested{Results: results, Failed: failed, TookMS: float64(took.Microseconds()) / 1000}
		if t.noted != nil {
			covered := cases.Cover(t.noted)
			report.Coverage = &covered
		}
		if err := t.printJSON(report); err != nil {
			return err
		}
	} else {
		cases.Print(t.out, results, t.verbose, t.lang)
		t.say("as expected: %d of %d, in %s", len(results)-failed, len(results), took.Round(time.Microsecond))
		t.printCoverage()
	}
	if failed > 0 {
		return errors.New(t.lang.Sprintf("not as expected: %d", failed))
	}
	return nil
}

// printCoverage names what no case has decided both ways.
func (t *tester) printCoverage() {
	if t.noted == nil {
		return
	}
	covered := cases.Cover(t.noted)
	for _, g := range covered.Gaps {
		_, _ = fmt.Fprintf(t.out, "%s:%d: %s\n", t.settings.Config, g.Line, g.Text(t.lang))
	}
	t.say("decided both ways: %d of %d", covered.Both, covered.Points)
}

func (t *tester) writeJUnit(results []cases.Result, took time.Duration) error {
	if t.junit == "" {
		return nil
	}
	var b bytes.Buffer
	if err := cases.WriteJUnit(&b, results, took, t.lang); err != nil {
		return err
	}
	if err := os.WriteFile(t.junit, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}
