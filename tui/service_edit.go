package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// The answers about one callback.
type (
	savedMsg struct {
		to     *editPage
		health callback.Health
		err    error
	}
	// lookedMsg is what a look at a field showed that had that value.
	lookedMsg struct {
		to           *editPage
		field, value string
		found        []callback.Finding
		err          error
	}
	trialMsg struct {
		box   *trialBox
		trial callback.Trial
		err   error
	}
)

// stored reads a callback as it is.
func (a *asker) stored(to page, id callback.CallbackID) tea.Cmd {
	return func() tea.Msg {
		h, err := ask(a.ctx, a, func(ctx context.Context) (callback.Health, error) {
			return a.svc.Callback(ctx, id.String())
		})
		return reply[callback.Health]{to, h, err}
	}
}

// save makes or changes the callback of a page.
func (a *asker) save(to *editPage, d callback.Draft, version uint64) tea.Cmd {
	id := to.id
	return func() tea.Msg {
		h, err := ask(a.ctx, a, func(ctx context.Context) (callback.Health, error) {
			if id == 0 {
				return a.svc.Create(ctx, d)
			}
			return a.svc.Update(ctx, id.String(), d, version)
		})
		return savedMsg{to, h, err}
	}
}

// lookTime is more than the service takes to look at a draft.
const lookTime = 15 * time.Second

func (l lookedMsg) addressee() page { return l.to }

// look asks what there is to say of one field, by a draft that sets it.
func (a *asker) look(to *editPage, field, value string, d callback.Draft) tea.Cmd {
	ref := refOf(to.id)
	return func() tea.Msg {
		found, err := askFor(a.ctx, a, lookTime, func(ctx context.Context) ([]callback.Finding, error) {
			return a.svc.CheckDraft(ctx, ref, d)
		})
		return lookedMsg{to, field, value, found, err}
	}
}

// refOf names a callback that is stored; "": it is to be made.
func refOf(id callback.CallbackID) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

// remove deletes a callback.
func (a *asker) remove(h *callback.HealthView) tea.Cmd {
	id, name := h.ID.String(), callback.Sanitize(h.Name, 60)
	return a.do("delete "+name, "deleted "+name, func(ctx context.Context, s callback.Service) error {
		return s.Delete(ctx, id)
	})
}

// test sends a sample, and waits as long as the endpoint may take.
func (a *asker) test(b *trialBox, most time.Duration) tea.Cmd {
	ref, draft := refOf(b.id), b.draft
	return func() tea.Msg {
		t, err := askFor(a.ctx, a, most, func(ctx context.Context) (callback.Trial, error) {
			if draft != nil {
				return a.svc.TestDraft(ctx, ref, *draft)
			}
			return a.svc.Test(ctx, ref)
		})
		return trialMsg{b, t, err}
	}
}
