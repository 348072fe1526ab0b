package tsp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// tst builds a TSTInfo field by field; nil leaves a field out.
type tst struct{ version, policy, imprint, serial, time, accuracy, ordering, nonce, tsa, extensions, rest []byte }

func tlv(tag asn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	addOctets(&b, tag, bytes.Join(parts, nil))
	return b.BytesOrPanic()
}

func goodTST() tst {
	return tst{
		version: []byte{2, 1, 1},
		policy:  tlv(asn1.OBJECT_IDENTIFIER, []byte(policy)),
		imprint: tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(sign.SM3.OID()))), tlv(asn1.OCTET_STRING, sign.SM3.Sum(text))),
		serial:  []byte{2, 1, 7},
		time:    tlv(asn1.GeneralizedTime, []byte("20260309120000Z")),
	}
}

func (x tst) bytes() []byte {
	return tlv(asn1.SEQUENCE, x.version, x.policy, x.imprint, x.serial, x.time, x.accuracy, x.ordering, x.nonce, x.tsa, x.extensions, x.rest)
}

func notesOf(tok *Token) string {
	var codes []string
	for _, n := range tok.Notes {
		codes = append(codes, n.Code)
	}
	return strings.Join(codes, " ")
}

// What authorities may write in a TSTInfo, and what they may not.
func TestParseTSTInfo(t *testing.T) {
	key := tsaKey(testpki.SM2)
	attach, err := cms.Attached(key, oidTSTInfo, cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	extension := func(critical ...byte) []byte {
		return tlv(context1, tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(policy)), critical, tlv(asn1.OCTET_STRING, []byte{5, 0})))
	}
	generalized := func(s string) func(x *tst) {
		return func(x *tst) { x.time = tlv(asn1.GeneralizedTime, []byte(s)) }
	}
	directory := func(name []byte) []byte { return tlv(context0, tlv(asn1.Tag(4).ContextSpecific().Constructed(), name)) }
	for name, c := range map[string]struct {
		change func(x *tst)
		want   error
		notes  string
		check  func(tok *Token) bool
	}{
		"plain":               {func(x *tst) {}, nil, "", func(tok *Token) bool { return tok.Time.Equal(noon) && tok.Accuracy == 0 && tok.Nonce == nil }},
		"version 2":           {func(x *tst) { x.version[2] = 2 }, nil, "tst-version", func(tok *Token) bool { return tok.Version == 2 }},
		"version 0":           {func(x *tst) { x.version[2] = 0 }, ErrMalformed, "", nil},
		"version 3":           {func(x *tst) { x.version[2] = 3 }, ErrMalformed, "", nil},
		"no policy":           {func(x *tst) { x.policy = nil }, ErrMalformed, "", nil},
		"no serial":           {func(x *tst) { x.serial = nil }, ErrMalformed, "", nil},
		"serial padded":       {func(x *tst) { x.serial = []byte{2, 2, 0, 7} }, ErrMalformed, "", nil},
		"serial of 64 octets": {func(x *tst) { x.serial = tlv(asn1.INTEGER, bytes.Repeat([]byte{7}, 64)) }, nil, "", func(tok *Token) bool { return len(tok.Serial) == 64 }},
		"serial of 65 octets": {func(x *tst) { x.serial = tlv(asn1.INTEGER, bytes.Repeat([]byte{7}, 65)) }, ErrMalformed, "", nil},
		"digest too short": {func(x *tst) {
			x.imprint = tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(sign.SM3.OID()))), tlv(asn1.OCTET_STRING, make([]byte, 31)))
		}, ErrMalformed, "", nil},
		"unknown hash": {func(x *tst) {
			x.imprint = tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(policy))), tlv(asn1.OCTET_STRING, make([]byte, 31)))
		}, nil, "", func(tok *Token) bool {
			return tok.Hash == "" && tok.HashOID == policy && errors.Is(tok.CheckImprint(text), cms.ErrUnsupported)
		}},
		"milliseconds":                      {generalized("20260309120000.25Z"), nil, "", func(tok *Token) bool { return tok.Time.Equal(noon.Add(250 * time.Millisecond)) }},
		"nanoseconds":                       {generalized("20260309120000.000000001Z"), nil, "", func(tok *Token) bool { return tok.Time.Equal(noon.Add(1)) }},
		"fraction ends in 0":                {generalized("20260309120000.10Z"), nil, "tst-time", func(tok *Token) bool { return tok.Time.Equal(noon.Add(100 * time.Millisecond)) }},
		"no fraction":                       {generalized("20260309120000.Z"), ErrMalformed, "", nil},
		"comma":                             {generalized("20260309120000,5Z"), ErrMalformed, "", nil},
		"offset":                            {generalized("20260309120000+0800"), ErrMalformed, "", nil},
		"no zone":                           {generalized("20260309120000"), ErrMalformed, "", nil},
		"no seconds":                        {generalized("202603091200Z"), ErrMalformed, "", nil},
		"no such day":                       {generalized("20260230120000Z"), ErrMalformed, "", nil},
		"long fraction":                     {generalized("20260309120000.0000000001Z"), ErrMalformed, "", nil},
		"UTCTime":                           {func(x *tst) { x.time = tlv(asn1.UTCTime, []byte("260309120000Z")) }, ErrMalformed, "", nil},
		"accuracy":                          {func(x *tst) { x.accuracy = []byte{0x30, 9, 2, 1, 3, 0x80, 1, 4, 0x81, 1, 5} }, nil, "", func(tok *Token) bool { return tok.Accuracy == 3004005*time.Microsecond }},
		"accuracy of micros":                {func(x *tst) { x.accuracy = []byte{0x30, 3, 0x81, 1, 5} }, nil, "", func(tok *Token) bool { return tok.Accuracy == 5*time.Microsecond }},
		"accuracy of nothing":               {func(x *tst) { x.accuracy = []byte{0x30, 0} }, nil, "", func(tok *Token) bool { return tok.Accuracy == 0 }},
		"accuracy negative":                 {func(x *tst) { x.accuracy = []byte{0x30, 3, 2, 1, 0xff} }, ErrMalformed, "", nil},
		"1000 milliseconds":                 {func(x *tst) { x.accuracy = []byte{0x30, 4, 0x80, 2, 3, 0xe8} }, ErrMalformed, "", nil},
		"accuracy of 68 years":              {func(x *tst) { x.accuracy = []byte{0x30, 8, 2, 6, 1, 0, 0, 0, 0, 0} }, ErrMalformed, "", nil},
		"accuracy and more":                 {func(x *tst) { x.accuracy = []byte{0x30, 5, 2, 1, 3, 5, 0} }, ErrMalformed, "", nil},
		"ordering":                          {func(x *tst) { x.ordering = []byte{1, 1, 0xff} }, nil, "", func(tok *Token) bool { return tok.Ordering }},
		"ordering false":                    {func(x *tst) { x.ordering = []byte{1, 1, 0} }, nil, "tst-default", func(tok *Token) bool { return !tok.Ordering }},
		"ordering 1":                        {func(x *tst) { x.ordering = []byte{1, 1, 1} }, ErrMalformed, "", nil},
		"nonce":                             {func(x *tst) { x.nonce = []byte{2, 1, 0x80} }, nil, "", func(tok *Token) bool { return bytes.Equal(tok.Nonce, []byte{0x80}) }},
		"nonce of nothing":                  {func(x *tst) { x.nonce = []byte{2, 0} }, ErrMalformed, "", nil},
		"tsa":                               {func(x *tst) { x.tsa = directory(subjectOf(key)) }, nil, "", func(tok *Token) bool { return bytes.HasPrefix(tok.TSA, []byte{0xa4}) }},
		"another tsa":                       {func(x *tst) { x.tsa = directory([]byte{0x30, 0}) }, nil, "tst-tsa-name", nil},
		"tsa by mail address":               {func(x *tst) { x.tsa = tlv(context0, []byte("\x81\x03a@b")) }, nil, "", nil},
		"tsa of nothing":                    {func(x *tst) { x.tsa = []byte{0xa0, 0} }, ErrMalformed, "", nil},
		"extension":                         {func(x *tst) { x.extensions = extension() }, nil, "", func(tok *Token) bool { return len(tok.Extensions) == 1 && tok.Extensions[0] == policy }},
		"extension, critical FALSE written": {func(x *tst) { x.extensions = extension(1, 1, 0) }, nil, "", nil},
		"critical extension":                {func(x *tst) { x.extensions = extension(1, 1, 0xff) }, ErrExtension, "", nil},
		"no extensions":                     {func(x *tst) { x.extensions = []byte{0xa1, 0} }, ErrMalformed, "", nil},
		"more":                              {func(x *tst) { x.rest = []byte{5, 0} }, ErrMalformed, "", nil},
	} {
		x := goodTST()
		c.change(&x)
		v, err := attach(ctx, x.bytes())
		if err != nil {
			t.Fatal(err)
		}
		tok, err := Parse(v.Bytes)
		switch {
		case !errors.Is(err, c.want) || (err == nil) != (tok != nil):
			t.Errorf("%s: %v", name, err)
		case err == nil && (notesOf(tok) != c.notes || c.check != nil && !c.check(tok)):
			t.Errorf("%s: notes %q, %s within %s", name, notesOf(tok), tok.Time, tok.Accuracy)
		case err == nil && tok.CheckValue(tok.Certificate()) != nil:
			t.Errorf("%s: %v", name, tok.CheckValue(tok.Certificate()))
		}
	}
	for name, kind := range map[string]sign.OID{"data": der.MustOID("1.2.840.113549.1.7.1"), "something": policy} {
		attach, err := cms.Attached(key, kind, cms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := attach(ctx, goodTST().bytes())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(v.Bytes); !errors.Is(err, ErrMalformed) {
			t.Errorf("content is %s: %v", name, err)
		}
	}
}

