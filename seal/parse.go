package seal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

// ErrMalformed is wrapped by errors about bytes that are no seal or seal signature; the text names field and offset.
var ErrMalformed = errors.New("seal: malformed")

const (
	maxSize  = 16 << 20 // octets of a seal or signature
	maxItems = 4096     // entries of a certList or of extDatas
	maxOID   = 256      // octets of an object identifier
)

// Parse reads an SESeal of any generation: GM/T 0031-2014 5.1, GB/T 38540-2020 6.1, GM/T 0031-2025, and the withdrawn
// C0119. It takes what real files have, with a Note for each departure from the standard, and refuses all else,
// trailing bytes among them, with ErrMalformed. A seal of more than 16 MiB, or one with more than 4096 certificates or
// extensions or an object identifier of more than 256 octets, is an error too (ErrMalformed and a limit).
//
// The Seal shares b, which must not change afterwards. Parse trusts nothing: see [Seal.VerifyValue].
func Parse(b []byte) (*Seal, error) {
	p, err := newParser(b, "SESeal")
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(b)
	s := p.seal(&in)
	p.end(in, "end")
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

// ReadFile reads a seal from a file (.esl).
func ReadFile(name string) (*Seal, error) {
	b, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	s, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize {
		return nil, fmt.Errorf("%s: %w: %w: %d bytes, at most %d are read", name, ErrMalformed, der.ErrLimit, info.Size(), maxSize)
	}
	return os.ReadFile(name)
}

// ParseSignature reads an SES_Signature of any generation, as Parse reads a seal: GM/T 0031-2014 6.1, GB/T 38540-2020
// 7.1, GM/T 0031-2025, C0119. The Signature shares b.
func ParseSignature(b []byte) (*Signature, error) {
	p, err := newParser(b, "SES_Signature")
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(b)
	s := p.signature(&in)
	p.end(in, "end")
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

// A parser reads one field after another. Its depth is fixed by the standards, so nothing recurses. The first error
// stays, and what is read after it means nothing.
type parser struct {
	raw   []byte
	what  string // what is being read; fields are named from there
	notes []sign.Note
	err   error
}

func newParser(b []byte, what string) (*parser, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%w %s: %w: %d bytes, at most %d are read", ErrMalformed, what, der.ErrLimit, len(b), maxSize)
	}
	return &parser{raw: b, what: what}, nil
}

// fail keeps the first error. Every string here is a tail of raw's array, so capacities tell the offset.
func (p *parser) fail(at cryptobyte.String, field, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s.%s at offset %d: %w", ErrMalformed, p.what, field, cap(p.raw)-cap(at), fmt.Errorf(format, args...))
	}
}

// note records a departure once for each code and seal or signature, so that a long list does not make a long report.
func (p *parser) note(code, field string) {
	for _, n := range p.notes {
		if n.Code == code {
			return
		}
	}
	p.notes = append(p.notes, sign.Note{Code: code, Detail: p.what + "." + field + ": " + noteText[code] + "."})
}

func (p *parser) end(s cryptobyte.String, field string) {
	if len(s) > 0 {
		p.fail(s, field, "%d bytes too many at the end", len(s))
	}
}

func next(s cryptobyte.String, tag asn1.Tag) bool { return s.PeekASN1Tag(tag) }

// any reads one element of any kind: its tag, content and whole encoding.
func (p *parser) any(s *cryptobyte.String, field string) (tag asn1.Tag, content, element cryptobyte.String) {
	if p.err != nil {
		return
	}
	at := *s
	if !s.ReadAnyASN1Element(&element, &tag) {
		if len(at) == 0 {
			p.fail(at, field, "missing")
		} else {
			p.fail(at, field, "no DER element, or one longer than what holds it")
		}
		return
	}
	content = element
	content.ReadAnyASN1(&content, nil)
	return
}

