package tui

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ringback/callback"
)

func TestDeleteWantsTheName(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter delete")
		p.see("Delete crm-prod for good", "1,284 waiting calls would be lost")
		p.press("enter")
		p.types("crm-pro")
		p.press("enter")
		p.types("d and more")
		p.press("enter")
		want(t, f.did(), nil)
		p.press("ctrl+u")
		p.types("crm-pro")
		p.paste("d\n")
		p.press("enter")
		want(t, f.did(), []string{fmt.Sprintf("delete %s", callbackIDOf("crm-prod"))})
		p.see("deleted crm-prod", "CALLBACK") // its page was left
		p.unseen("DOWN")
		p.press("delete")
		p.types("billing-eu")
		f.set(func() { f.fail = errors.New("connection reset") })
		p.pass(2 * time.Second)
		p.press("enter")
		p.see("Del: offline")
		f.set(func() { f.fail = nil })
		p.pass(10 * time.Second)
		want(t, f.did(), []string{fmt.Sprintf("delete %s", callbackIDOf("crm-prod"))})
		p.press("delete esc delete")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeForbidden, "this key may not") })
		p.types("billing-eu")
		p.press("enter")
		p.see("delete billing-eu: this key may not", "> billing-eu")
	})
}

func TestTestSend(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("T esc")
		want(t, f.did(), nil)
		p.press("T enter")
		want(t, f.did(), []string{fmt.Sprintf("test %s", callbackIDOf("crm-prod"))})
		p.see("✗ crm-prod did not take it: 503 Service Unavailable after 84ms", "Unavailable</title></head><body>", "POST /in/whispir HTTP/1.1", "X-Whispir-Callback-Key: "+f.health("crm-prod").Auth.Key.String())
		p.press("j j j j j j j j j j j j")
		p.see("webhook-id: test_0123456789ABCDEF", "Nobody answered a message.")
		f.set(func() {
			a := fixtureAttempt(callSeed{0, "crm-prod", callback.StateDelivered, 1, 200, 0, 12 * time.Millisecond, "", 0}, 1)
			f.trial.Attempts = []callback.Attempt{{Class: callback.ClassReset, Number: 1}, a}
			f.wait = make(chan struct{})
		})
		p.press("enter")
		p.pass(3 * time.Second)
		p.see("A sample is on its way to crm-prod.", "waiting for the answer, 3s")
		p.press("enter esc") // once is enough
		f.set(func() { close(f.wait); f.wait = nil })
		p.settle()
		p.see("crm-prod took it: 200 OK in 12ms")
		p.press("T enter")
		p.see("✓ crm-prod took it: 200 OK in 12ms", "A kept connection was dead")
		if n := f.count("act"); n != 3 {
			t.Fatalf("%d samples were sent, want 3", n)
		}
		f.set(func() { f.refuse = callback.Errorf(callback.CodeConflict, "a test of the callback runs already") })
		p.press("enter")
		p.see("test of crm-prod: a test of the callback runs already")
		f.set(func() { f.refuse, f.wait = nil, make(chan struct{}) })
		p.press("enter")
		p.pass(3 * time.Minute)
		p.see("the server did not answer in time")
	})
}
