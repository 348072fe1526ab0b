package pdf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"unicode/utf16"
)

// An Edit changes one object in its raw bytes: what is not touched stays as it was written.
type Edit struct {
	obj     *Indirect
	patches []patch
}

// A patch replaces Raw[from:to]; patches of one place apply in the order they were made.
type patch struct {
	from, to int
	text     []byte
}

// NewEdit starts to change an object. A stream cannot be edited: its data would have to move.
func NewEdit(obj *Indirect) (*Edit, error) {
	switch obj.Value.(type) {
	case *Dict, *Array:
		return &Edit{obj: obj}, nil
	}
	return nil, fmt.Errorf("%w: object %d is %T where a dictionary or an array is due", ErrSyntax, obj.Ref.Num, obj.Value)
}

// Set gives a key of d, which stands in the object, a value: raw bytes of an object. An earlier value is replaced where it
// stands, in the last entry of that key; a new key is added at the end.
func (e *Edit) Set(d *Dict, key Name, value []byte) {
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if en := d.Entries[i]; en.Key == key {
			e.replace(en.ValAt, value)
			return
		}
	}
	e.insert(d.Span.To-2, append(append(AppendName([]byte(" "), key), ' '), value...))
}

// Append adds an element, raw bytes of an object, at the end of a, which stands in the object.
func (e *Edit) Append(a *Array, item []byte) {
	e.insert(a.Span.To-1, append([]byte(" "), item...))
}

// replace keeps the new value apart from a token before or after it ("/Key/Name" becomes "/Key 12 0 R").
func (e *Edit) replace(at Span, value []byte) {
	text := append([]byte(" "), value...)
	if at.To < len(e.obj.Raw) && !isDelimited(e.obj.Raw[at.To]) {
		text = append(text, ' ')
	}
	e.patches = append(e.patches, patch{at.From, at.To, text})
}

func (e *Edit) insert(at int, text []byte) { e.patches = append(e.patches, patch{at, at, text}) }

func isDelimited(c byte) bool { return bytes.IndexByte([]byte(" \t\r\n\f\x00<>[]()/%"), c) >= 0 }

// Bytes is the object's new value.
func (e *Edit) Bytes() ([]byte, error) { return apply(e.obj.Raw, e.patches) }

func apply(raw []byte, patches []patch) ([]byte, error) {
	ps := append([]patch(nil), patches...)
	sort.SliceStable(ps, func(i, j int) bool { return ps[i].from < ps[j].from })
	var out []byte
	at := 0
	for _, p := range ps {
		if p.from < at || p.to < p.from || p.to > len(raw) {
			return nil, errors.New("pdf: one value edited twice")
		}
		out = append(append(out, raw[at:p.from]...), p.text...)
		at = p.to
	}
	return append(out, raw[at:]...), nil
}

// encryptStrings adds a patch for every string of the object that no other patch replaces. An object that leaves an object
// stream needs it in an encrypted file: strings in an object stream are not encrypted one by one.
func (e *Edit) encryptStrings(f *File) error {
	done := append([]patch(nil), e.patches...)
	sort.Slice(done, func(i, j int) bool { return done[i].from < done[j].from })
	return eachString(e.obj.Value, func(s *String) error {
		i := sort.Search(len(done), func(i int) bool { return done[i].to > s.Span.From })
		if i < len(done) && done[i].from <= s.Span.From {
			return nil
		}
		b, err := f.EncryptString(e.obj.Ref, s.Value)
		if err != nil {
			return err
		}
		e.patches = append(e.patches, patch{s.Span.From, s.Span.To, AppendHex(nil, b)})
		return nil
	})
}

// eachString calls do for the strings of a value; the parser has bounded its depth.
func eachString(o Object, do func(*String) error) error {
	switch v := o.(type) {
	case *String:
		return do(v)
	case *Array:
		for _, item := range v.Items {
			if err := eachString(item, do); err != nil {
				return err
			}
		}
	case *Dict:
		for _, en := range v.Entries {
			if err := eachString(en.Value, do); err != nil {
				return err
			}
		}
	}
	return nil
}

// AppendObject writes a value as it must be written where strings are not encrypted.
func AppendObject(b []byte, o Object) []byte {
	switch v := o.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case Real:
		return append(b, v...)
	case Name:
		return AppendName(b, v)
	case *String:
		return AppendHex(b, v.Value)
	case Ref:
		return v.append(b)
	case *Array:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ' ')
			}
			b = AppendObject(b, item)
		}
		return append(b, ']')
	case *Dict:
		b = append(b, "<<"...)
		for _, en := range v.Entries {
			b = append(AppendName(append(b, ' '), en.Key), ' ')
			b = AppendObject(b, en.Value)
		}
		return append(b, " >>"...)
	case *Stream:
		return v.Ref.append(b)
	}
	return append(b, "null"...)
}

func (r Ref) append(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(r.Num), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(r.Gen), 10)
	return append(b, " R"...)
}

// R is the reference as a file writes it: "12 0 R".
func (r Ref) R() string { return string(r.append(nil)) }

// AppendName writes a name.
func AppendName(b []byte, n Name) []byte {
	b = append(b, '/')
	for i := 0; i < len(n); i++ {
		if c := n[i]; c < '!' || c > '~' || c == '#' || isDelimited(c) || c == '{' || c == '}' {
			b = append(b, '#', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// AppendHex writes a hex string.
func AppendHex(b, s []byte) []byte {
	b = append(b, '<')
	b = hex.AppendEncode(b, s)
	return append(b, '>')
}

// AppendText writes a text string of object r: as a literal where it is ASCII, else UTF-16, encrypted where the file is.
func (f *File) AppendText(b []byte, r Ref, s string) ([]byte, error) {
	plain := EncodeText(s)
	enc, err := f.EncryptString(r, plain)
	if err != nil {
		return nil, err
	}
	if on, _ := f.Encrypted(); on || len(plain) >= 2 && plain[0] == 0xFE {
		return AppendHex(b, enc), nil
	}
	b = append(b, '(')
	for _, c := range plain {
		if c == '(' || c == ')' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, ')'), nil
}

// EncodeText gives the octets of a text string: ASCII as it is, anything else UTF-16BE with its mark.
func EncodeText(s string) []byte {
	ascii := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > '~' || c < ' ' && c != '\n' && c != '\t' {
			ascii = false
			break
		}
	}
	if ascii {
		return []byte(s)
	}
	b := []byte{0xFE, 0xFF}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}
