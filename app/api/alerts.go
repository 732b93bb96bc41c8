package api

import (
	"net/http"

	"ringback/callback"
)

// alertKinds and alertStatuses are the words that select alerts; the latter by
// callback.AlertStatus.
var (
	alertKinds = []string{
		string(callback.AlertOutage), string(callback.AlertRecovered), string(callback.AlertDigest),
		string(callback.AlertCall), string(callback.AlertSummary), string(callback.AlertSuspended),
	}
	alertStatuses = []string{
		callback.AlertWaiting.String(), callback.AlertSent.String(), callback.AlertRefused.String(), callback.AlertExpired.String(),
	}
)

func (q *request) listAlerts() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	ref, p := query.newest()
	want := callback.AlertQuery{Ref: ref, Limit: p.limit, Offset: p.pos}
	if i := query.word("kind", alertKinds); i >= 0 {
		want.Kind = callback.AlertKind(alertKinds[i])
	}
	if i := query.word("status", alertStatuses); i >= 0 {
		status := callback.AlertStatus(i)
		want.Status = &status
	}
	if err := query.done(); err != nil {
		return err
	}
	found, err := q.svc.Alerts(q.ctx(), want)
	if err != nil {
		return err
	}
	out := alertList{Alerts: alertsOf(found.Rows)}
	out.listHead, out.listTail = q.list(holding(p, &found))
	return q.send(http.StatusOK, out)
}

// sendAlert lets the alert in the path wait to be sent again; it goes out soon.
func (q *request) sendAlert() error {
	if err := q.svc.SendAlert(q.ctx(), callback.ParseAlertID(q.ref())); err != nil {
		return err
	}
	return q.none()
}