// one reads an element with the tag.
func (p *parser) one(s *cryptobyte.String, tag asn1.Tag, field string) (content, element cryptobyte.String) {
	at := *s
	got, content, element := p.any(s, field)
	if p.err == nil && got != tag {
		p.fail(at, field, "tag 0x%02x where 0x%02x belongs", uint8(got), uint8(tag))
	}
	return content, element
}

func (p *parser) sequence(s *cryptobyte.String, field string) cryptobyte.String {
	content, _ := p.one(s, asn1.SEQUENCE, field)
	return content
}

func (p *parser) integer(s *cryptobyte.String, field string) int {
	at := *s
	_, element := p.one(s, asn1.INTEGER, field)
	var n int32
	if p.err == nil && !element.ReadASN1Integer(&n) {
		p.fail(at, field, "an INTEGER beyond 32 bits or not in DER")
	}
	return int(n)
}

func (p *parser) octets(s *cryptobyte.String, field string) []byte {
	content, _ := p.one(s, asn1.OCTET_STRING, field)
	return content
}

// bits reads a BIT STRING of whole octets.
func (p *parser) bits(s *cryptobyte.String, field string) []byte {
	at := *s
	tag, content, _ := p.any(s, field)
	switch {
	case p.err != nil:
	case tag == asn1.OCTET_STRING:
		p.note("octet-string", field)
		return content
	case tag != asn1.BIT_STRING:
		p.fail(at, field, "tag 0x%02x where a BIT STRING belongs", uint8(tag))
	default:
		return p.wholeOctets(at, content, field)
	}
	return nil
}

func (p *parser) wholeOctets(at, content cryptobyte.String, field string) []byte {
	var unused uint8
	if !content.ReadUint8(&unused) || unused != 0 {
		p.fail(at, field, "a BIT STRING that is not of whole octets")
	}
	return content
}

