package verify

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/ziptest"
	"github.com/courtseal/courtseal/sign"
)

// A signedDocx is a sealed document whose parts a test knows by itself.
type signedDocx struct {
	mutable // the zip file; its tokens are the fields of its headers
	name    string
	parts   map[string]*mutable
	names   []string // of parts, those that say what is signed more often than others
	package_
}

// A package_ is what a package says, told without the code under test.
type package_ struct {
	texts map[string]string   // of parts, without content types and relationships
	types map[string]string   // of parts, by name
	rels  map[string][]string // by name of the part with them
}

var xmlToken = regexp.MustCompile(`<\?[^>]*\?>|</?[A-Za-z0-9:]+|\s[A-Za-z0-9:]+=|"[^"]*"|'[^']*'|/?>|[^<>"'\s]+`)

func newSignedDocx(t testing.TB, name string, file []byte) *signedDocx {
	t.Helper()
	p, err := readPackage(file)
	if err != nil {
		t.Fatal(name, err)
	}
	f := &signedDocx{name: name, package_: *p, mutable: mutable{bytes: file}, parts: map[string]*mutable{}}
	for _, e := range ziptest.Read(t, file).Entries {
		text := []byte(e.Text(t))
		f.parts[e.Central.Name] = &mutable{bytes: text, tokens: xmlToken.FindAllIndex(text, -1)}
		weight := 1
		if strings.HasPrefix(e.Central.Name, "_") || strings.HasSuffix(e.Central.Name, ".rels") || e.Central.Name == typesName {
			weight = 4
		}
		for range weight {
			f.names = append(f.names, e.Central.Name)
		}
	}
	// Fields of headers, of local ones, of the directory and of its end.
	field := func(at int, sizes ...int) {
		f.spots = append(f.spots, []int{at, at + 30})
		for _, n := range sizes {
			f.tokens = append(f.tokens, []int{at, at + n})
			at += n
		}
	}
	end := len(file) - 22
	for at := int(le32(file, end+16)); at < end; {
		local, name := int(le32(file, at+42)), le16(file, at+28)
		field(local, 4, 2, 2, 2, 4, 4, 4, 4, 2, 2, name)
		field(at, 4, 2, 2, 2, 2, 4, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4, name)
		at += 46 + name + le16(file, at+30) + le16(file, at+32)
	}
	field(end, 4, 2, 2, 2, 2, 4, 4, 2)
	slices.SortFunc(f.tokens, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return f
}

func le16(b []byte, at int) int    { return int(binary.LittleEndian.Uint16(b[at:])) }
func le32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// readPackage reads a package that has one meaning: entries one behind the other from the first byte to the directory, which says the
// same as they do, and nothing else.
func readPackage(file []byte) (p *package_, err error) {
	defer func() {
		if recover() != nil { // beyond the end
			p, err = nil, errors.New("a header leads out of the file")
		}
	}()
	end := len(file) - 22
	if end < 0 || le32(file, end) != ziptest.SigEnd || le16(file, end+20) != 0 || le16(file, end+8) != le16(file, end+10) {
		return nil, errors.New("no end record at the end")
	}
	start := int(le32(file, end+16))
	if start+int(le32(file, end+12)) != end {
		return nil, errors.New("the directory does not end at the end record")
	}
	texts, spans, folded := map[string]string{}, map[int]int{}, map[string]bool{}
	for at := start; at < end; {
		if le32(file, at) != ziptest.SigCentral {
			return nil, errors.New("no record of the directory")
		}
		n := le16(file, at+28)
		name, local := string(file[at+46:at+46+n]), int(le32(file, at+42))
		if le32(file, local) != ziptest.SigLocal || le16(file, local+26) != n || string(file[local+30:local+30+n]) != name || folded[strings.ToLower(name)] {
			return nil, fmt.Errorf("%q and its local header, or another entry", name)
		}
		folded[strings.ToLower(name)] = true
		from := local + 30 + n + le16(file, local+28)
		to := from + int(le32(file, at+20))
		if le16(file, at+10) != le16(file, local+8) || le16(file, at+8) != le16(file, local+6) {
			return nil, fmt.Errorf("%q has two methods", name)
		}
		text := file[from:to]
		if le16(file, at+10) == ziptest.Deflated {
			in := bytes.NewReader(text)
			if text, err = io.ReadAll(io.LimitReader(flate.NewReader(in), 1<<20)); err != nil || in.Len() > 0 {
				return nil, fmt.Errorf("%q does not inflate", name)
			}
		}
		if crc32.ChecksumIEEE(text) != le32(file, at+16) || int(le32(file, at+24)) != len(text) {
			return nil, fmt.Errorf("%q has another sum or size", name)
		}
		if le16(file, at+8)&ziptest.FlagDescriptor != 0 {
			if to += 12; le32(file, to-12) == ziptest.SigDescriptor {
				to += 4
			}
			if !bytes.Equal(file[to-12:to], file[at+16:at+28]) {
				return nil, fmt.Errorf("%q has another descriptor", name)
			}
		} else if !bytes.Equal(file[local+14:local+26], file[at+16:at+28]) {
			return nil, fmt.Errorf("%q has other sizes in its local header", name)
		}
		texts[name], spans[local] = string(text), to
		at += 46 + n + le16(file, at+30) + le16(file, at+32)
		if at > end {
			return nil, errors.New("the directory is longer than it says")
		}
	}
	at := 0
	for _, local := range slices.Sorted(maps.Keys(spans)) {
		if local != at {
			return nil, errors.New("bytes between entries")
		}
		at = spans[local]
	}
	if at != start || len(texts) != le16(file, end+8) {
		return nil, errors.New("bytes before the directory, or another number of entries")
	}
	return saysOf(texts)
}

// saysOf reads content types and relationships.
func saysOf(texts map[string]string) (*package_, error) {
	p := &package_{texts: texts, types: map[string]string{}, rels: map[string][]string{}}
	var types struct {
		Default []struct {
			Extension   string `xml:",attr"`
			ContentType string `xml:",attr"`
		}
		Override []struct {
			PartName    string `xml:",attr"`
			ContentType string `xml:",attr"`
		}
	}
	if err := xml.Unmarshal([]byte(texts[typesName]), &types); err != nil {
		return nil, err
	}
	said := map[string]string{}
	for _, d := range types.Default {
		said["."+strings.ToLower(d.Extension)] += d.ContentType
	}
	for _, o := range types.Override {
		said[strings.ToLower(o.PartName)] += o.ContentType
	}
	for name, text := range texts {
		kind := said["/"+strings.ToLower(name)]
		if kind == "" {
			kind = said[strings.ToLower(path.Ext(name))]
		}
		p.types[name] = kind
		if !strings.HasSuffix(name, ".rels") {
			continue
		}
		var rels struct {
			Relationship []struct {
				ID         string `xml:"Id,attr"`
				Type       string `xml:",attr"`
				Target     string `xml:",attr"`
				TargetMode string `xml:",attr"`
			}
		}
		if err := xml.Unmarshal([]byte(text), &rels); err != nil {
			return nil, err
		}
		for _, r := range rels.Relationship {
			p.rels[name] = append(p.rels[name], strings.Join([]string{r.ID, r.Type, r.Target, strings.TrimSuffix(r.TargetMode, "Internal")}, " "))
		}
		slices.Sort(p.rels[name])
		delete(texts, name)
	}
	delete(texts, typesName)
	return p, nil
}

// xmlSays is what an XML signature says: elements, attributes and texts; without texts between elements that are not signed, comments,
// and white space in base64.
func xmlSays(text string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	var out, said strings.Builder
	var open []string
	flush := func() {
		s := said.String()
		said.Reset()
		switch {
		case len(open) == 0:
			s = ""
		case slices.Contains([]string{"Signature", "KeyInfo", "X509Data", "QualifyingProperties"}, open[len(open)-1]):
			s = ""
		case slices.Contains([]string{"SignatureValue", "X509Certificate"}, open[len(open)-1]):
			s = strings.Join(strings.Fields(s), "")
		}
		out.WriteString(s)
	}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch x := token.(type) {
		case xml.CharData:
			said.Write(x)
		case xml.StartElement:
			flush()
			open = append(open, x.Name.Local)
			slices.SortFunc(x.Attr, func(a, b xml.Attr) int { return cmp.Compare(a.Name.Local, b.Name.Local) })
			x.Attr = slices.DeleteFunc(x.Attr, func(a xml.Attr) bool { return a.Name.Space == "xmlns" || a.Name.Local == "xmlns" })
			fmt.Fprintf(&out, "\x01%q", x)
		case xml.EndElement:
			flush()
			open = open[:len(open)-1]
			out.WriteByte(2)
		case xml.ProcInst:
			if len(open) > 0 {
				fmt.Fprintf(&out, "\x03%q", x)
			}
		}
	}
}

