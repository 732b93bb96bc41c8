package cli

import (
	"io"
	"log"
	"testing"
)

func TestStandardLoggerIsSilent(t *testing.T) {
	log.SetOutput(t.Output())
	if code := Main([]string{"version", "--no-such-flag"}); code != exitUsage {
		t.Fatalf("exit code %d", code)
	}
	if log.Writer() != io.Discard {
		t.Error("what net/http says of endpoints goes to the standard logger, and on from there")
	}
}
