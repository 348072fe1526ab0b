package registry

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

// A Name is a value that is not for everybody, such as the name of a person: the leaf has a salted hash of it, the text
// stands beside, where it can be redacted without breaking any proof.
type Name string

// A Blob is octets too large for a leaf, such as a seal. It stands beside the leaf like a Name, its salted hash in it.
type Blob []byte

// beside reports whether a field stands beside the leaf.
func beside(v reflect.Value) bool {
	return v.Type() == reflect.TypeFor[Name]() || v.Type() == reflect.TypeFor[Blob]()
}

// under is the field of a leaf that names the delegation an operation was done under.
const under = "under"

// encode makes the leaf of an operation. Fields are named like the Go fields in lower case with hyphens; a zero value
// is left out. Lists have a space between their items, so that no item can have one.
func (s *state) encode(op Op) (audit.Leaf, audit.Private, error) {
	leaf := audit.Leaf{Kind: op.Kind(), Fields: map[string]string{"actor": s.actor.String(), "time": ledger.FormatTime(s.time)}}
	if s.delegation != "" {
		leaf.Fields[under] = s.delegation
	}
	if s.request != "" {
		leaf.Fields[requested] = s.request
	}
	private := audit.Private{}
	err := eachField(op, func(name string, v reflect.Value) error {
		text, err := toText(v)
		if err != nil || text == "" {
			return wrapOp(op.Kind(), name, err)
		}
		if beside(v) {
			private.Hide(s.tx.Profile(), leaf, name, text)
		} else {
			leaf.Fields[name] = text
		}
		return nil
	})
	return leaf, private, err
}

// decode is the operation of a leaf. A redacted Name is empty.
func decode(leaf audit.Leaf, private audit.Private) (Op, error) {
	op, err := New(leaf.Kind)
	if err != nil {
		return nil, err
	}
	seen := 2 // actor, time
	for _, name := range []string{under, requested} {
		if leaf.Fields[name] != "" {
			seen++
		}
	}
	err = eachField(op, func(name string, v reflect.Value) error {
		text, ok := leaf.Fields[name]
		if !ok {
			return nil
		}
		seen++
		if beside(v) {
			text = private[name].Value
		}
		return wrapOp(leaf.Kind, name, fromText(v, text))
	})
	if err == nil && seen != len(leaf.Fields) {
		err = fmt.Errorf("%w: %s has fields that are not known", ErrOp, leaf.Kind)
	}
	return op, err
}

// Parse makes an operation of its kind and the text of its fields, named and written as in a leaf: for command lines,
// scripts and forms. A field that the kind does not have is ErrOp.
func Parse(kind string, fields map[string]string) (Op, error) {
	op, err := New(kind)
	if err != nil {
		return nil, err
	}
	seen := 0
	err = eachField(op, func(name string, v reflect.Value) error {
		text, ok := fields[name]
		if !ok {
			return nil
		}
		seen++
		return wrapOp(kind, name, fromText(v, text))
	})
	if err == nil && seen != len(fields) {
		known := map[string]bool{}
		_ = eachField(op, func(name string, _ reflect.Value) error { known[name] = true; return nil })
		for name := range fields {
			if !known[name] {
				err = fmt.Errorf("%w: %s has no field %q", ErrOp, kind, name)
			}
		}
	}
	return op, err
}

func wrapOp(kind, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %s: %w", ErrOp, kind, name, err)
}

// eachField visits the exported fields of an operation; those of embedded structs are the operation's own.
func eachField(op Op, visit func(name string, v reflect.Value) error) error {
	return fieldsOf(reflect.ValueOf(op).Elem(), visit)
}

func fieldsOf(v reflect.Value, visit func(string, reflect.Value) error) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		var err error
		switch {
		case f.Anonymous:
			err = fieldsOf(v.Field(i), visit)
		case f.IsExported():
			err = visit(hyphened(f.Name), v.Field(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hyphened turns PerDay into per-day, and SealID into seal-id.
func hyphened(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, c := range runes {
		if unicode.IsUpper(c) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// toText writes a field; the zero value is empty, but for the index of an entry.
func toText(v reflect.Value) (string, error) {
	if v.IsZero() && v.Kind() != reflect.Uint64 {
		return "", nil
	}
	if t, ok := v.Interface().(time.Time); ok {
		return ledger.FormatTime(t), nil
	}
	if isOctets(v) {
		return base64.StdEncoding.EncodeToString(v.Bytes()), nil
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return "yes", nil
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = v.Index(i).String()
			if items[i] == "" || strings.ContainsAny(items[i], " \t\n") {
				return "", fmt.Errorf("item %q of a list is empty or has a space", items[i])
			}
		}
		return strings.Join(items, " "), nil
	}
	return "", fmt.Errorf("no text for a %s", v.Type())
}

func fromText(v reflect.Value, text string) error {
	if _, ok := v.Interface().(time.Time); ok {
		t, err := time.Parse(time.RFC3339Nano, text)
		v.Set(reflect.ValueOf(t.UTC()))
		return err
	}
	if isOctets(v) {
		b, err := base64.StdEncoding.DecodeString(text)
		v.SetBytes(b)
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(text == "yes")
		if text != "yes" && text != "no" {
			return fmt.Errorf("%q is neither yes nor no", text)
		}
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
		return err
	case reflect.Slice:
		items := strings.Fields(text)
		list := reflect.MakeSlice(v.Type(), len(items), len(items))
		for i, item := range items {
			list.Index(i).SetString(item)
		}
		v.Set(list)
	default:
		return fmt.Errorf("no text for a %s", v.Type())
	}
	return nil
}

func isOctets(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8
}
