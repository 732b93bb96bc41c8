package tui

import (
	"strconv"
	"strings"

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

// parseOutages reads a filter of outages: nil lets all through.
func (d *desk) parseOutages(s string) (test[callback.OutageView], *filterError) {
	all, text, fault := outageLanguage.split(s)
	if fault != nil {
		return nil, fault
	}
	since, until, fault := d.between(all)
	if fault != nil {
		return nil, fault
	}
	tests := []test[callback.OutageView]{func(o *callback.OutageView) bool { return within(o.OutageState.Started, since, until) }}
	if text != "" {
		text = strings.ToLower(text)
		tests = append(tests, func(o *callback.OutageView) bool { return strings.Contains(strings.ToLower(outageText(o)), text) })
	}
	for _, cs := range all {
		var some []test[callback.OutageView]
		for i := range cs {
			t, fault := outageTest(&cs[i])
			if fault != nil {
				return nil, fault
			}
			if t != nil {
				some = append(some, t)
			}
		}
		if some != nil {
			tests = append(tests, anyOf(some))
		}
	}
	if len(all) == 0 && text == "" {
		return nil, nil
	}
	return allOf(tests), nil
}

// outageText is what text is looked for in.
func outageText(o *callback.OutageView) string {
	s := o.Callback + "\n" + cause(o) + "\n" + o.FirstText + "\n" + o.Acked
	for i := range o.Alerts {
		s += "\n" + o.Alerts[i].To + "\n" + o.Alerts[i].Reply
	}
	return s
}

// outageTest returns the condition of a clause; nil: it is read elsewhere.
func outageTest(c *clause) (test[callback.OutageView], *filterError) {
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
		return func(o *callback.OutageView) bool { return like(value, o.Callback) || o.CallbackID.String() == value }, nil
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
