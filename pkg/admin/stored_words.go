package admin

import (
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// speaker says things in a language: lang.Language, which this package does not know.
type speaker interface {
	Sprintf(format string, args ...any) string
	Text(format string) string
	Said(text string) string
}

// Words says to a person what the audit and jobs store in English words and codes.
type Words struct {
	Speaker speaker
	When    func(time.Time) string // as the person reads a moment
}

// onWords are the words before a value in what FilterText, Selection.Text and the like write.
var onWords = map[string]string{
	"event": "event %s", "link": "link %s", "site": "site %s", "kind": "kind %s", "reason": "reason %s", "status": "status %s", "since": "since %s",
	"until": "until %s", "cause": "cause %s", "number": "number %s", "job": "job %s", "sessions of": "sessions of %s",
}

// onAlone are those without a value, and the names of lists.
var onAlone = map[string]string{
	"all": "all", "dry run": "dry run", aPerson: aPerson, "events": "events", "deadletters": "what was not delivered", "retries": "what waits", "aside": "what was set aside",
	"fields": "fields", "causes": "causes", "audit": "the audit",
}

// byWords are the words for what people act by.
var byWords = map[string]string{ByCLI: "a command on %s", ByConsole: "the console, %s", ByAPI: "the API, %s"}

// On is what an entry of the audit, or a job, is about: what it selects, in the person's language. What is not of a form that is written
// here stays as it is, a name of a person among it.
func (w Words) On(on string) string {
	if head, rest, listed := strings.Cut(on, ": "); listed {
		if word, known := onHead(head); known {
			return strings.TrimSuffix(w.Speaker.Text(word)+": "+w.On(rest), ": ")
		}
	}
	parts := strings.Split(on, ", ")
	for i, part := range parts {
		parts[i] = w.part(part)
	}
	return strings.Join(parts, ", ")
}

// onHead is the word for what stands before a colon: an outcome or a list.
func onHead(code string) (string, bool) {
	if slices.Contains(event.Outcomes, event.Outcome(code)) {
		return code, true
	}
	word, known := onAlone[code]
	return word, known
}

// part says one thing of a selection.
func (w Words) part(text string) string {
	if word, alone := onHead(text); alone {
		return w.Speaker.Text(word)
	}
	for name, format := range onWords {
		if value, ok := strings.CutPrefix(text, name+" "); ok {
			return w.Speaker.Sprintf(format, w.value(name, value))
		}
	}
	if outcome, rest, ok := strings.Cut(text, " "); ok && slices.Contains(event.Outcomes, event.Outcome(outcome)) {
		return w.Speaker.Text(outcome) + ", " + w.part(rest)
	}
	if n, ok := strings.CutSuffix(text, " more events"); ok {
		return w.Speaker.Sprintf("%s more events", n)
	}
	if from, to, ok := strings.Cut(text, " to "); ok && isDay(from) && isDay(to) {
		return w.Speaker.Sprintf("from %s to %s", from, to)
	}
	if word, known := verbWords[text]; known { // of the audit itself
		return w.Speaker.Text(word)
	}
	return text
}

// value says a code in words, and a moment as the person reads it.
func (w Words) value(name, value string) string {
	switch name {
	case "kind":
		return strings.ToLower(w.Speaker.Text(KindWord(value)))
	case "reason":
		return w.Speaker.Text(ReasonWord(value))
	case "since", "until":
		if at, err := time.Parse(time.RFC3339, value); err == nil && w.When != nil {
			return w.When(at)
		}
	}
	return value
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// By is by what somebody acted, and from where.
func (w Words) By(by, address string) string {
	format, known := byWords[by]
	if !known {
		return strings.TrimSpace(by + " " + address)
	}
	return strings.TrimRight(w.Speaker.Sprintf(format, address), " ,")
}

// Who is the name of who acted.
func (w Words) Who(name string) string {
	if name == unknownActor {
		return w.Speaker.Text("nobody knows who")
	}
	return name
}

// Problem is why a job failed, or what it waits for.
func (w Words) Problem(j Job) string {
	if j.State != JobFailed || j.Result == nil || len(j.Result.Halted) == 0 {
		return w.Speaker.Said(j.Problem)
	}
	var links []string
	for _, h := range j.Result.Halted {
		links = append(links, h.Link+" ("+w.Speaker.Text(h.State)+")")
	}
	return w.Speaker.Sprintf("left, because nothing goes over the link: %s", strings.Join(links, ", "))
}
