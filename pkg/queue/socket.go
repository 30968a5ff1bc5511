package queue

import (
	"fmt"
	"os"
	"path/filepath"
)

// maxSocketPath is how long the path of a unix socket may be: macOS has 104 bytes with the final
// zero, Linux 108.
const maxSocketPath = 103

// SocketPath returns a spelling of path that fits a unix socket's address: path itself, or the way
// from the working directory where that is shorter.
func SocketPath(path string) (string, error) {
	if len(path) <= maxSocketPath {
		return path, nil
	}
	if dir, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(dir, path); err == nil && len(rel) <= maxSocketPath {
			return rel, nil
		}
	}
	return "", fmt.Errorf("the path of the socket %s has %d bytes, %d are possible: choose a data directory with a shorter path, "+
		"or start from inside it", path, len(path), maxSocketPath)
}
