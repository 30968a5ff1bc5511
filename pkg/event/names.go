package event

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Names of the streams and of the bucket.
const (
	EventsStream      = "TOUCHBOX_EVENTS"
	RetriesStream     = "TOUCHBOX_RETRIES"
	DeadLettersStream = "TOUCHBOX_DEADLETTERS"
	HistoryStream     = "TOUCHBOX_HISTORY"
	AsideStream       = "TOUCHBOX_ASIDE"
	AuditStream       = "TOUCHBOX_AUDIT"
	RestoringStream   = "TOUCHBOX_RESTORING"
	StateBucket       = "touchbox-state"
	StateStream       = "KV_" + StateBucket // the stream under the bucket
)

// Subjects are the subjects of one kind of message: how they begin, up to and with the last dot.
type Subjects string

// All subjects. What stands behind them is a key's Subject, of those of a link the link before it.
const (
	LogSubjects     Subjects = "touchbox.event."
	AtSubjects      Subjects = "touchbox.retry.at."  // of a link
	DueSubjects     Subjects = "touchbox.retry.due." // of a link
	RetrySubjects   Subjects = "touchbox.retry.*."   // of a link; at or due, to look for
	DeadSubjects    Subjects = "touchbox.dead."      // of a link
	HistorySubjects Subjects = "touchbox.history."
	AsideSubjects   Subjects = "touchbox.aside." // behind it a site and a reason
	AuditSubjects   Subjects = "touchbox.audit." // behind it a verb
)

// RestoringSubject is that of RestoringStream, on which nobody publishes.
const RestoringSubject = "touchbox.restoring"

// ForgetSubject carries the word that remembered keys may be erased by now. No stream covers it.
const ForgetSubject = "touchbox.forget"

// HealthSubject carries the question how a process finds the queue. No stream covers it.
const HealthSubject = "touchbox.health"

// Of is the subject that ends with rest.
func (s Subjects) Of(rest string) string { return string(s) + rest }

// OfLink is the subject of a link that ends with rest.
func (s Subjects) OfLink(link, rest string) string { return string(s) + link + "." + rest }

// Match reports whether a subject is one of these.
func (s Subjects) Match(subject string) bool { return strings.HasPrefix(subject, string(s)) }

// Rest is what stands behind the beginning of a subject.
func (s Subjects) Rest(subject string) string { return strings.TrimPrefix(subject, string(s)) }

// LinkAndRest is what stands behind the beginning of a link's subject; false where it has no link.
func (s Subjects) LinkAndRest(subject string) (link, rest string, ok bool) {
	return strings.Cut(s.Rest(subject), ".")
}

// SubjectOf is the subject of the events of one site and kind, all ids: what links read.
func SubjectOf(site string, kind Kind) string {
	return LogSubjects.Of(site + "." + string(kind) + ".*")
}

// SubjectsOf are the subjects of the events of these kinds of one site.
func SubjectsOf(site string, kinds ...Kind) []string {
	subjects := make([]string, 0, len(kinds))
	for _, k := range kinds {
		subjects = append(subjects, SubjectOf(site, k))
	}
	return subjects
}

// SiteAndKind is the inverse of SubjectOf; false where a subject is none of its.
func SiteAndKind(subject string) (site string, kind Kind, ok bool) {
	words := strings.Split(LogSubjects.Rest(subject), ".")
	if len(words) != 3 || !LogSubjects.Match(subject) {
		return "", "", false
	}
	return words[0], Kind(words[1]), true
}

// SubjectsText writes subjects as people say them: 10001 call.ended, 10001 request.
func SubjectsText(subjects []string) string {
	words := make([]string, len(subjects))
	for i, s := range subjects {
		words[i] = s
		if site, kind, ok := SiteAndKind(s); ok {
			words[i] = site + " " + kind.Dotted()
		}
	}
	return strings.Join(words, ", ")
}

// Names of the headers of Touchbox, see the package's comment.
const (
	HeaderFormat   = "Touchbox-Format"
	HeaderOrigin   = "Touchbox-Origin"
	HeaderQuery    = "Touchbox-Query"
	HeaderReceived = "Touchbox-Received"
	HeaderKey      = "Touchbox-Key"
	HeaderContent  = "content-type"

	HeaderLink     = "Touchbox-Link"
	headerSequence = "Touchbox-Event-Sequence"
	headerStored   = "Touchbox-Event-Stored"
	headerAttempts = "Touchbox-Attempts"
	headerFirst    = "Touchbox-First"
	headerReason   = "Touchbox-Reason"
	headerStatus   = "Touchbox-Status"
	headerAnswer   = "Touchbox-Answer"
	headerRevision = "Touchbox-Revision"
	headerAs       = "Touchbox-As"
	headerReplayed = "Touchbox-Replayed"
	headerVersion  = "Touchbox-Version"

	headerPinned          = "Touchbox-Pinned"
	headerPinnedEndpoint  = "Touchbox-Pinned-Endpoint"
	headerPinnedOperation = "Touchbox-Pinned-Operation"
	headerPinnedRevision  = "Touchbox-Pinned-Revision"

	HeaderUntil   = "Touchbox-Until"
	HeaderDied    = "Touchbox-Died"
	HeaderLetter  = "Touchbox-Letter"
	HeaderCut     = "Touchbox-Cut"
	HeaderErased  = "Touchbox-Erased"
	HeaderTakenBy = "Touchbox-Taken-By"
	HeaderOutcome = "Touchbox-Outcome"
	HeaderSize    = "Touchbox-Size"

	headerSpec   = "ce-specversion"
	headerID     = "ce-id"
	headerSource = "ce-source"
	headerType   = "ce-type"
	headerTime   = "ce-time"
)

