// Package api speaks HTTP for ringback: New is the server's side of every
// route, Client the other end of the same wire. Both meet at callback.Service,
// so that a front end cannot tell whether it runs inside the appliance.
//
// A request passes through three layers. The handler checks who may come at
// all (Host, Origin), finds the route in a table, and settles the media type.
// A codec turns the body into a tree of nodes, which binders turn into the
// domain's types, noting every field that is wrong. The action then calls the
// Service and sends a shape, which the codec writes. JSON and XML are codecs:
// routes and binders know nothing of either, shapes have JSON's names only, and
// docs/xml.md says how XML's follow from them.
//
// What is wrong with a request is answered as problem details (RFC 9457) that
// name the fields at fault; an internal error reads "internal error" outside
// and is complete in the log.
package api
