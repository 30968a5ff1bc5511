// Package calltouch is the source: what Calltouch sends and lists, and the words in which
// everybody else speaks of it.
//
// In flow webhooks (Handler) and what is read from Calltouch's API; out flow events with the raw
// bytes that came, and, from a stored event of any origin, its Fields: one typed vocabulary with
// the names of Calltouch's webhook. The same call has the same names and the same values
// whether a hook or the calls journal brought it, so that a link need not know the difference.
//
// The package knows neither the queue (it is given a Store) nor Mindbox.
package calltouch