func subjectOf(key sign.Key) []byte {
	s := cryptobyte.String(key.Chain()[0])
	var tbs, subject cryptobyte.String
	s.ReadASN1(&s, asn1.SEQUENCE)
	s.ReadASN1(&tbs, asn1.SEQUENCE)
	tbs.SkipASN1(context0)
	for range 4 { // serialNumber, signature, issuer, validity
		tbs.ReadAnyASN1Element(&subject, nil)
	}
	tbs.ReadAnyASN1Element(&subject, nil)
	return subject
}

// Statuses that are not a stamp, and answers that are none at all.
func TestParseResponse(t *testing.T) {
	token, err := newAuthority(t, tsaKey(testpki.P256)).Timestamp(ctx, sign.SM3, sign.SM3.Sum(text))
	if err != nil {
		t.Fatal(err)
	}
	status := func(parts ...[]byte) []byte { return tlv(asn1.SEQUENCE, parts...) }
	n := func(b byte) []byte { return []byte{2, 1, b} }
	free := func(s string) []byte { return tlv(asn1.SEQUENCE, tlv(asn1.UTF8String, []byte(s))) }
	for name, c := range map[string]struct {
		in   []byte
		want error
		says string
	}{
		"granted":           {tlv(asn1.SEQUENCE, status(n(0)), token), nil, ""},
		"granted, changed":  {tlv(asn1.SEQUENCE, status(n(1), free("lower accuracy")), token), nil, ""},
		"granted, no token": {tlv(asn1.SEQUENCE, status(n(0))), ErrMalformed, "no token"},
		"two tokens":        {tlv(asn1.SEQUENCE, status(n(0)), token, token), ErrMalformed, ""},
		"rejection":         {tlv(asn1.SEQUENCE, status(n(2))), &StatusError{Status: "rejection"}, "rejection"},
		"rejection, token":  {tlv(asn1.SEQUENCE, status(n(2)), token), &StatusError{Status: "rejection"}, ""},
		"waiting":           {tlv(asn1.SEQUENCE, status(n(3), free("later"))), &StatusError{Status: "waiting"}, `"later"`},
		"warning":           {tlv(asn1.SEQUENCE, status(n(4)), token), &StatusError{Status: "revocationWarning"}, ""},
		"notification":      {tlv(asn1.SEQUENCE, status(n(5))), &StatusError{Status: "revocationNotification"}, ""},
		"status 9":          {tlv(asn1.SEQUENCE, status(n(9))), &StatusError{Status: "status 9"}, ""},
		"two reasons":       {tlv(asn1.SEQUENCE, status(n(2), []byte{3, 4, 0, 0x20, 0, 0x40})), &StatusError{Status: "rejection", Failures: []string{"badRequest"}}, "badRequest, addInfoNotAvailable"},
		"unknown reason":    {tlv(asn1.SEQUENCE, status(n(2), []byte{3, 2, 6, 0x40})), &StatusError{Status: "rejection", Failures: []string{"failure 1"}}, ""},
		"no bits":           {tlv(asn1.SEQUENCE, status(n(2), []byte{3, 0})), ErrMalformed, "failInfo"},
		"long text":         {tlv(asn1.SEQUENCE, status(n(2), free(strings.Repeat("法", 5000)))), &StatusError{Status: "rejection"}, "法"},
		"text is no UTF-8":  {tlv(asn1.SEQUENCE, status(n(2), free("a\xffb\x1b"))), &StatusError{Status: "rejection"}, `"a�b\x1b"`},
		"negative":          {tlv(asn1.SEQUENCE, status(n(0xff))), ErrMalformed, "status"},
		"status and more":   {tlv(asn1.SEQUENCE, status(n(0), n(0)), token), ErrMalformed, ""},
		"something after":   {append(tlv(asn1.SEQUENCE, status(n(0)), token), 0), ErrMalformed, "after"},
		"token alone":       {token, ErrMalformed, ""},
		"empty":             {nil, ErrMalformed, ""},
	} {
		tok, err := ParseResponse(c.in)
		if !errors.Is(err, c.want) || (err == nil) != (tok != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || len(err.Error()) > 500) {
			t.Errorf("%s: %q does not say %s", name, err, c.says)
		}
	}
	for f, name := range failures {
		_, err := ParseResponse(respond(nil, refuse(f, "why")))
		if want := (&StatusError{Status: "rejection", Failures: []string{name}}); !errors.Is(err, want) || err.Error() != refuse(f, "why").Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
}
