package queue

import (
	"context"
	"fmt"
	"slices"

	"ringback/callback"
)

// countAttempts counts the attempts of those callbacks whose live state was last
// written by a ringback that did not, once: the figures are stored with it then.
// Nobody else has the engine yet.
func (e *Engine) countAttempts() error {
	var old []*house
	for _, h := range e.houses {
		if h != nil && !h.counted {
			old = append(old, h)
		}
	}
	total := uint64(0)
	for page := range slices.Chunk(old, 500) {
		err := e.submit(context.Background(), e.opt.Now, 8*len(page), 1024*len(page), func(g *group) error {
			for _, h := range page {
				if err := g.countAttempts(h); err != nil {
					return err
				}
				total += h.live.Attempts
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("count the attempts: %w", err)
		}
	}
	if len(old) > 0 {
		e.opt.Log.Info("attempts of an older folder were counted", "callbacks", len(old), "attempts", total)
	}
	return nil
}

// countAttempts counts the attempts of one callback by its rows, for each says
// how many there are of a call, and how the last one ended.
func (g *group) countAttempts(h *house) error {
	var attempts, good uint64
	for _, status := range []byte{rowSuccess, rowFailed} {
		err := eachItem(g.t, rowPrefix(h.slot, h.num, status), nil, true, func(k, v []byte) (bool, error) {
			entry, err := decodeEntry(v, h.num, callback.CallID(^be64(k[len(k)-8:])))
			if err == nil {
				attempts += uint64(entry.Attempts)
				good += entry.Good()
			}
			return true, g.e.passOver(err)
		})
		if err != nil {
			return err
		}
	}
	h.live.Attempts, h.live.Good, h.counted = attempts, good, true
	g.step(h)
	return nil
}
