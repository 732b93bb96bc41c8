package api

import "strings"

func badResponses() (out []bad) {
	long := strings.Repeat("x", 1025)
	for _, c := range []struct{ body, names string }{
		{`{"messageId":5}`, "messageId"},
		{`{"messageLocation":[]}`, "messageLocation"},
		{`{"id":5}`, "id"},
		{`{"from":"Fred"}`, "from"},
		{`{"from":[]}`, "from"},
		{`{"from":{"name":5}}`, "from.name"},
		{`{"from":{"mobile":430984567}}`, "from.mobile"},
		{`{"from":{"phone":"1"}}`, "from.phone"},
		{`{"from":{"voice":true}}`, "from.voice"},
		{`{"from":{"mri":{}}}`, "from.mri"},
		{`{"from":{"email":[]}}`, "from.email"},
		{`{"responseMessage":"yes"}`, "responseMessage"},
		{`{"responseMessage":{"content":5}}`, "responseMessage.content"},
		{`{"responseMessage":{"channel":[]}}`, "responseMessage.channel"},
		{`{"responseMessage":{"text":"a"}}`, "responseMessage.text"},
		{`{"responseMessage":{"acknowledged":1}}`, "responseMessage.acknowledged"},
		{`{"responseMessage":{"undeliverable":1}}`, "responseMessage.undeliverable"},
		{`{"customParameters":"a"}`, "customParameters"},
		{`{"customParameters":{"a":[]}}`, "customParameters.a"},
		{`{"customParameters":{"a":{"b":1}}}`, "customParameters.a"},
		{`{"customParameters":[1]}`, "customParameters[0]"},
		{`{"customParameters":[{"key":"a","value":[]}]}`, "customParameters[0]"},
		{`{"customParameters":[{"value":"a"}]}`, "customParameters[0].key"},
		{`{"callbackParameters":5}`, "callbackParameters"},
		{`{"customParameters":{"a":1},"callbackParameters":{"a":2}}`, "callbackParameters.a"},
		{`{"deliverAt":"tomorrow"}`, "deliverAt"},
		{`{"deliverAt":1700000000}`, "deliverAt"},
		{`{"deliverAt":"2026-13-01T00:00:00Z"}`, "deliverAt"},
		{`{"deliverAt":"2099-01-01T00:00:00Z"}`, "deliverAt"},
		{`{"deliverAt":""}`, "deliverAt"},
		{`{"deliverAt":"0000-01-01T00:00:00Z"}`, "deliverAt"},
		{`{"message":"a"}`, "message"},
		{`{"callbackID":"a"}`, "callbackID"},
		{`{"callbackId":5}`, "callbackId"},
		{`{}`, "responseMessage"},
		{`{"responseMessage":null}`, "responseMessage"},
		{`{"messageId":"","from":{"name":"Fred"}}`, "responseMessage"},
		{`{"messageId":null,"responseMessage":null}`, "responseMessage"},
		{`{"response":{"messageId":"a"}}`, "responseMessage"},
		{`{"callbackId":"other","responseMessage":{}}`, "callbackId"},
		{`{"messageId":"` + long + `"}`, "messageId"},
		{`{"from":{"name":"` + long + `"}}`, "from.name"},
		{`{"id":"` + long[:256] + `"}`, "id"},
		{`{"customParameters":{"a":"` + strings.Repeat("x", 4097) + `"}}`, "customParameters.a"},
		{`{"from":5,"messageId":"` + long + `"}`, "messageId"}, // what is of a wrong type does not hide what is too long
		{`[]`, "(body)"},
		{`[{}]`, "(body)"},
		{`5`, "(body)"},
		{`null`, "(body)"},
		{`"a"`, "(body)"},
	} {
		out = append(out, bad{"POST", "/callbacks/crm-prod/responses", c.body, 422, c.names, nil})
	}
	return append(out,
		bad{"POST", "/responses", `{"responseMessage":{}}`, 422, "callbackId", nil}, bad{"POST", "/responses", `{"callbackId":"","responseMessage":{}}`, 422, "callbackId", nil},
		bad{"POST", "/responses", `{"callbackId":null,"responseMessage":{}}`, 422, "callbackId", nil}, bad{"POST", "/responses", `[]`, 422, "(body)", nil},
		bad{"POST", "/responses", `[5]`, 422, "[0]", nil}, bad{"POST", "/responses", `[[]]`, 422, "[0]", nil}, bad{"POST", "/responses", `[{"responseMessage":{}}]`, 422, "[0].callbackId", nil},
		bad{"POST", "/responses", `[{"callbackId":"crm-prod","from":{"nam":1}}]`, 422, "[0].from.nam", nil},
		bad{"POST", "/responses", `[{"callbackId":"nobody"},null]`, 422, "[1]", nil},
		bad{"POST", "/responses", `{"callbackId":"nobody","responseMessage":{}}`, 404, "", nil}, bad{"POST", "/callbacks/nobody/responses", `{"responseMessage":{}}`, 404, "", nil},
	)
}
