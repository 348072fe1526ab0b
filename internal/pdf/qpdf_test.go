package pdf

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The tests here hold what this package reads against what qpdf reads, object by object.

// shared returns the files of ../shared, seen from the root of the repository, that match.
func shared(t testing.TB, pattern string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			names, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "shared", pattern))
			if err != nil {
				t.Fatal(err)
			}
			return names
		}
	}
	return nil
}

func needQPDF(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("qpdf"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qpdf is not installed")
		}
		t.Skip("qpdf is not installed")
	}
}

// qpdf runs qpdf, whose exit code 3 is a warning.
func qpdf(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("qpdf", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("qpdf %q: %w\n%s", args, err, stderr.Bytes())
	}
	return out, err
}

func openFile(t testing.TB, name string, o Options) (*File, error) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return Open(bytes.NewReader(b), int64(len(b)), o)
}

func TestVectorsAgainstQPDF(t *testing.T) {
	needQPDF(t)
	names := shared(t, "vectors/pdf/*.pdf")
	if len(names) == 0 {
		t.Skip("no ../shared/vectors/pdf")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := openFile(t, name, Options{})
			if errors.Is(err, ErrDamaged) {
				f, err = openFile(t, name, Options{Repair: true})
			}
			pages, qerr := qpdf(t, "--show-npages", name)
			if qerr != nil {
				if err == nil {
					t.Errorf("read, where qpdf says %v", qerr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			n, err := f.NumPages()
			if err != nil || strconv.Itoa(n) != strings.TrimSpace(string(pages)) {
				t.Errorf("%d pages, %v; qpdf has %s", n, err, pages)
			}
			for i := range n {
				if _, err := f.Page(i + 1); err != nil {
					t.Errorf("page %d: %v", i+1, err)
				}
			}
			if f.Repaired() == nil { // two repairs of objects in tatters need not agree
				compareXRef(t, f, name)
				compareObjects(t, f, name, "")
			}
		})
	}
}

func compareXRef(t *testing.T, f *File, name string, args ...string) {
	t.Helper()
	out, err := qpdf(t, append(args, "--show-xref", name)...)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		var num uint32
		var gen uint16
		var x XRef
		if k, _ := fmt.Sscanf(line, "%d/%d: uncompressed; offset = %d", &num, &gen, &x.Offset); k == 3 {
			x = XRef{num, gen, 1, x.Offset + f.Base(), 0}
		} else if k, _ := fmt.Sscanf(line, "%d/%d: compressed; stream = %d, index = %d", &num, &gen, &x.Offset, &x.Index); k == 4 {
			x = XRef{num, 0, 2, x.Offset, x.Index}
		} else {
			continue
		}
		n++
		if x.Type == 1 && x.Offset == f.Base() { // qpdf warns, and reads null
			x = XRef{Num: num}
		}
		if got, ok := f.Lookup(num); !ok || got != x {
			t.Errorf("entry %+v, qpdf has %+v", got, x)
		}
	}
	if n == 0 {
		t.Errorf("no entries in the output of qpdf")
	}
}

// compareObjects loads every object that qpdf has, and wants the same value and the same decoded stream data.
func compareObjects(t *testing.T, f *File, name, password string) {
	t.Helper()
	out, err := qpdf(t, "--password="+password, "--json=2", "--json-key=qpdf", "--json-stream-data=inline",
		"--decode-level=generalized", name)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ QPDF []map[string]any }
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	for key, o := range doc.QPDF[1] {
		var r Ref
		if k, _ := fmt.Sscanf(key, "obj:%d %d R", &r.Num, &r.Gen); k != 2 {
			continue
		}
		got, err := f.Load(r)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		n++
		o := o.(map[string]any)
		if st, ok := o["stream"].(map[string]any); ok {
			err = sameStream(f, got.Value, st)
		} else {
			err = same(f, got.Value, o["value"])
		}
		if err != nil {
			t.Errorf("object %s: %v", r, err)
		}
	}
	if n == 0 {
		t.Errorf("no objects in the output of qpdf")
	}
}

func sameStream(f *File, got Object, want map[string]any) error {
	st, ok := got.(*Stream)
	if !ok {
		return fmt.Errorf("%T, qpdf has a stream", got)
	}
	dict := want["dict"].(map[string]any)
	_, encoded := dict["/Filter"]
	plain := &Dict{}
	for _, e := range st.Dict.Entries {
		switch e.Key {
		case "Length":
		case "Filter", "DecodeParms":
			if encoded {
				plain.Entries = append(plain.Entries, e)
			}
		default:
			plain.Entries = append(plain.Entries, e)
		}
	}
	delete(dict, "/Length")
	if err := same(f, plain, dict); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(want["data"].(string))
	if err != nil {
		return err
	}
	mine, err := f.Data(st)
	if encoded {
		if err == nil {
			return fmt.Errorf("decoded, where qpdf does not: %v", dict["/Filter"])
		}
		return nil
	}
	if err != nil || !bytes.Equal(mine, data) {
		return fmt.Errorf("data of %d bytes, %v; qpdf has %d bytes", len(mine), err, len(data))
	}
	return nil
}

