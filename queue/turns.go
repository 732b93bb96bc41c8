package queue

// turn is a callback in a merge, and the bound of what may come of it: an id, or
// a time in a list of attempts.
type turn struct {
	bound uint64
	h     *house
}

// turns are callbacks, a heap: of many thousands few have their turn.
type turns struct {
	oldest bool
	list   []turn
}

func (t *turns) Len() int           { return len(t.list) }
func (t *turns) Less(i, j int) bool { return t.before(t.list[i].bound, t.list[j].bound) }
func (t *turns) Swap(i, j int)      { t.list[i], t.list[j] = t.list[j], t.list[i] }
func (t *turns) Push(x any)         { t.list = append(t.list, x.(turn)) }

func (t *turns) Pop() any {
	n := len(t.list) - 1
	last := t.list[n]
	t.list = t.list[:n]
	return last
}

func (t *turns) before(a, b uint64) bool { return a != b && t.oldest == (a < b) }

// add adds a callback that may have something within s, behind after (0: from
// the beginning).
func (t *turns) add(h *house, s span, after uint64) {
	switch {
	case s.top == 0:
	case t.oldest && s.top >= after:
		t.list = append(t.list, turn{s.low, h})
	case !t.oldest && (after == 0 || s.low <= after):
		t.list = append(t.list, turn{s.top, h})
	}
}

// due reports whether the first callback may have something that does not come
// behind head.
func (t *turns) due(head place) bool {
	at := head.at
	if at == 0 {
		at = head.id
	}
	return !t.before(at, t.list[0].bound)
}
