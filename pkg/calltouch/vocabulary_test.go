package calltouch_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestVocabulary(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range calltouch.Vocabulary() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if f.English == "" || f.Russian == "" || f.Type == "" || f.Origins == 0 || len(f.Kinds) == 0 {
			t.Errorf("%s is not complete: %+v", f.Name, f)
		}
		if strings.Trim(f.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
			t.Errorf("%s cannot be written in an expression", f.Name)
		}
		if f.Values != nil && f.Type != calltouch.Text {
			t.Errorf("%s has a list of values and is no text", f.Name)
		}
		if got, ok := calltouch.Lookup(f.Name); !ok || got.Russian != f.Russian {
			t.Errorf("Lookup(%s) = %v, %v", f.Name, got, ok)
		}
	}
	if _, ok := calltouch.Lookup("sesionId"); ok {
		t.Error("Lookup finds a name that is none")
	}
	for _, name := range []string{"callerphone", "fio", "email", "comment", "lastName", "firstName", "middleName", "ip", "reclink"} {
		if f, _ := calltouch.Lookup(name); !f.Personal {
			t.Errorf("%s is not personal", name)
		}
	}
}

// Each closed value of a hook's field comes through as it is.
func TestClosedValuesComeThrough(t *testing.T) {
	for _, f := range calltouch.Vocabulary() {
		for _, value := range f.Values {
			if f.Derived {
				continue
			}
			got := mustParse(t, hookEvent(event.CallEnded, f.Name+"="+value))[f.Name]
			if got != value {
				t.Errorf("%s=%s came as %v", f.Name, value, got)
			}
		}
	}
}
