// Package link is what a person configures: touchbox.yaml, read strictly, and the links in it.
//
// A link (связка) says which events of a Calltouch site go to which Mindbox operation. Filter
// decides whether an event passes, Render makes the request's parts from it, Explain shows both.
// What flows in are the fields of one event in Calltouch's vocabulary; what flows out is JSON for
// Mindbox. The package neither sends nor stores anything, and knows the source only by its
// vocabulary.
package link
