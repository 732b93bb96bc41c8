package callback

import "testing"

func TestOutageAndAlertIDs(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"B3EDFE83DF389DFE", "crm-prod", "a-1", "-"} {
		got, n, ok := ParseOutageID(OutageID(ref, 12))
		if got != ref || n != 12 || !ok {
			t.Errorf("%q: read back as %q %d %v", ref, got, n, ok)
		}
	}
	for _, bad := range []string{"", "-", "-1", "a", "a-", "a-0", "a-x", "a--", "a-4294967296", "a-+1"} {
		if ref, n, ok := ParseOutageID(bad); ok {
			t.Errorf("%q was read as %q %d", bad, ref, n)
		}
	}
	a := Alert{Key: alertKey(AlertCall, 0xB3EDFE83DF389DFE, CallID(0x0328BA3200000001))}
	if got := ParseAlertID(a.ID()); got != a.Key {
		t.Errorf("alert %q: read back as %q", a.Key, got)
	}
	if id, ok := AlertOf(a.Key); id != 0xB3EDFE83DF389DFE || !ok {
		t.Errorf("callback of alert %q: %v %v", a.Key, id, ok)
	}
	for _, bad := range []string{"", "call", "call/B3EDFE83DF389DFE", "call/nobody/1", "a/B3EDFE83DF389DFE/1/2"} {
		if id, ok := AlertOf(bad); ok {
			t.Errorf("%q is of %v", bad, id)
		}
	}
}
