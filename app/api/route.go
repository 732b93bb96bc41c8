package api

import (
	"strings"

	"ringback/callback"
)

// What a key must be allowed to do for a route: see callback.Role.May.
const (
	anyone   callback.Role = "" // no key is needed
	reader                 = callback.RoleRead
	enqueuer               = callback.RoleEnqueue
	operator               = callback.RoleOperator
	admin                  = callback.RoleAdmin
)

// route is one row of what is served.
type route struct {
	method, pattern string
	act             func(*request) error
	role            callback.Role
}

// The routes that settle their media types themselves: a stream, a file, and
// what Prometheus reads.
const (
	watchPattern    = "/watch"
	documentPattern = "/openapi.yaml"
	metricsPattern  = "/metrics"
)

// ownMedia reports whether a route settles its media type itself; the others
// answer with a shape, as JSON or XML.
func ownMedia(pattern string) bool {
	switch pattern {
	case watchPattern, documentPattern, metricsPattern:
		return true
	}
	return strings.HasSuffix(pattern, exportLines.suffix) || strings.HasSuffix(pattern, exportCells.suffix)
}

// routes is everything that is served.
var routes = []route{
	{"POST", "/callbacks", (*request).createCallback, admin},
	{"GET", "/callbacks", (*request).listCallbacks, reader},
	{"GET", "/callbacks/{id}", (*request).getCallback, reader},
	{"PUT", "/callbacks/{id}", (*request).updateCallback, admin},
	{"DELETE", "/callbacks/{id}", (*request).deleteCallback, admin},
	{"POST", "/callbacks/{id}/suspend", (*request).suspend, operator},
	{"POST", "/callbacks/{id}/resume", (*request).resume, operator},
	{"POST", "/callbacks/{id}/test", (*request).test, operator},
	{"GET", "/callbacks/{id}/health", (*request).getHealth, reader},

	{"GET", "/callbacks/{id}/calls", (*request).listCalls, reader},
	{"PUT", "/callbacks/{id}/calls", (*request).updateCalls, operator},
	{"GET", "/callbacks/{id}/calls/{callId}", (*request).getCall, reader},
	{"PUT", "/callbacks/{id}/calls/{callId}", (*request).updateCall, operator},
	{"POST", "/callbacks/{id}/calls/{callId}/retry", (*request).retryCall, operator},
	{"GET", "/callbacks/{id}/attempts", (*request).listAttempts, reader},
	{"GET", "/calls", (*request).listCalls, reader},
	{"GET", "/callbacks/{id}/calls.ndjson", (*request).exportNDJSON, operator},
	{"GET", "/callbacks/{id}/calls.csv", (*request).exportCSV, operator},
	{"GET", "/calls.ndjson", (*request).exportNDJSON, operator},
	{"GET", "/calls.csv", (*request).exportCSV, operator},
	{"GET", "/attempts", (*request).listAttempts, reader},

	{"POST", "/callbacks/{id}/retry", (*request).retryCalls, operator},
	{"POST", "/callbacks/{id}/resolve", (*request).resolveCalls, operator},
	{"GET", "/operations", (*request).listOperations, reader},
	{"GET", "/operations/{opId}", (*request).getOperation, reader},
	{"DELETE", "/operations/{opId}", (*request).stopOperation, operator},
	{"POST", "/operations/{opId}/undo", (*request).undoOperation, operator},

	{"POST", "/callbacks/{id}/responses", (*request).enqueueOne, enqueuer},
	{"POST", "/responses", (*request).enqueue, enqueuer},

	{"GET", "/outages", (*request).listOutages, reader},
	{"POST", "/outages/{id}/acknowledge", (*request).acknowledge, operator},
	{"GET", "/alerts", (*request).listAlerts, reader},
	{"POST", "/alerts/{id}/send", (*request).sendAlert, operator},
	{"GET", "/overview", (*request).overview, reader},
	{"GET", "/server", (*request).server, reader},
	{"GET", watchPattern, (*request).watch, reader},

	{"GET", "/keys", (*request).listKeys, admin},
	{"POST", "/keys", (*request).createKey, admin},
	{"DELETE", "/keys/{name}", (*request).deleteKey, admin},

	{"GET", "/healthz", (*request).healthz, anyone},
	{"GET", "/readyz", (*request).readyz, anyone},
	{"GET", metricsPattern, (*request).tellMetrics, reader},
	{"GET", documentPattern, (*request).document, anyone},
}
