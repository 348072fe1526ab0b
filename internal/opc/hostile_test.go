package opc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// hostile inputs, and what must become of them: an error of Open, or else a fault or an error of reading.
type hostile struct {
	bytes []byte
	want  error // of Open; nil: it opens
}

func hostileInputs(t testing.TB) map[string]hostile {
	in := map[string]hostile{}
	add := func(name string, want error, change func(a *archive)) {
		a := archived(t, small())
		change(a)
		in[name] = hostile{a.Bytes(), want}
	}
	again := func(a *archive, n int, name string) {
		m := archived(t, []file{{"word/media/b.png", ""}}).Entries[0]
		for i := range n {
			c := *m
			c.Both(func(f *fields) { f.Name = fmt.Sprintf(name, i) })
			a.Entries = append(a.Entries, &c)
		}
	}
	add("100,000 entries", ErrLimit, func(a *archive) { again(a, 100_000, "%d.xml") })
	add("100,000 entries, a few counted", ErrLimit, func(a *archive) {
		again(a, 100_000, "%d")
		a.End = func(b []byte) { copy(b[8:], "\x09\x00\x09\x00") }
	})
	add("entries as many as may be", nil, func(a *archive) { again(a, 9_900, "word/media/%d.png") })
	add("one name", nil, func(a *archive) { again(a, 9_900, "word/media/a%.0d.png") })
	add("deep names", nil, func(a *archive) { again(a, 4_500, strings.Repeat("a/", 480)+"%d.png") })
	add("derived names", nil, func(a *archive) {
		for i := range 2_000 {
			again(a, 1, strings.Repeat("a/", i%480)+"a%.0d")
		}
	})
	add("encoded names", nil, func(a *archive) { again(a, 4_500, strings.Repeat("%%25", 250)+"%d.png") })
	add("relationships of everything", nil, func(a *archive) {
		rels := archived(t, []file{{"x", relsHead + `<Relationship Id="a" Type="b" Target="c"/></Relationships>`}}).Entries[0]
		for i := range 9_900 {
			c := *rels
			c.Both(func(f *fields) { f.Name = fmt.Sprintf("word/_rels/%d.rels", i) })
			a.Entries = append(a.Entries, &c)
		}
	})
	add("one place, a long extra field", nil, func(a *archive) {
		again(a, 9_900, "word/media/%d.png")
		a.Entries[0].Local.Extra = "\x20\xa2\xf0\xff" + strings.Repeat("x", 0xfff0)
		for _, m := range a.Entries[6:] {
			m.At = 0
		}
	})
	// Bombs: of the size that is just allowed, of more, and of more than they say.
	bomb := func(size int) func(a *archive) {
		return func(a *archive) { retext(t, a, docEntry, strings.Repeat("a", size)) }
	}
	add("bomb that may be", nil, bomb(63<<20))
	add("bomb", ErrLimit, bomb(80<<20))
	add("bomb in many parts", ErrLimit, func(a *archive) {
		m := archived(t, []file{{"word/media/b.png", strings.Repeat("a", 1<<20)}}).Entries[0]
		for i := range 100 {
			c := *m
			c.Both(func(f *fields) { f.Name = fmt.Sprintf("word/media/%d.png", i) })
			a.Entries = append(a.Entries, &c)
		}
	})
	add("bomb that says 1 byte", nil, func(a *archive) {
		bomb(80 << 20)(a)
		a.Entry(docEntry).Both(func(f *fields) { f.Size = 1 })
	})
	add("4 GB in nothing", ErrLimit, func(a *archive) { a.Entry(docEntry).Both(func(f *fields) { f.Size = max32 - 1 }) })
	add("60 MB in nothing", nil, func(a *archive) { a.Entry(docEntry).Both(func(f *fields) { f.Size = 60 << 20 }) })
	add("bombs for content types", ErrLimit, func(a *archive) { retext(t, a, typesEntry, strings.Repeat(" ", 2<<20)) })
	add("content types", nil, func(a *archive) {
		var b strings.Builder
		for i := 0; b.Len() < 900<<10; i++ {
			fmt.Fprintf(&b, `<Override PartName="/%d" ContentType="a/b"/>`, i)
		}
		replaced(typesEntry, "</Types>", b.String()+"</Types>")(t)(a)
	})
	add("content types, all wrong", nil, func(a *archive) {
		replaced(typesEntry, "</Types>", strings.Repeat(`<Override/>`, 30_000)+"</Types>")(t)(a)
	})
	add("relationships", nil, func(a *archive) {
		var b strings.Builder
		for i := 0; b.Len() < 3900<<10; i++ {
			fmt.Fprintf(&b, `<Relationship Id="a%d" Type="t" Target="%d"/>`, i, i)
		}
		replaced(docRelsEntry, "</Relationships>", b.String()+"</Relationships>")(t)(a)
	})
	add("relationships, all wrong", nil, func(a *archive) {
		replaced(docRelsEntry, "</Relationships>", strings.Repeat(`<Relationship Id="a" Type="t" Target="../../.."/>`, 80_000)+"</Relationships>")(t)(a)
	})
	add("deep XML", ErrLimit, func(a *archive) { retext(t, a, docRelsEntry, strings.Repeat("<a>", 1<<20)) })
	add("long targets", nil, func(a *archive) {
		replaced(docRelsEntry, "</Relationships>", `<Relationship Id="x" Type="t" Target="`+strings.Repeat("a/../", 700_000)+`x"/></Relationships>`)(t)(a)
	})
	in["end records"] = hostile{bytes.Repeat([]byte("PK\x05\x06"), 1<<20), ErrLimit}
	in["nothing"] = hostile{make([]byte, 4<<20), ErrNotZip}
	return in
}

