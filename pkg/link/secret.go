package link

import (
	"fmt"
	"os"
	"strings"
)

// Secret is a key or token: a text, an environment variable, a file, or two of these while one
// replaces the other. The zero value is unset. It prints as ***.
type Secret struct{ sources []secretSource }

type secretSource struct {
	text string // the value itself; from an environment variable too
	file string // read anew each time
}

// Set reports whether the file names a secret.
func (s Secret) Set() bool { return len(s.sources) > 0 }

// Values reads the secret as it stands now. A file that cannot be read counts as none.
func (s Secret) Values() []string {
	var values []string
	for _, source := range s.sources {
		if v := source.read(); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// Value is the first of Values, or "".
func (s Secret) Value() string {
	for _, source := range s.sources {
		if v := source.read(); v != "" {
			return v
		}
	}
	return ""
}

func (s secretSource) read() string {
	if s.file == "" {
		return s.text
	}
	v, err := readSecretFile(s.file)
	if err != nil {
		return ""
	}
	return v
}

// readSecretFile drops the line break that editors and `echo` leave.
func readSecretFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// masked stands for any secret in print.
const masked = "***"

// String hides the secret.
func (s Secret) String() string {
	if !s.Set() {
		return ""
	}
	return masked
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
