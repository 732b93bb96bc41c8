package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ringback/callback"
)

// seriesShape is how attempts went over time.
type seriesShape struct {
	From  stamp       `json:"from"`
	To    stamp       `json:"to"`
	Cells []cellShape `json:"cells"` // oldest first
}

type cellShape struct {
	OK       uint64 `json:"ok"`
	Failed   uint64 `json:"failed"`
	Accepted uint64 `json:"accepted"`
	Waiting  uint64 `json:"waiting"`
	P50      millis `json:"p50Ms,omitzero"`
	P95      millis `json:"p95Ms,omitzero"`
}

// failuresShape is why attempts failed.
type failuresShape struct {
	From   stamp          `json:"from"`
	To     stamp          `json:"to"`
	Causes []failureShape `json:"causes"` // most frequent first
}

type failureShape struct {
	causeShape
	First stamp `json:"firstDate"`
	Last  stamp `json:"lastDate"`
}

// series answers with the series of the callback in the path, or of all together.
func (q *request) series() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	sq := callback.SeriesQuery{
		Ref: q.ref(), Window: query.window(), Cells: query.int("cells", defaultCells, 1, callback.MaxCells, ""), End: query.instant("end"),
	}
	if err := query.done(); err != nil {
		return err
	}
	s, err := q.svc.Series(q.ctx(), sq)
	if err != nil {
		return err
	}
	out := seriesShape{From: stamp(s.From), To: stamp(s.To), Cells: make([]cellShape, len(s.Cells))}
	for i, c := range s.Cells {
		out.Cells[i] = cellShape{OK: c.OK, Failed: c.Failed, Accepted: c.Accepted, Waiting: c.Waiting, P50: millis(c.P50), P95: millis(c.P95)}
	}
	return q.send(http.StatusOK, out)
}

// defaultCells is into how many parts a window is cut where nothing is asked for.
const defaultCells = 60

// window reads how far back is looked.
func (q *query) window() time.Duration {
	s := q.one("window")
	if s == "" {
		s = "24h"
	}
	window, ok := callback.ParseWindow(s)
	if !ok {
		for _, f := range callback.ValidateWindow(0).Fields {
			q.fail(f.Field, "%s", f.Message)
		}
	}
	return window
}

// causes answers why attempts of the callback in the path failed, or those of all.
func (q *request) causes() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	window := query.window()
	if err := query.done(); err != nil {
		return err
	}
	f, err := q.svc.Causes(q.ctx(), q.ref(), window)
	if err != nil {
		return err
	}
	out := failuresShape{From: stamp(f.From), To: stamp(f.To), Causes: make([]failureShape, len(f.Causes))}
	for i, c := range f.Causes {
		out.Causes[i] = failureShape{
			causeShape: causeShape{Class: c.Class.String(), StatusCode: c.Code, Count: c.Count}, First: stamp(c.First), Last: stamp(c.Last),
		}
	}
	return q.send(http.StatusOK, out)
}

// Series implements callback.Reader.
func (c *Client) Series(ctx context.Context, sq callback.SeriesQuery) (callback.Series, error) {
	path, err := refPath(sq.Ref)
	if err != nil {
		return callback.Series{}, err
	}
	q := url.Values{"window": {callback.WindowWord(sq.Window)}, "cells": {strconv.Itoa(sq.Cells)}}
	setTime(q, "end", sq.End)
	var s seriesShape
	if err := c.call(ctx, exchange{method: "GET", path: path + "/series", query: q, answer: &s}); err != nil {
		return callback.Series{}, err
	}
	out := callback.Series{From: at(s.From), To: at(s.To), Cells: make([]callback.SeriesCell, len(s.Cells))}
	for i, c := range s.Cells {
		out.Cells[i] = callback.SeriesCell{
			OK: c.OK, Failed: c.Failed, Accepted: c.Accepted, Waiting: c.Waiting, P50: time.Duration(c.P50), P95: time.Duration(c.P95),
		}
	}
	return out, nil
}

// Causes implements callback.Reader.
func (c *Client) Causes(ctx context.Context, ref string, window time.Duration) (callback.Failures, error) {
	path, err := refPath(ref)
	if err != nil {
		return callback.Failures{}, err
	}
	var s failuresShape
	q := url.Values{"window": {callback.WindowWord(window)}}
	if err := c.call(ctx, exchange{method: "GET", path: path + "/causes", query: q, answer: &s}); err != nil {
		return callback.Failures{}, err
	}
	out := callback.Failures{From: at(s.From), To: at(s.To)}
	for _, f := range s.Causes {
		class, _ := callback.ParseClass(f.Class)
		out.Causes = append(out.Causes, callback.Failure{Class: class, Code: f.StatusCode, Count: f.Count, First: at(f.First), Last: at(f.Last)})
	}
	return out, nil
}

// refPath returns where what is of one callback, or for "" of all, is served.
func refPath(ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	return callbackPath(ref)
}
