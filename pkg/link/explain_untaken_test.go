package link_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
)

func TestExplainKnowsWhatTheLinkDoesNotRead(t *testing.T) {
	l := design(t).Links[0]
	tests := []struct {
		name   string
		fields map[string]any
		want   bool // untaken
	}{
		{"its own kind", map[string]any{"kind": "call.ended", "siteId": "10001"}, false},
		{"another kind", map[string]any{"kind": "request", "siteId": "10001"}, true},
		{"another site", map[string]any{"kind": "call.ended", "siteId": "10002"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := l.Explain(tt.fields, false).Outcome; (got == event.Untaken) != tt.want {
				t.Errorf("outcome %s", got)
			}
		})
	}
}
