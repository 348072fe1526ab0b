// Package opc reads and writes the container of Office documents: a zip file (APPNOTE.TXT) whose entries are the parts of
// a package (ECMA-376-2, the Open Packaging Conventions), each with a content type and with relationships to others.
//
// A signature over the parts is worth something only if every program finds the same parts. So Open compares all that a
// zip file says twice (end record and directory, directory and local headers, sizes and places) and all names by which a
// part could be found, and lists what is ambiguous, hidden or against the conventions as Faults. A file with faults is
// read as far as it can be, for a report; it is not written (ErrFaults).
//
// Write copies the entries that stay as they are, byte for byte: local header, data and descriptor. Undo records what
// leads from the file that Write made back to the file before, and Restore applies it.
package opc

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// The errors of this package; those of the XML in it are xmldoc's.
var (
	ErrNotZip    = errors.New("opc: not a zip file")
	ErrDamaged   = errors.New("opc: damaged file")
	ErrEncrypted = errors.New("opc: encrypted part")
	ErrMethod    = errors.New("opc: compressed in a way that documents do not use")
	ErrLimit     = errors.New("opc: over the limit")
	ErrNoPart    = errors.New("opc: no such part")
	ErrFaults    = errors.New("opc: the package has faults")
	ErrName      = errors.New("opc: no name for a part")
	ErrTypes     = errors.New("opc: content type cannot be declared")
	ErrUndo      = errors.New("opc: not an undo record of this file")
)

// Limits bound what a file may ask for. Zero: the defaults. Whatever they say, the parts may together not be larger than
// 64 MiB and Ratio times the file.
type Limits struct {
	Entries int   // entries of the zip file; 0: 10,000
	Read    int64 // bytes of one part that is read into memory; 0: 40 MiB
	Part    int64 // bytes of one part; 0: 512 MiB
	Size    int64 // bytes of all parts; 0: 2 GiB
	Ratio   int64 // 0: 20
	Keep    int64 // bytes of parts that Read keeps, for whoever reads or hashes them next; 0: none
}

func (l Limits) orDefaults() Limits {
	if l.Entries == 0 {
		l.Entries = 10_000
	}
	for _, f := range []struct {
		n *int64
		v int64
	}{{&l.Read, 40 << 20}, {&l.Part, 512 << 20}, {&l.Size, 2 << 30}, {&l.Ratio, 20}} {
		if *f.n == 0 {
			*f.n = f.v
		}
	}
	return l
}

const (
	freeSize  = 64 << 20 // bytes of all parts that are never too much for the file
	maxTypes  = 1 << 20  // bytes of [Content_Types].xml
	maxRels   = 4 << 20  // bytes of all relationships
	maxFaults = 200      // faults that are listed
)

// A Part is an entry of the zip file. [Content_Types].xml and the parts of relationships are among them.
type Part struct {
	Name        string // "/" and the name of the entry: /word/document.xml
	ContentType string // as declared; "" when nothing declares one, and for /[Content_Types].xml
	Size        int64  // inflated, as the file says
	Packed      int64  // as it stands in the file

	key   string // under which names that mean the same are equal
	e     entry
	data  []byte // of a part that is not in the file yet
	fresh bool   // data holds it
}

// A Package is an open file. It may be used by many goroutines at once.
type Package struct {
	src    io.ReaderAt
	size   int64
	limits Limits
	parts  []*Part
	byKey  map[string]*Part
	faults []Fault
	more   int // faults beyond maxFaults
	types  *ContentTypes
	rels   map[string]*Relationships // by the key of the source
	dir    directory
	kept   *kept
}

// kept are the bytes of parts that were read, by where they stand in the file.
type kept struct {
	sync.Mutex
	room int64
	of   map[int64][]byte
}

// get gives the bytes of a part, if they are there.
func (k *kept) get(part *Part) ([]byte, bool) {
	k.Lock()
	defer k.Unlock()
	b, ok := k.of[part.e.data]
	return b, ok
}

func (k *kept) put(part *Part, b []byte) {
	k.Lock()
	defer k.Unlock()
	if n := int64(len(b)); n <= k.room && k.of[part.e.data] == nil {
		k.of[part.e.data] = b
		k.room -= n
	}
}

// Open reads the directory, the local headers, the content types and all relationships of the file src of size bytes.
// Errors: ErrNotZip, ErrDamaged where there is no directory to read, ErrLimit, and those of src.
func Open(src io.ReaderAt, size int64, l Limits) (*Package, error) {
	p, err := openZip(src, size, l.orDefaults())
	if err != nil {
		return nil, err
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	return p, nil
}

// open reads what makes parts of entries.
func (p *Package) open() error {
	p.checkNames()
	if err := p.readTypes(); err != nil {
		return err
	}
	return p.readRels()
}

// Parts lists the entries in the order of the directory.
func (p *Package) Parts() []*Part { return p.parts }

// Part finds a part by its name. Names are equal when they differ in case or in percent-encoding only (ECMA-376-2 6.2.2.3);
// nil: there is none. Where a faulty file has several of one name, it is the first.
func (p *Package) Part(name string) *Part { return p.byKey[nameKey(name)] }

// Size is the length of the file.
func (p *Package) Size() int64 { return p.size }

func (p *Package) fault(code, name, format string, args ...any) {
	if len(p.faults) == maxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, Fault{code, clip(name), clip(fmt.Sprintf(format, args...))})
}

