// Package hook is the webhook address: the HTTP server, bounded against strangers, and the Handler that
// answers Calltouch's hooks.
//
// In flow HTTP requests; out flow raw events to a store, each before its 200, and an Observation of
// every request. A wrong key, a network that is not allowed, and all that shows a setting to be wrong
// is told as a Trouble.
//
// It reads of a hook only what it needs to name it, and polls nothing: the hook of a form request that
// waits for its record is handed to whoever polls.
package hook
