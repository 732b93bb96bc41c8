package api

import "strings"

// badXML is what no route that takes XML may take.
func badXML() (out []bad) {
	const decl = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	in := func(s string) string { return callbackXML + s + callbackEnd }
	deep := strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65)
	lol := `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`
	for _, c := range []struct{ body, names string }{
		// Not well-formed.
		{" ", "empty"},
		{"<", "early"},
		{"<a", "early"},
		{callbackXML, "companyapicallback"},
		{callbackXML + "<name>a", "name"},
		{callbackXML + "<name>a</url></name>" + callbackEnd, "name"},
		{in("<name>a</Name>"), "name"},
		{in("<na me>a</na me>"), "na"},
		{in("<1>a</1>"), "companyapicallback"},
		{in("<a:b:c/>"), "companyapicallback"},
		{in("<:name/>"), ":name"},
		{in("<name:/>"), "name:"},
		{in("<name>&amp</name>"), "name"},
		{in("<name>a & b</name>"), "name"},
		{in("<name>]]></name>"), "name"},
		{in("<name>&nbsp;</name>"), "name"},
		{in("<name>&lol;</name>"), "name"},
		{in("<name>&#0;</name>"), "name"},
		{in("<name>&#x1f;</name>"), "name"},
		{in("<name>&#xD800;</name>"), "name"},
		{in("<name>&#xd83d;&#xde00;</name>"), "name"},
		{in("<name>&#57343;</name>"), "name"},
		{in(`<link uri="&#xDFFF;"/>`), "surrogate"},
		{in("<name>&#xFFFE;</name>"), "name"},
		{in("<name>&#1114112;</name>"), "name"},
		{in("<name>&#;</name>"), "name"},
		{in("<name>\x00</name>"), "U+0000"},
		{in("<name>\x1b[2J</name>"), "U+001B"},
		{in("<!-- \x01 -->"), "U+0001"},
		{in("<name>\ufffe</name>"), "U+FFFE"},
		{in("<name>\xff</name>"), "UTF-8"},
		{in("<!-- \xc3\x28 -->"), "UTF-8"},
		{in("<name>\xed\xa0\x80</name>"), "UTF-8"},
		{in("<!-- a -- b -->"), "companyapicallback"},
		{in(`<link uri="<"/>`), "companyapicallback"},
		{in(`<link uri=u/>`), "companyapicallback"},
		{in(`<link uri/>`), "companyapicallback"},
		{in(`<link uri="a" uri="b"/>`), "link"},
		{`<ns2:companyapicallback xmlns:ns2="http://schemas.api.whispir.com" xmlns:ns2="http://schemas.api.whispir.com"/>`, "companyapicallback"},
		{"\xff\xfe<\x00a\x00/\x00>\x00", "UTF-8"},
		{"\xfe\xff\x00<\x00a\x00/\x00>", "UTF-8"},
		{`{"name":"a"}`, "XML"},
		{`name=a`, "text outside"},
		// What stands around the root.
		{in("") + in(""), "companyapicallback"},
		{in("") + "<a/>", "a"},
		{"x" + in(""), "text outside"},
		{in("") + "x", "text outside"},
		{in("") + "<![CDATA[ ]]>", "text outside"},
		{in("") + "&#32;", "text outside"},
		{in("") + "<?php a ?>", "processing instruction"},
		{"<!-- a -->" + decl + in(""), "declaration"},
		{" " + decl + in(""), "declaration"},
		{decl + decl + in(""), "declaration"},
		{`<?XML version="1.0"?>` + in(""), "processing instruction"},
		{`<?xml-stylesheet href="a"?>` + in(""), "processing instruction"},
		{in("<?a?>"), "companyapicallback"},
		{in("<name><?a?></name>"), "name"},
		{`<?xml version="1.1"?>` + in(""), "version"},
		{`<?xml version="2"?>` + in(""), "version"},
		{`<?xml encoding="UTF-8"?>` + in(""), "declaration"},
		{`<?xml version="1.0" encoding="ISO-8859-1"?>` + in("<name>\xe9</name>"), "encoding"},
		{`<?xml version="1.0" encoding="UTF-16"?>` + in(""), "encoding"},
		{`<?xml version="1.0" encoding="UTF-7"?>` + in("+ADw-name"), "encoding"},
		{`<?xml version="1.0" standalone="maybe"?>` + in(""), "declaration"},
		{`<?xml version="1.0" standalone="yes" encoding="UTF-8"?>` + in(""), "declaration"},
		{`<?xml version="1.0" a="b"?>` + in(""), "declaration"},
		// DTDs and entities.
		{"<!DOCTYPE companyapicallback>" + in(""), "DTD"},
		{`<!DOCTYPE a SYSTEM "file:///etc/passwd">` + in(""), "DTD"},
		{`<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]>` + in("<name>&x;</name>"), "DTD"},
		{`<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/"> %x;]>` + in(""), "DTD"},
		{lol + in("<name>&c;</name>"), "DTD"},
		{in(`<!ENTITY a "b">`), "companyapicallback"},
		{in(`<!ELEMENT name ANY>`), "companyapicallback"},
		{in(`<![INCLUDE[<name/>]]>`), "companyapicallback"},
		// Names and namespaces.
		{"<a/>", "companyapicallback"},
		{"<companyapicallback/>", "companyapicallback"},
		{`<companyapicallback xmlns=""/>`, "companyapicallback"},
		{`<ns2:companyapicallback/>`, "companyapicallback"},
		{`<companyapicallback xmlns="http://schemas.api.whispir.com/dap"/>`, "companyapicallback"},
		{`<companyapicallback xmlns="http://schemas.api.whispir.com/"/>`, "companyapicallback"},
		{`<companyapicallback xmlns="HTTP://schemas.api.whispir.com"/>`, "companyapicallback"},
		{`<companyapicallback xmlns="urn:x"/>`, "companyapicallback"},
		{`<companyApiCallback xmlns="http://schemas.api.whispir.com"/>`, "companyapicallback"},
		{`<callback xmlns="http://schemas.api.whispir.com"/>`, "companyapicallback"},
		{deliveryXML + deliveryEnd, "companyapicallback"},
		{`<xmlns:companyapicallback xmlns="http://schemas.api.whispir.com"/>`, "companyapicallback"},
		{in("<ns3:name>a</ns3:name>"), "name"},
		{in(`<name xmlns="urn:x">a</name>`), "name"},
		{in(`<x:name xmlns:x="urn:x">a</x:name>`), "name"},
		{in(`<x:name xmlns:x="">a</x:name>`), "name"},
		{in(`<auth><x:key>a</x:key></auth>`), "auth.key"},
		// Attributes.
		{in(`<name a="b">a</name>`), "name"},
		{in(`<name xml:lang="en">a</name>`), "name"},
		{in(`<name uri="a">a</name>`), "name"},
		{in(`<name xsi:nil="true"/>`), "name"},
		{in(`<link href="a"/>`), "link"},
		{in(`<auth type="querystring"/>`), "auth"},
		{`<a:companyapicallback xmlns:a="http://schemas.api.whispir.com" id="1"/>`, "companyapicallback"},
		{in(`<name xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">a</name>`), "name"},
		{in(`<name xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:j="http://www.w3.org/2001/XMLSchema-instance" i:type="a" j:type="b"/>`), "name"},
		// The tree.
		{in("<name>a</name><name>b</name>"), "name"},
		{in("<name>a</name><ns2:name>b</ns2:name>"), "name"},
		{in("<auth/><auth/>"), "auth"},
		{in("<auth><key>a</key><key>b</key></auth>"), "auth.key"},
		{in("<callbacks><reply>enabled</reply><reply>disabled</reply></callbacks>"), "callbacks.reply"},
		{in("<headers><entry/><entry/><x/></headers>"), "headers.entry"},
		{in("<headers><entry><key>a</key><key>b</key></entry></headers>"), "headers[0].key"},
		{in("<headers><entry><key>a</key></entry><header><key>b</key></header><entry a='b'/></headers>"), "headers[2]"},
		{in("text<name>a</name>"), "companyapicallback"},
		{in("<name>a</name>text"), "companyapicallback"},
		{in("<auth>x<key>a</key></auth>"), "auth"},
		{in("<auth><![CDATA[x]]><key>a</key></auth>"), "auth"},
		{in(deep), "a.a…"},
		{in(strings.Repeat("<a/>", 200000)), "too many"},
		{strings.Repeat("<a>", 100000), "64 levels"},
		{`<a ` + strings.Repeat(`xmlns:a="b" `, 50000) + `/>`, "a"},
	} {
		out = append(out, bad{"POST", "/callbacks", c.body, 400, c.names, []string{asXML}})
	}
	out = append(out, bad{"POST", "/callbacks", in(strings.Repeat("<a/>", 1000000)), 413, "larger", []string{asXML}})
	for _, body := range []string{in(""), sampleResolve, `<deliveryResponse xmlns="` + spaceDAP + `"><responseMessage/></deliveryResponse>`, "<call/>", "<!DOCTYPE a><a/>", decl, "<a>"} {
		out = append(out, bad{"POST", "/callbacks/crm-prod/responses", body, 400, "", []string{asXML, "Accept: text/xml"}})
	}
	for _, body := range []string{
		in(""), "<call><status>SUCCESS</status></call>", `<call xmlns="urn:x"><status>SUCCESS</status></call>`,
		`<calls xmlns="http://schemas.api.whispir.com/dap"><status>SUCCESS</status></calls>`, sampleResolve + sampleResolve,
		`<call xmlns="http://schemas.api.whispir.com/dap"><status>SUCCESS</status><status>FAILED</status></call>`,
	} {
		for _, target := range []string{"/callbacks/crm-prod/calls?id=0328BA3200000001", "/callbacks/crm-prod/calls/0328BA3200000001"} {
			out = append(out, bad{"PUT", target, body, 400, "", []string{asXML, wantXML}})
		}
	}
	return out
}