// clip keeps hostile names from filling a report.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Faults lists what is wrong with the file. A program that signs should refuse a file that has any.
func (p *Package) Faults() []Fault {
	if p.more == 0 {
		return p.faults
	}
	return append(p.faults[:len(p.faults):len(p.faults)], Fault{Code: FaultMore, Detail: fmt.Sprintf("%d more faults are not listed", p.more)})
}

// sound refuses a package with faults.
func (p *Package) sound() error {
	if len(p.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrFaults, p.faults[0])
}

// A Fault is one thing that is wrong with a package and why it matters to a signature: a program may see other content
// than another one, or content that nobody checks.
type Fault struct {
	Code   string // one of the constants
	Name   string // of the part or entry; "": of the file
	Detail string // for people who develop
}

func (f Fault) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s: %s", f.Code, f.Name, f.Detail))
}

// Codes of faults. They are stable.
const (
	// The file as a whole: nothing before it, after it or between its entries, and one meaning for its end record.
	FaultPrefix  = "zip-prefix"  // bytes before the first entry
	FaultTail    = "zip-tail"    // bytes after the end record
	FaultComment = "zip-comment" // a comment of the file or of an entry
	FaultGap     = "zip-gap"     // bytes that belong to no entry
	FaultOverlap = "zip-overlap" // two entries share bytes, or an entry reaches into the directory
	FaultEnds    = "zip-ends"    // a second record that a program may take for the end record
	FaultCount   = "zip-count"   // the end record counts other entries than the directory has
	FaultDisk    = "zip-disk"    // a volume of several
	FaultZip64   = "zip-zip64"   // sizes and places stand somewhere else

	// One entry, and its local header beside the directory.
	FaultEncrypted   = "zip-encrypted"
	FaultMethod      = "zip-method"       // neither stored nor deflated
	FaultFlags       = "zip-flags"        // flags with a meaning that documents have no use for
	FaultExtra       = "zip-extra"        // an extra field that gives the entry another name or size, or is malformed
	FaultLocal       = "zip-local"        // no local header where the directory says
	FaultLocalName   = "zip-local-name"   // local header and directory differ in the name
	FaultLocalFlags  = "zip-local-flags"  // … flags
	FaultLocalMethod = "zip-local-method" // … method
	FaultLocalSize   = "zip-local-size"   // … sizes
	FaultLocalCRC    = "zip-local-crc"    // … checksum
	FaultDescriptor  = "zip-descriptor"   // the data descriptor is not there or says something else
	FaultSize        = "zip-size"         // sizes that cannot be

	// Names.
	FaultDuplicate = "zip-duplicate" // two entries that one program or another takes for the same part
	FaultDirectory = "zip-directory" // a directory
	FaultEncoding  = "zip-encoding"  // a name whose characters depend on who reads it
	FaultPath      = "zip-path"      // absolute, with a backslash, or with . or .. in it
	FaultName      = "opc-name"      // not the name of a part
	FaultDerived   = "opc-derived"   // the name of another part and more segments

	// Content types and relationships.
	FaultNoTypes    = "opc-no-types"    // no [Content_Types].xml
	FaultTypesXML   = "opc-types-xml"   // [Content_Types].xml is not what it should be
	FaultTypesTwice = "opc-types-twice" // two declarations for one part or extension
	FaultUntyped    = "opc-untyped"     // a part without content type
	FaultRelsXML    = "opc-rels-xml"    // relationships are not what they should be
	FaultRelsTwice  = "opc-rels-twice"  // two relationships of one id
	FaultRelsTarget = "opc-rels-target" // a target inside the package that is no name of a part
	FaultRelsType   = "opc-rels-type"   // relationships without the content type of relationships, or the reverse
	FaultRelsOrphan = "opc-rels-orphan" // relationships of a part that is not there, or has none by its kind
	FaultMore       = "more"            // more faults than are listed
)

// Codes lists all of them, each once.
var Codes = []string{
	FaultPrefix, FaultTail, FaultComment, FaultGap, FaultOverlap, FaultEnds, FaultCount, FaultDisk, FaultZip64,
	FaultEncrypted, FaultMethod, FaultFlags, FaultExtra, FaultLocal, FaultLocalName, FaultLocalFlags, FaultLocalMethod,
	FaultLocalSize, FaultLocalCRC, FaultDescriptor, FaultSize,
	FaultDuplicate, FaultDirectory, FaultEncoding, FaultPath, FaultName, FaultDerived,
	FaultNoTypes, FaultTypesXML, FaultTypesTwice, FaultUntyped,
	FaultRelsXML, FaultRelsTwice, FaultRelsTarget, FaultRelsType, FaultRelsOrphan, FaultMore,
}
