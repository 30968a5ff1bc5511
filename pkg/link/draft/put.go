package draft

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
)

// Errors of Check and Put, for errors.Is. Their words say what to do.
var (
	ErrDisturbs = errors.New("new links would change what stands in the file already: put them under `links:` by hand")
	ErrChanged  = errors.New("the file was changed meanwhile: try again")
)

// Check reads the new text of a file as Touchbox would, and sees to it that the links which it had are what they were. Problems
// are those of the new text; a mistake among them is an error.
func (d *Draft) Check(path string, before *link.File, text []byte, o link.Options) (link.Problems, error) {
	after, problems, err := link.Parse(path, text, o)
	if err != nil {
		return problems, err
	}
	for i, l := range before.Links {
		if i >= len(after.Links) || after.Links[i].ID != l.ID || after.Links[i].Version != l.Version {
			return problems, ErrDisturbs
		}
	}
	if len(after.Links) != len(before.Links)+len(d.Links) || slices.ContainsFunc(d.Links, func(id string) bool { return after.Link(id) == nil }) {
		return problems, ErrDisturbs
	}
	return append(problems, after.Check(o.Language)...), nil
}

// Put replaces a file, whose text was old, by a new one in its place, and keeps the old one beside it: in a file of the returned name, with
// the moment in it. Mode and owner stay. Ended at any line, it leaves the old file or the new one, whole.
func Put(path string, old, text []byte, now time.Time) (kept string, err error) {
	if path, err = unchanged(path, old); err != nil {
		return "", err
	}
	kept = path + "." + now.Format("20060102-150405")
	err = create(kept, path, old)
	for n := 2; errors.Is(err, fs.ErrExist) && n < 100; n++ { // twice in a second
		kept = fmt.Sprintf("%s.%s-%d", path, now.Format("20060102-150405"), n)
		err = create(kept, path, old)
	}
	if err != nil {
		return "", fmt.Errorf("keep the old file: %w", err)
	}
	return kept, replace(path, text)
}

// Replace is Put for a file of which no copy is kept. ErrChanged.
func Replace(path string, old, text []byte) error {
	path, err := unchanged(path, old)
	if err != nil {
		return err
	}
	return replace(path, text)
}

// unchanged is the file itself behind a link to it, which stays one. ErrChanged: its text is not the old one any more.
func unchanged(path string, old []byte) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	stands, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(stands, old) {
		err = ErrChanged
	}
	return path, err
}

// replace puts a new file in the place of another one, whole or not at all. What a killed process has left is in nobody's way: in
// a container every process has the same number.
func replace(path string, text []byte) error {
	fresh := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8])
	if err := create(fresh, path, text); err != nil {
		return fmt.Errorf("write the new file: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return syncFolder(filepath.Dir(path))
}

// create writes a file that is not there yet, of the mode and the owner of another one.
func create(name, like string, content []byte) (err error) {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = own(file, info)
	}
	if err == nil {
		err = file.Chmod(info.Mode().Perm())
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, fs.ErrInvalid) {
		err = nil // not every file system can
	}
	return errors.Join(err, folder.Close())
}
