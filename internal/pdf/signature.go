package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A Range is a run of bytes of a file.
type Range struct{ Offset, Length int64 }

// End is the offset after the last byte.
func (r Range) End() int64 { return r.Offset + r.Length }

// A Signature is a signature field that has a value, as it was found: nothing of it is trusted.
type Signature struct {
	Name                    string    // fully qualified field name
	Field                   *Indirect // the field's dictionary, merged with its widget or not
	Value                   *Indirect // the object that holds the signature dictionary; Field where /V is direct
	Dict                    *Dict     // the signature dictionary; nil where /V is none
	Type, Filter, SubFilter Name
	ByteRange               []int64 // as found; nil where it is not an array of integers
	Contents                []byte  // decoded, padding included
	Hex                     bool    // /Contents is written as a hex string
	ContentsAt              Range   // the string token in the file, delimiters included; zero where it is not in plain file bytes
	Widgets                 []Ref   // the field itself, or its kids that are widgets
	Err                     error   // why it cannot be judged further
}

const (
	maxFieldDepth = 64        // nodes from the root of a form to a field
	maxFieldName  = 4096      // bytes of a fully qualified name that are kept
	maxSignatures = 4096      // signatures of a file
	maxSigBytes   = 128 << 20 // bytes kept of all signatures of a file
)

// Signatures lists the signed signature fields in the order of /AcroForm /Fields, malformed ones included. A field whose
// widgets carry other values than the field itself is listed once for each value.
func (f *File) Signatures() ([]Signature, error) {
	w, err := f.walkFields()
	if err != nil {
		return nil, err
	}
	return w.signed, nil
}

// EmptySignatureFields lists the signature fields that wait for a value: Name, Field and Widgets are set.
func (f *File) EmptySignatureFields() ([]Signature, error) {
	w, err := f.walkFields()
	if err != nil {
		return nil, err
	}
	return w.empty, nil
}

// Form returns the interactive form's dictionary and the object that holds it (the catalog, or its own); nil: no form.
func (f *File) Form() (*Dict, *Indirect, error) {
	cat, err := f.Catalog()
	if err != nil {
		return nil, nil, err
	}
	d, ok := cat.Value.(*Dict)
	if !ok {
		return nil, nil, fmt.Errorf("%w: the catalog is not a dictionary", ErrSyntax)
	}
	return f.worker().dictIn(cat, d.Get("AcroForm"))
}

// ArrayIn resolves a value of holder to an array, with the object whose Raw its spans are of; nil: it is none.
func (f *File) ArrayIn(holder *Indirect, o Object) (*Array, *Indirect, error) {
	o, holder, err := f.follow(holder, o)
	if err != nil {
		return nil, nil, err
	}
	a, ok := o.(*Array)
	if !ok {
		return nil, nil, nil
	}
	return a, holder, nil
}

// DictIn is ArrayIn for a dictionary.
func (f *File) DictIn(holder *Indirect, o Object) (*Dict, *Indirect, error) {
	return f.worker().dictIn(holder, o)
}

// follow resolves o, which stands in holder, and says which object it stands in at last.
func (f *File) follow(holder *Indirect, o Object) (Object, *Indirect, error) {
	return f.worker().follow(holder, o)
}

// A worker resolves references until it has read more than an honest form asks for: a hostile one names the same large
// object again and again.
type worker struct {
	f    *File
	left int64 // bytes that may still be read
}

func (f *File) worker() *worker { return &worker{f, 16<<20 + 8*f.src.size} }

func (w *worker) load(r Ref) (*Indirect, error) {
	if w.left < 0 {
		return nil, fmt.Errorf("%w: the form takes too much work to read", ErrLimit)
	}
	ind, work, err := w.f.load(r, maxChain)
	w.left -= int64(work) + 64
	return ind, err
}

