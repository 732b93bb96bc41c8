package app

import (
	"context"
	"sync"
	"time"

	"ringback/app/post"
	"ringback/callback"
)

// Bounds of looking at drafts.
const (
	lookTime = 10 * time.Second // for all there is to look at
	maxLooks = 4                // at once: a person waits for each
)

// reacher is a poster that finds out whether an endpoint is there.
type reacher interface {
	Reach(ctx context.Context, cb *callback.Callback) callback.Attempt
}

var _ reacher = (*post.Poster)(nil)

// TestDraft implements callback.Admin.
func (a *App) TestDraft(ctx context.Context, ref string, d callback.Draft) (callback.Trial, error) {
	cb, err := a.drafted(ref, &d, callback.Callback{Name: draftName})
	if err != nil {
		return callback.Trial{}, err
	}
	return a.try(ctx, &cb, "a draft was tested")
}

// CheckDraft implements callback.Admin.
func (a *App) CheckDraft(ctx context.Context, ref string, d callback.Draft) ([]callback.Finding, error) {
	cb, err := a.drafted(ref, &d, callback.Callback{Name: draftName, URL: draftURL})
	if err != nil {
		return nil, err
	}
	select {
	case a.looks <- struct{}{}:
		defer func() { <-a.looks }()
	default:
		return nil, callback.Errorf(callback.CodeUnavailable, "%d drafts are being looked at already", maxLooks)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var looks []func() callback.Finding
	if r, ok := a.opt.Poster.(reacher); ok && d.URL != nil {
		looks = append(looks, func() callback.Finding {
			got := r.Reach(ctx, &cb)
			return callback.URLFinding(&got)
		})
	}
	if d.Email != nil && cb.Email != "" {
		looks = append(looks, func() callback.Finding { return a.alert.Address(ctx, cb.Email) })
	}
	found := make([]callback.Finding, len(looks))
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() { found[i] = look() })
	}
	all.Wait()
	return found, nil
}

// What a draft of a new callback has until it says otherwise. The URL is looked
// at by nobody.
const (
	draftName = "draft"
	draftURL  = "http://draft.invalid/"
)

// drafted returns what d makes of the callback ref, or for "" of fresh.
func (a *App) drafted(ref string, d *callback.Draft, fresh callback.Callback) (callback.Callback, error) {
	if ref == "" {
		err := d.Apply(&fresh, a.opt.Secret)
		return fresh, err
	}
	h, err := a.opt.Store.Find(ref)
	if err == nil {
		err = d.Apply(&h.Callback, a.opt.Secret)
	}
	return h.Callback, err
}
