package api

import (
	"path"
	"strings"
)

// This file holds the names that documents have in XML. Where a name is not a
// field's, it follows from one: items are named for their list, the root of a
// request for what its path ends in.

// entryName is the name of the items of a map.
const entryName = "entry"

// itemName returns the name of the items of a list of that name.
func itemName(list string) string {
	if one, ok := strings.CutSuffix(list, "s"); ok && one != "" {
		return one
	}
	return "item"
}

// xmlMaps are the objects whose members are not fields but data.
var xmlMaps = map[string]bool{"customParameters": true, "callbackParameters": true, "headers": true}

// wantedRoot returns the name that the root of a request must have, and the
// namespaces in which it may stand.
func wantedRoot(pattern string) (name string, spaces []string) {
	last := path.Base(pattern)
	if strings.HasPrefix(last, "{") {
		last = path.Base(path.Dir(pattern))
	}
	switch last {
	case "callbacks", "test", "check": // the latter of a draft
		return "companyapicallback", []string{spaceAPI}
	case "responses":
		return "deliveryResponse", []string{spaceAPI}
	}
	name = last
	if one := itemName(last); one != "item" {
		name = one
	}
	return name, []string{spaceDAP, spaceAPI}
}

// answerRoot returns the name of the root of an answer that is no list.
func answerRoot(shape any) string {
	switch shape.(type) {
	case callShape:
		return "call"
	case *healthShape:
		return "health"
	case keyShape:
		return "key"
	case enqueuedShape:
		return "response"
	case []enqueuedShape:
		return "responses"
	case trialShape:
		return "test"
	case findingsShape:
		return "findings"
	case retriedShape:
		return "retry"
	case operationShape:
		return "operation"
	case previewShape:
		return "preview"
	case changedShape:
		return "changed"
	case overviewShape:
		return "overview"
	case seriesShape:
		return "series"
	case failuresShape:
		return "causes"
	case serverShape:
		return "server"
	case queueShape:
		return "queue"
	case systemShape:
		return "system"
	case begunShape:
		return "begun"
	case logShape:
		return "log"
	case aliveShape:
		return "healthz"
	case readyShape:
		return "readyz"
	}
	return "result"
}