func (w *worker) follow(holder *Indirect, o Object) (Object, *Indirect, error) {
	for range maxChain {
		r, ok := o.(Ref)
		if !ok {
			return o, holder, nil
		}
		ind, err := w.load(r)
		if err != nil {
			return nil, nil, err
		}
		o, holder = ind.Value, ind
	}
	return nil, nil, fmt.Errorf("%w: a reference leads through more than %d others", ErrSyntax, maxChain)
}

func (w *worker) resolve(o Object) (Object, error) {
	o, _, err := w.follow(nil, o)
	return o, err
}

func (w *worker) dictIn(holder *Indirect, o Object) (*Dict, *Indirect, error) {
	o, holder, err := w.follow(holder, o)
	if err != nil {
		return nil, nil, err
	}
	d, ok := o.(*Dict)
	if !ok {
		return nil, nil, nil
	}
	return d, holder, nil
}

// FieldNames gives the names of the form's root fields. A field that cannot be read has none.
func (f *File) FieldNames() (map[string]bool, error) {
	names := map[string]bool{}
	form, holder, err := f.Form()
	if err != nil || form == nil {
		return names, err
	}
	list, _, err := f.ArrayIn(holder, form.Get("Fields"))
	if err != nil || list == nil {
		return names, err
	}
	w := f.worker()
	for _, item := range list.Items {
		field, err := w.resolve(item)
		if errors.Is(err, ErrLimit) {
			return nil, err
		}
		d, ok := field.(*Dict)
		if !ok {
			continue
		}
		t, err := w.resolve(d.Get("T"))
		if errors.Is(err, ErrLimit) {
			return nil, err
		}
		if s, ok := t.(*String); ok {
			names[Text(s.Value[:min(len(s.Value), maxFieldName)])] = true
		}
	}
	return names, nil
}

type fieldWalk struct {
	*worker
	seen   map[uint32]bool
	values map[Ref]*Indirect // signature dictionaries, so that one that many fields name is kept once
	kept   int
	signed []Signature
	empty  []Signature
}

// A fieldNode is a node of the field tree with what it inherits. In a node that stands directly in an array, obj is the
// holder's object with the node's dictionary as its Value.
type fieldNode struct {
	obj   *Indirect
	dict  *Dict
	name  string
	ft    Name
	v     Object    // unresolved; nil: none
	vFrom *Indirect // the object v stands in
}

