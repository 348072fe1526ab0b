package verify

import (
	"bytes"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

var valueRule = &rule{
	name:   "value-format",
	clause: "ISO 32000-2 12.8.1 (Contents); ITU-T X.690",
	stops:  "something hidden after the value; values that only some readers understand",
	codes: []outcome{
		{codeOK, Valid, "签名值完整，填充全为零（%[1]d + %[2]d 字节）", "the value is whole and its padding is zero (%[1]d + %[2]d bytes)"},
		{"empty-value", Invalid, "签名值为空", "the signature value is empty"},
		{"malformed-value", Invalid, "签名值编码错误：%[1]s", "the value is not well encoded: %[1]s"},
		{"padding-not-zero", Invalid, "签名值之后的填充在第 %[1]d 字节处不为零", "the padding after the value is not zero at byte %[1]d"},
		{"unknown-value", Indeterminate, "签名值既不是 CMS 也不是电子签章", "the value is neither a CMS SignedData nor an SES_Signature"},
	},
}

// kinds of value, by their bytes: the SubFilter is often wrong about it.
type valueKind int

const (
	unknownValue valueKind = iota
	cmsValue
	sesValue
)

// value cuts the value out of /Contents and says what it is, whatever the SubFilter says.
func (j *judge) value(contents []byte) ([]byte, valueKind) {
	if len(bytes.TrimRight(contents, "\x00")) == 0 {
		j.add(valueRule.check("empty-value"))
		return nil, unknownValue
	}
	n, err := der.Length(contents)
	if err != nil {
		j.add(valueRule.check("malformed-value", err.Error()))
		return nil, unknownValue
	}
	value, kind := contents[:n], sniff(contents[:n])
	for i, c := range contents[n:] {
		if c != 0 {
			j.add(valueRule.check("padding-not-zero", n+i))
			return value, kind
		}
	}
	if kind == unknownValue {
		j.add(valueRule.check("unknown-value"))
		return nil, unknownValue
	}
	j.add(valueRule.check(codeOK, n, len(contents)-n))
	return value, kind
}

// sniff looks at the first element inside the outer SEQUENCE: an OBJECT IDENTIFIER begins a CMS ContentInfo, a SEQUENCE
// that begins with an INTEGER an SES_Signature.
func sniff(b []byte) valueKind {
	in := der.Content(b, 0x30)
	switch {
	case len(in) > 0 && in[0] == 0x06:
		return cmsValue
	case len(in) > 0 && in[0] == 0x30:
		if tbs := der.Content(in, 0x30); len(tbs) > 0 && tbs[0] == 0x02 {
			return sesValue
		}
	}
	return unknownValue
}

var knownSubFilters = map[string]bool{
	"ETSI.CAdES.detached": true, "adbe.pkcs7.detached": true, "adbe.pkcs7.sha1": true, "adbe.x509.rsa_sha1": true, "ETSI.RFC3161": true,
}

// subFilter tells of a name that is not known or does not go with the value. It decides nothing.
func (j *judge) subFilter(name string, format sign.Format) {
	switch {
	case !knownSubFilters[name]:
		j.note("unknown-subfilter", "未知的 SubFilter："+name+"，按签名值的字节判断", "unknown SubFilter "+name+"; judged by the bytes of the value")
	case format == sign.SES:
		j.note("subfilter-differs", "SubFilter "+name+" 声称是 CMS，签名值是电子签章", "SubFilter "+name+" promises a CMS; the value is an SES_Signature")
	}
}
