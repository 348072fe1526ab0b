package verify

import (
	"bytes"

	"github.com/courtseal/courtseal/internal/pdf"
)

// equal compares two values as they mean, not as they are written: the order of keys and the form of strings do not count. A dictionary
// in which a key stands twice means one thing to some readers and another to others: it is equal to none.
func equal(a, b pdf.Object) bool {
	switch x := a.(type) {
	case *pdf.String:
		y, ok := b.(*pdf.String)
		return ok && bytes.Equal(x.Value, y.Value)
	case *pdf.Array:
		y, ok := b.(*pdf.Array)
		if !ok || len(x.Items) != len(y.Items) {
			return false
		}
		for i := range x.Items {
			if !equal(x.Items[i], y.Items[i]) {
				return false
			}
		}
		return true
	case *pdf.Dict:
		y, ok := b.(*pdf.Dict)
		return ok && len(x.Entries) == len(y.Entries) && x.Duplicate() == "" && len(unlike(x, y)) == 0
	case *pdf.Stream:
		return false
	}
	switch b.(type) {
	case *pdf.String, *pdf.Array, *pdf.Dict, *pdf.Stream:
		return false
	}
	return a == b
}

// unlike lists the keys whose values differ. A nil dictionary has no keys.
func unlike(a, b *pdf.Dict) []pdf.Name {
	values := map[pdf.Name]pdf.Object{}
	if a != nil {
		for _, e := range a.Entries {
			values[e.Key] = e.Value
		}
	}
	var out []pdf.Name
	if b != nil {
		for _, e := range b.Entries {
			v, ok := values[e.Key]
			if !ok && e.Value != nil || ok && !equal(v, e.Value) {
				out = append(out, e.Key)
			}
			delete(values, e.Key)
		}
	}
	if a != nil {
		for _, e := range a.Entries {
			if v, left := values[e.Key]; left && v != nil {
				out = append(out, e.Key)
				delete(values, e.Key)
			}
		}
	}
	return out
}

// eachRef calls do for the references in a value, with the keys that lead to each from the outside in. The slice is only good
// during the call.
func eachRef(o pdf.Object, do func(r pdf.Ref, path []pdf.Name)) {
	eachRefUnder(o, make([]pdf.Name, 0, 8), do)
}

func eachRefUnder(o pdf.Object, path []pdf.Name, do func(pdf.Ref, []pdf.Name)) {
	switch v := o.(type) {
	case pdf.Ref:
		do(v, path)
	case *pdf.Array:
		for _, x := range v.Items {
			eachRefUnder(x, path, do)
		}
	case *pdf.Dict:
		for _, e := range v.Entries {
			eachRefUnder(e.Value, append(path, e.Key), do)
		}
	case *pdf.Stream:
		eachRefUnder(v.Dict, path, do)
	}
}
