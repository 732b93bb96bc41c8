package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"ringback/callback"
)

// backupMedia is what a backup is sent as.
const backupMedia = "application/octet-stream"

// backup streams a backup. Before the first byte faults are answered as ever;
// after it the connection is broken off. The file tells by itself, too, whether
// it is whole.
func (q *request) backup() error {
	if q.dump == nil {
		return callback.Errorf(callback.CodeNotFound, "there is nothing to back up here")
	}
	if _, ok := negotiate(q.r.Header.Values("Accept"), []media{{name: backupMedia}}); !ok {
		return &refusal{status: http.StatusNotAcceptable, message: "Accept does not allow " + backupMedia}
	}
	w := backupWriter{request: q, out: http.NewResponseController(q.w)}
	if q.r.Method == http.MethodHead {
		w.begin()
		return nil
	}
	select {
	case q.backups <- struct{}{}:
		defer func() { <-q.backups }()
	default:
		return callback.Errorf(callback.CodeUnavailable, "another backup is being taken")
	}
	err := q.dump(q.ctx(), &w)
	switch {
	case err == nil:
		q.log.Info("api: a backup was taken", "by", q.by(), "bytes", w.written)
		return nil
	case !w.begun:
		return err
	case q.ctx().Err() == nil:
		q.log.Error("api: a backup was broken off", "error", err)
	}
	panic(http.ErrAbortHandler) // as an export ends
}

// backupWriter is an answer on its way to a reader, who gets some time for each
// part.
type backupWriter struct {
	*request
	out     *http.ResponseController
	begun   bool
	written int64
}

func (b *backupWriter) begin() {
	if b.begun {
		return
	}
	b.begun = true
	head := b.w.Header()
	head.Set("Content-Type", backupMedia)
	head.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="ringback-%s.backup"`, time.Now().UTC().Format("20060102T150405Z")))
	b.w.WriteHeader(http.StatusOK)
}

// backupPart is how many bytes a reader must take in exportTime.
const backupPart = 1 << 20

// Write implements io.Writer.
func (b *backupWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		select {
		case <-b.stop:
			return n, errors.New("the server is shutting down")
		default:
		}
		if !b.still() {
			return n, errGone
		}
		if err := inTime(b.out); err != nil {
			return n, err
		}
		b.begin()
		part := 0
		part, err = b.w.Write(p[:min(len(p), backupPart)])
		n, p = n+part, p[part:]
		b.written += int64(part)
	}
	return n, err
}