const sampleResolve = `<ns2:call xmlns:ns2="http://schemas.api.whispir.com/dap"><status>SUCCESS</status></ns2:call>`

// badFieldsXML is XML that can be read, with a field that is wrong.
func badFieldsXML() (out []bad) {
	for _, c := range []struct{ in, names string }{
		{"", "name"},
		{"<name/>", "name"},
		{"<name><b/></name>", "name"},
		{"<name><entry/></name>", "name"},
		{"<Name>a</Name>", "Name"},
		{"<nmae>a</nmae>", "nmae"},
		{"<url>ftp://a/</url>", "url"},
		{"<url>\nhttp://a/\n</url>", "url"},
		{"<email>nobody</email>", "email"},
		{"<auth>x</auth>", "auth"},
		{"<auth><entry/></auth>", "auth"},
		{"<auth><type>magic</type></auth>", "auth.type"},
		{"<auth><type/><key>k</key></auth>", "auth.type"},
		{"<auth><key><a/></key></auth>", "auth.key"},
		{"<auth><kye>k</kye></auth>", "auth.kye"},
		{"<contentType/>", "contentType"},
		{"<contentType>yaml</contentType>", "contentType"},
		{"<removeHTML>true</removeHTML>", "removeHTML"},
		{"<removeHTML/>", "removeHTML"},
		{"<retriesEnabled>yes</retriesEnabled>", "retriesEnabled"},
		{"<retriesEnabled/>", "retriesEnabled"},
		{"<retriesEnabled>1</retriesEnabled>", "retriesEnabled"},
		{"<callbacks>enabled</callbacks>", "callbacks"},
		{"<callbacks><reply>on</reply></callbacks>", "callbacks.reply"},
		{"<callbacks><reply/></callbacks>", "callbacks.reply"},
		{"<callbacks><callback/></callbacks>", "callbacks"},
		{"<maxInFlight>many</maxInFlight>", "maxInFlight"},
		{"<maxInFlight>1.5</maxInFlight>", "maxInFlight"},
		{"<maxInFlight/>", "maxInFlight"},
		{"<maxInFlight>99999999999999999999</maxInFlight>", "maxInFlight"},
		{"<ratePerSecond>fast</ratePerSecond>", "ratePerSecond"},
		{"<ratePerSecond>NaN</ratePerSecond>", "ratePerSecond"},
		{"<ratePerSecond>1e999</ratePerSecond>", "ratePerSecond"},
		{"<ordered>maybe</ordered>", "ordered"},
		{"<connectTimeout>5</connectTimeout>", "connectTimeout"},
		{"<responseTimeout>soon</responseTimeout>", "responseTimeout"},
		{"<alerts>loud</alerts>", "alerts"},
		{"<version>new</version>", "version"},
		{"<headers>X: y</headers>", "headers"},
		{"<headers><entry><value>a</value></entry></headers>", "headers[0].key"},
		{"<headers><entry>a</entry></headers>", "headers[0]"},
		{"<headers><entry/><entry/></headers>", "headers[0]…"},
		{"<headers><entry><key>X</key><val>a</val></entry></headers>", "headers[0].val"},
		{"<headers><entry><key>X</key><value><a/></value></entry></headers>", "headers[0]"},
		{"<headers><entry><key>X</key></entry><entry><key>X</key></entry></headers>", "headers[1]"},
		{"<headers><entry><key>Host</key><value>a</value></entry></headers>", "headers.Host"},
	} {
		out = append(out, bad{"POST", "/callbacks", callbackXML + c.in + callbackEnd, 422, c.names, []string{asXML, wantXML}})
	}
	for _, c := range []struct{ in, names string }{
		{"", "responseMessage"},
		{"<messageId/><from><name>Fred</name></from>", "responseMessage"},
		{"<responseMessage>yes</responseMessage>", "responseMessage"},
		{"<responseMessage><content><b/></content></responseMessage>", "responseMessage.content"},
		{"<responseMessage><text>a</text></responseMessage>", "responseMessage.text"},
		{"<responseMessage/><from>Fred</from>", "from"},
		{"<responseMessage/><from><phone>1</phone></from>", "from.phone"},
		{"<responseMessage/><customParameters>a</customParameters>", "customParameters"},
		{"<responseMessage/><customParameters><entry><value>a</value></entry></customParameters>", "customParameters[0].key"},
		{"<responseMessage/><customParameters><entry><key>a</key></entry><entry><key>a</key></entry></customParameters>", "customParameters[1]"},
		{"<responseMessage/><customParameters><a><b/></a></customParameters>", "customParameters.a"},
		{"<responseMessage/><deliverAt>tomorrow</deliverAt>", "deliverAt"},
		{"<responseMessage/><deliverAt/>", "deliverAt"},
		{"<responseMessage/><messageid>a</messageid>", "messageid"},
		{"<responseMessage/><messageId>" + strings.Repeat("x", 1025) + "</messageId>", "messageId"},
		{"<responseMessage/><callbackId>other</callbackId>", "callbackId"},
	} {
		out = append(out, bad{"POST", "/callbacks/crm-prod/responses", deliveryXML + c.in + deliveryEnd, 422, c.names, []string{asXML}})
	}
	const call = "/callbacks/crm-prod/calls/0328BA3200000001"
	for _, in := range []string{"", "<status/>", "<status>PENDING</status>", "<status><a/></status>", "<Status>SUCCESS</Status>"} {
		out = append(out, bad{"PUT", call, `<call xmlns="http://schemas.api.whispir.com/dap">` + in + `</call>`, 422, "status", []string{asXML, wantXML}})
	}
	for in, names := range map[string]string{"<extend>maybe</extend>": "extend", "<extend/>": "extend", "<extent>true</extent>": "extent", "x": wholeBody} {
		out = append(out, bad{"POST", call + "/retry", `<retry xmlns="http://schemas.api.whispir.com/dap">` + in + `</retry>`, 422, names, []string{asXML}})
	}
	return out
}
