package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// addressed is an answer that knows whose it is.
type addressed interface{ addressee() page }

// reply is the answer to a page's question.
type reply[T any] struct {
	to  page
	got T
	err error
}

func (r reply[T]) addressee() page { return r.to }

// choreMsg tells whether a chore was begun.
type choreMsg struct {
	chore callback.Chore
	err   error
}

func (a *asker) queue(to page) tea.Cmd {
	return func() tea.Msg {
		s, err := ask(a.ctx, a, a.svc.QueueShape)
		return reply[callback.QueueShape]{to, s, err}
	}
}

func (a *asker) system(to page) tea.Cmd {
	return func() tea.Msg {
		s, err := ask(a.ctx, a, a.svc.System)
		return reply[callback.System]{to, s, err}
	}
}

// log reads what came behind a line, or for 0 all that is kept.
func (a *asker) log(to page, after uint64) tea.Cmd {
	return func() tea.Msg {
		lines, err := ask(a.ctx, a, func(ctx context.Context) ([]callback.LogLine, error) {
			return a.svc.Log(ctx, after, 0)
		})
		return reply[[]callback.LogLine]{to, lines, err}
	}
}

func (a *asker) chore(c callback.Chore, by string) tea.Cmd {
	return func() tea.Msg {
		_, err := ask(a.ctx, a, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, a.svc.Do(ctx, c, by)
		})
		return choreMsg{c, err}
	}
}
