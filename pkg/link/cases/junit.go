package cases

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/lang"
)

// The elements of JUnit's XML that build servers read.
type (
	junitReport struct {
		XMLName xml.Name     `xml:"testsuites"`
		Tests   int          `xml:"tests,attr"`
		Failed  int          `xml:"failures,attr"`
		Time    string       `xml:"time,attr"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name   string      `xml:"name,attr"`
		Tests  int         `xml:"tests,attr"`
		Failed int         `xml:"failures,attr"`
		Cases  []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as build servers read them: a suite for each file, a test for each case and link.
func WriteJUnit(w io.Writer, results []Result, took time.Duration, l lang.Language) error {
	report := junitReport{Tests: len(results), Time: fmt.Sprintf("%.3f", took.Seconds())}
	for _, r := range results {
		last := len(report.Suites) - 1
		if last < 0 || report.Suites[last].Name != r.File {
			report.Suites = append(report.Suites, junitSuite{Name: r.File})
			last++
		}
		suite := &report.Suites[last]
		one := junitCase{Name: r.Case, Class: r.Link, File: r.File, Line: r.Line}
		if suite.Tests++; !r.Passed {
			lines := r.lines(l)
			one.Failure = &junitFailure{Message: lines[0], Text: strings.Join(lines, "\n")}
			suite.Failed++
			report.Failed++
		}
		suite.Cases = append(suite.Cases, one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
