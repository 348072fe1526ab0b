package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/ziptest"
	"github.com/courtseal/courtseal/officex"
)

// hostileOffice are sealed documents to which something was done that makes them dear.
func hostileOffice(t testing.TB) map[string][]byte {
	s := sealed()
	out := map[string][]byte{}
	make := func(name, way string, change mutation) {
		a := ziptest.Read(t, s.file(t, way))
		change(t, a)
		out[name] = a.Bytes()
	}
	copies := func(n int, name, text string) mutation {
		return func(t testing.TB, a *ziptest.Archive) {
			e := ziptest.New(t, "x", text)
			for i := range n {
				c := *e
				c.Both(func(f *ziptest.Fields) { f.Name = fmt.Sprintf(name, i) })
				a.Entries = append(a.Entries, &c)
			}
		}
	}
	body := func(inner string) string {
		return `<w:document xmlns:w="` + wordML + `"><w:body>` + inner + `</w:body></w:document>`
	}
	make("100,000 entries", wayDual, copies(100_000, "word/%d.xml", ""))
	make("entries as many as may be", wayDual, copies(9_900, "word/%d.xml", "<x/>"))
	make("bomb of 63 MB", wayDual, put(docName, strings.Repeat("a", 63<<20)))
	make("bomb of 63 MB in a property", wayRSA, put("docProps/core.xml", strings.Repeat("a", 63<<20)))
	make("bomb of 80 MB", wayDual, put(docName, strings.Repeat("a", 80<<20)))
	make("bomb of 4 GB, it says", wayDual, onDoc(func(e *ziptest.Entry) { e.Both(func(f *ziptest.Fields) { f.Size = 1<<32 - 2 }) }))
	make("bomb that says little", wayDual, func(t testing.TB, a *ziptest.Archive) {
		put(docName, strings.Repeat("a", 80<<20))(t, a)
		a.Entry(docName).Both(func(f *ziptest.Fields) { f.Size = 10 })
	})
	make("many bombs", wayDual, copies(900, "word/%d.xml", strings.Repeat("a", 1<<20)))
	make("nested zip", wayDual, func(t testing.TB, a *ziptest.Archive) {
		inner := ziptest.New(t, "a", strings.Repeat("a", 60<<20))
		for range 5 {
			inner = ziptest.New(t, "word/inner.docx", string((&ziptest.Archive{Entries: []*ziptest.Entry{inner}}).Bytes()))
		}
		a.Entries = append(a.Entries, inner)
	})
	make("deep document", wayDual, put(docName, body(strings.Repeat("<w:p>", 2<<20))))
	make("wide document", wayDual, put(docName, body(strings.Repeat("<w:p/>", 2<<20))))
	make("a million attributes", wayDual, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := range 1_000_000 {
			fmt.Fprintf(&b, ` a%d=""`, i)
		}
		put(docName, `<w:document xmlns:w="`+wordML+`"`+b.String()+`/>`)(t, a)
	})
	make("many attributes", wayDual, put(docName, body(strings.Repeat(`<w:p a="" b="" c="" d="" e="" f="" g="" h=""/>`, 300_000))))
	make("many fields", wayDual, put(docName, body(`<w:p>`+strings.Repeat(`<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>INCLUDETEXT x</w:instrText></w:r>`, 100_000)+`</w:p>`)))
	make("long text", wayDual, put(docName, body(`<w:p><w:r><w:t>`+strings.Repeat("&amp;", 3<<20)+`</w:t></w:r></w:p>`)))
	make("one long name", wayDual, put(docName, "<"+strings.Repeat("a", 16<<20)+"/>"))
	make("many namespaces", wayDual, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, ` xmlns:n%d="urn:%d"`, i, i)
		}
		put(docName, body(strings.Repeat("<w:p"+b.String()+">", 200)+strings.Repeat("</w:p>", 200)))(t, a)
	})
	make("relationships", wayDual, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := 0; b.Len() < 3800<<10; i++ {
			fmt.Fprintf(&b, `<Relationship Id="a%d" Type="t" Target="%d"/>`, i, i)
		}
		edit(docRels, "</Relationships>", b.String()+"</Relationships>")(t, a)
	})
	make("relationships over the limit", wayDual, put(docRels, strings.Repeat(" ", 5<<20)))
	make("content types", wayDual, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := 0; b.Len() < 900<<10; i++ {
			fmt.Fprintf(&b, `<Override PartName="/%d" ContentType="a/b"/>`, i)
		}
		edit(typesName, "</Types>", b.String()+"</Types>")(t, a)
	})
	signatures := func(n int, text func(i int, old string) string) mutation {
		return func(t testing.TB, a *ziptest.Archive) {
			old := a.Entry(sigName).Text(t)
			var types, rels strings.Builder
			for i := range n {
				name := fmt.Sprintf("_xmlsignatures/more%d.xml", i)
				a.Entries = append(a.Entries, ziptest.New(t, name, text(i, old)))
				types.WriteString(override("/"+name, opcsig.TypeSignature))
				rels.WriteString(rel(fmt.Sprintf("more%d", i), opcsig.RelSignature, name[len("_xmlsignatures/"):]))
			}
			edit(typesName, "</Types>", types.String()+"</Types>")(t, a)
			edit(sigRels, "</Relationships>", rels.String()+"</Relationships>")(t, a)
		}
	}
	make("a thousand signatures", wayRSA, signatures(1000, func(i int, old string) string { return old }))
	make("as many signatures as may be", wayRSA, signatures(90, func(i int, old string) string { return old }))
	make("large signatures", wayRSA, signatures(90, func(i int, old string) string {
		return strings.Replace(old, "</Signature>", "<Object>"+strings.Repeat("a", 700<<10)+"</Object></Signature>", 1)
	}))
	make("signatures of many certificates", wayRSA, signatures(90, func(_ int, old string) string {
		from, to := strings.Index(old, "<X509Certificate>"), strings.Index(old, "</X509Data>")
		return old[:to] + strings.Repeat(old[from:to], 63) + old[to:]
	}))
	make("one relationship, a thousand times", wayRSA, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := range 1000 {
			b.WriteString(rel(fmt.Sprintf("more%d", i), opcsig.RelSignature, "sig1.xml"))
		}
		edit(sigRels, "</Relationships>", b.String()+"</Relationships>")(t, a)
	})
	make("a manifest of 16 MB", wayRSA, onSig(sub("</Manifest>", strings.Repeat("<Reference URI=\"/a?ContentType=b\"/>", 60_000)+"</Manifest>")))
	make("a signature too large", wayRSA, onSig(sub("</Signature>", "<Object>"+strings.Repeat("a", 17<<20)+"</Object></Signature>")))
	make("a deep signature", wayRSA, onSig(sub("</Signature>", strings.Repeat("<Object>", 1<<20))))
	make("a signature of many Ids", wayRSA, onSig(sub("</Signature>", "<Object>"+strings.Repeat(`<a Id="x"/>`, 200_000)+"</Object></Signature>")))
	make("a large seal manifest", wayES, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&b, `<Part ContentType="a/b" Name="/x%06d" SM3="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="></Part>`, i)
		}
		edit(sealedName, "<Undo ", b.String()+"<Undo ")(t, a)
	})
	make("acts", wayES, func(t testing.TB, a *ziptest.Archive) {
		var b strings.Builder
		for i := range 20_000 {
			b.WriteString(rel(fmt.Sprintf("more%d", i), opcsig.RelAct, fmt.Sprintf("seal%d/undo", i)))
		}
		edit(sealRels, "</Relationships>", b.String()+"</Relationships>")(t, a)
	})
	make("a long undo", wayES, put(undoName, "source SM3 "+strings.Repeat("00", 32)+"\nundo 1\n"+strings.Repeat("copy 1 a\n", 1<<20)))
	return out
}

