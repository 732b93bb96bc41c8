package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"ringback/callback"
)

// The file starts in the data folder tells of the last lives of the appliance,
// the latest first. One that has no end runs, or was killed.

// maxStarts bounds how many are kept.
const maxStarts = 20

// startNote is one life as it stands in the file.
type startNote struct {
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
	Version     string    `json:"version"`
	Interrupted int       `json:"interrupted"` // attempts that the life before left unfinished
}

// readStarts returns what is noted. It is no more than a note: what cannot be
// read is not known.
func (f *folder) readStarts() (notes []startNote) {
	b, err := os.ReadFile(f.path("starts"))
	if err != nil || len(b) > 64<<10 {
		return nil
	}
	if err := json.Unmarshal(b, &notes); err != nil {
		return nil
	}
	return notes[:min(len(notes), maxStarts)]
}

func (f *folder) writeStarts(notes []startNote) error {
	b, err := json.Marshal(notes)
	if err != nil {
		return fmt.Errorf("note the start: %w", err)
	}
	err = writeDurably(f.path("starts"), func(file *os.File) error {
		_, err := file.Write(append(b, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the start: %w", err)
	}
	return nil
}

// noteStart notes that a life begins, and returns all that is noted.
func (f *folder) noteStart(now time.Time, interrupted int) ([]callback.Start, error) {
	notes := append([]startNote{{Started: now, Version: version(), Interrupted: interrupted}}, f.readStarts()...)
	notes = notes[:min(len(notes), maxStarts)]
	starts := make([]callback.Start, len(notes))
	for i, n := range notes {
		starts[i] = callback.Start{At: n.Started, Ended: n.Ended, Version: callback.Sanitize(n.Version, 40), Interrupted: max(n.Interrupted, 0)}
	}
	return starts, f.writeStarts(notes)
}

// noteEnd notes that the life that began last ended in order.
func (f *folder) noteEnd(now time.Time) error {
	notes := f.readStarts()
	if len(notes) == 0 {
		return nil
	}
	notes[0].Ended = now
	return f.writeStarts(notes)
}
