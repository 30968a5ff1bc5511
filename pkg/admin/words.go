package admin

import (
	"encoding/json"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue/keep"
)

// What the store, JSON and flags say by a code, a person reads in words: these tables have them in English, with a Russian twin in pkg/lang.
// Outcomes, states of links and ways of coming are English words themselves; lang.Coded says those.

// ReasonWord says why an event waits, was given up, or was set aside. A code that is not known is said as it is, and so in all that follow.
func ReasonWord(code string) string {
	if word, ok := asideWords[code]; ok {
		return word
	}
	return wordOf(reasonWords, code)
}

// NoteWord says what a person or a worker noted in the history.
func NoteWord(code string) string { return wordOf(noteWords, code) }

// VerbWord says what an entry of the audit, or a job, is about.
func VerbWord(code string) string { return wordOf(verbWords, code) }

// JobStateWord says how a job stands: by what Job.Stands says.
func JobStateWord(code string) string { return wordOf(jobStateWords, code) }

// KindWord says what an event is, by its kind in either spelling.
func KindWord(code string) string {
	kind, err := event.ParseKind(code)
	if err != nil {
		return code
	}
	return kindWords[kind]
}

var kindWords = map[event.Kind]string{event.CallStarted: "Call begun", event.CallEnded: "Call ended", event.Request: "Form request"}

// WhyWord says why an event is not sent, or what is known of an id: a reason, a Why or a Known. A condition and a field stay as they are.
func WhyWord(code string) string {
	if word, ok := whyWords[code]; ok {
		return word
	}
	return ReasonWord(code)
}

func wordOf(table map[string]string, code string) string {
	if word, ok := table[code]; ok {
		return word
	}
	return code
}

var verbWords = map[string]string{
	VerbLinkStop: "stopped a link", VerbLinkStart: "started a link", VerbLinkReset: "brought a link to the file", VerbLinkRemove: "removed a link",
	VerbRetriesNow: "tried at once what waits", VerbRetriesCancel: "gave up what waits", VerbRetriesBack: "put back what was lost", VerbReplay: "sent again",
	VerbDrop: "dropped for good", VerbAsideTake: "took what was set aside", VerbBackfill: "fetched past days", VerbErase: "erased a person",
	VerbReveal: "looked at personal data", VerbFindPhone: "looked for a phone", VerbSend: "sent one request", VerbExport: "took a list away",
	VerbBackup: "made a copy", VerbRestore: "restored a copy", VerbJobStop: "stopped a job", VerbJobContinue: "let a job go on",
	VerbSignIn: "signed in", VerbSignOut: "signed out", VerbSignInRefused: "a wrong key", VerbRevealRefused: "may not see personal data", VerbSessionEnd: "ended sessions of somebody",
}

var noteWords = map[string]string{
	NoteReplayed: "sent again by a person", NoteRunNow: "tried at once by a person", NoteCancelled: "given up by a person", NoteDropped: "dropped by a person",
	"repeated": "came once more", keep.NoteRestored: "put back by a person",
}

// reasonWords are why an event waits, died or was filtered, all of it: see Reasons.
var reasonWords = map[string]string{
	"accepted": "accepted by Mindbox", "already_processed": "Mindbox knew it already", "validation_error": "Mindbox refuses the data",
	"protocol_error": "Mindbox refuses the request", "unclear_answer": "an answer that says nothing", "unknown_status": "a status that nobody knows",
	"redirect": "a redirect", "not_mindbox": "something in front of Mindbox refuses", "credentials_missing": "Mindbox got no key",
	"credentials_refused": "Mindbox refuses the key", "not_found": "the address is wrong", "request_timeout": "Mindbox gave up waiting",
	"conflict": "Mindbox reports a conflict", "client_error": "Mindbox refuses it for good", "too_many_requests": "too many requests",
	"server_error": "Mindbox has a trouble of its own", "timeout": "no answer in time", "name": "the host's name does not resolve",
	"connect": "nobody answers at the address", "tls": "the certificate is not trusted", "connection": "the connection broke",
	"unreadable": "the body cannot be read", "expression": "an expression of the link failed", "condition": "a condition does not hold",
	"missing": "a required field came out empty", "expired": "too old for the link", "too_old": "tried for too long",
	"parked": "paused: waiting for Mindbox", "crashed": "the process ended at it again and again", "unknown": "its site or link is not in the file",
	"damaged": "damaged in the store", "panic": "handling it failed", "too_large": "too large", "cancelled": "given up by a person",
	"outage": "Mindbox does not answer", "refusals": "Mindbox refuses one after another", "link_removed": "its link was removed", "retry_lost": "its retry was lost",
	"disk_full": "the disk was full", "interrupted": "interrupted: this process stopped", "unknown_code": "a code that HTTP does not have",
}

// asideWords are why something was set aside, but for what may be said of an event too.
var asideWords = map[string]string{
	"ping": "a test of Calltouch's", "empty": "nothing stood in it", "other_lead": "neither a call nor a form request", "no_id": "no id: it is not ticked in Calltouch",
	"other_site": "of another site", "bad_id": "an id that cannot be one", "collision": "another call has this id", "unpolled": "waits for its record",
}

