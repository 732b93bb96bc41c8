package dispatch

// Half of all slots is divided equally among the lanes: so many each of them
// gets whenever it wants them, and at least one while any is free. The other half,
// and what is left over, goes to whoever asks first. So one busy lane gets all that
// its callback allows, and lanes whose endpoints hang, however many, cannot take
// the slots that the others need.

// divide finds the share of each lane anew after their number changed. The
// caller holds Engine.mu.
func (d *Engine) divide() {
	share := max(d.opt.MaxInFlight/2/max(len(d.lanes), 1), 1)
	if share == d.share {
		return
	}
	d.share, d.beyond = share, 0
	for _, l := range d.lanes {
		d.beyond += max(l.running-share, 0)
	}
}

// free returns how many more slots a lane may take.
func (d *Engine) free(l *lane) int {
	own := max(d.share-l.running, 0)
	common := max(d.opt.MaxInFlight-d.share*len(d.lanes), d.opt.MaxInFlight/2) - d.beyond
	return min(own+max(common, 0), d.opt.MaxInFlight-d.running)
}

// reserve gives a lane n slots, or takes them back where n is negative.
func (d *Engine) reserve(l *lane, n int) {
	d.beyond += max(l.running+n-d.share, 0) - max(l.running-d.share, 0)
	l.running += n
	d.running += n
}
