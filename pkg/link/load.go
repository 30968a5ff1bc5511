package link

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// What is wrong with a file, with its places.
type (
	Pos          = strictyaml.Pos
	Problem      = strictyaml.Problem
	Problems     = strictyaml.Problems
	InvalidError = strictyaml.InvalidError // a file with mistakes: exit code 2
	Excerpt      = strictyaml.Excerpt      // a part of the file as it stands there
)

// Options say how a file is read. The zero value reads it in English, without environment.
type Options struct {
	Getenv   func(string) string // for {env: NAME}; nil = nothing is set
	Language lang.Language       // of the problems
	// Lenient makes a secret whose environment variable or file is missing a warning: `check`
	// and `explain` run where no secret is. Such a secret is set, and empty.
	Lenient bool
	// Without leaves out the secrets of one side: they are not read, and count as set and empty.
	Without Side
	// Coverage notes which ways the expressions of the links decide; nil, as a rule: nobody asks.
	Coverage *expression.Coverage
}

// Load reads and compiles a file. Problems holds every mistake and warning; with a mistake among
// them the error is an *InvalidError and there is no File. Any other error means that the file
// could not be read.
func Load(path string, o Options) (*File, Problems, error) {
	data, err := strictyaml.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	file, problems, err := Parse(path, data, o)
	if file != nil {
		problems = append(checkMode(file, o.Language), problems...)
	}
	return file, problems, err
}

// The bits of a file's mode by which others than its owner and its group may read or write it.
const (
	othersRead  = 0o004
	othersWrite = 0o002
)

// checkMode warns of a file that others on this machine can read although secrets stand in it, or change:
// it decides where everything goes.
func checkMode(f *File, l lang.Language) Problems {
	info, err := os.Stat(f.Path)
	if err != nil {
		return nil
	}
	r := &strictyaml.Reader{Name: f.Path, Language: l}
	switch mode := info.Mode().Perm(); {
	case mode&othersWrite != 0:
		r.Warn(strictyaml.Pos{Line: 1, Column: 1}, "others on this machine can change this file: its mode is %04o", mode).Code("chmod 640 %s", f.Path)
	case mode&othersRead != 0 && f.holdsSecrets():
		r.Warn(strictyaml.Pos{Line: 1, Column: 1}, "others on this machine can read this file, in which secrets stand: its mode is %04o", mode).Code("chmod 640 %s", f.Path)
	}
	return r.Problems()
}

// holdsSecrets reports whether a secret stands in the file itself.
func (f *File) holdsSecrets() bool {
	for _, s := range f.Sites {
		if s.Key.Written() || s.Token.Written() {
			return true
		}
	}
	return slices.ContainsFunc(f.Destinations, func(d *Destination) bool { return d.Secret.Written() })
}

// Parse is Load for a file in memory; name stands in the problems, and its folder is where
// {file: path} with a relative path begins.
func Parse(name string, data []byte, o Options) (*File, Problems, error) {
	r := &strictyaml.Reader{Name: name, Language: o.Language, Secrets: secretPlaces()}
	l := &loader{
		Reader: r, options: o, dir: filepath.Dir(name), file: &File{Path: name},
		names: expression.NewNames(), conditions: map[string]*strictyaml.Node{}, tables: map[string]*strictyaml.Node{}, templates: map[string]destinationTemplates{},
	}
	l.names.Cover(o.Coverage)
	if root := r.Read(data); root != nil {
		l.read(root)
	}
	problems := r.Problems()
	if len(problems.Mistakes()) > 0 {
		return nil, problems, &InvalidError{Problems: problems}
	}
	return l.file, problems, nil
}
