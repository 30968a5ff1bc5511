// Package calltouch holds the words of the source: what Calltouch sends and lists, and in what terms
// everybody else speaks of it.
//
// In flow the raw bytes of a hook or of a record of Calltouch's API, with the Site that they are of; out
// flow what they are (Identify, ReadListed: the key, the time, or the reason why they are no event) and,
// from a stored event of any origin, its Fields: one typed vocabulary with the names of Calltouch's
// webhook. The same call has the same names and the same values whether a hook or the calls journal
// brought it, so that a link need not know the difference.
//
// It asks nobody and stores nothing: the rooms below it do. calltouch/api asks Calltouch's API,
// calltouch/hook answers its webhooks, calltouch/poll reads what no hook brought, and all of them
// bring what they have to calltouch/intake. None of them knows Mindbox.
package calltouch
