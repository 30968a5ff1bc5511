// Command minify writes the minified site script beside its source, with the checksums of both,
// by which the tests of pkg/site see that neither was changed without the other.
//
// It is a module of its own, so that the minifier stays out of the product's module graph:
//
//	cd tools/minify && go run . ../../pkg/site
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"
)

// es5 is the newest syntax that the minifier may use.
const es5 = 2009

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: minify FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "minify:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	files, err := generate(dir)
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate gives the files that belong beside script.js, by name.
func generate(dir string) (map[string][]byte, error) {
	const source, target, sums = "script.js", "script.min.js", "script.sha256"
	readable, err := os.ReadFile(filepath.Join(dir, source))
	if err != nil {
		return nil, err
	}
	var small bytes.Buffer
	m := &js.Minifier{Version: es5}
	if err := m.Minify(minify.New(), &small, bytes.NewReader(readable), nil); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	small.WriteByte('\n')
	// In the form of sha256sum, so that `sha256sum -c script.sha256` checks it too.
	sum := fmt.Sprintf("%x  %s\n%x  %s\n", sha256.Sum256(readable), source, sha256.Sum256(small.Bytes()), target)
	return map[string][]byte{target: small.Bytes(), sums: []byte(sum)}, nil
}
