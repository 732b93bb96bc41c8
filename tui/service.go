package tui

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// askTime is how long a question to the service may take; previewTime is for
// one that the service itself bounds.
const (
	askTime     = 2 * time.Second
	searchAsk   = 10 * time.Second // an answer that looks for few calls comes after 2 s at most
	previewTime = 15 * time.Second
)

// hourCells is how many parts of the last hour are asked for: a minute each,
// put together where the screen has no room for all.
const hourCells = 60

// asker talks to the service. Nothing else in the package does. Its methods
// return commands, which run outside of Update and answer with a message.
type asker struct {
	ctx   context.Context
	svc   callback.Service
	panic func(any) // takes note that the service panicked
}

// The answers.
type (
	serverMsg struct {
		server callback.Server
		err    error
	}
	overviewMsg struct {
		overview callback.Overview
		err      error
	}
	pageMsg struct {
		to    *callList
		fetch Fetch[callback.CallID]
		list  callback.CallList
		err   error
	}
	goneMsg struct {
		to   *callList
		id   callback.CallID
		view callback.CallView
		err  error
	}
	callMsg struct {
		to   *callPage
		id   callback.CallID
		view callback.CallView
		err  error
	}
	outagesMsg struct {
		to      page
		outages []callback.OutageView
		err     error
	}
	watchMsg struct {
		revs <-chan uint64
		stop context.CancelFunc
		err  error
	}
	revMsg struct {
		revs <-chan uint64
		ok   bool // false: the service ended it
	}
	soughtMsg struct {
		id   string
		view *callback.CallView // nil: there is none
		err  error
	}
	sentAgainMsg struct {
		call callback.CallView
		err  error
	}
	suspendMsg struct {
		name   string
		resume bool
		err    error
	}
)

var errCrashed = errors.New("internal error")

// ask makes one call of the service. It returns within askTime, also where
// the service does not.
func ask[T any](ctx context.Context, a *asker, f func(context.Context) (T, error)) (T, error) {
	return askFor(ctx, a, askTime, f)
}

// askFor is ask with a time of its own.
func askFor[T any](ctx context.Context, a *asker, most time.Duration, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	got := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				a.panic(r)
				got <- answer{err: errCrashed}
			}
		}()
		v, err := f(ctx)
		got <- answer{v, err}
	}()
	select {
	case x := <-got:
		return x.v, x.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (a *asker) server() tea.Cmd {
	return func() tea.Msg {
		s, err := ask(a.ctx, a, a.svc.Server)
		return serverMsg{s, err}
	}
}

func (a *asker) overview() tea.Cmd {
	return func() tea.Msg {
		o, err := ask(a.ctx, a, func(ctx context.Context) (callback.Overview, error) {
			return a.svc.Overview(ctx, hourCells)
		})
		return overviewMsg{o, err}
	}
}

// calls reads one page for a list. ctx ends when its answer counts no more.
func (a *asker) calls(ctx context.Context, to *callList, f Fetch[callback.CallID], q callback.ListQuery) tea.Cmd {
	most := askTime
	if to.filter.rare() {
		most = searchAsk
	}
	return func() tea.Msg {
		list, err := askFor(ctx, a, most, func(ctx context.Context) (callback.CallList, error) {
			return a.svc.Calls(ctx, q)
		})
		return pageMsg{to, f, list, err}
	}
}

func (a *asker) call(to *callPage, ref string, id callback.CallID) tea.Cmd {
	return func() tea.Msg {
		v, err := ask(a.ctx, a, func(ctx context.Context) (callback.CallView, error) {
			return a.svc.Call(ctx, ref, id)
		})
		return callMsg{to, id, v, err}
	}
}

// gone asks what became of a call that is in its list no more.
func (a *asker) gone(to *callList, ref string, id callback.CallID) tea.Cmd {
	return func() tea.Msg {
		v, err := ask(a.ctx, a, func(ctx context.Context) (callback.CallView, error) {
			return a.svc.Call(ctx, ref, id)
		})
		return goneMsg{to, id, v, err}
	}
}

func (a *asker) outages(to page, ref string, limit int) tea.Cmd {
	return func() tea.Msg {
		list, err := ask(a.ctx, a, func(ctx context.Context) (callback.Listing[callback.OutageView], error) {
			return a.svc.Outages(ctx, callback.OutageQuery{Ref: ref, Limit: limit})
		})
		return outagesMsg{to, list.Rows, err}
	}
}

// findCall looks for the newest call whose id is between two.
func (a *asker) findCall(id string, low, high callback.CallID) tea.Cmd {
	return func() tea.Msg {
		list, err := ask(a.ctx, a, func(ctx context.Context) (callback.CallList, error) {
			q := callback.ListQuery{Filter: callback.Filter{Status: allCalls}, Limit: 1}
			if q.After = high + 1; q.After == 0 {
				q.After = high
			}
			return a.svc.Calls(ctx, q)
		})
		if err != nil || len(list.Calls) == 0 || list.Calls[0].ID < low {
			return soughtMsg{id: id, err: err}
		}
		return soughtMsg{id: id, view: &list.Calls[0]}
	}
}

// retry sends one call again.
func (a *asker) retry(v *callback.CallView, extend bool) tea.Cmd {
	call := *v
	return func() tea.Msg {
		_, err := ask(a.ctx, a, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, a.svc.Retry(ctx, call.CallbackID.String(), call.ID, extend)
		})
		return sentAgainMsg{call, err}
	}
}

func (a *asker) suspend(ref, name, by string, resume bool) tea.Cmd {
	return func() tea.Msg {
		_, err := ask(a.ctx, a, func(ctx context.Context) (struct{}, error) {
			if resume {
				return struct{}{}, a.svc.Resume(ctx, ref)
			}
			return struct{}{}, a.svc.Suspend(ctx, ref, by)
		})
		return suspendMsg{name, resume, err}
	}
}

// watch asks to be told of changes. What it returns lasts until the service
// ends it, or ctx is done.
func (a *asker) watch() tea.Cmd {
	return func() tea.Msg {
		watching, cancel := context.WithCancel(a.ctx)
		revs, err := ask(a.ctx, a, func(context.Context) (<-chan uint64, error) {
			return a.svc.Watch(watching)
		})
		if err != nil {
			cancel()
			return watchMsg{err: err}
		}
		return watchMsg{revs: revs, stop: cancel}
	}
}

// next waits for a change.
func (a *asker) next(revs <-chan uint64) tea.Cmd {
	return func() tea.Msg {
		select {
		case _, ok := <-revs:
			return revMsg{revs, ok}
		case <-a.ctx.Done():
			return nil
		}
	}
}

// inWords returns what to tell of an error of the service.
func inWords(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within 2 s"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return callback.Sanitize(err.Error(), maxText)
}

// refused reports whether err is the service's own no: it does answer.
func refused(err error) bool {
	e, ok := errors.AsType[*callback.Error](err)
	return ok && e.Code != callback.CodeUnavailable
}
