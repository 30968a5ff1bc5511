// Package defaults holds the values that more than one room falls back to: touchbox.yaml where a key is left out
// (pkg/link/keys), and the libraries where a field of their configuration is zero. What the file alone knows stands in
// its table. Nothing flows through this package, and it decides nothing.
package defaults

import "time"

const day = 24 * time.Hour

// Of a site of Calltouch.
const (
	API           = "https://api.calltouch.ru" // where Calltouch serves its API
	Device        = "mindboxDeviceUUID"        // the attribute that holds Mindbox's device id
	RequestsEvery = time.Minute                // between two polls of form requests
	JournalEvery  = 15 * time.Minute           // between two readings of the journal of calls
	Sweep         = 10 * day                   // how far back the daily sweep reads, of both
)

// Of Mindbox.
const (
	Timeout = 30 * time.Second // of one attempt; see mindbox.DefaultTimeout
)

// Of the queue: how long and how much is kept.
const (
	Events      = 30 * day
	DeadLetters = 90 * day
	Audit       = 365 * day
	Disk        = 10_000_000_000 // bytes of events
)
