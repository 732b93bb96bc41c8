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

// Who looks at the query of a route.
const (
	noQuery  = false // nothing belongs there: it is refused before anything is done
	ownQuery = true  // the route itself; or nobody, where a prober may send any
)

// route is one row of what is served.
type route struct {
	method, pattern string
	act             func(*request) error
	role            callback.Role
	query           bool
}

// The routes that settle their media types themselves: a stream, files, and
// what Prometheus reads.
const (
	backupPattern   = "/backup"
	watchPattern    = "/watch"
	documentPattern = "/openapi.yaml"
	metricsPattern  = "/metrics"
)

// ownMedia reports whether a route settles its media type itself; the others
// answer with a shape, as JSON or XML.
func ownMedia(pattern string) bool {
	switch pattern {
	case watchPattern, documentPattern, metricsPattern, backupPattern:
		return true
	}
	return strings.HasSuffix(pattern, exportLines.suffix) || strings.HasSuffix(pattern, exportCells.suffix)
}

// routes is everything that is served.
var routes = []route{
	{"POST", "/callbacks", (*request).createCallback, admin, ownQuery},
	{"GET", "/callbacks", (*request).listCallbacks, reader, ownQuery},
	{"GET", "/callbacks/{id}", (*request).getCallback, reader, ownQuery},
	{"PUT", "/callbacks/{id}", (*request).updateCallback, admin, ownQuery},
	{"DELETE", "/callbacks/{id}", (*request).deleteCallback, admin, noQuery},
	{"POST", "/callbacks/{id}/suspend", (*request).suspend, operator, noQuery},
	{"POST", "/callbacks/{id}/resume", (*request).resume, operator, noQuery},
	{"POST", "/callbacks/{id}/test", (*request).test, operator, noQuery},
	{"POST", testDraftPath, (*request).testDraft, admin, ownQuery},
	{"POST", checkDraftPath, (*request).checkDraft, admin, ownQuery},
	{"GET", "/callbacks/{id}/health", (*request).getHealth, reader, noQuery},
	{"GET", "/callbacks/{id}/series", (*request).series, reader, ownQuery},
	{"GET", "/callbacks/{id}/causes", (*request).causes, reader, ownQuery},

	{"GET", "/callbacks/{id}/calls", (*request).listCalls, reader, ownQuery},
	{"PUT", "/callbacks/{id}/calls", (*request).updateCalls, operator, ownQuery},
	{"GET", "/callbacks/{id}/calls/{callId}", (*request).getCall, reader, noQuery},
	{"PUT", "/callbacks/{id}/calls/{callId}", (*request).updateCall, operator, noQuery},
	{"POST", "/callbacks/{id}/calls/{callId}/retry", (*request).retryCall, operator, noQuery},
	{"GET", "/callbacks/{id}/attempts", (*request).listAttempts, reader, ownQuery},
	{"GET", "/calls", (*request).listCalls, reader, ownQuery},
	{"GET", "/callbacks/{id}/calls.ndjson", (*request).exportNDJSON, operator, ownQuery},
	{"GET", "/callbacks/{id}/calls.csv", (*request).exportCSV, operator, ownQuery},
	{"GET", "/calls.ndjson", (*request).exportNDJSON, operator, ownQuery},
	{"GET", "/calls.csv", (*request).exportCSV, operator, ownQuery},
	{"GET", "/attempts", (*request).listAttempts, reader, ownQuery},

	{"POST", "/callbacks/{id}/retry", (*request).retryCalls, operator, noQuery},
	{"POST", "/callbacks/{id}/resolve", (*request).resolveCalls, operator, noQuery},
	{"GET", "/operations", (*request).listOperations, reader, ownQuery},
	{"GET", "/operations/{opId}", (*request).getOperation, reader, noQuery},
	{"DELETE", "/operations/{opId}", (*request).stopOperation, operator, noQuery},
	{"POST", "/operations/{opId}/undo", (*request).undoOperation, operator, noQuery},

	{"POST", "/callbacks/{id}/responses", (*request).enqueueOne, enqueuer, noQuery},
	{"POST", "/responses", (*request).enqueue, enqueuer, noQuery},

	{"GET", "/outages", (*request).listOutages, reader, ownQuery},
	{"POST", "/outages/{id}/acknowledge", (*request).acknowledge, operator, noQuery},
	{"GET", "/alerts", (*request).listAlerts, reader, ownQuery},
	{"POST", "/alerts/{id}/send", (*request).sendAlert, operator, noQuery},
	{"GET", "/overview", (*request).overview, reader, ownQuery},
	{"GET", "/series", (*request).series, reader, ownQuery},
	{"GET", "/causes", (*request).causes, reader, ownQuery},
	{"GET", "/server", (*request).server, reader, noQuery},
	{"GET", watchPattern, (*request).watch, reader, noQuery},
	{"GET", "/queue", (*request).queueShape, reader, noQuery},
	{"GET", "/system", (*request).system, reader, noQuery},
	{"GET", "/log", (*request).listLog, operator, ownQuery},
	{"GET", "/log.ndjson", (*request).exportLog, operator, ownQuery},
	{"POST", "/system/mail", (*request).do, operator, noQuery},
	{"POST", "/system/collect-garbage", (*request).do, admin, noQuery},
	{"POST", "/system/backup", (*request).do, admin, noQuery},

	{"GET", "/keys", (*request).listKeys, admin, ownQuery},
	{"POST", "/keys", (*request).createKey, admin, noQuery},
	{"DELETE", "/keys/{name}", (*request).deleteKey, admin, noQuery},
	{"GET", backupPattern, (*request).backup, admin, noQuery},

	{"GET", "/healthz", (*request).healthz, anyone, ownQuery},
	{"GET", "/readyz", (*request).readyz, anyone, ownQuery},
	{"GET", metricsPattern, (*request).tellMetrics, reader, ownQuery},
	{"GET", documentPattern, (*request).document, anyone, ownQuery},
}
