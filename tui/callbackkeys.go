package tui

import "ringback/callback"

// actCallback does what keys do with one callback, h, or nil, and reports
// whether a is one of those. from is left when it is deleted.
func (d *desk) actCallback(a action, h *callback.HealthView, from page) bool {
	switch a {
	case actNew:
		d.edit(nil)
	case actEdit:
		if h == nil {
			d.say(RoleError, "e: there is no callback")
			break
		}
		d.edit(h)
	case actTest:
		d.askTest(h)
	case actSuspend:
		d.askSuspend(h)
	case actDelete:
		d.askDelete(h, from)
	default:
		return false
	}
	return true
}

// edit opens the page that changes a callback, or for nil makes one.
func (d *desk) edit(h *callback.HealthView) {
	switch {
	case h == nil && !d.refuseTo("n", callback.RoleAdmin):
		d.open = newEditPage(d, 0)
	case h != nil && !d.refuseTo("e", callback.RoleAdmin):
		d.open = newEditPage(d, h.ID)
	}
}

// askDelete opens the box for a callback.
func (d *desk) askDelete(h *callback.HealthView, from page) {
	if h == nil {
		d.say(RoleError, "Del: there is no callback")
		return
	}
	if !d.refuseTo("Del", callback.RoleAdmin) {
		d.box = &deleteBox{d: d, h: *h, from: from}
	}
}