// Keys are the keys of STATE of one kind of value: how they begin, up to and with the last dot, as
// a listing takes them.
type Keys string

// All keys of STATE but those that stand alone.
const (
	LinkKeys    Keys = "link."    // of a link
	RemovedKeys Keys = "removed." // of a link that was removed once
	ParkKeys    Keys = "park."    // of a scope, see ParkKey
	LeaseKeys   Keys = "lease."   // of what one process alone does
	VersionKeys Keys = "version." // of a version of a link, by its hash
	WorkerKeys  Keys = "worker."  // of a running worker
	LifeKeys    Keys = "life."    // of how a host's workers lived and ended
	EraseKeys   Keys = "erasing." // of an erasure under way
	JobKeys     Keys = "job."     // of a job, by its id
	AlertKeys   Keys = "alert."   // of an alert, see AlertKey
	CountKeys   Keys = "counts."  // of the counted outcomes of a part of the log
	HourKeys    Keys = "hours."   // of what became of events in an hour, by its number
	TroubleKeys Keys = siteKeys + "trouble."
	SessionKeys Keys = "session." // of who has signed in to the console, by the hash of what the browser holds
	InviteKeys  Keys = "invite."  // of a sign-in link, by the hash of what stands in it
	PreviewKeys Keys = "preview." // of a replay of which somebody was told what it would do, by its hash
)

// The keys that stand alone.
const (
	HorizonKey  = "horizon"  // the moment before which nothing is stored any more
	RetainedKey = "retained" // when retention last ran
	CountedKey  = "counted"  // how far the outcomes are counted
	MadeUpKey   = "madeup"   // the key by which recorded tests get their made-up values
)

// siteKeys begin the keys of what is known of Calltouch.
const siteKeys = "calltouch."

// Of is the key of name.
func (k Keys) Of(name string) string { return string(k) + name }

// Name is the inverse of Of.
func (k Keys) Name(key string) string { return strings.TrimPrefix(key, string(k)) }

// Names of leases.
const (
	LeaseRetention = "retention"         // the one purge
	LeaseCounts    = "counts"            // the one process that counts outcomes
	LeaseBackup    = "backup"            // while a backup runs nothing is moved back
	LeasePoll      = "calltouch.poll"    // the one process that polls
	LeaseCommand   = "calltouch.command" // the one backfill or gaps that runs
)

// LeaseReset is the name of the lease under which a link is reset or removed.
func LeaseReset(link string) string { return "reset-" + link }

// LeaseJob is the name of the lease of a job; "" gives how all of them begin.
func LeaseJob(id string) string { return "job." + id }

// PolledKey is the key of a site's last good poll of form requests.
func PolledKey(site string) string { return siteKeys + site + ".polled" }

// JournalKey is the key of a site's last good reading of the calls journal.
func JournalKey(site string) string { return siteKeys + site + ".calls.polled" }

// SweptKey is the key of a site's last sweep by a method of the API.
func SweptKey(site, method string) string { return siteKeys + site + "." + method + ".swept" }

// BackfillKey is the key of how far a backfill came: the same days and kinds go on from there.
func BackfillKey(site, from, to string, kinds []Kind) string {
	key := siteKeys + site + ".backfill." + from + "." + to
	for _, k := range kinds {
		key += "." + string(k)
	}
	return key
}

// TroubleKey is the key of what requests to a site's address have shown to be wrong.
func TroubleKey(reason, site string) string { return TroubleKeys.Of(reason + "." + site) }

// AlertKey is the key of an alert: a cause, and what it is about, which may be any text.
func AlertKey(cause, subject string) string {
	return AlertKeys.Of(cause + "." + hex.EncodeToString([]byte(subject)))
}

// AlertOf is the inverse of AlertKey.
func AlertOf(key string) (cause, subject string) {
	cause, encoded, _ := strings.Cut(AlertKeys.Name(key), ".")
	raw, _ := hex.DecodeString(encoded)
	return cause, string(raw)
}

// What a park stands for: a link by its id, a destination by its name in the file.
const (
	linkScope     = "link/"
	endpointScope = "endpoint/"
)

// LinkScope is the scope of what holds one link.
func LinkScope(id string) string { return linkScope + id }

// EndpointScope is the scope of what holds every link of a destination.
func EndpointScope(name string) string { return endpointScope + name }

// LinkOf is the link of a scope; false where it is a destination's.
func LinkOf(scope string) (id string, ok bool) { return strings.CutPrefix(scope, linkScope) }

// EndpointOf is the destination of a scope; false where it is a link's.
func EndpointOf(scope string) (name string, ok bool) { return strings.CutPrefix(scope, endpointScope) }

// ParkKey is the key of a scope, as one word: what a key cannot hold becomes "=" and two digits.
func ParkKey(scope string) string {
	var b strings.Builder
	b.WriteString(string(ParkKeys))
	for i := range len(scope) {
		if c := scope[i]; inKey(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	return b.String()
}

// inKey reports whether a byte of a scope stands for itself in a key.
func inKey(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/'
}

// ScopeOf is the inverse of ParkKey.
func ScopeOf(key string) string {
	rest := ParkKeys.Name(key)
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		if rest[i] == '=' && i+2 < len(rest) {
			if c, err := hex.DecodeString(rest[i+1 : i+3]); err == nil {
				b.Write(c)
				i += 2
				continue
			}
		}
		b.WriteByte(rest[i])
	}
	return b.String()
}
