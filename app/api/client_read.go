package api

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// Server implements callback.Reader.
func (c *Client) Server(ctx context.Context) (callback.Server, error) {
	var s serverShape
	err := c.call(ctx, exchange{method: "GET", path: "/server", answer: &s})
	return s.domain(), err
}

// Overview implements callback.Reader.
func (c *Client) Overview(ctx context.Context, cells int) (callback.Overview, error) {
	var s overviewShape
	q := url.Values{}
	setInt(q, "cells", min(cells, maxCells))
	err := c.call(ctx, exchange{method: "GET", path: "/overview", query: q, answer: &s})
	return s.domain(), err
}

// Callbacks implements callback.Reader.
func (c *Client) Callbacks(ctx context.Context, cq callback.CallbackQuery) ([]callback.Health, int, error) {
	q := url.Values{"health": {"true"}}
	setText(q, "name", cq.Name)
	setText(q, "sortFields", strings.Join(cq.Sort, ","))
	setInt(q, "limit", cq.Limit)
	setInt(q, "offset", cq.Offset)
	if cq.Desc {
		q.Set("sortOrder", "desc")
	}
	var s callbackList
	if err := c.call(ctx, exchange{method: "GET", path: "/callbacks", query: q, answer: &s}); err != nil {
		return nil, 0, err
	}
	out := make([]callback.Health, len(s.Callbacks))
	for i := range s.Callbacks {
		out[i] = s.Callbacks[i].domain()
	}
	return out, int(s.Total), nil
}

// Callback implements callback.Reader.
func (c *Client) Callback(ctx context.Context, ref string) (callback.Health, error) {
	path, err := callbackPath(ref)
	if err != nil {
		return callback.Health{}, err
	}
	var s callbackShape
	err = c.call(ctx, exchange{method: "GET", path: path, query: url.Values{"health": {"true"}}, answer: &s})
	if err != nil {
		return callback.Health{}, err
	}
	return s.domain(), nil
}

// Calls implements callback.Reader.
func (c *Client) Calls(ctx context.Context, lq callback.ListQuery) (callback.CallList, error) {
	path := "/calls"
	if lq.Ref != "" {
		p, err := callbackPath(lq.Ref)
		if err != nil {
			return callback.CallList{}, err
		}
		path = p + path
	}
	var s callList
	if err := c.call(ctx, exchange{method: "GET", path: path, query: callsQuery(&lq), answer: &s}); err != nil {
		return callback.CallList{}, err
	}
	out := callback.CallList{Calls: make([]callback.CallView, len(s.Calls)), Total: s.Total, Exact: s.TotalExact, Looked: s.Looked}
	for i := range s.Calls {
		out.Calls[i] = s.Calls[i].domain()
	}
	out.Skipped = lq.Offset
	if next, ok := parseCursor(s.NextCursor); ok {
		out.More, out.Next, out.Skipped = true, next.after, lq.Offset-next.skip
	}
	return out, nil
}

// Attempts implements callback.Reader.
func (c *Client) Attempts(ctx context.Context, ref string, aq callback.AttemptQuery) (callback.AttemptList, error) {
	path := "/attempts"
	if ref != "" {
		p, err := callbackPath(ref)
		if err != nil {
			return callback.AttemptList{}, err
		}
		path = p + path
	}
	q := callsQuery(&callback.ListQuery{Filter: aq.Filter, Oldest: aq.Oldest, Limit: aq.Limit, Offset: aq.Offset})
	q.Del("attempts")
	if k := aq.After; k != (callback.AttemptKey{}) {
		q.Set("cursor", cursor{after: k.ID, attempt: k.Number, at: k.At.UnixMilli()}.String())
	}
	var s attemptList
	if err := c.call(ctx, exchange{method: "GET", path: path, query: q, answer: &s}); err != nil {
		return callback.AttemptList{}, err
	}
	out := callback.AttemptList{
		Attempts: make([]callback.AttemptView, len(s.Attempts)), Total: s.Total, Exact: s.TotalExact, Skipped: aq.Offset,
	}
	for i := range s.Attempts {
		out.Attempts[i] = s.Attempts[i].domain()
	}
	if next, ok := parseCursor(s.NextCursor); ok {
		out.More, out.Next, out.Skipped = true, next.key(), aq.Offset-next.skip
	}
	return out, nil
}