// text reads a string. The standards name one type for each; the others that hold ASCII or UTF-8 come with a Note.
func (p *parser) text(s *cryptobyte.String, want asn1.Tag, field string) string {
	at := *s
	tag, content, _ := p.any(s, field)
	if p.err != nil {
		return ""
	}
	switch tag {
	case want:
	case asn1.IA5String, asn1.PrintableString, asn1.UTF8String:
		p.note("string-type", field)
	default:
		p.fail(at, field, "tag 0x%02x where a string (0x%02x) belongs", uint8(tag), uint8(want))
		return ""
	}
	if want == asn1.UTF8String {
		if clean := strings.ToValidUTF8(string(content), "\uFFFD"); clean != string(content) {
			p.note("string-charset", field)
			return clean
		}
	} else if !isASCII(string(content)) {
		p.note("string-charset", field)
		return strings.ToValidUTF8(string(content), "\uFFFD")
	}
	return string(content)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// cert reads a certificate: DER inside an OCTET STRING.
func (p *parser) cert(s *cryptobyte.String, field string) (cert, element []byte) {
	at := *s
	tag, content, elem := p.any(s, field)
	switch {
	case p.err != nil:
	case tag == asn1.OCTET_STRING:
		return content, elem
	case tag == asn1.SEQUENCE:
		p.note("bare-certificate", field)
		return elem, elem
	default:
		p.fail(at, field, "tag 0x%02x where a certificate in an OCTET STRING belongs", uint8(tag))
	}
	return nil, nil
}

// algorithm reads an OBJECT IDENTIFIER; an AlgorithmIdentifier comes with a Note, its parameters are not looked at.
func (p *parser) algorithm(s *cryptobyte.String, field string) (oid der.OID, element []byte) {
	at := *s
	var elem cryptobyte.String
	if next(*s, asn1.SEQUENCE) {
		var content cryptobyte.String
		content, elem = p.one(s, asn1.SEQUENCE, field)
		oid = p.oid(&content, field)
		if len(content) > 0 {
			p.any(&content, field)
		}
		p.end(content, field)
		p.note("algorithm-parameters", field)
	} else {
		oid = p.oid(s, field)
		elem = at[:len(at)-len(*s)]
	}
	if a, ok := algorithms[oid]; ok && a.note != "" {
		p.note(a.note, field)
	}
	return oid, elem
}

func (p *parser) oid(s *cryptobyte.String, field string) der.OID {
	at := *s
	content, _ := p.one(s, asn1.OBJECT_IDENTIFIER, field)
	switch {
	case p.err != nil:
	case len(content) > maxOID: // one arc of megabytes takes minutes to print
		p.fail(at, field, "%w: an OBJECT IDENTIFIER of %d octets, at most %d are read", der.ErrLimit, len(content), maxOID)
	case !der.OID(content).Valid():
		p.fail(at, field, "a malformed OBJECT IDENTIFIER")
	default:
		return der.OID(content)
	}
	return ""
}

// value reads a signature value.
func (p *parser) value(s *cryptobyte.String, alg der.OID, field string) []byte {
	v := p.bits(s, field)
	if isRawSM2(alg, v) {
		p.note("raw-signature-value", field)
	}
	return v
}

// stamp reads timeStamp [0] BIT STRING OPTIONAL.
func (p *parser) stamp(s *cryptobyte.String, field string) []byte {
	if len(*s) == 0 || p.err != nil {
		return nil
	}
	at := *s
	tag, content, _ := p.any(s, field)
	switch {
	case p.err != nil:
	case tag == asn1.Tag(0).ContextSpecific().Constructed():
		token := p.bits(&content, field)
		p.end(content, field)
		return token
	case tag == asn1.Tag(0).ContextSpecific():
		p.note("implicit-tag", field)
		return p.wholeOctets(at, content, field)
	default:
		p.fail(at, field, "tag 0x%02x where [0] or the end belongs", uint8(tag))
	}
	return nil
}

// extensions reads ExtensionDatas, bare or under [0]. tagged says what the standard prints here; either: both may be.
func (p *parser) extensions(s *cryptobyte.String, tagged, either bool) []Extension {
	const field = "extDatas"
	if len(*s) == 0 || p.err != nil {
		return nil
	}
	list := *s
	under := next(*s, asn1.Tag(0).ContextSpecific().Constructed())
	if under {
		list, _ = p.one(s, asn1.Tag(0).ContextSpecific().Constructed(), field)
	}
	if under != tagged && !either {
		p.note("extension-tag", field)
	}
	if under && implicitList(list) {
		p.note("implicit-tag", field)
	} else if under {
		inner := p.sequence(&list, field)
		p.end(list, field)
		list = inner
	} else {
		list = p.sequence(s, field)
	}
	var out []Extension
	for len(list) > 0 && p.err == nil {
		if len(out) == maxItems {
			p.fail(list, field, "%w: more than %d entries", der.ErrLimit, maxItems)
			break
		}
		out = append(out, p.extension(&list))
	}
	return out
}

// implicitList tells [0] IMPLICIT from [0] EXPLICIT: in the first, the elements are ExtData, which begin with an OID.
func implicitList(s cryptobyte.String) bool {
	var first cryptobyte.String
	return len(s) == 0 || s.ReadASN1(&first, asn1.SEQUENCE) && next(first, asn1.OBJECT_IDENTIFIER)
}

func (p *parser) extension(s *cryptobyte.String) Extension {
	content := p.sequence(s, "extDatas")
	var e Extension
	e.ID = p.oid(&content, "extDatas.extnID")
	if next(content, asn1.BOOLEAN) {
		at := content
		b, _ := p.one(&content, asn1.BOOLEAN, "extDatas.critical")
		switch {
		case p.err != nil:
		case len(b) != 1:
			p.fail(at, "extDatas.critical", "a BOOLEAN of %d octets", len(b))
		case b[0] == 0:
			p.note("explicit-default", "extDatas.critical")
		case b[0] != 0xff:
			p.note("boolean-value", "extDatas.critical")
			fallthrough
		default:
			e.Critical = true
		}
	}
	e.Value = p.octets(&content, "extDatas.extnValue")
	p.end(content, "extDatas")
	return e
}

// time reads a UTCTime or a GeneralizedTime; the one that does not belong comes with a Note.
func (p *parser) time(s *cryptobyte.String, want asn1.Tag, field string) time.Time {
	at := *s
	tag, content, _ := p.any(s, field)
	if p.err != nil {
		return time.Time{}
	}
	if tag != asn1.UTCTime && tag != asn1.GeneralizedTime {
		p.fail(at, field, "tag 0x%02x where a time (0x%02x) belongs", uint8(tag), uint8(want))
		return time.Time{}
	}
	if tag != want {
		p.note("time-type", field)
	}
	t, ok := p.clock(string(content), tag, field)
	if !ok {
		p.fail(at, field, "%.40q is not a time", content)
	}
	return t
}

// timeInfo reads the time of a signature: GeneralizedTime in GB/T 38540; in GM/T 0031-2014 a BIT STRING, in which a
// time, its text or a TimeStampToken was seen. What cannot be read is no error, but no time either.
func (p *parser) timeInfo(s *cryptobyte.String, v1 bool, field string) (t time.Time, token []byte) {
	if next(*s, asn1.UTCTime) || next(*s, asn1.GeneralizedTime) {
		if v1 {
			p.note("time-type", field)
		}
		want := asn1.GeneralizedTime
		if v1 && next(*s, asn1.UTCTime) {
			want = asn1.UTCTime
		}
		return p.time(s, want, field), nil
	}
	at := *s
	tag, content, _ := p.any(s, field)
	if p.err != nil {
		return
	}
	if tag != asn1.BIT_STRING {
		p.fail(at, field, "tag 0x%02x where a time belongs", uint8(tag))
		return
	}
	if !v1 {
		p.note("time-type", field)
	}
	in := cryptobyte.String(p.wholeOctets(at, content, field))
	if next(in, asn1.SEQUENCE) {
		return time.Time{}, in
	}
	kind, text, inner := asn1.Tag(0), in, in
	if inner.ReadAnyASN1(&text, &kind) && len(inner) == 0 && (kind == asn1.UTCTime || kind == asn1.GeneralizedTime) {
		in = text
	} else {
		kind = 0
		p.note("time-text", field)
	}
	t, ok := p.clock(string(in), kind, field)
	if !ok {
		p.note("time-unreadable", field)
	}
	return t, nil
}

// The forms in which times are met; of each kind, the first is its DER. A time without zone is read as China's.
var (
	china = time.FixedZone("UTC+8", 8*3600)
	forms = []struct {
		kind   asn1.Tag
		layout string
		zone   *time.Location
	}{
		{asn1.UTCTime, "060102150405Z", time.UTC},
		{asn1.UTCTime, "060102150405-0700", time.UTC},
		{asn1.UTCTime, "0601021504Z", time.UTC},
		{asn1.GeneralizedTime, "20060102150405Z", time.UTC},
		{asn1.GeneralizedTime, "20060102150405-0700", time.UTC},
		{asn1.GeneralizedTime, "20060102150405", china},
		{0, time.RFC3339, time.UTC},
		{0, "2006-01-02T15:04:05", china},
		{0, "2006-01-02 15:04:05", china},
		{0, "2006/01/02 15:04:05", china},
	}
)

// clock reads the text of a time; kind 0 is text of any form.
func (p *parser) clock(text string, kind asn1.Tag, field string) (time.Time, bool) {
	if len(text) > 40 {
		return time.Time{}, false
	}
	first := true
	for _, f := range forms {
		if kind != 0 && f.kind != kind {
			continue
		}
		t, err := time.ParseInLocation(f.layout, text, f.zone)
		if err != nil {
			first = false
			continue
		}
		if f.kind == asn1.UTCTime && t.Year() >= 2050 { // RFC 5280, 4.1.2.5.1
			t = t.AddDate(-100, 0, 0)
		}
		if f.zone == china {
			p.note("time-without-zone", field)
		}
		if kind != 0 && (!first || len(text) != len(f.layout)) {
			p.note("time-form", field)
		}
		return t.UTC(), true
	}
	return time.Time{}, false
}
