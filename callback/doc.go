// Package callback is the ground floor of ringback: what a callback, a
// response, a call, an attempt, an outage and an alert are, the state machine
// that moves them, as pure functions of values and a time, and the ports that
// the engines, the delivery and the screens meet at.
//
// It imports the standard library only, reads no clock, draws no random
// numbers and does no input or output. Everything else in the repository may
// import it.
//
// A [Callback] is a registered endpoint. A [Response] that is enqueued for it
// becomes a call, whose changing part is an [Entry]. Each change is one method
// of [Step], which is handed the callback's [Live] state and the call's Entry,
// changes both, and says which alerts and outages came of it. An engine stores
// all of that in one atomic commit.
package callback
