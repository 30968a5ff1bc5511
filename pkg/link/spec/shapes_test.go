package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// wanted is what a person who knows both sides makes of a specification: want.txt, a line for each field in the order of
// the text, its path, a tab, and its value; "absent" for what Calltouch does not know, nothing for what nobody can know from the text.
type wanted struct {
	kinds                []event.Kind
	operations, endpoint string
	fields               [][2]string
}

func readWanted(t *testing.T, name string) wanted {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var w wanted
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch key {
		case "kinds":
			for one := range strings.SplitSeq(value, ", ") {
				kind, err := event.ParseKind(one)
				if err != nil {
					t.Fatal(err)
				}
				w.kinds = append(w.kinds, kind)
			}
		case "operations":
			w.operations = value
		case "endpoint":
			w.endpoint = value
		default:
			w.fields = append(w.fields, [2]string{key, value})
		}
	}
	return w
}

// In each shape nine of ten fields get the right value, or the right candidate first, and no wrong one is called sure.
func TestEachShapeIsReadAndProposedFor(t *testing.T) {
	folders, err := filepath.Glob("testdata/shapes/*")
	if err != nil || len(folders) < 12 {
		t.Fatalf("%d shapes, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, "spec.txt"))
			if err != nil {
				t.Fatal(err)
			}
			want := readWanted(t, filepath.Join(folder, "want.txt"))
			s := spec.Read(string(text), lang.English)
			if got := strings.Join(s.Operations, ", "); got != want.operations || s.Endpoint != want.endpoint {
				t.Errorf("operations %q, endpoint %q, want %q, %q", got, s.Endpoint, want.operations, want.endpoint)
			}
			weigh(t, s.Propose(spec.Context{Kinds: want.kinds}), want.fields)
		})
	}
}

func weigh(t *testing.T, got []spec.Proposal, want [][2]string) {
	t.Helper()
	right := 0
	for i, w := range want {
		if i >= len(got) || got[i].Path != w[0] {
			t.Fatalf("field %d is not %s: %v", i, w[0], got)
		}
		p := got[i]
		value := p.Value
		if p.Certainty == spec.Absent {
			value = "absent"
		}
		switch {
		case value == w[1]:
			right++
		case p.Certainty != spec.Unsure:
			t.Errorf("%s is said to be %s for certain, and is %s", p.Path, value, w[1])
		default:
			t.Logf("%s: %v, want %s", p.Path, p.Candidates, w[1])
		}
	}
	if len(got) != len(want) || 10*right < 9*len(want) {
		t.Errorf("%d of %d fields right, %d read", right, len(want), len(got))
	}
}

// Words for a field that stand in quotes without any mark are heard beside a remark, with the form of a time in them; an example is not.
func TestPlainWordsAreHeardBesideARemark(t *testing.T) {
	s := spec.Read(`{"customer": {
  "mobilePhone": "Мобильный телефон",  // в любом формате, мы сами приведём
  "fullName": "Иванова Анна"  // как в кабинете
 }, "customerAction": {"customFields": {
  "callDate": "Дата звонка в формате ДД.ММ.ГГГГ ЧЧ:ММ"  // по Москве
}}}`, lang.Russian)
	p := s.Propose(spec.Context{Kinds: []event.Kind{event.CallEnded}})
	if p[0].Value != "${phone(callerphone)}" || p[0].Certainty != spec.Sure {
		t.Errorf("the phone is %+v", p[0])
	}
	if strings.Contains(strings.Join(p[1].Said, " "), "Анна") {
		t.Errorf("somebody's name is taken for words about a field: %+v", p[1])
	}
	if p[2].Value != `${local(time, "dd.MM.yyyy HH:mm")}` || p[2].Certainty != spec.Sure {
		t.Errorf("the date is %+v", p[2])
	}
}
