package link

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/touchbox/touchbox/pkg/lang"
)

// Options say how a file is read. The zero value reads it in English, without environment.
type Options struct {
	Getenv   func(string) string // for {env: NAME}; nil = nothing is set
	Language lang.Language       // of the problems
	// Lenient makes a secret whose environment variable or file is missing a warning: `check`
	// and `explain` run where no secret is. Such a secret is set, and empty.
	Lenient bool
}

// Load reads and compiles a file. Problems holds every mistake and warning; with a mistake among
// them the error is an *InvalidError and there is no File. Any other error means that the file
// could not be read.
func Load(path string, o Options) (*File, Problems, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, o)
}

// Parse is Load for a file in memory; name stands in the problems, and its folder is where
// {file: path} with a relative path begins.
func Parse(name string, data []byte, o Options) (*File, Problems, error) {
	r := &reader{name: name, lang: o.Language}
	l := &loader{
		reader: r, options: o, dir: filepath.Dir(name), file: &File{Path: name},
		conditions: map[string]*condition{}, tables: map[string]*table{}, templates: map[string]destinationTemplates{},
	}
	if root := r.document(data); root != nil {
		l.read(root)
	}
	problems := r.problems.sorted()
	if len(problems.Mistakes()) > 0 {
		return nil, problems, &InvalidError{problems}
	}
	return l.file, problems, nil
}
