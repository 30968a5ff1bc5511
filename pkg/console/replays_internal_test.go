package console

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

// Whatever a preview has found, its page says what that is, advises what helps, and counts no more than is known.
func TestAPreviewSaysWhatItHasFound(t *testing.T) {
	const nothing, change, none, looked = "Nothing would be sent.", "change the link first", "None of those that were looked at", "Looked at:"
	c := New(Options{Admin: func() admin.Admin { return admin.Admin{} }, Zone: func() *time.Location { return time.UTC }})
	group := func(text string, n int) []replayGroup { return []replayGroup{{Word: word{Text: text}, Count: n}} }
	for name, tt := range map[string]struct {
		view        replayView
		says, lacks []string
	}{
		"nothing is found": {replayView{}, []string{"Found: 0.", nothing}, []string{change, none, looked, "<form"}},
		"none goes": {
			replayView{Total: 3, Looked: 3, Groups: group("data is missing", 3), Links: []admin.LinkTrial{{Link: "calls", After: admin.Counts{Undeliverable: 3}}}},
			[]string{"Found: 3.", change, "<button>Send 3 again"}, []string{nothing, none, looked, "In what they differ"},
		},
		"all are under way": {
			replayView{Total: 3, Looked: 3, Groups: group("are under way already and passed over", 3)},
			[]string{"Found: 3.", nothing}, []string{change, none, looked},
		},
		"at most so many, and none of those that were picked": {
			replayView{Total: 9000, AtMost: true}, []string{"Found: at most 9000", none, "<button>Send them again"}, []string{nothing, change, looked, "Send 9000 again"},
		},
		"at most so many, and some of those that were picked go": {
			replayView{Total: 9000, AtMost: true, Looked: 20, Goes: true, Groups: group("would be sent", 20), Links: []admin.LinkTrial{{Link: "calls", After: admin.Counts{Delivered: 20}}}},
			[]string{"Found: at most 9000", "Looked at: 20", `class="main">Send them again`}, []string{nothing, change, none},
		},
		"all go": {
			replayView{Total: 3, Looked: 3, Goes: true, Groups: group("would be sent", 3), Links: []admin.LinkTrial{{Link: "calls", After: admin.Counts{Delivered: 3}}}},
			[]string{"Found: 3.", `class="main">Send 3 again`, "In what they differ"}, []string{nothing, change, none, looked},
		},
	} {
		w := httptest.NewRecorder()
		v := &visit{c: c, w: w, r: httptest.NewRequest("GET", "/replays/new", nil), lang: lang.English}
		v.show(page{Name: "replay", View: tt.view})
		body := strings.ReplaceAll(w.Body.String(), "\u00a0", " ")
		for _, want := range tt.says {
			if !strings.Contains(body, want) {
				t.Errorf("%s: it lacks %q: %s", name, want, body)
			}
		}
		for _, no := range tt.lacks {
			if strings.Contains(body, no) {
				t.Errorf("%s: it has %q", name, no)
			}
		}
	}
}