// leaves: relationships that no signature signs; of native ones alone, those to properties neither.
func leaves(rel string, properties bool) bool {
	return strings.Contains(rel, opcsig.RelOrigin) || strings.Contains(rel, opcsig.RelSealOrigin) ||
		properties && (strings.Contains(rel, "/metadata/core-properties") || strings.Contains(rel, "/extended-properties"))
}

// own: parts that belong to signatures.
func own(name string) bool {
	return strings.HasPrefix(name, "_xmlsignatures/") || strings.HasPrefix(name, "_seals/")
}

// differs says what a package says otherwise than a good one of which it has valid signatures; empty: nothing that they sign.
func (f *signedDocx) differs(p *package_, r *Report, all []*signedDocx) string {
	properties := !slices.ContainsFunc(r.Signatures, func(s Signature) bool { return s.Format == sign.SES })
	unsigned := func(name string) bool { return properties && strings.HasPrefix(name, "docProps/") }
	for name := range p.texts {
		if _, ok := f.texts[name]; !ok && !unsigned(name) {
			return "there is " + name
		}
		if p.types[name] != f.types[name] && !unsigned(name) {
			return fmt.Sprintf("%s is of type %s", name, p.types[name])
		}
	}
	for name, text := range f.texts {
		if is, ok := p.texts[name]; !own(name) && !unsigned(name) && (!ok || is != text) {
			return name + " is another"
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(f.rels)), slices.Collect(maps.Keys(p.rels))) {
		if own(name) {
			continue
		}
		drop := func(list []string) []string {
			return slices.DeleteFunc(slices.Clone(list), func(r string) bool { return name == "_rels/.rels" && leaves(r, properties) })
		}
		if was, is := drop(f.rels[name]), drop(p.rels[name]); !slices.Equal(was, is) {
			return fmt.Sprintf("%s leads to %q", name, is)
		}
	}
	for _, s := range r.Signatures {
		name := strings.TrimPrefix(s.Name, "/")
		if !slices.ContainsFunc(all, func(o *signedDocx) bool { return sameSignature(o.texts, p.texts, name) }) {
			return name + " says something else"
		}
	}
	return ""
}

