package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// The answers about operations, and to what is done at once.
type (
	previewMsg struct {
		box      *bulkBox
		previews []callback.Preview // of its parts
		err      error
	}
	begunMsg struct {
		want callback.NewOperation
		op   callback.OperationView
		err  error
		then func() // where it began
	}
	operationsMsg struct {
		list []callback.OperationView
		err  error
	}
	foundMsg struct {
		want callback.NewOperation
		op   callback.OperationView
		err  error
	}
	doneMsg struct {
		does, did string // "stop the retry", "stopped the retry"
		err       error
	}
)

// shownOperations is how many of the latest operations are asked for: one that
// runs may be older than others that have ended.
const shownOperations = 20

// preview asks what the operations of a box would do. The service counts each for
// up to 10 s, and then says so.
func (a *asker) preview(b *bulkBox) tea.Cmd {
	parts := slices.Clone(b.parts)
	return func() tea.Msg {
		all, err := askFor(a.ctx, a, previewTime, func(ctx context.Context) (all []callback.Preview, err error) {
			for i := 0; i < len(parts) && err == nil; i++ {
				var p callback.Preview
				p, err = a.svc.Preview(ctx, parts[i].want)
				all = append(all, p)
			}
			return all, err
		})
		return previewMsg{b, all, err}
	}
}

func (a *asker) begin(want callback.NewOperation, then func()) tea.Cmd {
	return func() tea.Msg {
		o, err := ask(a.ctx, a, func(ctx context.Context) (callback.OperationView, error) {
			o, _, err := a.svc.StartOperation(ctx, want)
			return o, err
		})
		return begunMsg{want, o, err, then}
	}
}

func (a *asker) operations() tea.Cmd {
	return func() tea.Msg {
		list, err := ask(a.ctx, a, func(ctx context.Context) (callback.Listing[callback.OperationView], error) {
			return a.svc.Operations(ctx, callback.OperationQuery{Limit: shownOperations})
		})
		return operationsMsg{list.Rows, err}
	}
}

// operation asks whether one that was sent, but not answered, began.
func (a *asker) operation(want callback.NewOperation) tea.Cmd {
	return func() tea.Msg {
		o, err := ask(a.ctx, a, func(ctx context.Context) (callback.OperationView, error) {
			return a.svc.Operation(ctx, want.ID)
		})
		return foundMsg{want, o, err}
	}
}

// do makes one change of which nothing but its success is of interest.
func (a *asker) do(does, did string, f func(context.Context, callback.Service) error) tea.Cmd {
	return func() tea.Msg {
		_, err := ask(a.ctx, a, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, f(ctx, a.svc)
		})
		return doneMsg{does, did, err}
	}
}

func (a *asker) stopOperation(o *callback.OperationView) tea.Cmd {
	id := o.ID
	return a.do("stop op "+shortID(id), "", func(ctx context.Context, s callback.Service) error {
		_, err := s.StopOperation(ctx, id)
		return err
	})
}

func (a *asker) undoOperation(o *callback.OperationView) tea.Cmd {
	id := o.ID
	return a.do("undo op "+shortID(id), "", func(ctx context.Context, s callback.Service) error {
		_, err := s.UndoOperation(ctx, id)
		return err
	})
}

func (a *asker) acknowledge(o *callback.OutageView, by string) tea.Cmd {
	ref, n := o.CallbackID.String(), o.N
	name := outageName(o)
	return a.do("acknowledge "+name, "acknowledged "+name, func(ctx context.Context, s callback.Service) error {
		return s.Acknowledge(ctx, ref, n, by)
	})
}

func (a *asker) sendAlert(mail *callback.Alert) tea.Cmd {
	key, to := mail.Key, callback.Sanitize(mail.To, 60)
	return a.do("e-mail to "+to, "the e-mail to "+to+" goes out again", func(ctx context.Context, s callback.Service) error {
		return s.SendAlert(ctx, key)
	})
}
