// Package api is the client of Calltouch's API: it asks for one day of calls or form requests of one
// site, and hands on the records of the answer one by one, as they stream in.
//
// In flow a Client's questions; out flow calltouch.Listed records, or an *Error that says whether it
// makes sense to ask again, and when. A Limiter keeps all clients of a process within what Calltouch
// takes from one address.
//
// It asks once: what to do about an error, and what becomes of a record, is the caller's affair.
package api
