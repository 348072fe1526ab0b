package audit

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// MaxPrivate is the longest Private in bytes when it is written: a seal with a large picture, in base64.
	MaxPrivate = 2 << 20

	privateHeader = "courtseal.private/v1\n"
	redacted      = "-"
)

// A Salt makes the hash of a private value useless for guessing it. It is used for one value only.
type Salt [16]byte

// NewSalt returns a random salt.
func NewSalt() (s Salt) {
	rand.Read(s[:])
	return s
}

// Conceal is what a leaf has instead of a private value: '#' and base64 of H(salt || value).
func Conceal(p Profile, salt Salt, value string) string {
	return "#" + p.Sum(append(salt[:], value...)).String()
}

// Concealed reports whether a leaf's value is one that Conceal made.
func Concealed(value string) bool {
	b64, ok := strings.CutPrefix(value, "#")
	_, err := ParseHash(b64)
	return ok && err == nil
}

// Private has the values that a leaf conceals, names of people first of all, by field. It is kept beside the leaf and
// never hashed into the tree, so that a value can be redacted: the leaf stays as it is, and the tree still proves.
type Private map[string]Secret

// A Secret is a private value and its salt. The zero Secret is a redacted one: neither is there any more.
type Secret struct {
	Salt  Salt
	Value string
}

// Redacted reports whether the value was taken out.
func (s Secret) Redacted() bool { return s == Secret{} }

// Hide gives the leaf the field name with a concealed value, and keeps the value here. An empty value is left out.
func (v Private) Hide(p Profile, l Leaf, name, value string) {
	if value == "" {
		return
	}
	s := Secret{NewSalt(), value}
	v[name], l.Fields[name] = s, Conceal(p, s.Salt, value)
}

// Redact takes the values of these fields out, or of all when none is named.
func (v Private) Redact(names ...string) {
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(v))
	}
	for _, name := range names {
		if _, ok := v[name]; ok {
			v[name] = Secret{}
		}
	}
}

// Marshal writes the values, "name salt value" in a line, "name -" where one was redacted. Nothing is written of no values.
func (v Private) Marshal() ([]byte, error) {
	if len(v) == 0 {
		return nil, nil
	}
	if len(v) > MaxFields {
		return nil, fmt.Errorf("%w: %d private values; %d are the most", ErrTooLarge, len(v), MaxFields)
	}
	b := []byte(privateHeader)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if err := checkFieldName(name); err != nil {
			return nil, err
		}
		s := v[name]
		if s.Redacted() {
			b = append(b, name+" "+redacted+"\n"...)
			continue
		}
		if err := checkValue(name, s.Value); err != nil {
			return nil, err
		}
		b = append(b, name+" "+base64.StdEncoding.EncodeToString(s.Salt[:])+" "+s.Value+"\n"...)
	}
	if len(b) > MaxPrivate {
		return nil, fmt.Errorf("%w: private values of %d bytes; %d are the most", ErrTooLarge, len(b), MaxPrivate)
	}
	return b, nil
}

// ParsePrivate reads what Marshal writes. What it reads, Marshal writes byte for byte. Of nothing it makes an empty Private.
func ParsePrivate(b []byte) (Private, error) {
	v := Private{}
	if len(b) == 0 {
		return v, nil
	}
	if len(b) > MaxPrivate {
		return nil, fmt.Errorf("%w: private values of %d bytes; %d are the most", ErrTooLarge, len(b), MaxPrivate)
	}
	body, ok := strings.CutPrefix(string(b), privateHeader)
	if !ok || body == "" {
		return nil, fmt.Errorf("%w: private values do not begin with the line %q and a value", ErrFormat, privateHeader[:len(privateHeader)-1])
	}
	last := ""
	for line := range strings.Lines(body) {
		if len(v) == MaxFields {
			return nil, fmt.Errorf("%w: more than %d private values", ErrTooLarge, MaxFields)
		}
		name, rest, err := parseField(line, last)
		if err != nil {
			return nil, err
		}
		last = name
		if rest == redacted {
			v[name] = Secret{}
			continue
		}
		b64, value, _ := strings.Cut(rest, " ")
		salt, err := decode64(b64)
		if err != nil || len(salt) != len(Salt{}) {
			return nil, fmt.Errorf("%w: private field %q has no salt of %d bytes in base64", ErrFormat, name, len(Salt{}))
		}
		if err := checkValue(name, value); err != nil {
			return nil, err
		}
		v[name] = Secret{Salt(salt), value}
	}
	return v, nil
}

// Check compares the values with what the leaf says of them: each is concealed there with its hash, and each concealed
// field of the leaf has its value here or is redacted here. The error is ErrPrivate.
func (v Private) Check(p Profile, l Leaf) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch got, s := l.Fields[name], v[name]; {
		case !Concealed(got):
			return fmt.Errorf("%w: the leaf does not conceal %q", ErrPrivate, name)
		case !s.Redacted() && Conceal(p, s.Salt, s.Value) != got:
			return fmt.Errorf("%w: the value of %q has another hash than the leaf says", ErrPrivate, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		if _, ok := v[name]; !ok && Concealed(l.Fields[name]) {
			return fmt.Errorf("%w: the leaf conceals %q, and its value is neither here nor marked as redacted", ErrPrivate, name)
		}
	}
	return nil
}
