package wordscan

import "strings"

// A field of Word is a piece of text that is made by an instruction. In markup it is an element (w:fldSimple), or a run of
// marks: begin, instruction, separate, result, end, where the instruction may be cut into any number of pieces and have
// other fields in it, whose results are part of it.
//
// What matters is its name, the first word. Pieces are therefore put together twice, with and without those that a tracked
// change deletes; and a field that is only partly inside alternative content, of which every program takes another
// branch, is not guessed at but reported.

// fieldKinds says which fields a document to be sealed must not have, and which are worth a note.
var fieldKinds = map[string]Kind{
	"INCLUDEPICTURE": Fields, "IMPORT": Fields, // pictures in files of their own; IMPORT is the older name
	"INCLUDETEXT": Fields, "INCLUDE": Fields, // so are texts
	"DDE": Fields, "DDEAUTO": Fields, "LINK": Fields, "SUBSCRIBER": Fields, // what another program gives
	"DATABASE": Fields, "DATA": Fields, // a query, a mail merge
	"RD":       Fields,                     // documents whose headings a table of contents takes
	"AUTOTEXT": Fields, "GLOSSARY": Fields, // from the template of whoever looks
	"PRINT": Fields, // commands for the printer

	"DATE": LiveFields, "TIME": LiveFields, "FILENAME": LiveFields, "FILESIZE": LiveFields, "TEMPLATE": LiveFields,
	"USERNAME": LiveFields, "USERADDRESS": LiveFields, "USERINITIALS": LiveFields,
	"ASK": LiveFields, "FILLIN": LiveFields, "MACROBUTTON": LiveFields,

	"AUTHOR": PropertyFields, "TITLE": PropertyFields, "SUBJECT": PropertyFields, "KEYWORDS": PropertyFields,
	"COMMENTS": PropertyFields, "LASTSAVEDBY": PropertyFields, "INFO": PropertyFields, "DOCPROPERTY": PropertyFields,
	"CREATEDATE": PropertyFields, "SAVEDATE": PropertyFields, "PRINTDATE": PropertyFields,
	"EDITTIME": PropertyFields, "REVNUM": PropertyFields,
}

const (
	maxFields      = 100  // fields inside each other; Word goes to 20
	maxInstruction = 4096 // bytes of an instruction that are kept
)

// field is one that has begun.
type field struct {
	all, kept instruction // with what is deleted, and without
	result    bool        // after its separator
	nested    bool        // another field begins before the name
}

type instruction struct{ b []byte }

func (i *instruction) add(s string) {
	if len(i.b) == 0 {
		s = strings.TrimLeftFunc(s, blank)
	}
	i.b = append(i.b, s[:min(len(s), maxInstruction-len(i.b))]...)
}

// blank tells what may stand before a field's name and after it.
func blank(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0xa0 || r == 0x3000 || r >= 0x2000 && r <= 0x200f || r == 0xfeff
}

// name is the first word of an instruction, in capitals.
func (i *instruction) name() string {
	s := string(i.b)
	if n := strings.IndexFunc(s, func(r rune) bool { return blank(r) || r == '\\' || r == '"' || r == '\u201c' || r == '\u201d' }); n >= 0 {
		s = s[:n]
	}
	return strings.ToUpper(s)
}

// fieldReader follows the fields of a part.
type fieldReader struct {
	open     []field
	branches []int // for each branch of alternative content that is open: how many fields were open before it
	found    func(name, instruction string)
	odd      func(what string) // fields of which nobody can say what they do
}

const (
	oddBranch = "field divided by alternative content|fields divided by alternative content"
	oddNested = "field whose name another field makes|fields whose names other fields make"
	oddDepth  = "field inside too many others|fields inside too many others"
)

func (r *fieldReader) begin() {
	if len(r.open) == maxFields {
		r.odd(oddDepth)
		return
	}
	if n := len(r.open); n > 0 && !r.open[n-1].result && len(r.open[n-1].all.b) == 0 {
		r.open[n-1].nested = true
	}
	r.open = append(r.open, field{})
}

func (r *fieldReader) separate() {
	if f := r.top(); f != nil {
		f.result = true
	}
}

func (r *fieldReader) end() {
	if r.top() != nil {
		r.close()
	}
}

// simple is a whole field in an element; its content is its result.
func (r *fieldReader) simple(instr string) {
	depth := len(r.open)
	r.begin()
	if len(r.open) == depth { // too deep to be followed, but it can be read
		f := field{}
		f.add(instr, false)
		r.judge(&f)
		return
	}
	f := &r.open[depth]
	f.add(instr, false)
	f.result = true
}

// top is the innermost field, nil without any.
func (r *fieldReader) top() *field {
	n := len(r.open)
	if n == 0 {
		return nil
	}
	r.touch(n - 1)
	return &r.open[n-1]
}

// touch notices that something inside a branch belongs to a field from outside of it.
func (r *fieldReader) touch(i int) {
	if b := len(r.branches); b > 0 && i < r.branches[b-1] {
		r.odd(oddBranch)
	}
}

// code is a piece of an instruction.
func (r *fieldReader) code(s string, deleted bool) {
	if len(r.open) == 0 {
		r.begin() // an instruction outside a field
	}
	r.top().add(s, deleted)
}

// text is text of the document. Inside an instruction it is part of it: the result of a nested field, as a rule.
func (r *fieldReader) text(s string, deleted bool) {
	for i := len(r.open) - 1; i >= 0; i-- {
		if f := &r.open[i]; !f.result {
			r.touch(i)
			f.add(s, deleted)
			return
		}
	}
}

// wants tells whether text could belong to an instruction.
func (r *fieldReader) wants() bool { return len(r.open) > 0 }

func (f *field) add(s string, deleted bool) {
	f.all.add(s)
	if !deleted {
		f.kept.add(s)
	}
}

func (r *fieldReader) close() {
	n := len(r.open) - 1
	f := r.open[n]
	r.open = r.open[:n]
	r.judge(&f)
}

func (r *fieldReader) judge(f *field) {
	if f.nested {
		r.odd(oddNested)
	}
	name := f.kept.name()
	r.found(name, string(f.kept.b))
	if all := f.all.name(); all != name {
		r.found(all, string(f.all.b))
	}
}

// branch and unbranch enclose a branch of alternative content. What begins in it must end in it.
func (r *fieldReader) branch() { r.branches = append(r.branches, len(r.open)) }

func (r *fieldReader) unbranch() {
	n := len(r.branches) - 1
	if n < 0 {
		return
	}
	if len(r.open) != r.branches[n] {
		r.odd(oddBranch)
	}
	for len(r.open) > r.branches[n] {
		r.close()
	}
	r.branches = r.branches[:n]
}

// finish judges the fields that the part leaves open.
func (r *fieldReader) finish() {
	for len(r.open) > 0 {
		r.close()
	}
}