func callsQuery(lq *callback.ListQuery) url.Values {
	q := url.Values{"attempts": {"last"}}
	for _, w := range statusWords {
		if lq.Status&w.status != 0 {
			q.Add("status", w.word)
		}
	}
	setText(q, "state", string(lq.State))
	setText(q, "messageId", lq.MessageID)
	if lq.Code != 0 {
		q.Set("statusCode", strconv.Itoa(max(lq.Code, 0))) // NoAnswer is sent as 0
	}
	setText(q, "statusMessage", lq.Reason)
	setText(q, "class", lq.Class)
	setTime(q, "from", lq.From)
	setTime(q, "to", lq.To)
	setText(q, "q", lq.Text)
	setInt(q, "limit", lq.Limit)
	setInt(q, "offset", lq.Offset)
	if lq.After != 0 {
		q.Set("cursor", lq.After.String())
	}
	if lq.Oldest {
		q.Set("sortOrder", "asc")
	}
	return q
}

func setText(q url.Values, name, v string) {
	if v != "" {
		q.Set(name, v)
	}
}

func setInt(q url.Values, name string, v int) {
	if v != 0 {
		q.Set(name, strconv.Itoa(v))
	}
}

func setTime(q url.Values, name string, t time.Time) {
	if !t.IsZero() {
		q.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

// Call implements callback.Reader.
func (c *Client) Call(ctx context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	path, err := callbackPath(ref)
	if err != nil {
		return callback.CallView{}, err
	}
	var s callShape
	if err := c.call(ctx, exchange{method: "GET", path: path + "/calls/" + id.String(), answer: &s}); err != nil {
		return callback.CallView{}, err
	}
	return s.domain(), nil
}

func newestQuery(ref string, limit, offset int) url.Values {
	q := url.Values{}
	setText(q, "callback", ref)
	setInt(q, "limit", min(limit, callback.MaxPage))
	setInt(q, "offset", offset)
	return q
}

// Outages implements callback.Reader.
func (c *Client) Outages(ctx context.Context, oq callback.OutageQuery) (callback.Listing[callback.OutageView], error) {
	q := newestQuery(oq.Ref, oq.Limit, oq.Offset)
	if oq.Phase != nil {
		q.Set("state", phaseWords[*oq.Phase])
	}
	var s outageList
	err := c.call(ctx, exchange{method: "GET", path: "/outages", query: q, answer: &s})
	rows := make([]callback.OutageView, len(s.Outages))
	for i := range s.Outages {
		rows[i] = s.Outages[i].domain()
	}
	return listing(rows, &s.listTail), err
}

// Alerts implements callback.Reader.
func (c *Client) Alerts(ctx context.Context, aq callback.AlertQuery) (callback.Listing[callback.Alert], error) {
	q := newestQuery(aq.Ref, aq.Limit, aq.Offset)
	setText(q, "kind", string(aq.Kind))
	if aq.Status != nil {
		q.Set("status", aq.Status.String())
	}
	var s alertList
	err := c.call(ctx, exchange{method: "GET", path: "/alerts", query: q, answer: &s})
	return listing(alertsIn(s.Alerts), &s.listTail), err
}

func listing[T any](rows []T, tail *listTail) callback.Listing[T] {
	l := callback.Listing[T]{Rows: rows, Total: tail.Total, Exact: tail.TotalExact}
	for _, to := range tail.Link {
		l.More = l.More || to.Rel == "next"
	}
	return l
}
