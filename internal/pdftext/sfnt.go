package pdftext

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/pdf"
)

const maxGlyphs = 1 << 16 // of a font

// parseProgram reads what a font program tells of the meaning of its glyphs: the cmap of TrueType and OpenType (ISO/IEC
// 14496-22), the charset and encoding of CFF, the encoding of Type 1.
func parseProgram(b []byte) (*program, error) {
	switch {
	case bytes.HasPrefix(b, []byte("%!")) || bytes.HasPrefix(b, []byte{0x80, 1}):
		return &program{codes: type1Encoding(b)}, nil
	case len(b) > 4 && b[0] == 1 && b[1] == 0 && b[2] >= 4 && b[2] < 32:
		return parseCFF(b)
	}
	return parseSFNT(b)
}

// reader reads numbers from bytes; what is beyond them is zero.
type reader []byte

func (r reader) u8(i int) int {
	if i < 0 || i >= len(r) {
		return 0
	}
	return int(r[i])
}

func (r reader) u16(i int) int {
	if i < 0 || i > len(r)-2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(r[i:]))
}

func (r reader) u32(i int) uint32 {
	if i < 0 || i > len(r)-4 {
		return 0
	}
	return binary.BigEndian.Uint32(r[i:])
}

// part is r[from:from+n], as much of it as there is.
func (r reader) part(from, n uint32) reader {
	from = min(from, uint32(len(r)))
	return r[from : from+min(n, uint32(len(r))-from)]
}

func (r reader) table(tag string) reader {
	for i := range min(r.u16(4), 64) {
		at := 12 + 16*i
		if at+16 <= len(r) && string(r[at:at+4]) == tag {
			return r.part(r.u32(at+8), r.u32(at+12))
		}
	}
	return nil
}

func parseSFNT(b []byte) (*program, error) {
	r := reader(b)
	if bytes.HasPrefix(b, []byte("ttcf")) {
		return nil, fmt.Errorf("%w: a font collection is embedded as a font", pdf.ErrSyntax)
	}
	if r.u16(4) == 0 {
		return nil, fmt.Errorf("%w: not a font program", pdf.ErrSyntax)
	}
	p := &program{}
	if cff := r.table("CFF "); cff != nil {
		var err error
		if p, err = parseCFF(cff); err != nil {
			return nil, err
		}
	}
	p.runes = map[uint32]rune{}
	cmap := r.table("cmap")
	var symbols reader
	left := 8 * maxGlyphs // mappings
	read := map[uint32]bool{}
	for i := range min(cmap.u16(2), 32) {
		at := 4 + 8*i
		platform, kind := cmap.u16(at), cmap.u16(at+2)
		offset := cmap.u32(at + 4)
		sub := cmap.part(offset, 1<<31)
		switch {
		case read[offset]: // one table for several platforms
		case platform == 0 && kind != 5, platform == 3 && (kind == 1 || kind == 10):
			read[offset] = true
			eachMapping(sub, &left, func(code, gid uint32) {
				r := rune(code)
				if old := p.runes[gid]; code >= ' ' && code <= utf8.MaxRune && utf8.ValidRune(r) && (old == 0 || r < old) {
					p.runes[gid] = r
				}
			})
		case platform == 3 && kind == 0, platform == 1 && kind == 0 && symbols == nil:
			symbols = sub
		}
	}
	if symbols != nil && p.codes == nil && len(p.runes) > 0 {
		p.codes = &[256]string{}
		eachMapping(symbols, &left, func(code, gid uint32) {
			if code < 256 || code>>8 == 0xf0 {
				p.codes[code&0xff] = p.meaning(gid)
			}
		})
	}
	return p, nil
}

// eachMapping calls f for the codes of a cmap subtable of format 0, 4, 6, 10 or 12 that have a glyph, until none are left to
// be given.
func eachMapping(r reader, left *int, f func(code, gid uint32)) {
	give := func(code, gid uint32) bool {
		if gid != 0 && gid < maxGlyphs {
			f(code, gid)
		}
		*left--
		return *left > 0
	}
	switch r.u16(0) {
	case 0:
		for c := range 256 {
			give(uint32(c), uint32(r.u8(6+c)))
		}
	case 4:
		eachSegment(r, give)
	case 6:
		for i := range r.u16(8) {
			if !give(uint32(r.u16(6)+i), uint32(r.u16(10+2*i))) {
				return
			}
		}
	case 10:
		for i := range min(r.u32(16), maxGlyphs) {
			if !give(r.u32(12)+i, uint32(r.u16(20+2*int(i)))) {
				return
			}
		}
	case 12:
		for i := range min(r.u32(12), maxGlyphs) {
			at := 16 + 12*int(i)
			lo, hi, gid := r.u32(at), r.u32(at+4), r.u32(at+8)
			for c := lo; c <= hi && c <= 0x10ffff && c-lo < maxGlyphs; c++ {
				if !give(c, gid+c-lo) {
					return
				}
			}
		}
	}
}

// eachSegment reads format 4.
func eachSegment(r reader, give func(code, gid uint32) bool) {
	n := r.u16(6) / 2
	for i := range n {
		hi, lo := r.u16(14+2*i), r.u16(16+2*n+2*i)
		delta, offset := r.u16(16+4*n+2*i), r.u16(16+6*n+2*i)
		for c := lo; c <= hi && c != 0xffff; c++ {
			gid := c + delta
			if offset != 0 {
				if gid = r.u16(16 + 6*n + 2*i + offset + 2*(c-lo)); gid != 0 {
					gid += delta
				}
			}
			if !give(uint32(c), uint32(gid&0xffff)) {
				return
			}
		}
	}
}
