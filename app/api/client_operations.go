package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"ringback/callback"
)

func wantedOf(n *callback.NewOperation, dry bool) (path string, body *wantedShape, header http.Header, err error) {
	path, err = callbackPath(n.Ref)
	header = actor(n.By)
	if n.ID != "" {
		header.Set(operationHeader, callback.Sanitize(n.ID, 2*callback.MaxOperationID))
	}
	return path + "/" + string(n.Kind), &wantedShape{filterOf(&n.Filter), n.IDs, n.Extend, n.Rate, n.Upto, n.Remark, dry}, header, err
}

// StartOperation implements callback.Operator.
func (c *Client) StartOperation(ctx context.Context, n callback.NewOperation) (o callback.OperationView, fresh bool, err error) {
	path, body, header, err := wantedOf(&n, false)
	if err != nil {
		return o, false, err
	}
	var s operationShape
	if err := c.call(ctx, exchange{method: "POST", path: path, header: header, body: body, answer: &s}); err != nil {
		return o, false, err
	}
	return s.domain(), !s.Repeat, nil
}

// Preview implements callback.Reader.
func (c *Client) Preview(ctx context.Context, n callback.NewOperation) (p callback.Preview, err error) {
	path, body, header, err := wantedOf(&n, true)
	if err != nil {
		return p, err
	}
	var s previewShape
	err = c.call(ctx, exchange{method: "POST", path: path, header: header, body: body, answer: &s})
	p = callback.Preview{Matched: s.Matched, Changed: s.Changed, Other: s.Other, Oldest: at(s.Oldest), Partial: s.Partial, Missing: s.Missing, MissingIDs: s.MissingIDs, Upto: s.UpTo}
	for _, cause := range s.ByCause {
		p.ByCause = append(p.ByCause, callback.Cause{Class: cause.Class, Code: cause.StatusCode, Count: cause.Count})
	}
	return p, err
}

// operationPath returns the path of an operation.
func operationPath(id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", callback.NoOperation(id)
	}
	return "/operations/" + escape(id), nil
}

func (c *Client) operation(ctx context.Context, method, id, rest string) (callback.OperationView, error) {
	path, err := operationPath(id)
	if err != nil {
		return callback.OperationView{}, err
	}
	var s operationShape
	if err := c.call(ctx, exchange{method: method, path: path + rest, answer: &s}); err != nil {
		return callback.OperationView{}, err
	}
	return s.domain(), nil
}

// Operation implements callback.Reader.
func (c *Client) Operation(ctx context.Context, id string) (callback.OperationView, error) {
	return c.operation(ctx, "GET", id, "")
}

// StopOperation implements callback.Operator.
func (c *Client) StopOperation(ctx context.Context, id string) (callback.OperationView, error) {
	return c.operation(ctx, "DELETE", id, "")
}

// UndoOperation implements callback.Operator.
func (c *Client) UndoOperation(ctx context.Context, id string) (callback.OperationView, error) {
	return c.operation(ctx, "POST", id, "/undo")
}

// Operations implements callback.Reader.
func (c *Client) Operations(ctx context.Context, oq callback.OperationQuery) (list callback.Listing[callback.OperationView], err error) {
	q := url.Values{}
	setText(q, "callback", oq.Ref)
	setText(q, "state", string(oq.State))
	setInt(q, "limit", min(oq.Limit, callback.MaxPage))
	setInt(q, "offset", oq.Offset)
	var s operationList
	if err := c.call(ctx, exchange{method: "GET", path: "/operations", query: q, answer: &s}); err != nil {
		return list, err
	}
	list.Total, list.Exact, list.More = s.Total, s.TotalExact, uint64(oq.Offset+len(s.Operations)) < s.Total
	for i := range s.Operations {
		list.Rows = append(list.Rows, s.Operations[i].domain())
	}
	return list, nil
}

func (s *operationShape) domain() callback.OperationView {
	return callback.OperationView{
		CallbackID: s.Callback.ID, Callback: s.Callback.Name, UndoUntil: at(s.UndoUntil), MissingIDs: s.MissingIDs,
		Operation: callback.Operation{
			ID: s.ID, Kind: s.Kind, State: s.State, Filter: s.Filter.domain(), Named: s.Named, Extend: s.Extend, Rate: s.Rate, Upto: s.UpTo, By: s.By, Remark: s.Remark, Note: s.Note,
			Created: at(s.Created), Finished: at(s.Finished), Total: s.Total,
			Matched: s.Matched, Changed: s.Changed, Undone: s.Undone, Missed: s.Missed,
		},
	}
}

func (s *filterShape) domain() callback.Filter {
	f := callback.Filter{
		State: s.State, MessageID: s.MessageID, Reason: s.StatusMessage, Class: s.Class,
		From: at(s.From), To: at(s.To), Text: s.Text,
	}
	for word := range strings.SplitSeq(s.Status, ",") {
		for _, w := range statusWords {
			if w.word == word {
				f.Status |= w.status
			}
		}
	}
	if s.StatusCode != nil {
		if f.Code = *s.StatusCode; f.Code == 0 {
			f.Code = callback.NoAnswer
		}
	}
	return f
}
