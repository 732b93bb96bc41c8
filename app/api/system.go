package api

import (
	"net/http"

	"ringback/callback"
)

// newest reads what the lists that only have a newest part take: how many, and
// of which callback.
func (q *request) newest() (ref string, limit int, err error) {
	query, err := readQuery(q.r)
	if err != nil {
		return "", 0, err
	}
	ref = query.one("callbackId")
	limit = query.int("limit", defaultLimit, 1, callback.MaxPage, "")
	return ref, limit, query.done()
}

func (q *request) listOutages() error {
	ref, limit, err := q.newest()
	if err != nil {
		return err
	}
	found, err := q.svc.Outages(q.ctx(), ref, limit+1) // one more tells whether there are more
	if err != nil {
		return err
	}
	p := page{rows: min(len(found), limit), limit: limit, more: len(found) > limit}
	out := outageList{Outages: make([]outageShape, p.rows)}
	out.listHead, out.listTail = q.list(p)
	for i := range out.Outages {
		out.Outages[i] = outageOf(&found[i])
	}
	out.Link = []link{}
	return q.send(http.StatusOK, out)
}

func (q *request) listAlerts() error {
	ref, limit, err := q.newest()
	if err != nil {
		return err
	}
	found, err := q.svc.Alerts(q.ctx(), ref, limit+1)
	if err != nil {
		return err
	}
	p := page{rows: min(len(found), limit), limit: limit, more: len(found) > limit}
	out := alertList{Alerts: alertsOf(found[:p.rows])}
	out.listHead, out.listTail = q.list(p)
	out.Link = []link{}
	return q.send(http.StatusOK, out)
}

// maxCells bounds into how many parts an overview's hour is cut.
const maxCells = 600

func (q *request) overview() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	cells := query.int("cells", 12, 1, maxCells, "")
	if err := query.done(); err != nil {
		return err
	}
	o, err := q.svc.Overview(q.ctx(), cells)
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, q.overviewOf(&o))
}

func (q *request) server() error {
	s, err := q.svc.Server(q.ctx())
	if err != nil {
		return err
	}
	s.ReadOnly = s.ReadOnly || !q.caller.role.May(operator)
	return q.send(http.StatusOK, serverOf(&s))
}

// healthz says that the process lives, and nothing more.
func (q *request) healthz() error {
	return q.send(http.StatusOK, aliveShape{Status: "ok", Version: q.version})
}

// readyz says whether the appliance does its work, and to those who may read
// why not: a reason may name callbacks.
func (q *request) readyz() error {
	if q.ready == nil {
		return q.send(http.StatusOK, readyShape{Ready: true})
	}
	ok, why := q.ready()
	if ok {
		return q.send(http.StatusOK, readyShape{Ready: true})
	}
	if !q.caller.role.May(reader) {
		why = nil
	}
	for i := range why {
		why[i] = callback.Sanitize(why[i], 240)
	}
	return q.send(http.StatusServiceUnavailable, readyShape{Why: why})
}
