package registry

import (
	"encoding/base64"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// sample sets a field to something that is not zero.
func sample(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 3, 2, 1, 2, 3, 4_000_000, time.UTC)
		return
	case *[]byte:
		*x = []byte{0, 255, 10}
		return
	case *Blob:
		*x = Blob{0, 255, 10}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("示例 " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Uint64:
		v.SetUint(1<<64 - 1)
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), 2, 2)
		list.Index(0).SetString("a")
		list.Index(1).SetString("乙")
		v.Set(list)
	}
}

// Every field of every operation stands in its entry: what was written is read again, from a leaf and from a form.
func TestFieldsOfOperations(t *testing.T) {
	for _, r := range rules {
		for _, zero := range []bool{true, false} {
			op := r.make()
			if op.Kind() != r.Kind {
				t.Errorf("the rule of %s makes %s", r.Kind, op.Kind())
			}
			leaf := audit.Leaf{Kind: r.Kind, Fields: map[string]string{"actor": "person:a", "time": "2026-03-02T01:02:03.000Z"}}
			private, form := audit.Private{}, map[string]string{}
			if err := eachField(op, func(name string, v reflect.Value) error {
				if !zero {
					sample(v)
				}
				text, err := toText(v)
				if err != nil || text == "" {
					return err
				}
				form[name] = text
				if beside(v) {
					private.Hide(audit.SM3, leaf, name, text)
				} else {
					leaf.Fields[name] = text
				}
				return nil
			}); err != nil {
				t.Fatalf("%s: %v", r.Kind, err)
			}
			if _, err := leaf.Marshal(); err != nil {
				t.Errorf("%s: %v", r.Kind, err)
			}
			got, err := decode(leaf, private)
			if err != nil || !reflect.DeepEqual(got, op) {
				t.Errorf("%s: %v\nwrote %+v\nread  %+v", r.Kind, err, op, got)
			}
			if got, err = Parse(r.Kind, form); err != nil || !reflect.DeepEqual(got, op) {
				t.Errorf("%s as a form: %v\nwrote %+v\nread  %+v", r.Kind, err, op, got)
			}
			leaf.Fields["no-such-field"] = "x"
			if _, err := decode(leaf, private); !errors.Is(err, ErrOp) {
				t.Errorf("%s with a field that it does not have: %v", r.Kind, err)
			}
		}
	}
}

// What parses as an operation is written, and read again as the same.
func FuzzParse(f *testing.F) {
	for _, r := range rules {
		for _, name := range fieldNames(r.make()) {
			for _, value := range []string{"a", "yes", "7", "2026-03-02T09:00:00+08:00", "a b", base64.StdEncoding.EncodeToString([]byte("a"))} {
				f.Add(r.Kind, name, value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind, name, value string) {
		op, err := Parse(kind, map[string]string{name: value})
		if err != nil {
			if !errors.Is(err, ErrOp) {
				t.Error(err)
			}
			return
		}
		form := map[string]string{}
		if err := eachField(op, func(name string, v reflect.Value) error {
			text, err := toText(v)
			if text != "" {
				form[name] = text
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(kind, form)
		if err != nil || !reflect.DeepEqual(again, op) {
			t.Errorf("%q %q %q: %v\n%+v\n%+v", kind, name, value, err, op, again)
		}
	})
}

func fieldNames(op Op) []string {
	names := map[string]bool{}
	_ = eachField(op, func(name string, _ reflect.Value) error { names[name] = true; return nil })
	return slices.Sorted(maps.Keys(names))
}

func FuzzActor(f *testing.F) {
	for _, s := range []string{"person:a", "app:b", "person:a app:b", "app:b person:a", "", "a", "person:", "person:* x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseActor(text)
		if err != nil {
			return
		}
		if again, err := parseActor(a.String()); err != nil || again != a {
			t.Errorf("%q: %+v, %+v, %v", text, a, again, err)
		}
	})
}