// sameSignature says whether two packages have one signature: the manifest of a seal and its value as they are, or what an XML signature
// says.
func sameSignature(a, b map[string]string, name string) bool {
	if seal, ok := strings.CutSuffix(name, "Signature.xml"); ok {
		return a[name] != "" && a[name] == b[name] && a[seal+"SignedValue.dat"] == b[seal+"SignedValue.dat"]
	}
	was, err := xmlSays(a[name])
	is, err2 := xmlSays(b[name])
	return err == nil && err2 == nil && was != "" && was == is
}

// office changes a document: bytes of the zip file, what its headers say, or what its parts do.
func (m *mutator) office(t testing.TB, f *signedDocx, all []*signedDocx) []byte {
	if m.IntN(5) == 0 {
		var edits []splice
		for range 1 + m.IntN(2) {
			if m.IntN(2) == 0 {
				edits = append(edits, m.blind(&f.mutable)...)
			} else {
				edits = append(edits, m.aware(&f.mutable)...)
			}
		}
		return withEdits(f.bytes, edits)
	}
	a := ziptest.Read(t, f.bytes)
	for range []int{1, 1, 1, 2, 3}[m.IntN(5)] {
		name := f.names[m.IntN(len(f.names))]
		i := slices.IndexFunc(a.Entries, func(e *ziptest.Entry) bool { return e.Central.Name == name })
		if i < 0 {
			continue // an earlier change took it away
		}
		e := a.Entries[i]
		switch m.IntN(10) {
		case 0, 1, 2:
			m.headers(t, f, a, e)
		case 3:
			m.transplant(t, f, a, all)
		default:
			part := f.parts[e.Central.Name]
			if part == nil || len(part.tokens) == 0 {
				continue
			}
			m.tell("%s:", e.Central.Name)
			var edits []splice
			if m.IntN(3) == 0 {
				edits = m.blind(part)
			} else {
				edits = m.aware(part)
			}
			retext(t, e, string(withEdits(part.bytes, edits)))
		}
	}
	return a.Bytes()
}

