package verify

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/peertest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// A signedPDF is a file whose signatures a test knows by itself.
type signedPDF struct {
	mutable
	name    string
	signed  []signedRange // in the order of the file
	objects []objectText
	picture func() (string, error) // what mutool draws of it
}

// A signedRange is what one signature signs, and its value.
type signedRange struct {
	from, to, end int // the string of /Contents, and the end of what is signed
	value         []byte
}

// An objectText is an object as it stands in a file.
type objectText struct {
	number int
	body   []byte
}

var (
	pdfToken    = regexp.MustCompile(`<<|>>|[\[\]]|/[A-Za-z0-9_.#+-]+|<[0-9A-Fa-f]*>|\([^()\\]*\)|[0-9]+ [0-9]+ R|[+-]?[0-9]+(?:\.[0-9]+)?|[A-Za-z]+|%[^\r\n]*`)
	rangeOfFour = regexp.MustCompile(`/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]`)
	objectBody  = regexp.MustCompile(`(?s)(\d+) 0 obj\b\s*(.*?)\s*endobj`)
	pdfSpots    = regexp.MustCompile(`(?s)xref\b.{0,600}?%%EOF|/ByteRange\s*\[[^\]]*\]|<< /Type /Sig.*?<0|/AcroForm.{0,80}|/Annots.{0,60}|\d+ 0 obj\s*<<.{0,120}`)
)

func newSignedPDF(t testing.TB, name string, file []byte) *signedPDF {
	t.Helper()
	f := &signedPDF{name: name, mutable: mutable{bytes: file, tokens: pdfToken.FindAllIndex(file, -1), spots: pdfSpots.FindAllIndex(file, -1)}}
	for _, m := range rangeOfFour.FindAllSubmatch(file, -1) {
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(string(m[i+1]))
		}
		s := signedRange{from: n[0], to: n[1], end: n[1] + n[2]}
		var err error
		if s.value, err = hex.DecodeString(string(file[s.from+1 : s.to-1])); err != nil || len(s.value) == 0 {
			t.Fatal(name, err)
		}
		f.signed = append(f.signed, s)
		length := min(len(s.value), int(binary.BigEndian.Uint16(s.value[2:]))+4) // of long DER
		f.spots = append(f.spots, []int{s.from - 2, s.from + 40}, []int{s.from, s.from + 2*length}, []int{s.from + 2*length - 20, s.from + 2*length + 20},
			[]int{s.to - 6, s.to + 6}, []int{s.end - 20, s.end})
	}
	if len(f.signed) == 0 || f.signed[len(f.signed)-1].end != len(file) {
		t.Fatalf("%s: %+v", name, f.signed)
	}
	for _, m := range objectBody.FindAllSubmatch(file, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		f.objects = append(f.objects, objectText{n, m[2]})
	}
	f.picture = sync.OnceValues(func() (string, error) { return mutoolDraws(f.bytes) })
	return f
}

// intact says that a file has what a signature signs, and its value: digits of either case, and what nobody signs of a CMS aside.
func (s signedRange) intact(from, file []byte) bool {
	if len(file) < s.end || !bytes.Equal(file[:s.from+1], from[:s.from+1]) || !bytes.Equal(file[s.to-1:s.end], from[s.to-1:s.end]) {
		return false
	}
	value, err := hex.DecodeString(string(file[s.from+1 : s.to-1]))
	if err != nil {
		return false
	}
	if bytes.Equal(value, s.value) {
		return true
	}
	was, is := signedOfCMS(s.value), signedOfCMS(value)
	return was != nil && bytes.Equal(was, is)
}

// algorithmID has parameters that mean nothing: there is no RSASSA-PSS in these files.
type algorithmID struct {
	Algorithm asn1.ObjectIdentifier
	Params    asn1.RawValue `asn1:"optional"`
}

