package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"ringback/callback"
)

// draftShape is a Draft as a Client sends it.
type draftShape struct {
	Name                  *string             `json:"name,omitzero"`
	URL                   *string             `json:"url,omitzero"`
	Email                 *string             `json:"email,omitzero"`
	Description           *string             `json:"description,omitzero"`
	Auth                  *authShape          `json:"auth,omitzero"`
	ContentType           *string             `json:"contentType,omitzero"`
	RemoveHTML            *string             `json:"removeHTML,omitzero"`
	RetriesEnabled        *bool               `json:"retriesEnabled,omitzero"`
	Callbacks             *kindsShape         `json:"callbacks,omitzero"`
	Alerts                *callback.AlertMode `json:"alerts,omitzero"`
	SigningSecret         *string             `json:"signingSecret,omitzero"`
	PreviousSigningSecret *string             `json:"previousSigningSecret,omitzero"`
	MaxInFlight           *int                `json:"maxInFlight,omitzero"`
	RatePerSecond         *float64            `json:"ratePerSecond,omitzero"`
	Ordered               *bool               `json:"ordered,omitzero"`
	ConnectTimeout        *string             `json:"connectTimeout,omitzero"`
	ResponseTimeout       *string             `json:"responseTimeout,omitzero"`
	CA                    *string             `json:"ca,omitzero"`
	Headers               *paramsShape        `json:"headers,omitzero"`
	Version               uint64              `json:"version,omitzero"`
}

// mapped returns f of what p points to, or nil.
func mapped[A, B any](p *A, f func(A) B) *B {
	if p == nil {
		return nil
	}
	v := f(*p)
	return &v
}

func draftOf(d *callback.Draft, version uint64) *draftShape {
	s := &draftShape{
		Name: d.Name, URL: d.URL, Email: d.Email, Description: d.Description,
		ContentType: mapped(d.ContentType, callback.ContentType.String), RemoveHTML: mapped(d.RemoveHTML, enabledWord),
		RetriesEnabled: d.Retries, Alerts: d.Alerts, SigningSecret: d.SigningSecret, PreviousSigningSecret: d.PreviousSecret,
		MaxInFlight: d.MaxInFlight, RatePerSecond: mapped(d.RatePerSecond, finite), Ordered: d.Ordered, CA: d.CA, Version: version,
		Headers: mapped(d.Headers, func(h []callback.Param) paramsShape { return h }),
	}
	if d.ConnectTimeout != nil {
		v := d.ConnectTimeout.String()
		s.ConnectTimeout = &v
	}
	if d.ResponseTimeout != nil {
		v := d.ResponseTimeout.String()
		s.ResponseTimeout = &v
	}
	if d.AuthType != nil || d.AuthKey != nil {
		s.Auth = &authShape{Type: mapped(d.AuthType, callback.AuthType.String), Key: d.AuthKey}
	}
	if d.Reply != nil || d.Undeliverable != nil {
		s.Callbacks = &kindsShape{}
		if d.Reply != nil {
			s.Callbacks.Reply = enabledWord(*d.Reply)
		}
		if d.Undeliverable != nil {
			s.Callbacks.Undeliverable = enabledWord(*d.Undeliverable)
		}
	}
	return s
}

var prefer = http.Header{"Prefer": {preferObject}}

// Create implements callback.Admin.
func (c *Client) Create(ctx context.Context, d callback.Draft) (callback.Health, error) {
	var s callbackShape
	err := c.call(ctx, exchange{
		method: "POST", path: "/callbacks", query: url.Values{"health": {"true"}}, body: draftOf(&d, 0), answer: &s,
	})
	if err != nil {
		return callback.Health{}, err
	}
	return s.domain(), nil
}

// Update implements callback.Admin.
func (c *Client) Update(ctx context.Context, ref string, d callback.Draft, version uint64) (callback.Health, error) {
	path, err := callbackPath(ref)
	if err != nil {
		return callback.Health{}, err
	}
	var s callbackShape
	err = c.call(ctx, exchange{
		method: "PUT", path: path, query: url.Values{"health": {"true"}}, header: prefer, body: draftOf(&d, version), answer: &s,
	})
	if err != nil {
		return callback.Health{}, err
	}
	return s.domain(), nil
}

// Delete implements callback.Admin.
func (c *Client) Delete(ctx context.Context, ref string) error {
	path, err := callbackPath(ref)
	if err != nil {
		return err
	}
	return c.call(ctx, exchange{method: "DELETE", path: path})
}

// Suspend implements callback.Operator.
func (c *Client) Suspend(ctx context.Context, ref, by string) error {
	path, err := callbackPath(ref)
	if err != nil {
		return err
	}
	return c.call(ctx, exchange{method: "POST", path: path + "/suspend", header: actor(by)})
}

// Resume implements callback.Operator.
func (c *Client) Resume(ctx context.Context, ref string) error {
	path, err := callbackPath(ref)
	if err != nil {
		return err
	}
	return c.call(ctx, exchange{method: "POST", path: path + "/resume"})
}

