package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringback/callback"
)

const maxReply = 512 // bytes kept of what a mail server said

// send renders and hands over one alert and writes down what came of it. ctx is
// done only when the process cannot wait any longer; the alert is then left as
// it was.
func (e *Engine) send(ctx context.Context, a callback.Alert) outcome {
	h, err := e.o.Store.Callback(a.Num)
	if callback.ErrorCode(err) == callback.CodeNotFound {
		h, err = callback.Health{}, nil // deleted, and its history purged
	}
	if err != nil {
		return e.stopped(ctx, a, fmt.Errorf("read callback of alert: %w", err))
	}
	to, why := e.recipient(&a, h.Email)
	if to == "" {
		return e.store(ctx, e.refused(a, why), time.Time{})
	}
	call, err := e.call(ctx, &a)
	if err != nil {
		return e.stopped(ctx, a, err)
	}
	m, err := e.mail(e.gather(&a, &h, call, to, why))
	if err != nil { // a fault of ours, which another try would only repeat
		e.o.Log.Error("alert cannot be rendered", "alert", a.Key, "err", err)
		return e.store(ctx, e.refused(a, "the mail could not be written: internal error"), time.Time{})
	}
	limited, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	receipt, err := e.o.Mailer.Send(limited, m)
	if err != nil && ctx.Err() != nil {
		return outcome{alert: a}
	}
	return e.judge(ctx, a, to, receipt, err)
}

// call returns the call an alert is about, or nil when it is about none, or
// about one that is no longer kept.
func (e *Engine) call(ctx context.Context, a *callback.Alert) (*callback.Call, error) {
	if a.Call == 0 {
		return nil, nil
	}
	c, err := e.o.Store.Call(ctx, a.Num, a.Call)
	switch {
	case callback.ErrorCode(err) == callback.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read call of alert: %w", err)
	}
	return &c, nil
}

// judge says what a try means for the alert, and stores that.
func (e *Engine) judge(ctx context.Context, a callback.Alert, to, receipt string, err error) outcome {
	now := e.o.Now()
	a.Tries++
	a.To = to
	fault := mailFault(err)
	e.note(now, fault)
	switch {
	case fault == nil:
		e.took(now)
		a.Mails = a.Taken() + 1
		a.Status, a.Sent, a.Next, a.Reply = callback.AlertSent, now, time.Time{}, callback.Sanitize(receipt, maxReply)
		e.o.Log.Info("alert sent", "alert", a.Key, "to", to, "reply", a.Reply)
	case fault.Permanent && e.fallback(to) != "":
		a.To, a.Next, a.Reply = e.fallback(to), now, replyOf(fault)
		e.o.Log.Warn("alert refused, the administrator gets it", "alert", a.Key, "to", to, "reply", a.Reply)
	case fault.Permanent:
		a = e.refused(a, replyOf(fault))
	default:
		a.Next, a.Reply = earlier(now.Add(backoff(a.Tries)), a.Created.Add(callback.AlertLife)), replyOf(fault)
		return e.store(ctx, a, holdUntil(&a, now, serverFault(fault)))
	}
	return e.store(ctx, a, time.Time{})
}

func (e *Engine) refused(a callback.Alert, reply string) callback.Alert {
	a.Status, a.Next, a.Reply = callback.AlertRefused, time.Time{}, reply
	e.o.Log.Warn("alert not sent", "alert", a.Key, "to", a.To, "reply", reply)
	return a
}

// expire closes an alert whose time is over.
func (e *Engine) expire(ctx context.Context, now time.Time, a callback.Alert) error {
	reply := "not sent within 3 days"
	switch {
	case a.Reply != "":
		reply += "; the last try: " + a.Reply
	case e.o.Mailer == nil:
		reply += ": no mail server is configured"
	}
	a.Status, a.Next, a.Reply = callback.AlertExpired, time.Time{}, callback.Sanitize(reply, maxReply)
	e.o.Log.Warn("alert expired", "alert", a.Key, "reply", a.Reply)
	return e.write(ctx, now, a)
}

// store writes a down, however late it is: what the mail server took must not
// be sent again.
func (e *Engine) store(ctx context.Context, a callback.Alert, hold time.Time) outcome {
	return outcome{alert: a, hold: hold, err: e.write(context.WithoutCancel(ctx), e.o.Now(), a)}
}

func (e *Engine) write(ctx context.Context, now time.Time, a callback.Alert) error {
	err := e.o.Store.SetAlert(ctx, now, a)
	if err == nil || callback.ErrorCode(err) == callback.CodeNotFound { // its history was purged meanwhile
		return nil
	}
	return fmt.Errorf("write alert: %w", err)
}

// stopped tells a fault of the store from a reading that was cut short because
// the process ends.
func (e *Engine) stopped(ctx context.Context, a callback.Alert, err error) outcome {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return outcome{alert: a, err: err}
}

// backoff is how long to wait after that many tries.
func backoff(tries int) time.Duration {
	wait := firstRetry
	for range tries - 1 {
		if wait *= 2; wait >= lastRetry {
			return lastRetry
		}
	}
	return wait
}

// holdUntil is how long later alerts of the callback wait for one that was put
// off. A server that is down would not take them either. A server that puts off
// this one mail does not keep them longer than patience: late news is worse
// than news out of order.
func holdUntil(a *callback.Alert, now time.Time, serverFault bool) time.Time {
	if serverFault {
		return a.Next
	}
	if until := earlier(a.Next, a.Created.Add(patience)); until.After(now) {
		return until
	}
	return time.Time{}
}

// mailFault returns err as a *callback.MailError; nil for nil. An error of
// another type is one of the way to the server.
func mailFault(err error) *callback.MailError {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*callback.MailError](err); ok {
		return f
	}
	return &callback.MailError{Stage: "connect", Reply: err.Error()}
}

func replyOf(f *callback.MailError) string {
	return callback.Sanitize(f.Error(), maxReply)
}
