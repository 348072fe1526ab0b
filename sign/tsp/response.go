package tsp

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
)

// A StatusError is the answer of an authority that made no stamp (PKIStatusInfo).
type StatusError struct {
	Status   string   // "rejection", "waiting", "revocationWarning", "revocationNotification", or "status 9"
	Failures []string // "badAlg", "badRequest", "badDataFormat", "timeNotAvailable", "unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable", "systemFailure", or "failure 9"
	Text     string   // what else the authority says, 200 octets at most; whoever it is wrote it
}

func (e *StatusError) Error() string {
	s := "tsp: the authority made no stamp: " + e.Status
	if len(e.Failures) > 0 {
		s += " (" + strings.Join(e.Failures, ", ") + ")"
	}
	if e.Text != "" {
		s += fmt.Sprintf(": it says %q", e.Text)
	}
	return s
}

// Is reports whether target is a *StatusError of the same Status, with no Failures this one has not: errors.Is(err,
// &StatusError{Status: "rejection", Failures: []string{"badAlg"}}).
func (e *StatusError) Is(target error) bool {
	t, ok := target.(*StatusError)
	if !ok || t.Status != e.Status {
		return false
	}
	return !slices.ContainsFunc(t.Failures, func(f string) bool { return !slices.Contains(e.Failures, f) })
}

// statuses are the names of PKIStatus; a token comes with the first two.
var statuses = []string{"granted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification"}

const (
	statusGranted   = 0
	statusWithMods  = 1
	statusRejection = 2
)

// A failure is a bit of PKIFailureInfo.
type failure int

const (
	badAlg              failure = 0
	badRequest          failure = 2
	badDataFormat       failure = 5
	timeNotAvailable    failure = 14
	unacceptedPolicy    failure = 15
	unacceptedExtension failure = 16
	addInfoNotAvailable failure = 17
	systemFailure       failure = 25
)

var failures = map[failure]string{
	badAlg: "badAlg", badRequest: "badRequest", badDataFormat: "badDataFormat", timeNotAvailable: "timeNotAvailable",
	unacceptedPolicy: "unacceptedPolicy", unacceptedExtension: "unacceptedExtension",
	addInfoNotAvailable: "addInfoNotAvailable", systemFailure: "systemFailure",
}

func refuse(f failure, why string) *StatusError {
	return &StatusError{Status: statuses[statusRejection], Failures: []string{failures[f]}, Text: why}
}

const (
	maxText     = 200 // octets of statusString that are kept
	maxFailures = 32  // bits of failInfo that are looked at
)

// ParseResponse reads a TimeStampResp and the token in it. Where the authority made none the error is a *StatusError;
// otherwise the errors are those of Parse. Whether the token answers a request is for Request.Accept.
func ParseResponse(b []byte) (*Token, error) {
	bad := func(field string) (*Token, error) {
		return nil, fmt.Errorf("%w response: %s", ErrMalformed, field)
	}
	// The token may be BER, so that Parse looks at its shape; the same forms are taken around it.
	value, n, _, err := der.Normalize(b, limits)
	if err != nil {
		return nil, fmt.Errorf("%w response: %w", ErrMalformed, err)
	}
	if n != len(b) {
		return bad(fmt.Sprintf("%d octets after it", len(b)-n))
	}
	in, s, info := cryptobyte.String(value), cryptobyte.String(nil), cryptobyte.String(nil)
	if !in.ReadASN1(&s, asn1.SEQUENCE) || !s.ReadASN1(&info, asn1.SEQUENCE) {
		return bad("it is no TimeStampResp")
	}
	status, refused, err := readStatus(info)
	if err != nil {
		return nil, err
	}
	if status != statusGranted && status != statusWithMods {
		return nil, refused
	}
	if s.Empty() {
		return bad("granted, and no token there")
	}
	var token cryptobyte.String
	if !s.ReadASN1Element(&token, asn1.SEQUENCE) || !s.Empty() {
		return bad("timeStampToken")
	}
	return Parse(token)
}

// readStatus reads the content of a PKIStatusInfo.
func readStatus(s cryptobyte.String) (int64, *StatusError, error) {
	bad := func(field string) (int64, *StatusError, error) {
		return 0, nil, fmt.Errorf("%w response: %s", ErrMalformed, field)
	}
	var status int64
	if !s.ReadASN1Integer(&status) || status < 0 {
		return bad("status")
	}
	e := &StatusError{Status: fmt.Sprintf("status %d", status)}
	if status < int64(len(statuses)) {
		e.Status = statuses[status]
	}
	if s.PeekASN1Tag(asn1.SEQUENCE) {
		var list, text cryptobyte.String
		if !s.ReadASN1(&list, asn1.SEQUENCE) {
			return bad("statusString")
		}
		for !list.Empty() {
			if !list.ReadASN1(&text, asn1.UTF8String) {
				return bad("statusString")
			}
			if len(e.Text) < maxText {
				e.Text = strings.TrimSpace(e.Text + " " + string(text[:min(len(text), maxText)]))
			}
		}
		e.Text = clip(e.Text)
	}
	if s.PeekASN1Tag(asn1.BIT_STRING) {
		var bits cryptobyte.String
		if !s.ReadASN1(&bits, asn1.BIT_STRING) || len(bits) == 0 || bits[0] > 7 {
			return bad("failInfo")
		}
		for i := range min(8*(len(bits)-1), maxFailures) {
			if bits[1+i/8]&(0x80>>(i%8)) == 0 {
				continue
			}
			name, ok := failures[failure(i)]
			if !ok {
				name = fmt.Sprintf("failure %d", i)
			}
			e.Failures = append(e.Failures, name)
		}
	}
	if !s.Empty() {
		return bad("more than belongs in PKIStatusInfo")
	}
	return status, e, nil
}

// clip cuts text to maxText octets of valid UTF-8.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "�")
	for n := maxText; len(text) > maxText; n-- {
		if utf8.RuneStart(text[n]) {
			text = text[:n]
		}
	}
	return text
}

// respond writes a TimeStampResp: with a token, or with the reason why there is none.
func respond(token []byte, e *StatusError) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if e == nil {
				b.AddASN1Int64(statusGranted)
				return
			}
			b.AddASN1Int64(statusRejection)
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addOctets(b, asn1.UTF8String, []byte(e.Text)) })
			for f, name := range failures {
				if slices.Contains(e.Failures, name) {
					addBit(b, int(f))
					break
				}
			}
		})
		b.AddBytes(token)
	})
	return b.BytesOrPanic()
}

// addBit writes a BIT STRING of one named bit, in DER: it ends with that bit.
func addBit(b *cryptobyte.Builder, n int) {
	bits := make([]byte, 2+n/8)
	bits[0], bits[1+n/8] = byte(7-n%8), 0x80>>(n%8)
	addOctets(b, asn1.BIT_STRING, bits)
}
