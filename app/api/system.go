package api

import (
	"net/http"

	"ringback/callback"
)

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
	s.Role = q.caller.role
	s.ReadOnly = s.ReadOnly || !s.Role.May(operator)
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

// tellMetrics answers a scrape. What is sent, and what of it a scraper likes, is
// the business of whoever keeps the figures.
func (q *request) tellMetrics() error {
	if q.metrics == nil {
		return callback.Errorf(callback.CodeNotFound, "nothing is measured here")
	}
	q.metrics.ServeHTTP(q.w, q.r)
	return nil
}