// signedOfCMS is what of a CMS with one signer is signed, or says how: without the list of digests, which RFC 5652 5.1 has for speed,
// certificates and CRLs, of which honest makers add what they like, and unsigned attributes. nil: it is none.
func signedOfCMS(value []byte) []byte {
	var info struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version      int
			Digests      asn1.RawValue `asn1:"set"`
			Content      asn1.RawValue
			Certificates asn1.RawValue `asn1:"optional,tag:0"`
			CRLs         asn1.RawValue `asn1:"optional,tag:1"`
			Signers      []struct {
				Version         int
				ID              asn1.RawValue
				Digest          algorithmID
				Attributes      asn1.RawValue `asn1:"optional,tag:0"`
				Algorithm       algorithmID
				Value           []byte
				UnsignedAttribs asn1.RawValue `asn1:"optional,tag:1"`
			} `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	padding, err := asn1.Unmarshal(value, &info)
	if err != nil || len(info.Content.Signers) != 1 || len(bytes.Trim(padding, "\x00")) > 0 {
		return nil
	}
	s := &info.Content.Signers[0]
	return slices.Concat([]byte(fmt.Sprint(info.Type, info.Content.Version, s.Version, s.Digest.Algorithm, s.Algorithm.Algorithm)),
		info.Content.Content.FullBytes, s.ID.FullBytes, s.Attributes.FullBytes, s.Value)
}

// mutoolDraws is what mutool draws.
func mutoolDraws(file []byte) (string, error) {
	f, err := os.CreateTemp("", "mutoolDraws-*.pdf")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	f.Write(file)
	f.Close()
	out, err := exec.Command("mutool", "draw", "-q", "-r", "36", "-F", "pnm", "-o", "-", f.Name()).Output()
	return string(out), err
}

// signedPDFs are files of every kind, with signatures of every format, one and two of them, certified and with a document time stamp.
func signedPDFs(t testing.TB) (all []*signedPDF) {
	t.Helper()
	w := theWorld()
	for _, kind := range pdftest.Kinds {
		base := pdftest.File(kind, pdftest.Objects{
			1: "<< /Type /Catalog /Pages 2 0 R >>",
			2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 5 0 R >>",
			4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
			5: "<< >>",
		})
		add := func(name string, file []byte) []byte {
			all = append(all, newSignedPDF(t, fmt.Sprintf("%s, %s", name, kind), file))
			return file
		}
		add("ses", sealFile(t, base, w.stamp(t, sign.SES, noon), visible))
		add("cms SM2", sealFile(t, base, w.stamp(t, sign.CMS, noon), visible))
		rsa := add("cms RSA", sealFile(t, base, cmsSigner(t, w.rsa), pdfx.Options{}))
		dual := add("dual", sealFile(t, base, w.stamp(t, sign.Dual, noon), visible))
		add("dual, then cms RSA", sealFile(t, dual, cmsSigner(t, w.rsa), pdfx.Options{}))
		add("cms RSA, then ses", sealFile(t, rsa, w.stamp(t, sign.SES, noon), visible))
		add("certified, then cms SM2", sealFile(t, sealFile(t, base, cmsSigner(t, w.rsa), pdfx.Options{Certify: 2}), cmsSigner(t, w.sm2), pdfx.Options{}))
		add("ses, then a time stamp", dated(t, sealFile(t, base, w.stamp(t, sign.SES, noon), visible), tsa(noon)))
	}
	return all
}

// pdf changes a file, or saves it once more.
func (m *mutator) pdf(f *signedPDF, all []*signedPDF) []byte {
	if m.IntN(6) == 0 {
		return m.laterSaving(f, all)
	}
	var edits []splice
	for range []int{1, 1, 1, 2, 3}[m.IntN(5)] {
		switch m.IntN(12) {
		case 0, 1, 2:
			edits = append(edits, m.blind(&f.mutable)...)
		case 3, 4, 5, 6, 7:
			edits = append(edits, m.aware(&f.mutable)...)
		case 8:
			edits = append(edits, m.exchangedEntries(f)...)
		case 9:
			edits = append(edits, m.byteRange(f)...)
		default:
			edits = append(edits, m.value(f, all)...)
		}
	}
	if m.IntN(20) == 0 {
		cut := m.place(&f.mutable)
		if m.IntN(2) == 0 {
			if ends := regexp.MustCompile(`%%EOF\n?|\n`).FindAllIndex(f.bytes, -1); len(ends) > 0 {
				cut = ends[m.IntN(len(ends))][1]
			}
		}
		m.tell("cut off at %d", cut)
		edits = append(edits, splice{cut, len(f.bytes), nil})
	}
	return withEdits(f.bytes, edits)
}

var tableEntry = regexp.MustCompile(`\d{10} \d{5} [nf]|startxref\s+\d+|/Prev \d+|/XRefStm \d+`)

// exchangedEntries exchanges where two objects, or two sections, are said to be.
func (m *mutator) exchangedEntries(f *signedPDF) []splice {
	all := tableEntry.FindAllIndex(f.bytes, -1)
	number := func(i []int) []int {
		n := regexp.MustCompile(`\d+`).FindIndex(f.bytes[i[0]:i[1]])
		return []int{i[0] + n[0], i[0] + n[1]}
	}
	a, b := number(all[m.IntN(len(all))]), number(all[m.IntN(len(all))])
	if a[0] == b[0] {
		return nil
	}
	m.tell("%s at %d and %s at %d exchanged", f.bytes[a[0]:a[1]], a[0], f.bytes[b[0]:b[1]], b[0])
	return []splice{{a[0], a[1], m.width(f.bytes[b[0]:b[1]], a[1]-a[0])}, {b[0], b[1], m.width(f.bytes[a[0]:a[1]], b[1]-b[0])}}
}

// byteRange changes what a signature says it signs.
func (m *mutator) byteRange(f *signedPDF) []splice {
	all := rangeOfFour.FindAllSubmatchIndex(f.bytes, -1)
	r := all[m.IntN(len(all))]
	s := f.signed[m.IntN(len(f.signed))]
	d := m.IntN(40) - 20
	list := [][]int{{0, s.from, s.to, s.end - s.to}, {0, s.from + d, s.to, s.end - s.to}, {0, s.from, s.to + d, s.end - s.to - d}, {0, s.from, s.to, s.end - s.to + d},
		{0, s.end, s.end, 0}, {0, s.from, s.from, s.end - s.from}, {d, s.from, s.to, s.end - s.to}, {0, s.from, s.to, len(f.bytes) - s.to}, {0, s.from, s.to, s.end - s.to, s.end, len(f.bytes) - s.end}}
	text := strings.Trim(fmt.Sprint(list[m.IntN(len(list))]), "[]")
	m.tell("a ByteRange becomes %s", text)
	from := r[0] + bytes.IndexByte(f.bytes[r[0]:], '[') + 1
	return []splice{{from, r[1] - 1, m.width([]byte(text), r[1]-1-from)}}
}

// value changes the value of a signature, in its room: bytes, elements, all of it.
func (m *mutator) value(f *signedPDF, all []*signedPDF) []splice {
	s := f.signed[m.IntN(len(f.signed))]
	value := bytes.Clone(s.value)
	length := max(4, min(len(value), int(binary.BigEndian.Uint16(value[2:]))+4))
	at := m.IntN(length)
	cut := func(i, j int, with []byte) {
		value = slices.Concat(value[:i], with, value[j:])
	}
	switch m.IntN(9) {
	case 0:
		value[at] ^= 1 << m.IntN(8)
		m.tell("bit of value flipped at %d", at)
	case 1:
		value[at] = []byte{0, 1, 2, 5, 0x30, 0x31, 0x80, 0xa0, 0x7f, 0x81, 0xff, byte(m.IntN(256))}[m.IntN(12)]
		m.tell("octet of value at %d", at)
	case 2:
		n := min(1+m.IntN(40), len(value)-at)
		cut(at, at+n, nil)
		m.tell("%d octets of value deleted at %d", n, at)
	case 3:
		n := min(1+m.IntN(40), length-at)
		cut(at, at, value[at:at+n])
		m.tell("%d octets of value doubled at %d", n, at)
	case 4:
		value[length+m.IntN(max(1, len(value)-length))-1] = byte(1 + m.IntN(255))
		m.tell("padding")
	case 5:
		text := strings.ToUpper(hex.EncodeToString(value))
		if m.IntN(2) == 0 {
			text = text[:len(text)/2] + strings.ToLower(text[len(text)/2:])
		}
		m.tell("digits of the other case")
		return []splice{{s.from + 1, s.to - 1, []byte(text)}}
	case 6:
		o := all[m.IntN(len(all))]
		value = o.signed[m.IntN(len(o.signed))].value
		m.tell("value of %s", o.name)
	default:
		value = m.elements(value, length)
	}
	value = append(value[:min(len(value), len(s.value)):min(len(value), len(s.value))], make([]byte, max(0, len(s.value)-len(value)))...)
	return []splice{{s.from + 1, s.to - 1, []byte(hex.EncodeToString(value))}}
}

// elements changes DER as DER: an element is taken away, doubled, replaced or exchanged with another, and the lengths around are right.
func (m *mutator) elements(value []byte, length int) []byte {
	type node struct{ from, body, to int }
	var nodes []node
	var walk func(from, to int)
	walk = func(from, to int) {
		for at := from; at+2 <= to; {
			n, body := int(value[at+1]), at+2
			if n >= 0x80 {
				k := n & 0x7f
				if k == 0 || k > 3 || body+k > to {
					return
				}
				n = 0
				for _, c := range value[body : body+k] {
					n = n<<8 | int(c)
				}
				body += k
			}
			if body+n > to {
				return
			}
			nodes = append(nodes, node{at, body, body + n})
			if value[at]&0x20 != 0 || value[at] == 4 && n > 2 && value[body] == 0x30 {
				walk(body, body+n)
			}
			at = body + n
		}
	}
	walk(0, length)
	if len(nodes) < 2 {
		return value
	}
	x := nodes[1+m.IntN(len(nodes)-1)]
	y := nodes[1+m.IntN(len(nodes)-1)]
	with := value[y.from:y.to]
	switch m.IntN(4) {
	case 0:
		with = nil
		m.tell("element at %d taken away", x.from)
	case 1:
		with = slices.Concat(value[x.from:x.to], value[x.from:x.to])
		m.tell("element at %d doubled", x.from)
	case 2:
		with = slices.Concat(value[x.from:x.to], with)
		m.tell("element at %d after that at %d", y.from, x.from)
	default:
		m.tell("element at %d in place of that at %d", y.from, x.from)
	}
	var rebuild func(from, to int) []byte
	header := func(tag byte, n int) []byte {
		switch {
		case n < 0x80:
			return []byte{tag, byte(n)}
		case n < 0x100:
			return []byte{tag, 0x81, byte(n)}
		default:
			return []byte{tag, 0x82, byte(n >> 8), byte(n)}
		}
	}
	rebuild = func(from, to int) (out []byte) {
		for at := from; at < to; {
			i := slices.IndexFunc(nodes, func(n node) bool { return n.from == at })
			if i < 0 {
				return append(out, value[at:to]...)
			}
			n := nodes[i]
			switch {
			case n == x:
				out = append(out, with...)
			case n.from < x.from && x.to <= n.to:
				inner := rebuild(n.body, n.to)
				out = append(append(out, header(value[n.from], len(inner))...), inner...)
			default:
				out = append(out, value[n.from:n.to]...)
			}
			at = n.to
		}
		return out
	}
	return rebuild(0, length)
}

// laterSaving appends what a later saving could be, right or not.
func (m *mutator) laterSaving(f *signedPDF, all []*signedPDF) []byte {
	o := all[m.IntN(len(all))]
	if m.IntN(5) == 0 {
		from := 0
		if len(o.signed) > 1 {
			from = o.signed[0].end
		} else if i := bytes.Index(o.bytes, []byte("%%EOF\n")); i >= 0 {
			from = i + 6
		}
		m.tell("the last revision of %s appended", o.name)
		return slices.Concat(f.bytes, o.bytes[from:])
	}
	r := pdftest.Revision{Kind: pdftest.Kinds[m.IntN(len(pdftest.Kinds))], Objects: pdftest.Objects{}, Trailer: map[string]string{}}
	for range 1 + m.IntN(3) {
		x := f.objects[m.IntN(len(f.objects))]
		body := x.body
		switch m.IntN(4) {
		case 0:
			m.tell("object %d once more", x.number)
		case 1:
			y := f.objects[m.IntN(len(f.objects))]
			body = y.body
			m.tell("object %d as %d was", x.number, y.number)
		case 2:
			y := o.objects[m.IntN(len(o.objects))]
			body = y.body
			m.tell("object %d as %d of %s", x.number, y.number, o.name)
		default:
			part := &mutable{bytes: body, tokens: pdfToken.FindAllIndex(body, -1)}
			if len(part.tokens) > 0 {
				m.tell("object %d:", x.number)
				body = withEdits(body, m.aware(part))
			}
		}
		if m.IntN(4) == 0 {
			x.number = m.IntN(30)
		}
		r.Objects[x.number] = string(body)
		switch m.IntN(12) {
		case 0:
			r.Hidden = append(r.Hidden, x.number)
		case 1:
			r.Places = map[int]int{m.IntN(30): m.IntN(len(f.bytes))}
		case 2:
			r.Freed = map[int]int{m.IntN(10): 1}
		case 3:
			r.Gens = map[int]int{x.number: 1}
		case 4, 5:
			if r.Kind != pdftest.Hybrid && !bytes.Contains(body, []byte("stream")) {
				r.Packed = append(r.Packed, x.number)
			}
		}
	}
	switch m.IntN(12) {
	case 0:
		r.Omit = pdftest.Part(1 + m.IntN(15))
	case 1:
		r.Trailer["Prev"] = fmt.Sprint(m.place(&f.mutable))
	case 2:
		r.Start = fmt.Sprint(m.place(&f.mutable))
	case 3:
		r.Junk = string(f.bytes[:m.IntN(200)])
	case 4:
		r.After = "\n"
	case 5:
		r.Trailer["Root"] = fmt.Sprintf("%d 0 R", m.IntN(12))
	}
	m.tell("%s, %+v", r.Kind, r)
	return r.Append(f.bytes)
}

// judgePDF says what is wrong with a report on a mutant. It looks at bytes alone: what may be valid is a signature whose bytes and value are
// as somebody made them; and where something follows the last of these, mutool must draw the pages as if it did not.
func judgePDF(r *Report, f *signedPDF, all []*signedPDF, mutant []byte, draws bool) string {
	valid := 0
	for _, s := range r.Signatures {
		if s.Verdict == Valid {
			valid++
		}
	}
	if valid == 0 && r.Verdict != Valid {
		return ""
	}
	intact := map[int]bool{}
	for _, o := range all {
		for _, s := range o.signed {
			if s.intact(o.bytes, mutant) {
				intact[s.end] = true
			}
		}
	}
	switch {
	case valid > len(intact):
		return fmt.Sprintf("%d signatures are valid, and %d have their bytes\n%s", valid, len(intact), r)
	case r.Verdict != Valid || intact[len(mutant)] || !draws:
		return ""
	}
	after, err := mutoolDraws(mutant)
	before, err2 := f.picture()
	if err == nil && err2 == nil && after != before { // a visible signature that stood behind may be gone
		before, err2 = mutoolDraws(mutant[:slices.Max(slices.Collect(maps.Keys(intact)))])
	}
	if err = errors.Join(err, err2); err != nil || after != before {
		return fmt.Sprintf("valid, and shows other pages (%v)\n%s", err, r)
	}
	return ""
}

// No change at random of a signed PDF leaves it valid, and no signature but those whose bytes and values are as they were.
func TestMutationsPDF(t *testing.T) {
	all, draws := signedPDFs(t), peertest.Has(t, "mutool")
	o := Options{Roots: theWorld().roots, At: noon}
	var pool []*mutable
	for _, f := range all {
		r, err := Document(context.Background(), bytes.NewReader(f.bytes), int64(len(f.bytes)), o)
		if err != nil || r.Verdict != Valid {
			t.Fatalf("%s: %v\n%s", f.name, err, r)
		}
		pool = append(pool, &f.mutable)
	}
	eachMutation(t, mutations(t), func(m *mutator) (string, []byte, string) {
		m.pool = pool
		f := all[m.IntN(len(all))]
		mutant := m.pdf(f, all)
		r, _ := Document(context.Background(), bytes.NewReader(mutant), int64(len(mutant)), o)
		if r == nil {
			return f.name, mutant, ""
		}
		return f.name, mutant, judgePDF(r, f, all, mutant, draws)
	})
}
