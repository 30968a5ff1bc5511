package earlier_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/highwayhash"
)

// pack writes the files below dir into an archive.
func pack(dir, archive string) error {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w := tar.NewWriter(z)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		err = w.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(data))})
		_, more := w.Write(data)
		return errors.Join(err, more)
	})
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(archive, b.Bytes(), 0o600)
}

// unpack is the inverse of pack.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		data, err := io.ReadAll(r)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			return err
		}
	}
}

// freshen makes a store as young as it was when it was packed: the messages of ASIDE, which holds a week, and of STATE, where a park
// lives for an hour after the last word of a worker, would be gone by the time of the test. Their own contents stay as they are, and so
// do all other streams, which the file of the store keeps for a hundred years.
func freshen(dir string) error {
	streams := []string{"TOUCHBOX_ASIDE", "KV_touchbox-state"}
	var newest int64
	for _, s := range streams {
		if err := rewrite(dir, s, func(r *record) { newest = max(newest, r.time) }); err != nil {
			return err
		}
	}
	by := time.Now().UnixNano() - newest
	for _, s := range streams {
		if err := rewrite(dir, s, func(r *record) { r.time += by }); err != nil {
			return err
		}
	}
	return nil
}

// postpone puts off what waits, and what is told of for a day only, to a time that no test comes to: the year becomes 2096 in the
// schedules of the retries and in the last time of the troubles.
func postpone(dir string) error {
	schedule := regexp.MustCompile(`(Nats-Schedule: ?@at |Touchbox-Until: ?)20\d\d-`)
	last := regexp.MustCompile(`("last":")20\d\d-`)
	return errors.Join(
		rewrite(dir, "TOUCHBOX_RETRIES", func(r *record) { r.content = schedule.ReplaceAll(r.content, []byte("${1}2096-")) }),
		rewrite(dir, "KV_touchbox-state", func(r *record) {
			if strings.Contains(r.subject, ".calltouch.trouble.") {
				r.content = last.ReplaceAll(r.content, []byte("${1}2096-"))
			}
		}),
	)
}

// record is one message as it stands in a file of a stream.
type record struct {
	subject string
	time    int64
	content []byte // headers and body; as long as it was
}

// Of nats-server's file format (filestore.go): length, sequence, time, length of the subject, subject, with headers their length, headers
// and body, checksum. The checksum leaves the lengths out.
const (
	recordHead = 22
	recordSum  = 8
	withHeader = 1 << 31
)

// rewrite changes the messages of a stream, and removes its indexes, which the server then makes anew.
func rewrite(dir, stream string, change func(*record)) error {
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream, "msgs", "*"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("stream %s: no files: %w", stream, err)
	}
	for _, file := range files {
		block, isBlock := strings.CutSuffix(filepath.Base(file), ".blk")
		if !isBlock {
			err = os.Remove(file)
		} else {
			err = rewriteBlock(file, stream+"-"+block, change)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func rewriteBlock(file, name string, change func(*record)) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	key := sha256.Sum256([]byte(name))
	for rest := data; len(rest) > 0; {
		if len(rest) < recordHead+recordSum {
			return errors.New("the file ends in a record")
		}
		length := binary.LittleEndian.Uint32(rest)
		subject := int(binary.LittleEndian.Uint16(rest[20:]))
		content := recordHead + subject
		if length&withHeader != 0 {
			content += 4
		}
		length &^= withHeader
		if int(length) > len(rest) || content > int(length)-recordSum {
			return errors.New("that is no record")
		}
		one := rest[:length]
		rest = rest[length:]
		end := len(one) - recordSum
		sum := func() []byte {
			hash, _ := highwayhash.New64(key[:])
			for _, part := range [][]byte{one[4:20], one[recordHead : recordHead+subject], one[content:end]} {
				_, _ = hash.Write(part)
			}
			return hash.Sum(nil)
		}
		if !slices.Equal(sum(), one[end:]) {
			return errors.New("the format of the records is another one: the checksum is not right")
		}
		r := record{string(one[recordHead : recordHead+subject]), int64(binary.LittleEndian.Uint64(one[12:])), slices.Clone(one[content:end])}
		if change(&r); len(r.content) != end-content {
			return errors.New("a message got another length")
		}
		binary.LittleEndian.PutUint64(one[12:], uint64(r.time))
		copy(one[content:end], r.content)
		copy(one[end:], sum())
	}
	return os.WriteFile(file, data, 0o600)
}

// newInstallation unpacks the store and puts the file beside it, with these addresses in the place of those that it was made with.
func newInstallation(t *testing.T, binary string, addresses ...string) *installation {
	t.Helper()
	i := &installation{t: t, dir: t.TempDir(), binary: binary}
	data := filepath.Join(i.dir, "data")
	if err := errors.Join(unpack("testdata/store.tar.gz", data), freshen(data)); err != nil {
		t.Fatal(err)
	}
	i.configure("touchbox.yaml", addresses...)
	return i
}

func (i *installation) configure(file string, addresses ...string) {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		i.t.Fatal(err)
	}
	text = []byte(strings.NewReplacer(addresses...).Replace(string(text)))
	if err := os.WriteFile(filepath.Join(i.dir, "touchbox.yaml"), text, 0o600); err != nil {
		i.t.Fatal(err)
	}
}