var jobStateWords = map[string]string{
	string(JobQueued): "in the queue", string(JobRunning): "under way", string(JobStopped): "stopped by a person", string(JobDone): "done", string(JobFailed): "ended with a failure",
	JobInterrupted: "interrupted", JobStopping: "stopping",
}

var whyWords = map[string]string{
	KnownNever: "never came", KnownAside: "set aside", WhyNotRead: "not of its site and kind",
	WhyOlder: "older than its start, or of a backfill", WhyExpired: "later than `expire` allows",
}

// Detail is what of a record's detail is said in words.
type Detail struct {
	Conditions []link.Condition `json:"conditions"`
	Missing    []string         `json:"missing"`
	Changed    []string         `json:"changed"`
	Notes      []string         `json:"notes"`
	Why        string           `json:"why"`
	Error      string           `json:"error"`
	Again      []string         `json:"again"`
	ErrorID    string           `json:"error_id"`
	Pinned     *event.Pin       `json:"pinned"`
	Cut        int              `json:"cut"`
}

// ReadDetail reads the detail of a record; rest is what it holds besides, by its names, nil where that is nothing.
func ReadDetail(raw json.RawMessage) (d Detail, rest map[string]json.RawMessage) {
	if len(raw) == 0 || json.Unmarshal(raw, &rest) != nil {
		return Detail{}, nil
	}
	if json.Unmarshal(raw, &d) != nil {
		return Detail{}, rest
	}
	for _, known := range []string{"conditions", "missing", "changed", "notes", "why", "error", "again", "error_id", "pinned", "cut"} {
		delete(rest, known)
	}
	return d, rest
}

// Lines say the detail to a person, but for its conditions, in a lang.Language.
func (d Detail) Lines(l interface {
	Sprintf(format string, a ...any) string
	Text(english string) string
}) []string {
	var lines []string
	add := func(ok bool, text string) {
		if ok {
			lines = append(lines, text)
		}
	}
	add(len(d.Missing) > 0, l.Sprintf("nothing came for %s", strings.Join(d.Missing, ", ")))
	add(len(d.Changed) > 0, l.Sprintf("changed: %s", strings.Join(d.Changed, ", ")))
	for _, path := range d.Notes {
		add(true, l.Sprintf("%s is longer or larger than Mindbox takes", path))
	}
	add(d.Why != "", d.Why)
	add(d.Error != "", d.Error)
	for _, reason := range d.Again {
		add(true, l.Sprintf("asked once more within a second, because of: %s", l.Text(ReasonWord(reason))))
	}
	add(d.ErrorID != "", l.Sprintf("Mindbox's id of the error: %s", d.ErrorID))
	if d.Pinned != nil {
		add(true, l.Sprintf("keeps %s / %s: an attempt may have been executed", d.Pinned.Endpoint, d.Pinned.Operation))
	}
	add(d.Cut > 0, l.Sprintf("left out, because it was too much: %d", d.Cut))
	return lines
}

// What Job.Stands says besides the states that are stored.
const (
	JobInterrupted = "interrupted"
	JobStopping    = "stopping"
)

// Stands is the job's state, or "interrupted" where its process ended, or "stopping" where it has been asked to stop.
func (j Job) Stands() string {
	switch {
	case j.Interrupted:
		return JobInterrupted
	case j.Stop:
		return JobStopping
	}
	return string(j.State)
}

// ReasonHints say what a person does about a cause.
var ReasonHints = map[string]string{
	"validation_error": "Mend the field that the answer names in the link's body, then send them again.",
	"protocol_error":   "Mend the operation, the endpoint or the field that the answer names, then send them again.",
	"client_error":     "Mend what the answer names, then send them again.",
	"conflict":         "Look at what the answer says; sending again may do.",
	"expression":       "An expression of the link met a value that it cannot use: mend it, then send them again.",
	"too_old":          "Mindbox did not take them for as long as they were tried: once it does, send them again.",
	"expired":          "They were older than the link's expire allows: send them again only if that is wanted.",
	"unreadable":       "What came is no webhook and no record; the event's page shows what can be read.",
	"unknown":          "Their site or link is not in the file: put it back, or name the link that does its work now (`touchbox replay --as`).",
	"cancelled":        "A person has given them up; they can be sent again.",
	"crashed":          "The process ended at them again and again: tell the makers of Touchbox.",
	"panic":            "Handling them failed: tell the makers of Touchbox.",
	"missing":          "A field that require names came out empty: let it come from Calltouch, or take it out of require; then send them again.",

	// Of links that are parked.
	"credentials_missing": "Set the endpoint's secret in the file.",
	"credentials_refused": "Put the endpoint's secret in the file right, or let Mindbox allow it this operation.",
	"not_found":           "Put the address of Mindbox in the file right.",
	"refusals":            "Mend what the answer names in the link or in Mindbox.",
	"redirect":            "Put the address of Mindbox in the file right, or see what in the network answers in its place.",
	"not_mindbox":         "See what stands between Touchbox and Mindbox and refuses: a proxy, or a guard against bots.",
}

// FieldMeaning is calltouch.Meaning, for the console, which does not know Calltouch.
func FieldMeaning(name, language string) string { return calltouch.Meaning(name, language) }
