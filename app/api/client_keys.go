package api

import (
	"context"
	"net/url"
	"strconv"

	"ringback/callback"
)

// Keys implements callback.Admin.
func (c *Client) Keys(ctx context.Context) ([]callback.APIKey, error) {
	var s keyList
	q := url.Values{"limit": {strconv.Itoa(callback.MaxKeys)}}
	if err := c.call(ctx, exchange{method: "GET", path: "/keys", query: q, answer: &s}); err != nil {
		return nil, err
	}
	out := make([]callback.APIKey, len(s.Keys))
	for i := range s.Keys {
		out[i] = s.Keys[i].domain()
	}
	return out, nil
}

// AddKey implements callback.Admin.
func (c *Client) AddKey(ctx context.Context, name string, role callback.Role) (callback.APIKey, string, error) {
	body := struct {
		Name string        `json:"name"`
		Role callback.Role `json:"role"`
	}{name, role}
	var s keyShape
	if err := c.call(ctx, exchange{method: "POST", path: "/keys", body: body, answer: &s}); err != nil {
		return callback.APIKey{}, "", err
	}
	return s.domain(), callback.Sanitize(s.Key, 200), nil
}

// RemoveKey implements callback.Admin.
func (c *Client) RemoveKey(ctx context.Context, name string) error {
	if name == "" || name == "." || name == ".." { // what no key is called, and a path cannot carry
		return callback.Errorf(callback.CodeNotFound, "no key has the name %q", name)
	}
	return c.call(ctx, exchange{method: "DELETE", path: keyPath(name)})
}

func (s *keyShape) domain() callback.APIKey {
	return callback.APIKey{Name: s.Name, Role: s.Role, Created: at(s.CreatedDate)}
}