func same(f *File, got Object, want any) error {
	differ := fmt.Errorf("%.60v (%T), qpdf has %.60v", got, got, want)
	switch v := got.(type) {
	case nil:
		if want != nil {
			return differ
		}
	case bool:
		if want != v {
			return differ
		}
	case int64, Real:
		n, ok := want.(json.Number)
		if !ok {
			return differ
		}
		a, ok := Number(v)
		b, err := n.Float64()
		if !ok || err != nil || math.Abs(a-b) > 1e-9*math.Abs(b) {
			return differ
		}
	case Name:
		if s, ok := want.(string); !ok || s != "/"+string(v) && !strings.HasPrefix(s, "n:") {
			return differ
		}
	case Ref:
		if want != v.String()+" R" {
			return differ
		}
	case *String:
		s, _ := want.(string)
		if b, isHex := strings.CutPrefix(s, "b:"); isHex {
			if b != hex.EncodeToString(v.Value) {
				return differ
			}
		} else if s != "u:"+Text(v.Value) {
			return fmt.Errorf("string %q, qpdf has %q", v.Value, s)
		}
	case *Array:
		a, ok := want.([]any)
		if !ok || len(a) != len(v.Items) {
			return differ
		}
		for i := range a {
			if err := same(f, v.Items[i], a[i]); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	case *Dict:
		m, ok := want.(map[string]any)
		if !ok {
			return differ
		}
		n := 0
		for i, e := range v.Entries {
			if o, err := f.Resolve(e.Value); err != nil || o == nil { // qpdf leaves out what is null
				continue
			}
			w, ok := m["/"+string(e.Key)]
			if !ok {
				return fmt.Errorf("/%s, qpdf has none", e.Key)
			}
			if v.Get(e.Key) != v.Entries[i].Value {
				continue // a duplicate, of which the last counts
			}
			n++
			if err := same(f, e.Value, w); err != nil {
				return fmt.Errorf("/%s: %w", e.Key, err)
			}
		}
		if n < len(m) {
			return fmt.Errorf("%d keys, qpdf has %d", n, len(m))
		}
	default:
		return differ
	}
	return nil
}

func TestVariantsByQPDF(t *testing.T) {
	needQPDF(t)
	dir := t.TempDir()
	source := filepath.Join(dir, "source.pdf")
	if err := os.WriteFile(source, sample(5), 0o600); err != nil {
		t.Fatal(err)
	}
	encrypt := func(args ...string) []string {
		return append(append([]string{"--encrypt", "Nutzer", "Inhaber"}, args...), "--")
	}
	for name, args := range map[string][]string{
		"object streams":      {"--object-streams=generate"},
		"linearised":          {"--linearize"},
		"linearised, streams": {"--linearize", "--object-streams=generate"},
		"uncompressed":        {"--stream-data=uncompress"},
		"r2":                  append([]string{"--allow-weak-crypto"}, encrypt("40")...),
		"r3":                  append([]string{"--allow-weak-crypto"}, encrypt("128")...),
		"r4 RC4":              append([]string{"--allow-weak-crypto"}, encrypt("128", "--force-V4")...),
		"r4 AES":              append([]string{"--allow-weak-crypto"}, encrypt("128", "--use-aes=y")...),
		"r4 metadata":         append([]string{"--allow-weak-crypto"}, encrypt("128", "--use-aes=y", "--cleartext-metadata")...),
		"r5":                  append([]string{"--allow-weak-crypto"}, encrypt("256", "--force-R5")...),
		"r6":                  encrypt("256"),
		"r6 metadata":         encrypt("256", "--cleartext-metadata"),
		"r6 streams":          append(encrypt("256"), "--object-streams=generate", "--linearize"),
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".pdf")
			if _, err := qpdf(t, append(args, "--static-id", source, out)...); err != nil {
				t.Fatal(err)
			}
			passwords := []string{""}
			if strings.HasPrefix(name, "r") {
				passwords = []string{"Nutzer", "Inhaber"}
				for _, wrong := range []string{"", "nutzer"} {
					if _, err := openFile(t, out, Options{Password: []byte(wrong)}); !errors.Is(err, ErrPassword) {
						t.Errorf("password %q: %v", wrong, err)
					}
				}
			}
			for _, p := range passwords {
				f, err := openFile(t, out, Options{Password: []byte(p)})
				if err != nil {
					t.Fatal(err)
				}
				compareXRef(t, f, out, "--password="+p)
				compareObjects(t, f, out, p)
				checkSample(t, f, 5)
				g, err := openFile(t, out, Options{Password: []byte(p), Repair: true})
				if err != nil || g.Repaired() != nil {
					t.Fatalf("repair of a whole file: %v, %v", err, g.Repaired())
				}
			}
		})
	}
}
