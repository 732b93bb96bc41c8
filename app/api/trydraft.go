package api

import (
	"context"
	"net/http"
	"net/url"

	"ringback/callback"
)

// This file has what can be tried with a callback before it is stored.

const (
	testDraftPath  = "/drafts/test"
	checkDraftPath = "/drafts/check"
)

// findingsShape is what a look at a draft showed.
type findingsShape struct {
	Findings []findingShape `json:"findings"`
}

type findingShape struct {
	Field   string         `json:"field"`
	Result  callback.Found `json:"result"`
	Short   string         `json:"short"`
	Message string         `json:"message"`
}

// tried reads a draft, and the callback that it changes; "": it is a new one.
func (q *request) tried() (ref string, d callback.Draft, err error) {
	query, err := readQuery(q.r)
	if err != nil {
		return "", d, err
	}
	ref = query.one("callback")
	if err := query.done(); err != nil {
		return "", d, err
	}
	d, _, err = q.draft(ref)
	return ref, d, err
}

// testDraft sends a sample to a callback that is not stored.
func (q *request) testDraft() error {
	ref, d, err := q.tried()
	if err != nil {
		return err
	}
	return q.answerTrial(q.svc.TestDraft(q.ctx(), ref, d))
}

// checkDraft looks at what a callback would be.
func (q *request) checkDraft() error {
	ref, d, err := q.tried()
	if err != nil {
		return err
	}
	found, err := q.svc.CheckDraft(q.ctx(), ref, d)
	if err != nil {
		return err
	}
	out := findingsShape{make([]findingShape, len(found))}
	for i, f := range found {
		out.Findings[i] = findingShape(f)
	}
	return q.send(http.StatusOK, out)
}

// TestDraft implements callback.Admin.
func (c *Client) TestDraft(ctx context.Context, ref string, d callback.Draft) (callback.Trial, error) {
	var s trialShape
	err := c.call(ctx, exchange{method: "POST", path: testDraftPath, query: ofCallback(ref), body: draftOf(&d, 0), answer: &s, limit: trialTime})
	return s.domain(), err
}

// CheckDraft implements callback.Admin.
func (c *Client) CheckDraft(ctx context.Context, ref string, d callback.Draft) ([]callback.Finding, error) {
	var s findingsShape
	err := c.call(ctx, exchange{method: "POST", path: checkDraftPath, query: ofCallback(ref), body: draftOf(&d, 0), answer: &s})
	found := make([]callback.Finding, len(s.Findings))
	for i, f := range s.Findings {
		found[i] = callback.Finding(f)
	}
	return found, err
}

// ofCallback is the query that names a callback, where there is one.
func ofCallback(ref string) url.Values {
	if ref == "" {
		return nil
	}
	return url.Values{"callback": {ref}}
}
