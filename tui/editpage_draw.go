package tui

// Draw implements page.
func (p *editPage) Draw(c *Canvas) {
	f := p.form
	w, _ := c.Size()
	y, end := body(c)
	if p.id == 0 {
		c.Put(1, y, RoleTitle, "New callback")
	} else {
		x := c.Put(1, y, RoleText, "Edit callback ")
		if p.loaded {
			x = c.PutIn(x, y, min(c.Width(f.base.Name), w/2), RoleTitle, f.base.Name, Left) + 3
		}
		c.PutIn(x, y, w-x-1, RoleDim, "id "+p.id.String(), Left)
	}
	y++
	switch {
	case p.gone:
		c.Put(1, y, RoleError, "It was deleted meanwhile.")
		return
	case !p.loaded:
		c.Put(1, y, RoleDim, "loading ...")
		return
	}
	below := 5
	if end-y < 16 {
		below = 3
	} else {
		y++
	}
	rows, _ := f.rows()
	last := min(end-below, y+len(rows))
	f.draw(c, y, last)
	p.drawBelow(c, last+1, end)
}

// drawBelow tells of the field with the cursor, and what saving does.
func (p *editPage) drawBelow(c *Canvas, y, end int) {
	f := p.form
	w, _ := c.Size()
	at := f.fields[f.at]
	if told := f.shown(at); told != "" {
		c.PutIn(1, y, w-2, RoleError, string(c.Glyphs().Down)+" "+at.label+" "+told, Left)
	} else if at.kind == fieldSecret && at.was == "" {
		c.PutIn(1, y, w-2, RoleDim, "It is never shown, not even while it is typed.", Left)
	} else {
		c.PutIn(1, y, w-2, RoleDim, at.help, Left)
	}
	y++
	if warned := f.warned(); warned != nil && y < end {
		c.PutIn(1, y, w-2, RoleFailing, string(c.Glyphs().Failing)+" "+warned.label+": "+warned.finding.Message, Left)
		y++
	}
	if s := f.changed(); s != "" && !f.new() {
		c.PutIn(1, y, w-2, RoleText, "Changed: "+s, Left)
		y++
	}
	if s := f.effect(); s != "" {
		for _, line := range c.Wrap("Effect: "+s, w-2, min(end-y, 2)) {
			c.PutIn(1, y, w-2, RoleText, line, Left)
			y++
		}
	}
	y = p.drawCommand(c, y+1, end)
	p.drawSample(c, y, end)
}

// drawCommand shows how a shell does the same, where there is room, and returns
// the row after it.
func (p *editPage) drawCommand(c *Canvas, y, end int) int {
	w, _ := c.Size()
	if !p.dirty() || end-y < 3 {
		return y
	}
	c.Rule(y, "the same from a shell", "")
	for _, line := range c.Wrap(p.form.command(), w-2, end-y-1) {
		y++
		c.PutIn(1, y, w-2, RoleText, line, Left)
	}
	return y + 2
}

// drawSample shows the head of a request as the form has it, where there is room
// for all of it.
func (p *editPage) drawSample(c *Canvas, y, end int) {
	w, _ := c.Size()
	cb := p.form.would()
	heads := p.d.heads(&sent{cb: &cb, url: cb.MaskedURL(), id: "..."}, true)
	lines := append(heads[:1:1], packed(c, heads[1:], w-2)...)
	if cb.URL == "" || p.form.field("url").fault != "" || end-y <= len(lines) {
		return
	}
	c.Rule(y, "what will be sent", "Ctrl+T sends a sample")
	for _, line := range lines {
		y++
		c.PutIn(1, y, w-2, RoleText, line, Left)
	}
}
