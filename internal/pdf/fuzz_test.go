package pdf

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// FuzzOpen opens a file, with and without repair, and walks every object and page of it. Whatever goes wrong is one of
// the package's errors; what Load gives is where it says.
func FuzzOpen(f *testing.F) {
	f.Add(sample(2))
	filters, _ := filterFile(bytes.Repeat([]byte("judgment"), 15))
	f.Add(filters)
	f.Add(large(1010, true))
	for _, name := range shared(f, "vectors/pdf/*.pdf") {
		if b, err := os.ReadFile(name); err == nil && len(b) < 64<<10 {
			f.Add(b)
		}
	}
	typed := func(t *testing.T, err error) {
		for _, e := range []error{nil, ErrNotPDF, ErrDamaged, ErrPassword, ErrEncrypted, ErrSyntax, ErrLimit, ErrFilter, ErrNoPage} {
			if errors.Is(err, e) {
				return
			}
		}
		t.Errorf("not a typed error: %v", err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, repair := range []bool{false, true} {
			o := Options{Repair: repair, Limits: Limits{Inflate: 1 << 20, Object: 1 << 18, Items: 10_000, Pages: 1000, Objects: 1 << 16}}
			file, err := openBytes(b, o)
			if err != nil {
				typed(t, err)
				continue
			}
			for num := range min(file.MaxObject(), 2000) {
				x, ok := file.Lookup(num)
				if !ok {
					continue
				}
				o, err := file.Load(Ref{num, x.Gen})
				typed(t, err)
				if err != nil {
					continue
				}
				if o.Offset >= 0 && !bytes.HasPrefix(b[o.Offset:], o.Raw) {
					t.Errorf("object %d is not at %d", num, o.Offset)
				}
				if st, ok := o.Value.(*Stream); ok && num < 200 {
					_, err := file.Data(st)
					typed(t, err)
				}
			}
			n, err := file.NumPages()
			typed(t, err)
			for i := range min(n, 20) {
				p, err := file.Page(i + 1)
				typed(t, err)
				if p != nil {
					_, err := file.PageAt(p.Ref)
					typed(t, err)
				}
			}
			for _, s := range file.Sections()[:min(3, len(file.Sections()))] {
				_, err := file.Entries(s)
				typed(t, err)
				_, err = file.At(s.End)
				typed(t, err)
			}
		}
	})
}

// FuzzParseObject parses one object. What parses has its spans inside the input and parses alike with more behind it.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{"<< /A [1 0 R (x\\)) <41> -1.5 true null] /B#20 << >> >>", "(a\\\r\n\\053)", "12 0 R", "[[[[", "% c\n/N"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Parse(b, Limits{})
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) {
				t.Errorf("not a typed error: %v", err)
			}
			return
		}
		again, err := Parse(append(bytes.Clone(b), "\n% more"...), Limits{})
		if err != nil || text(again) != text(o) {
			t.Errorf("%s, then %s, %v", text(o), text(again), err)
		}
		if d, ok := o.(*Dict); ok {
			for _, e := range d.Entries {
				v, err := Parse(b[e.ValAt.From:e.ValAt.To], Limits{})
				if err != nil || text(v) != text(e.Value) {
					t.Errorf("/%s: %s, alone %s, %v", e.Key, text(e.Value), text(v), err)
				}
			}
		}
	})
}