// Hostile files end soon and in little memory, whatever they claim. The time that fails the test is far above what is wanted,
// so that a busy machine does not fail it.
func TestHostile(t *testing.T) {
	for name, c := range hostileInputs(t) {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			peak := peakOf(func() {
				p, err := Open(bytes.NewReader(c.bytes), int64(len(c.bytes)), Limits{})
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("opened: %v", err)
				}
				if err == nil {
					useAll(t, p)
				}
			})
			took := time.Since(start)
			t.Logf("%d KB: %v, %d MB", len(c.bytes)>>10, took.Round(time.Millisecond), peak>>20)
			if peak > 64<<20 {
				t.Errorf("%d MB at a time", peak>>20)
			}
			if took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// useAll does what a verifier does, each of it under its limits.
func useAll(t *testing.T, p *Package) {
	for _, part := range p.Parts() {
		if part.Size > 1<<20 {
			continue // a scanner's business
		}
		if _, err := p.Read(part); err != nil {
			typed(t, err)
		}
	}
	if _, err := p.Digests(context.Background(), p.Parts(), []func() hash.Hash{sha256.New}); err != nil {
		typed(t, err)
	}
	for _, source := range p.Sources() {
		r := p.Rels(source)
		for _, rel := range r.All()[:min(len(r.All()), 10)] {
			r.Transform([]string{rel.ID})
		}
	}
	if undo, err := p.Undo([]string{"/word/document.xml"}); err == nil {
		if _, _, err := Restore(p.src, p.size, undo); err != nil {
			t.Error(err)
		}
		err = p.Write(io.Discard, nil)
		if err != nil {
			t.Error(err)
		}
	}
	_ = p.Faults()
}

func typed(t testing.TB, err error) {
	t.Helper()
	for _, e := range []error{ErrNotZip, ErrDamaged, ErrEncrypted, ErrMethod, ErrLimit, ErrFaults, ErrUndo, ErrName, ErrTypes} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Errorf("not a typed error: %v", err)
}

// peakOf tells how much more memory there was in use at once while f ran. Garbage counts, so it is collected often: how far
// a collector falls behind on a busy machine is not what is measured.
func peakOf(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	inUse := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before, peak := inUse(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			peak = max(peak, inUse())
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	<-done
	return max(peak, before) - before
}
