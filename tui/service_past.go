package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// past is how attempts went, and why some of them failed.
type past struct {
	query  callback.SeriesQuery
	series callback.Series
	causes []callback.Failure
}

// past asks how attempts went and, if causes are wanted, why some failed.
func (a *asker) past(to page, q callback.SeriesQuery, causes bool) tea.Cmd {
	return func() tea.Msg {
		got := past{query: q}
		var err error
		got.series, err = ask(a.ctx, a, func(ctx context.Context) (callback.Series, error) {
			return a.svc.Series(ctx, q)
		})
		if err == nil && causes {
			var why callback.Failures
			why, err = ask(a.ctx, a, func(ctx context.Context) (callback.Failures, error) {
				return a.svc.Causes(ctx, q.Ref, q.Window)
			})
			got.causes = why.Causes
		}
		return reply[past]{to, got, err}
	}
}

// mailsOwed is how many e-mails that wait are asked for.
const mailsOwed = 20

// owed asks for the e-mails that no mail server took yet.
func (a *asker) owed(to page) tea.Cmd {
	waiting := callback.AlertWaiting
	return func() tea.Msg {
		list, err := ask(a.ctx, a, func(ctx context.Context) (callback.Listing[callback.Alert], error) {
			return a.svc.Alerts(ctx, callback.AlertQuery{Status: &waiting, Limit: mailsOwed})
		})
		return reply[callback.Listing[callback.Alert]]{to, list, err}
	}
}

// outagesFrom asks for a part of all outages, the latest first.
func (a *asker) outagesFrom(to page, offset int) tea.Cmd {
	return func() tea.Msg {
		list, err := ask(a.ctx, a, func(ctx context.Context) (callback.Listing[callback.OutageView], error) {
			return a.svc.Outages(ctx, callback.OutageQuery{Limit: maxOutages, Offset: offset})
		})
		return reply[outagePage]{to, outagePage{list, offset}, err}
	}
}
