package tui

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// outageLanguage is the language of outages.
var outageLanguage = &language{[]filterKey{
	{"status", false, offered("open", "recovering", "over")},
	{"cb", false, callbackNames},
	{"since", true, offered("1h", "6h", "24h", "7d", "30d")},
	{"until", true, offered("1h", "6h", "24h", "7d", "30d")},
	{"code", false, offered(codeWords...)},
	{"id", false, offered()},
}}

// parse reads a filter of outages: nil lets all through.
func (p *outagesPage) parse(s string) (test[callback.OutageView], *filterError) {
	return testOf(p.d, outageLanguage, s, func(o *callback.OutageView) time.Time { return o.OutageState.Started }, outageText, p.test)
}

// outageText is what text is looked for in.
func outageText(o *callback.OutageView) string {
	s := o.Callback + "\n" + cause(o) + "\n" + o.FirstText + "\n" + o.Acked
	for i := range o.Alerts {
		s += "\n" + o.Alerts[i].To + "\n" + o.Alerts[i].Reply
	}
	return s
}

// test returns the condition of a clause; nil: it is read elsewhere.
func (p *outagesPage) test(c *clause) (test[callback.OutageView], *filterError) {
	value := c.value
	switch c.key {
	case "status":
		phase, ok := map[string]callback.OutagePhase{"open": callback.OutageOpen, "recovering": callback.Recovering, "over": callback.NoOutage}[value]
		if !ok {
			return nil, c.wrong("open recovering over")
		}
		return func(o *callback.OutageView) bool { return o.Phase == phase }, nil
	case "cb":
		if value == "" {
			return nil, c.wrong("the name of a callback; * is any text")
		}
		of := func(o *callback.OutageView) bool { return like(value, o.Callback) || o.CallbackID.String() == value }
		if _, fault := p.d.called(c); fault != nil && !slices.ContainsFunc(p.all, func(o callback.OutageView) bool { return of(&o) }) {
			return nil, fault // one that was deleted may have outages yet
		}
		return of, nil
	case "code":
		t, fault := causeOf(c)
		return func(o *callback.OutageView) bool { return t.holds(o.FirstCode, o.First) }, fault
	case "id":
		n, err := strconv.ParseUint(strings.TrimPrefix(value, "#"), 10, 32)
		if err != nil {
			return nil, c.wrong("the number of an outage, as in id:40")
		}
		return func(o *callback.OutageView) bool { return o.N == uint32(n) }, nil
	}
	return nil, nil
}
