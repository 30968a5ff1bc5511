// Package event holds what every part of Touchbox shares: one fact from Calltouch on its way, its
// key, the words for what became of it, and the names under which all of it is stored.
//
// An event in the queue is a CloudEvents 1.0 message in binary mode: the attributes are headers
// (ce-id, ce-source, ...), the data are the bytes that Calltouch sent, untouched, with their own
// content type. Touchbox's own headers begin with "Touchbox-". The package knows nothing of the
// fields inside the body, of NATS or of Mindbox.
//
// What is stored, where, by whom and for how long stands below. Every name is made by a constant or
// a method of this package; no other package spells one.
//
// # Streams and subjects
//
// SITE, KIND and ID are the three words of a key (Key.Subject), LINK is the id of a link.
//
//	TOUCHBOX_EVENTS       the log, one message an event; until retention purges it (keep.events, keep.disk)
//	  touchbox.event.SITE.KIND.ID             the raw event; ingest. Or its tombstone; an erasure
//	TOUCHBOX_RETRIES      what a link is to try again; until the worker has settled it
//	  touchbox.retry.at.LINK.SITE.KIND.ID     the event and its Label, scheduled; worker
//	  touchbox.retry.due.LINK.SITE.KIND.ID    the same, due; the server by schedule, replays, `retries --now`
//	TOUCHBOX_DEADLETTERS  what a link gave up; until it is replayed, dropped, or keep.deadletters old
//	  touchbox.dead.LINK.SITE.KIND.ID         the event and its Label; worker, `retries --cancel`, `links remove`
//	TOUCHBOX_HISTORY      one record of JSON an outcome, an attempt or a note; purged with the event, by keep.history
//	  touchbox.history.SITE.KIND.ID           queue.Record; whoever settles, and commands that change something
//	TOUCHBOX_ASIDE        what came and is no event; a week
//	  touchbox.aside.SITE.REASON              the raw request or record; ingest. SITE is "none" where it is unknown
//	TOUCHBOX_AUDIT        one entry of JSON for what a person changed, or saw unmasked; keep.audit
//	  touchbox.audit.VERB                     queue.AuditEntry; commands, the console, and who works off a job
//	TOUCHBOX_RESTORING    empty (touchbox.restoring); exists while a restore is under way
//	KV_touchbox-state     the bucket STATE, see below
//	(no stream)
//	  touchbox.forget                         empty: remembered keys may be erased by now; an erasure, to every process
//	  touchbox.health                         empty: how does every process find the queue? a command, to every process; the answers are JSON
//
// # Headers
//
// The event's own, written by Header and read by Read, unchanged wherever it goes:
//
//	ce-specversion ce-id ce-source ce-type ce-time   CloudEvents' attributes
//	content-type         of the body, as it came
//	Touchbox-Format      version of the stored form; every message has it
//	Touchbox-Key         SITE/KIND/ID
//	Touchbox-Origin      which way it came: webhook, poll, journal, backfill
//	Touchbox-Query       of a POST's URL
//	Touchbox-Received    when it came
//
// What travels with it through a link, in RETRIES and DEADLETTERS: a Label, written by Label.Write
// and read by ReadLabel, from one table (labelHeaders):
//
//	Touchbox-Link             the link
//	Touchbox-Event-Sequence   place of the event in EVENTS
//	Touchbox-Event-Stored     when EVENTS took it
//	Touchbox-Attempts         attempts so far
//	Touchbox-First            the first of them
//	Touchbox-Reason           why it waits or died
//	Touchbox-Status           Mindbox's HTTP status then
//	Touchbox-Answer           Mindbox's words then, masked
//	Touchbox-Pinned           "1": Mindbox may have executed it, as the next three say
//	Touchbox-Pinned-Endpoint, Touchbox-Pinned-Operation, Touchbox-Pinned-Revision
//	Touchbox-Revision         of a replay: name of the correction
//	Touchbox-As               of a replay for a renamed link: the id that the transaction keeps
//	Touchbox-Replayed         "1": a person asked for it
//	Touchbox-Version          hash of the link that decided last
//
// Those of one stream alone, all written by the queue:
//
//	Touchbox-Until       RETRIES: when it is due
//	Touchbox-Letter      RETRIES: of a replay, which dead letter it was
//	Touchbox-Died        DEADLETTERS: when it was given up
//	Touchbox-Cut         DEADLETTERS: "1": too large with its Label, the body is in EVENTS alone
//	Touchbox-Erased      EVENTS: when the person was erased; the message is a tombstone
//	Touchbox-Taken-By    EVENTS: of a tombstone, the links that had taken the event, with commas
//	Touchbox-Outcome     HISTORY: the record's outcome (its link is Touchbox-Link)
//	Touchbox-Size        ASIDE: bytes of the whole, where only the beginning is kept
//
// # Keys of STATE
//
// The bucket holds small JSON values, each for ever unless its life says otherwise.
//
//	key                          value                   writer                        life
//	link.LINK                    queue.LinkState         ingest or worker, the first   until the link is removed
//	                             (start, subjects, ...)  to run it; `links`
//	removed.LINK                 time of the removal     `links remove`                for ever
//	park.SCOPE                   queue.Park              the worker that was refused   until a probe passes, or an
//	                                                                                   hour without a worker
//	lease.NAME                   who, since when         whoever does NAME alone       its time to live, renewed
//	version.HASH                 the link as JSON        worker, before its first      until no record, dead letter
//	                                                     event                         or worker names it
//	worker.ID                    links and versions      worker, every 10 s            30 s
//	life.HOST                    how its workers lived   worker                        for ever
//	                             and ended
//	horizon                      arrival of the newest   retention                     for ever
//	                             purged event
//	retained                     time of the last run    retention                     for ever
//	counts.NUMBER                outcomes of a part of the    worker, the one that         until its events are purged
//	                             log, by link                 counts
//	counted                      how far that has come        the same                     for ever
//	hours.NUMBER                 records of an hour, by link  the same                     31 days, then the next
//	                             and outcome                                               hour with its number
//	job.ID                       admin.Job                    who asks for it, and who works   30 days after its end
//	                                                     it off, once a second
//	madeup                       key of the made-up      `test record`, the first      for ever
//	                             values in tests
//	erasing.UUID                 since when              an erasure that removes       until it ends
//	alert.CAUSE.SUBJECT          the alert               whoever sees the cause        for ever: over is a value too
//	session.HASH                 who has signed in         the console                     its time to live, renewed
//	invite.HASH                  whom a link signs in      `up`, `demo`, `console`         10 minutes, or until it is used
//	preview.HASH                 what a replay would work  the console                     10 minutes, or until it is
//	                             at                                                        asked for
//	calltouch.SITE.polled        mark: last poll of      the poller                    for ever
//	                             form requests
//	calltouch.SITE.calls.polled  mark: of the journal    the poller                    for ever
//	calltouch.SITE.METHOD.swept  mark: of a sweep        the poller                    for ever
//	calltouch.SITE.backfill.FROM.TO.KIND...              `backfill`                    until it has ended
//	                             how far it came
//	calltouch.trouble.REASON.SITE                        ingest                        a day after its last request
//	                             watch.Trouble
//
// SCOPE says what a park stands for: link/LINK or endpoint/NAME, see LinkScope. NAME of a lease is
// one of those at LeaseRetention and below it.
package event
