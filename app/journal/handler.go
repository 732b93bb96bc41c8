package journal

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"ringback/callback"
)

// The keys of attributes that say where a line comes from, and what it is about.
const (
	keyPart      = "part"
	keyCallback  = "callback"
	keyCall      = "call"
	keyOperation = "operation"
)

// Handler returns a handler that adds what matters (info and above) to the
// journal, and hands on what next wants.
func (j *Journal) Handler(next slog.Handler) slog.Handler { return &handler{journal: j, next: next} }

type handler struct {
	journal *Journal
	next    slog.Handler
	attrs   []slog.Attr // of With
	group   string      // before their keys
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo || h.next.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		h.journal.Add(h.line(&r))
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next, c.attrs = h.next.WithAttrs(attrs), slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next = h.next.WithGroup(name)
	if name != "" {
		c.group += name + "."
	}
	return &c
}

// line turns a record into a line: what a line has a place for goes there, the
// rest behind the message.
func (h *handler) line(r *slog.Record) callback.LogLine {
	l := callback.LogLine{At: r.Time.UTC(), Level: levelOf(r.Level)}
	var b strings.Builder
	b.WriteString(r.Message)
	if part, rest, ok := strings.Cut(r.Message, ": "); ok && !strings.ContainsAny(part, " \t") && len(part) <= 12 {
		l.Part = part // as packages begin their messages
		b.Reset()
		b.WriteString(rest)
	}
	for _, a := range h.attrs {
		take(&l, &b, a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		take(&l, &b, a)
		return b.Len() < 2*callback.MaxLineText
	})
	l.Text = b.String()
	return l
}

// take puts one attribute where it belongs.
func take(l *callback.LogLine, b *strings.Builder, a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case a.Key == keyPart:
		l.Part = v.String()
		return
	case a.Key == keyCallback && v.Kind() == slog.KindString:
		l.Callback = v.String()
		return
	case a.Key == keyOperation:
		l.Operation = v.String()
		return
	case a.Key == keyCall:
		var err error
		if l.Call, err = callback.ParseCallID(v.String()); err == nil {
			return
		}
	case a.Equal(slog.Attr{}): // which handlers leave out
		return
	}
	if a.Key == "err" || a.Key == "error" {
		b.WriteString(": " + v.String())
		return
	}
	b.WriteString(" " + a.Key + "=" + v.String())
}

func levelOf(l slog.Level) callback.LogLevel {
	switch {
	case l >= slog.LevelError:
		return callback.LevelError
	case l >= slog.LevelWarn:
		return callback.LevelWarn
	case l >= slog.LevelInfo:
		return callback.LevelInfo
	}
	return callback.LevelDebug
}
