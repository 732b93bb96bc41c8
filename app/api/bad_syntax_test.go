package api

import "strings"

// badSyntax is what no route that takes JSON may take.
func badSyntax() (out []bad) {
	deep := strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)
	for _, c := range []struct{ body, names string }{
		{``, ""},
		{`  `, ""},
		{`{`, ""},
		{`}`, ""},
		{`{"name"`, ""},
		{`{"name":`, ""},
		{`{"name":"a"`, ""},
		{`{"name":"a",}`, ""},
		{`{name:"a"}`, ""},
		{`{'name':'a'}`, ""},
		{`{"name":"a"} {"name":"b"}`, ""},
		{`{"name":"a"}x`, ""},
		{`{"name":"a"},`, ""},
		{`[1,]`, ""},
		{`nul`, ""},
		{`NaN`, ""},
		{`{"status":"SUCCESS","status":"FAILED"}`, "status"},
		{`{"from":{"name":"a","name":"b"}}`, "from.name"},
		{`{"a":{"b":{"c":1,"c":2}}}`, "a.b.c"},
		{"{\"name\":\"\xff\"}", "name"},
		{"{\"\xff\":1}", ""},
		{`{"name":"\ud800"}`, "name"},
		{`{"name":"\udc00\ud800"}`, "name"},
		{`{"name":"\x41"}`, "name"},
		{"{\"name\":\"a\nb\"}", "name"},
		{"\xef\xbb\xbf{}", ""},
		{"\xff\xfe{\x00}\x00", ""},
		{"{\"name\":\"a\"\x00}", ""},
		{`{"name":01}`, ""},
		{`{"name":+1}`, "name"},
		{`{"name":.5}`, "name"},
		{`{"name":1.}`, "name"},
		{`{"name":0x10}`, ""},
		{`{"name":Infinity}`, "name"},
		{`/* */{}`, ""},
		{deep, "a.a…"},
		{strings.Repeat("[", 100000), "[0][0]…"},
		{"[" + strings.Repeat("0,", 200000) + "0]", "[1…"},
		{`<callback/>`, ""},
		{`name=a&url=b`, ""},
	} {
		for _, to := range []struct{ method, target string }{
			{"POST", "/callbacks"},
			{"PUT", "/callbacks/crm-prod"},
			{"POST", "/responses"},
			{"POST", "/callbacks/crm-prod/responses"},
			{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001"},
			{"PUT", "/callbacks/crm-prod/calls/0328BA3200000001"},
		} {
			out = append(out, bad{to.method, to.target, c.body, 400, c.names, nil})
		}
	}
	million := "[" + strings.Repeat("0,", 1000000) + "0]"
	return append(out, bad{"POST", "/responses", million, 413, "larger", nil}, bad{"POST", "/callbacks", million, 413, "larger", nil})
}
