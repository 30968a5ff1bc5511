package app

import (
	"errors"
	"os"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// LoadConfig reads the file of TOUCHBOX_CONFIG for a process that will send events. A file with
// mistakes is a Mistake whose text has one line for each, with its place.
func (s Settings) LoadConfig(l lang.Language) (*link.File, link.Problems, error) {
	return loadConfig(s.Config, link.Options{Getenv: os.Getenv, Language: l})
}

// LoadConfigLeniently reads the file where secrets may be missing, for commands that send nothing.
func (s Settings) LoadConfigLeniently(l lang.Language) (*link.File, link.Problems, error) {
	return loadConfig(s.Config, link.Options{Getenv: os.Getenv, Language: l, Lenient: true})
}

func loadConfig(path string, o link.Options) (*link.File, link.Problems, error) {
	file, problems, err := link.Load(path, o)
	if _, invalid := errors.AsType[*link.InvalidError](err); invalid {
		return nil, problems, Mistake{err}
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, Mistakef("%w; write one with `touchbox init`, or set TOUCHBOX_CONFIG to yours", err)
	}
	return file, problems, err
}