// retext gives an entry another text, and all that headers say of it.
func retext(t testing.TB, e *ziptest.Entry, text string) {
	n := ziptest.New(t, e.Central.Name, text)
	n.Local.Name = e.Local.Name
	*e = *n
}

// headers changes what the zip file says of an entry, or around it.
func (m *mutator) headers(t testing.TB, f *signedDocx, a *ziptest.Archive, e *ziptest.Entry) {
	name := f.names[m.IntN(len(f.names))]
	other := a.Entries[m.IntN(len(a.Entries))]
	which := func(change func(*ziptest.Fields)) {
		switch m.IntN(3) {
		case 0:
			change(&e.Local)
		case 1:
			change(&e.Central)
		default:
			e.Both(change)
		}
	}
	way := m.IntN(20)
	m.tell("%s, way %d, with %s", e.Central.Name, way, name)
	switch way {
	case 0:
		which(func(x *ziptest.Fields) { x.Name = name })
	case 1:
		names := []string{strings.ToUpper(e.Central.Name), "/" + e.Central.Name, strings.ReplaceAll(e.Central.Name, "/", `\`), strings.Replace(e.Central.Name, "e", "%65", 1),
			e.Central.Name + "/", "./" + e.Central.Name, "[trash]/0000.dat", e.Central.Name + ".bak", "word/x/../" + e.Central.Name, e.Central.Name + "\x00"}
		n := names[m.IntN(len(names))]
		which(func(x *ziptest.Fields) { x.Name = n })
	case 2:
		flag := uint16(1) << m.IntN(16)
		which(func(x *ziptest.Fields) { x.Flags ^= flag })
	case 3:
		method := []uint16{0, 8, 9, 12, 14, 99}[m.IntN(6)]
		which(func(x *ziptest.Fields) { x.Method = method })
	case 4:
		d := uint32(m.IntN(9) - 4)
		which(func(x *ziptest.Fields) { x.Size += d })
	case 5:
		d := uint32(m.IntN(9) - 4)
		which(func(x *ziptest.Fields) { x.Packed += d })
	case 6:
		which(func(x *ziptest.Fields) { x.CRC ^= 1 << m.IntN(32) })
	case 7:
		which(func(x *ziptest.Fields) { x.Extra = "\x75\x70\x06\x00\x01abcde" })
	case 8:
		e.Central.Comment = "comment"
	case 9:
		e.Data, other.Data = other.Data, e.Data
	case 10:
		again := *e
		retext(t, &again, string(f.parts[name].bytes))
		a.Entries = slices.Insert(a.Entries, m.IntN(len(a.Entries)+1), &again)
	case 11:
		e.At = m.IntN(len(f.bytes))
	case 12:
		e.Hidden = true
	case 13:
		e.Before = string(f.bytes[:m.IntN(40)])
	case 14:
		e.After = string(f.bytes[:m.IntN(40)])
	case 15:
		junk := string(f.bytes[:m.IntN(len(f.bytes))])
		where := []*string{&a.Prefix, &a.Gap, &a.Comment, &a.Tail, &a.Directory}
		*where[m.IntN(len(where))] = junk
		a.Shift = m.IntN(2) == 0
	case 16:
		e.Described([]int{12, 16}[m.IntN(2)])
	case 17:
		a.Entries = slices.DeleteFunc(a.Entries, func(x *ziptest.Entry) bool { return x == e })
	case 18:
		m.Shuffle(len(a.Entries), func(i, j int) { a.Entries[i], a.Entries[j] = a.Entries[j], a.Entries[i] })
	default:
		extra := ziptest.New(t, []string{"word/people.xml", "docProps/custom.xml", "_seals/more", "_xmlsignatures/sig9.xml", "word/_rels/styles.xml.rels", "x.bin"}[m.IntN(6)],
			string(f.parts[name].bytes))
		a.Entries = append(a.Entries, extra)
	}
}

// transplant takes parts over from another document: one, all of a signature, or all that lead to signatures.
func (m *mutator) transplant(t testing.TB, f *signedDocx, a *ziptest.Archive, all []*signedDocx) {
	o := all[m.IntN(len(all))]
	name := o.names[m.IntN(len(o.names))]
	prefix := []string{name, name, "_xmlsignatures/", "_seals/", "_"}[m.IntN(5)]
	m.tell("%s of %s", prefix, o.name)
	for _, name := range slices.Sorted(maps.Keys(o.parts)) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		text := string(o.parts[name].bytes)
		if i := slices.IndexFunc(a.Entries, func(e *ziptest.Entry) bool { return e.Central.Name == name }); i >= 0 {
			retext(t, a.Entries[i], text)
		} else {
			a.Entries = append(a.Entries, ziptest.New(t, name, text))
		}
	}
	if m.IntN(2) == 0 && prefix != name {
		for i := range a.Entries {
			if n := a.Entries[i].Central.Name; n == typesName {
				retext(t, a.Entries[i], string(o.parts[typesName].bytes))
			}
		}
	}
}

// signedDocxs are documents sealed in every way, and what a mutator takes pieces from.
func signedDocxs(t testing.TB) (all []*signedDocx, pool []*mutable) {
	t.Helper()
	add := func(name string, file []byte) {
		f := newSignedDocx(t, name, file)
		all, pool = append(all, f), append(pool, &f.mutable)
		for _, name := range slices.Sorted(maps.Keys(f.parts)) {
			if len(f.parts[name].tokens) > 0 {
				pool = append(pool, f.parts[name])
			}
		}
	}
	for _, way := range ways {
		add(way, sealed().file(t, way))
	}
	add("another document", sealed().sealed(t, docxOf(t, "另一份文书"), wayDual))
	return all, pool
}

// judgeOffice says what is wrong with a report on a mutant.
func judgeOffice(r *Report, f *signedDocx, all []*signedDocx, mutant []byte) string {
	if r.Verdict != Valid {
		return ""
	}
	p, err := readPackage(mutant)
	if err != nil {
		return fmt.Sprintf("valid, and %v\n%s", err, r)
	}
	for _, good := range all {
		if good.differs(p, r, all) == "" {
			return ""
		}
	}
	return fmt.Sprintf("valid, and %s\n%s", f.differs(p, r, all), r)
}

// No change at random of a sealed document leaves it valid, but for changes that say nothing: every part, relationship and content type
// that its valid signatures sign reads as it did, and so do they.
func TestMutationsOffice(t *testing.T) {
	all, pool := signedDocxs(t)
	o := Options{Roots: sealed().roots, At: noon}
	eachMutation(t, mutations(t), func(m *mutator) (string, []byte, string) {
		m.pool = pool
		f := all[m.IntN(len(all))]
		mutant := m.office(t, f, all)
		r, _ := Document(context.Background(), bytes.NewReader(mutant), int64(len(mutant)), o)
		if r == nil {
			return f.name, mutant, ""
		}
		return f.name, mutant, judgeOffice(r, f, all, mutant)
	})
}
