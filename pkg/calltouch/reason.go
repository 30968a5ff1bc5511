package calltouch

// Reason says why something was set aside; also a metric's label and a token of a subject.
type Reason string

// All reasons.
const (
	AsidePing       Reason = "ping"       // Calltouch's test, with unfilled {placeholders}
	AsideEmpty      Reason = "empty"      // no parameter with a value
	AsideOtherLead  Reason = "other_lead" // a deal, a chat, or what else is neither call nor request
	AsideNoID       Reason = "no_id"      // neither id nor requestId: they are not ticked in Calltouch
	AsideOtherSite  Reason = "other_site" // its siteId is not the one of the address
	AsideBadID      Reason = "bad_id"     // an id that cannot be one
	AsideUnreadable Reason = "unreadable" // neither a form nor JSON, broken, or several hooks in one
	AsideTooLarge   Reason = "too_large"  // a record that the queue cannot take; its beginning is kept
	AsideCollision  Reason = "collision"  // another call is stored under this id
	AsideUnpolled   Reason = "unpolled"   // a form request's hook that waits for its polled record
)

// Reasons lists every reason for which something counts as set aside: what is unpolled does not.
var Reasons = []Reason{
	AsidePing, AsideEmpty, AsideOtherLead, AsideNoID, AsideOtherSite, AsideBadID, AsideUnreadable, AsideTooLarge,
	AsideCollision,
}

// Trouble is a setting, in Calltouch or in the file, that a request to the webhook address shows
// to be wrong. It comes with each hook: who hears of it counts and says it once in a while.
type Trouble struct {
	Site   string // Calltouch's siteId as the address has it; "" when that cannot be one
	Reason TroubleReason
	Detail string // what is right, where that can be told; never what a stranger chose
}

// TroubleReason is one word of a closed list.
type TroubleReason string

// All reasons of a Trouble.
const (
	TroubleKey      TroubleReason = "wrong_key"    // the site is in the file, the key in the address is not its own
	TroubleNoKey    TroubleReason = "no_key"       // the site is in the file without a key
	TroubleSite     TroubleReason = "unknown_site" // no such site is in the file
	TroubleNetwork  TroubleReason = "network"      // the right key, from a network that is not allowed
	TroubleTimezone TroubleReason = "timezone"     // calltime and timestamp differ by whole hours; Detail is the offset of calltime
)