func (f *File) walkFields() (*fieldWalk, error) {
	w := &fieldWalk{worker: f.worker(), seen: map[uint32]bool{}, values: map[Ref]*Indirect{}}
	form, holder, err := f.Form()
	if err != nil || form == nil {
		return w, err
	}
	list, holder, err := w.follow(holder, form.Get("Fields"))
	if err != nil {
		return nil, fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	fields, ok := list.(*Array)
	if !ok {
		return w, nil
	}
	for _, o := range fields.Items {
		if err := w.visit(holder, o, fieldNode{}, 0); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// visit looks at one node and what is below it. An error ends the walk; what is wrong with one field is told in its Err.
func (w *fieldWalk) visit(holder *Indirect, o Object, parent fieldNode, depth int) error {
	if depth > maxFieldDepth {
		return fmt.Errorf("%w: form fields nested deeper than %d", ErrLimit, maxFieldDepth)
	}
	node, err := w.node(holder, o, parent)
	if errors.Is(err, ErrLimit) {
		return err
	}
	if err != nil {
		return w.add(Signature{Name: parent.name, Err: fmt.Errorf("a form field cannot be read: %w", err)})
	}
	if node == nil {
		return nil
	}
	kids, kidsIn, err := w.follow(node.obj, node.dict.Get("Kids"))
	if err != nil {
		return w.add(Signature{Name: node.name, Field: node.obj, Err: fmt.Errorf("/Kids of a form field: %w", err)})
	}
	list, _ := kids.(*Array)
	if list == nil {
		return w.field(*node, nil, true)
	}
	var widgets []fieldNode
	inner := false
	for _, kid := range list.Items {
		if r, ok := kid.(Ref); ok && w.seen[r.Num] {
			continue
		}
		k, err := w.peek(kidsIn, kid)
		if err == nil && k != nil && k.Get("T") == nil && k.Get("Kids") == nil {
			n, err := w.node(kidsIn, kid, *node)
			if err == nil && n != nil {
				n.name = node.name
				widgets = append(widgets, *n)
			}
			continue
		}
		inner = true
		if err := w.visit(kidsIn, kid, *node, depth+1); err != nil {
			return err
		}
	}
	return w.field(*node, widgets, !inner)
}

// peek reads a node's dictionary without marking it seen.
func (w *fieldWalk) peek(holder *Indirect, o Object) (*Dict, error) {
	d, _, err := w.dictIn(holder, o)
	return d, err
}

// node reads a node; nil: it was seen before, or there is none.
func (w *fieldWalk) node(holder *Indirect, o Object, parent fieldNode) (*fieldNode, error) {
	if r, ok := o.(Ref); ok {
		if w.seen[r.Num] {
			return nil, nil
		}
		w.seen[r.Num] = true
	}
	d, obj, err := w.dictIn(holder, o)
	if err != nil || d == nil {
		return nil, err
	}
	if obj.Value != Object(d) {
		inline := *obj
		inline.Value = d
		obj = &inline
	}
	n := &fieldNode{obj: obj, dict: d, name: parent.name, ft: parent.ft, v: parent.v, vFrom: parent.vFrom}
	ft, err := w.resolve(d.Get("FT"))
	if err != nil {
		return nil, err
	}
	if name, ok := ft.(Name); ok {
		n.ft = name
	}
	if v := d.Get("V"); v != nil {
		n.v, n.vFrom = v, obj
	}
	t, err := w.resolve(d.Get("T"))
	if err != nil {
		return nil, err
	}
	if s, ok := t.(*String); ok && len(n.name) < maxFieldName {
		part := Text(s.Value[:min(len(s.Value), maxFieldName)])
		if n.name != "" {
			part = n.name + "." + part
		}
		n.name = part
	}
	return n, nil
}

// field lists a node that may be a signature field: terminal, or with a value of its own all the same.
func (w *fieldWalk) field(n fieldNode, widgets []fieldNode, terminal bool) error {
	own := n.dict.Get("V") != nil && !w.listed(n.v)
	refs := make([]Ref, 0, 1+len(widgets))
	if st, _ := w.resolve(n.dict.Get("Subtype")); st == Name("Widget") {
		refs = append(refs, n.obj.Ref)
	}
	for _, k := range widgets {
		refs = append(refs, k.obj.Ref)
	}
	if n.v != nil && (terminal || own) {
		if err := w.value(n, refs); err != nil {
			return err
		}
	} else if n.ft == "Sig" && terminal && !anyValue(widgets) {
		w.empty = append(w.empty, Signature{Name: n.name, Field: n.obj, Widgets: refs})
	}
	for _, k := range widgets {
		if k.dict.Get("V") == nil {
			continue
		}
		if r, ok := k.v.(Ref); ok && Object(r) == n.v {
			continue // /V repeated on each widget of one field
		}
		if err := w.value(k, []Ref{k.obj.Ref}); err != nil {
			return err
		}
	}
	return nil
}

// listed reports whether a field below has inherited and listed this value.
func (w *fieldWalk) listed(v Object) bool {
	r, ok := v.(Ref)
	return ok && slices.ContainsFunc(w.signed, func(s Signature) bool { return s.Value != nil && s.Value.Ref == r })
}

func anyValue(nodes []fieldNode) bool {
	for _, n := range nodes {
		if n.dict.Get("V") != nil {
			return true
		}
	}
	return false
}

// value lists the value of a node where it is a signature field, or where no type is told and the value is a signature.
func (w *fieldWalk) value(n fieldNode, widgets []Ref) error {
	if n.ft != "Sig" && n.ft != "" {
		return nil
	}
	s := Signature{Name: n.name, Field: n.obj, Widgets: widgets}
	if err := w.fill(&s, n); err != nil {
		s.Err = err
	}
	if n.ft == "" {
		if s.Dict == nil || s.Dict.Get("ByteRange") == nil {
			return nil
		}
		if s.Err == nil {
			s.Err = fmt.Errorf("%w: the field has a signature as its value but no /FT /Sig", ErrSyntax)
		}
	}
	if s.Dict == nil && s.Err == nil { // /V null
		s.Value = nil
		w.empty = append(w.empty, s)
		return nil
	}
	return w.add(s)
}

func (w *fieldWalk) add(s Signature) error {
	if len(w.signed) == maxSignatures {
		return fmt.Errorf("%w: more than %d signatures", ErrLimit, maxSignatures)
	}
	w.signed = append(w.signed, s)
	if w.kept > maxSigBytes {
		return fmt.Errorf("%w: signatures of more than %d bytes", ErrLimit, maxSigBytes)
	}
	return nil
}

// fill fills in what is known of a signature dictionary. A value of null leaves Dict nil without an error.
func (w *fieldWalk) fill(s *Signature, n fieldNode) error {
	v, holder := n.v, n.vFrom
	for range 16 {
		r, ok := v.(Ref)
		if !ok {
			break
		}
		if w.values[r] == nil {
			ind, err := w.load(r)
			if err != nil {
				return fmt.Errorf("/V: %w", err)
			}
			w.values[r] = ind
			w.kept += len(ind.Raw)
		}
		holder = w.values[r]
		v = holder.Value
	}
	if v == nil {
		return nil
	}
	d, ok := v.(*Dict)
	if !ok {
		return fmt.Errorf("%w: /V is not a dictionary", ErrSyntax)
	}
	s.Value, s.Dict = holder, d
	for k, to := range map[Name]*Name{"Type": &s.Type, "Filter": &s.Filter, "SubFilter": &s.SubFilter} {
		if o, err := w.resolve(d.Get(k)); err == nil {
			*to, _ = o.(Name)
		}
	}
	return errors.Join(w.byteRange(s), contents(s)) // both are told
}

func (w *fieldWalk) byteRange(s *Signature) error {
	o, err := w.resolve(s.Dict.Get("ByteRange"))
	if err != nil {
		return fmt.Errorf("/ByteRange: %w", err)
	}
	a, ok := o.(*Array)
	if !ok {
		return fmt.Errorf("%w: /ByteRange is missing or not an array", ErrSyntax)
	}
	if len(a.Items) > 1024 {
		return fmt.Errorf("%w: /ByteRange of %d elements", ErrSyntax, len(a.Items))
	}
	br := make([]int64, len(a.Items))
	for i, item := range a.Items {
		o, err := w.resolve(item)
		n, ok := o.(int64)
		if err != nil || !ok {
			return fmt.Errorf("%w: element %d of /ByteRange is not an integer", ErrSyntax, i)
		}
		br[i] = n
	}
	s.ByteRange = br
	return nil
}

func contents(s *Signature) error {
	str, ok := s.Dict.Get("Contents").(*String)
	if !ok {
		return fmt.Errorf("%w: /Contents is missing or not a direct string", ErrSyntax)
	}
	s.Contents, s.Hex = str.Value, str.Hex
	if s.Value.Offset < 0 {
		return fmt.Errorf("%w: the signature dictionary stands in an object stream", ErrSyntax)
	}
	s.ContentsAt = Range{s.Value.Offset + int64(str.Span.From), int64(str.Span.To - str.Span.From)}
	return nil
}

// HexContents reports whether token, as written in a file, is one hex string of whole octets and nothing else: no white
// space, no other character, an even number of digits.
func HexContents(token []byte) bool {
	n := len(token)
	if n < 2 || n%2 != 0 || token[0] != '<' || token[n-1] != '>' {
		return false
	}
	return bytes.IndexFunc(token[1:n-1], func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F')
	}) < 0
}