// Acknowledge implements callback.Operator.
func (c *Client) Acknowledge(ctx context.Context, ref string, outage uint32, by string) error {
	path := "/outages/" + escape(callback.OutageID(ref, outage)) + "/acknowledge"
	return c.call(ctx, exchange{method: "POST", path: path, body: acknowledgeShape{by}})
}

// acknowledgeShape says who knows of an outage.
type acknowledgeShape struct {
	By string `json:"by"`
}

// SendAlert implements callback.Operator.
func (c *Client) SendAlert(ctx context.Context, key string) error {
	return c.call(ctx, exchange{method: "POST", path: "/alerts/" + escape((&callback.Alert{Key: key}).ID()) + "/send"})
}

// SetStatus implements callback.Operator. Over HTTP at most 100 calls can be
// changed at once; more are CodeInvalid, for it is all or none.
func (c *Client) SetStatus(ctx context.Context, ref string, ids []callback.CallID, status callback.Status, by string) (int, error) {
	path, err := callbackPath(ref)
	if err != nil {
		return 0, err
	}
	q := url.Values{}
	for _, id := range ids {
		q.Add("id", id.String())
	}
	body := statusShape{Status: statusWord(callback.ListFailed)}
	if status == callback.Success {
		body.Status = statusWord(callback.ListSuccess)
	}
	header := actor(by)
	header["Prefer"] = prefer["Prefer"]
	var s changedShape
	err = c.call(ctx, exchange{method: "PUT", path: path + "/calls", query: q, header: header, body: body, answer: &s})
	return s.Changed, err
}

// Retry implements callback.Operator.
func (c *Client) Retry(ctx context.Context, ref string, id callback.CallID, extend bool) error {
	path, err := callbackPath(ref)
	if err != nil {
		return err
	}
	body := struct {
		Extend bool `json:"extend"`
	}{extend}
	return c.call(ctx, exchange{method: "POST", path: path + "/calls/" + id.String() + "/retry", body: body})
}

// Enqueue implements callback.Operator. Many items go in several requests; when
// one of them cannot be made, what was stored before stays, and its error is
// returned.
func (c *Client) Enqueue(ctx context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	var out []callback.EnqueueResult
	for len(items) > 0 {
		batch, n := batchOf(items)
		res, err := c.enqueue(ctx, batch)
		if err != nil {
			return nil, err
		}
		out = append(out, res...)
		items = items[n:]
	}
	return out, nil
}

// batchOf returns the shapes of as many items as go into one request.
func batchOf(items []callback.NewResponse) (batch []responseShape, n int) {
	size := 0
	for n < len(items) {
		r := &items[n].Response
		cost := 400 + len(r.MessageLocation) + 2*len(r.Message.Content)
		for _, p := range r.Params {
			cost += len(p.Key) + len(p.Value) + 6
		}
		if size += cost; n > 0 && size > sendAtOnce {
			break
		}
		batch = append(batch, responseShape{
			ID: r.Key, CallbackID: items[n].Ref, MessageID: r.MessageID, MessageLocation: r.MessageLocation,
			From: fromShape(r.From), ResponseMessage: messageShape(r.Message), CustomParameters: r.Params, DeliverAt: stamp(r.DeliverAt),
		})
		n++
	}
	return batch, n
}

// enqueue sends one array; one that is too large is sent in halves.
func (c *Client) enqueue(ctx context.Context, batch []responseShape) ([]callback.EnqueueResult, error) {
	var shapes []enqueuedShape
	err := c.do(ctx, exchange{method: "POST", path: "/responses", body: batch, answer: &shapes})
	if a, ok := errors.AsType[*answered](err); ok {
		switch half := len(batch) / 2; {
		case len(a.items) == len(batch):
			shapes = a.items
		case a.large() && half > 0:
			first, err := c.enqueue(ctx, batch[:half])
			if err != nil {
				return nil, err
			}
			second, err := c.enqueue(ctx, batch[half:])
			return append(first, second...), err
		case a.large():
			return []callback.EnqueueResult{{Err: a.err}}, nil
		default:
			return nil, a.err
		}
	} else if err != nil {
		return nil, err
	}
	if len(shapes) != len(batch) {
		return nil, errors.New("the answer tells of another number of responses than were sent")
	}
	out := make([]callback.EnqueueResult, len(shapes))
	for i := range shapes {
		out[i] = shapes[i].domain()
	}
	return out, nil
}

func (s *enqueuedShape) domain() (r callback.EnqueueResult) {
	if s.Error != nil {
		r.Err = s.Error.fault()
		return r
	}
	if s.ID != nil {
		r.ID = *s.ID
	}
	if s.CallbackID != nil {
		r.Callback = *s.CallbackID
	}
	r.Repeat, r.Skipped = s.Repeat, s.Status == skipped
	return r
}
