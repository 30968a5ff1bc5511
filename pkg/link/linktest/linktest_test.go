package linktest_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
)

func TestFilesAreRight(t *testing.T) {
	for name, tt := range map[string]struct {
		file  linktest.File
		links int
	}{
		"zero": {linktest.File{}, 1},
		"full": {linktest.File{
			Site: "key: a-key-of-the-test\ntimezone: Europe/Moscow\n", URL: "http://127.0.0.1:1", To: "secret: a-secret",
			Links:  []linktest.Link{{More: "title: Calls\nwhen: duration > 5", Body: "n.note: ${comment}"}, {ID: "other", Event: "[call.ended, request]", Operation: "Other"}},
			Bottom: "keep: {disk: 1GB}",
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(tt.file.Parse(t).Links); got != tt.links {
				t.Errorf("%d links, want %d", got, tt.links)
			}
			file, problems, err := link.Load(tt.file.Write(t, t.TempDir()), link.Options{})
			if err != nil || len(problems) > 0 || file.Link("calls") == nil || file.Site(linktest.Site) == nil {
				t.Errorf("written: %v %v", problems, err)
			}
		})
	}
}
