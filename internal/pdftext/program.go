package pdftext

import (
	"encoding/binary"
	"errors"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A program is what an embedded font program tells of its glyphs.
type program struct {
	runes  map[uint32]rune   // by glyph index, what its cmap tells
	glyphs map[uint32]string // the same, what names of glyphs tell
	cids   map[uint32]uint32 // CID to glyph index, of a CID-keyed CFF; nil: they are the same
	toGID  []byte            // CIDToGIDMap; nil: Identity
	codes  *[256]string      // the built-in encoding of a simple font; nil: it has none
}

// text gives what the glyph of a CID stands for; empty: unknown.
func (p *program) text(cid uint32) string {
	gid := cid
	switch {
	case p.toGID != nil:
		if int64(cid)*2+2 > int64(len(p.toGID)) {
			return ""
		}
		gid = uint32(binary.BigEndian.Uint16(p.toGID[2*cid:]))
	case p.cids != nil:
		var ok bool
		if gid, ok = p.cids[cid]; !ok {
			return ""
		}
	}
	return p.meaning(gid)
}

// meaning is what a glyph stands for; empty: unknown.
func (p *program) meaning(gid uint32) string {
	if r := p.runes[gid]; r != 0 && gid != 0 {
		return string(r)
	}
	return p.glyphs[gid]
}

// later reads the embedded program of a CID font when it is first asked for: most fonts tell enough without it.
func (in *interpreter) later(cid, desc *pdf.Dict) func(*interpreter) *program {
	var p *program
	return func(in *interpreter) *program {
		if p != nil {
			return p
		}
		q, err := in.fontProgram(desc)
		if q == nil {
			q = &program{}
		}
		var o pdf.Object
		if err == nil {
			o, err = in.resolve(cid.Get("CIDToGIDMap"))
		}
		if s, ok := o.(*pdf.Stream); ok && err == nil {
			q.toGID, err = in.data(s, "CIDToGIDMap")
		}
		if err == nil {
			p = q
		} else if in.failed == nil {
			in.failed = err
		}
		return q
	}
}

// fontProgram reads the embedded font of a descriptor; nil: there is none.
func (in *interpreter) fontProgram(desc *pdf.Dict) (*program, error) {
	for _, k := range []pdf.Name{"FontFile2", "FontFile3", "FontFile"} {
		o, err := in.resolve(desc.Get(k))
		if err != nil {
			return nil, err
		}
		s, ok := o.(*pdf.Stream)
		if !ok {
			continue
		}
		b, err := in.data(s, "/"+string(k))
		if err != nil {
			return nil, err
		}
		p, err := parseProgram(b)
		if errors.Is(err, pdf.ErrSyntax) {
			err = in.tolerate("/"+string(k), err)
		}
		return p, err
	}
	return nil, nil
}

// builtIn is the encoding that the embedded program of a simple font has; nil: none.
func (in *interpreter) builtIn(desc *pdf.Dict) (*[256]string, error) {
	p, err := in.fontProgram(desc)
	if p == nil || err != nil {
		return nil, err
	}
	return p.codes, nil
}
