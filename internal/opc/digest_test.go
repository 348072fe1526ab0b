package opc

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"
)

// Every part and hash, in the order asked for: parts hashed after each piece, beside the inflating, and in memory.
func TestDigests(t *testing.T) {
	big := strings.Repeat("a line of a large part\n", 100_000)
	in := zipped(t, small(file{"word/big.xml", big}))
	p, err := open(t, in).With([]Change{{"/word/new.xml", []byte("new")}, {"/word/settings.xml", []byte(big)}})
	if err != nil {
		t.Fatal(err)
	}
	hashes := []func() hash.Hash{sha256.New, md5.New}
	sums, err := p.Digests(context.Background(), p.Parts(), hashes)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range p.Parts() {
		b := read(t, p, part.Name)
		want256, want5 := sha256.Sum256(b), md5.Sum(b)
		if !bytes.Equal(sums[i][0], want256[:]) || !bytes.Equal(sums[i][1], want5[:]) {
			t.Errorf("%s: %x", part.Name, sums[i])
		}
	}
	for n := range 3 { // no hash, one, two: what is wrong with a part is found all the same
		a := archived(t, small(file{"word/big.xml", big}))
		a.Entry("word/big.xml").Both(func(f *fields) { f.CRC++ })
		q := open(t, a.Bytes())
		if _, err := q.Digests(context.Background(), q.Parts(), hashes[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("another checksum, %d hashes: %v", n, err)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := p.Digests(stopped, p.Parts(), hashes); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if sums, err := p.Digests(context.Background(), nil, hashes); err != nil || len(sums) > 0 {
		t.Errorf("of nothing: %v, %v", sums, err)
	}
}

// What the directory says of a part is held against what there is of it.
func TestReadDamaged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *made)
		want   error
	}{
		"checksum":          {func(m *made) { m.Both(func(f *fields) { f.CRC++ }) }, ErrDamaged},
		"larger":            {func(m *made) { m.Both(func(f *fields) { f.Size-- }) }, ErrDamaged},
		"smaller":           {func(m *made) { m.Both(func(f *fields) { f.Size++ }) }, ErrDamaged},
		"not deflated":      {func(m *made) { m.Data[0] = 0xff }, ErrDamaged},
		"cut off":           {func(m *made) { m.Data = m.Data[:len(m.Data)-3]; m.Both(func(f *fields) { f.Packed -= 3 }) }, ErrDamaged},
		"bytes after it":    {func(m *made) { m.Data = append(m.Data, 0); m.Both(func(f *fields) { f.Packed++ }) }, ErrDamaged},
		"encrypted":         {func(m *made) { m.Both(func(f *fields) { f.Flags |= 1 }) }, ErrEncrypted},
		"another method":    {func(m *made) { m.Both(func(f *fields) { f.Method = 12 }) }, ErrMethod},
		"no local header":   {func(m *made) { m.Local.Sig++ }, ErrDamaged},
		"stored, different": {func(m *made) { m.Both(func(f *fields) { f.Method = stored }) }, ErrDamaged},
	} {
		a := archived(t, small())
		c.change(a.Entry(docEntry))
		p := open(t, a.Bytes())
		if _, err := p.Read(p.Part("/" + docEntry)); !errors.Is(err, c.want) {
			t.Errorf("%s: read: %v", name, err)
		}
		var b bytes.Buffer
		if err := p.Copy(&b, p.Part("/"+docEntry)); !errors.Is(err, c.want) {
			t.Errorf("%s: copied: %v", name, err)
		}
	}
	// Those of the content types and relationships are faults.
	for _, name := range []string{typesEntry, docRelsEntry} {
		a := archived(t, small())
		a.Entry(name).Both(func(f *fields) { f.CRC++ })
		p := open(t, a.Bytes())
		if !strings.Contains(fmt.Sprint(p.Faults()), "-xml") {
			t.Errorf("%s: %v", name, p.Faults())
		}
	}
}

func TestLimits(t *testing.T) {
	in := zipped(t, small())
	for name, c := range map[string]struct {
		limits Limits
		ok     bool
	}{
		"entries":        {Limits{Entries: 5}, false},
		"entries enough": {Limits{Entries: 6}, true},
		"part":           {Limits{Part: 3000}, false},
		"part enough":    {Limits{Part: 4000}, true},
		"size":           {Limits{Size: 4000}, false},
		"read":           {Limits{Read: 100}, false},
	} {
		_, err := Open(bytes.NewReader(in), int64(len(in)), c.limits)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := Open(bytes.NewReader(in), int64(len(in)), Limits{Read: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(p.Part("/word/document.xml")); !errors.Is(err, ErrLimit) {
		t.Errorf("read: %v", err)
	}
	if err := p.Copy(&bytes.Buffer{}, p.Part("/word/document.xml")); err != nil {
		t.Errorf("copied: %v", err)
	}
}