// nothingToIt: large, and nothing that is signed or shown. Properties are signed by no native signature, and types of parts that are not
// there say nothing.
var nothingToIt = map[string]bool{"bomb of 63 MB in a property": true, "content types": true}

// Sealed documents made to cost much: verifying them, and sealing them once more, ends soon and holds little memory. The bounds here
// are wide; the real ones (a second, 64 MB) are for a machine that does nothing else.
func TestOfficeHostile(t *testing.T) {
	s := sealed()
	for name, file := range hostileOffice(t) {
		t.Run(name, func(t *testing.T) {
			var r *Report
			var err error
			peak, took := measured(func() { r, err = s.verify(file) })
			t.Logf("%d KB: verified in %v, %d MB live, %v", len(file)>>10, took.Round(time.Millisecond), peak>>20, err)
			if err == nil && r.Verdict == Valid && !nothingToIt[name] {
				t.Error("valid")
			}
			if err == nil && len(r.String()) > 8<<20 {
				t.Errorf("a report of %d MB", len(r.String())>>20)
			}
			if err != nil && !errors.Is(err, ErrUnsigned) && !errors.Is(err, opc.ErrLimit) && !errors.Is(err, ErrFormat) {
				t.Errorf("no error that says what is wrong: %v", err)
			}
			bounds(t, peak, took)
			peak, took = measured(func() {
				_, err = officex.Sign(context.Background(), io.Discard, bytes.NewReader(file), int64(len(file)), s.signer(t, wayDual), officex.Options{Invisible: true, Now: at(noon)})
			})
			t.Logf("sealed in %v, %d MB live, %v", took.Round(time.Millisecond), peak>>20, err)
			bounds(t, peak, took)
		})
	}
}

func bounds(t *testing.T, peak uint64, took time.Duration) {
	t.Helper()
	if peak > 64<<20 {
		t.Errorf("%d MB are live at a time", peak>>20)
	}
	if took > 20*time.Second {
		t.Errorf("%v", took)
	}
}

// measured tells how much more memory was live at a time while f ran, as the collector found it when it ran often, and how long it took.
func measured(f func()) (peak uint64, took time.Duration) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	start := time.Now()
	f()
	took = time.Since(start)
	close(stop)
	<-done
	return max(peak, before) - before, took
}
