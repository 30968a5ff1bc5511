package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// open are the fields whose name leaves open what is to be sent: a word or a yes, in which form a time.
var open = []string{"calltime", "requestDate", "targetcall", "uniqtargetcall", "callback", "worktime", "targetrequest", "uniqtargetrequest", "uniquerequest", "time"}

// TestEachNameOfTheVocabularyIsKnown takes each name of docs/vocabulary.md and .ru.md for a placeholder, word for word.
func TestEachNameOfTheVocabularyIsKnown(t *testing.T) {
	for _, f := range calltouch.Vocabulary() {
		if f.Type == calltouch.Attributes { // they are sent one by one
			continue
		}
		for _, name := range []string{f.Russian, f.English} {
			for _, kind := range f.Kinds[:1] {
				text := fmt.Sprintf(`{"customerAction": {"customFields": {"x1": "<%s>"}}}`, name)
				p := spec.Read(text, lang.English).Propose(spec.Context{Kinds: []event.Kind{kind}})[0]
				isOpen := false
				for _, one := range open {
					isOpen = isOpen || one == f.Name
				}
				switch {
				case p.Certainty == spec.Sure && !strings.Contains(p.Value, f.Name):
					t.Errorf("%s: <%s> of %s is taken for %s", f.Name, name, kind, p.Value)
				case p.Certainty == spec.Absent, p.Certainty == spec.Unsure && !isOpen:
					t.Errorf("%s: <%s> of %s is not known: %s %+v", f.Name, name, kind, p.Certainty, p.Candidates)
				case p.Certainty == spec.Unsure && p.Candidates[0].Field != f.Name:
					t.Errorf("%s: <%s> of %s is first taken for %+v", f.Name, name, kind, p.Candidates)
				}
			}
		}
	}
}
