package hook_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
)

func TestHooksOfAnotherAttributionAreCountedAndNamedOnce(t *testing.T) {
	tests := []struct {
		name, file, hook string
		want             bool
	}{
		{"the same", calltouch.LastNonDirect, "&attribution=1", false},
		{"another", calltouch.LastNonDirect, "&attribution=0", true},
		{"another the other way round", calltouch.Last, "&attribution=1", true},
		{"it does not say", calltouch.Last, "", false},
		{"nobody compares", "", "&attribution=0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			counted := 0
			h := hook.NewHandler(hook.Config{
				Sites: []calltouch.Site{{ID: "10001", HookKeys: func() []string { return []string{"right-key"} }, Attribution: tt.file}},
				Store: &shelf{}, Log: zerolog.New(&log),
				Observe: func(o intake.Observation) {
					if o.Attribution {
						counted++
					}
				},
			})
			for range 3 {
				r := httptest.NewRequest(http.MethodPost, "/calltouch/10001/right-key", strings.NewReader(endedCall+tt.hook))
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			if counted > 0 != tt.want || tt.want && counted != 3 {
				t.Errorf("%d of 3 hooks were counted", counted)
			}
			if warned := strings.Count(log.String(), "another model"); warned > 1 || warned == 1 != tt.want {
				t.Errorf("warned %d times", warned)
			}
		})
	}
}
