package pdftext

import (
	"fmt"
	"math"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
)

// parseCFF reads the charset of a CFF font (Adobe Technical Note 5176): glyph names, or the CIDs of a CID-keyed font, and the
// encoding.
func parseCFF(b []byte) (*program, error) {
	r := reader(b)
	_, at := r.index(r.u8(2)) // names
	tops, at := r.index(at)
	strs, _ := r.index(at)
	if len(tops) == 0 {
		return nil, fmt.Errorf("%w: a CFF font without a Top DICT", pdf.ErrSyntax)
	}
	top := tops[0].dict()
	charStrings := r.count(int(top[17]))
	_, keyed := top[12<<8|30]
	p := &program{}
	names := make([]string, charStrings)
	if keyed {
		p.cids = map[uint32]uint32{}
	} else {
		p.glyphs = map[uint32]string{}
	}
	r.charset(int(top[15]), charStrings, func(gid, sid int) {
		if keyed {
			p.cids[uint32(sid)] = uint32(gid)
			return
		}
		names[gid] = stringOf(sid, strs)
		if s := nameText(names[gid]); s != "" {
			p.glyphs[uint32(gid)] = s
		}
	})
	if !keyed {
		p.codes = r.encoding(int(top[16]), p.glyphs)
	}
	return p, nil
}

// count is the number of elements of the INDEX at i.
func (r reader) count(i int) int {
	if i <= 0 {
		return 0
	}
	return r.u16(i)
}

// index reads the INDEX at i and says where it ends. A damaged one is empty.
func (r reader) index(i int) (list []reader, end int) {
	n, size := r.u16(i), r.u8(i+2)
	if n == 0 {
		return nil, i + 2
	}
	if size < 1 || size > 4 || i+3+(n+1)*size > len(r) {
		return nil, len(r)
	}
	offset := func(k int) uint32 {
		v := uint32(0)
		for _, b := range r[i+3+k*size : i+3+(k+1)*size] {
			v = v<<8 | uint32(b)
		}
		return v
	}
	data := i + 2 + (n+1)*size
	for k := range n {
		from, to := offset(k), offset(k+1)
		if from < 1 || to < from || int64(data)+int64(to) > int64(len(r)) {
			return nil, len(r)
		}
		list = append(list, r[data+int(from):data+int(to)])
	}
	return list, data + int(offset(n))
}

// dict reads a DICT: of each operator its last operand.
func (r reader) dict() map[int]float64 {
	d := map[int]float64{}
	last := 0.0
	for i := 0; i < len(r); {
		b := int(r[i])
		i++
		switch {
		case b == 12:
			d[12<<8|r.u8(i)] = last
			i++
		case b <= 21:
			d[b] = last
		case b == 28:
			last = float64(int16(r.u16(i)))
			i += 2
		case b == 29:
			last = float64(int32(r.u32(i)))
			i += 4
		case b == 30: // a real, which no operator read here has
			for i < len(r) && r[i]&15 != 15 && r[i]>>4 != 15 {
				i++
			}
			i++
			last = 0
		case b >= 32 && b <= 246:
			last = float64(b - 139)
		case b >= 247 && b <= 250:
			last = float64((b-247)*256 + r.u8(i) + 108)
			i++
		case b >= 251 && b <= 254:
			last = float64(-(b-251)*256 - r.u8(i) - 108)
			i++
		}
	}
	for k, v := range d {
		if v < 0 || v > math.MaxInt32 {
			d[k] = 0
		}
	}
	return d
}

// charset calls f for each glyph but the first with its string identifier or CID.
func (r reader) charset(at, glyphs int, f func(gid, sid int)) {
	if at <= 2 { // predefined: ISOAdobe, and two of experts, whose glyphs are not read
		for gid := 1; gid < glyphs && at == 0 && gid <= 228; gid++ {
			f(gid, gid)
		}
		return
	}
	format := r.u8(at)
	at++
	for gid := 1; gid < glyphs && at < len(r); {
		first, more := r.u16(at), 0
		at += 2
		switch format {
		case 1:
			more = r.u8(at)
			at++
		case 2:
			more = r.u16(at)
			at += 2
		}
		for k := 0; k <= more && gid < glyphs; k++ {
			f(gid, first+k)
			gid++
		}
	}
}

// encoding reads which codes the glyphs have; nil: the standard encoding.
func (r reader) encoding(at int, glyphs map[uint32]string) *[256]string {
	if at <= 1 {
		return nil
	}
	t := &[256]string{}
	format := r.u8(at)
	n := r.u8(at + 1)
	at += 2
	gid := uint32(1)
	for range n {
		first, more := r.u8(at), 0
		at++
		if format&0x7f == 1 {
			more = r.u8(at)
			at++
		}
		for k := 0; k <= more; k++ {
			if first+k < 256 {
				t[first+k] = glyphs[gid]
			}
			gid++
		}
	}
	return t
}

// stringOf gives a string by its identifier. The standard ones are there as far as glyphs of texts have them.
func stringOf(sid int, strs []reader) string {
	const standard = 391
	if sid >= standard {
		if sid-standard < len(strs) {
			return string(strs[sid-standard])
		}
		return ""
	}
	if sid < len(standardStrings) {
		return standardStrings[sid]
	}
	return ""
}

// standardStrings are the first 229 strings that every CFF font has: the glyphs of ISOAdobe.
var standardStrings = strings.Fields(".notdef " + strings.NewReplacer("quotesingle", "quoteright", "grave", "quoteleft").Replace(asciiNames) +
	" exclamdown cent sterling fraction yen florin section currency quotesingle quotedblleft guillemotleft guilsinglleft " +
	"guilsinglright fi fl endash dagger daggerdbl periodcentered paragraph bullet quotesinglbase quotedblbase quotedblright " +
	"guillemotright ellipsis perthousand questiondown grave acute circumflex tilde macron breve dotaccent dieresis ring cedilla " +
	"hungarumlaut ogonek caron emdash AE ordfeminine Lslash Oslash OE ordmasculine ae dotlessi lslash oslash oe germandbls " +
	"onesuperior logicalnot mu trademark Eth onehalf plusminus Thorn onequarter divide brokenbar degree thorn threequarters " +
	"twosuperior registered minus eth multiply threesuperior copyright Aacute Acircumflex Adieresis Agrave Aring Atilde Ccedilla " +
	"Eacute Ecircumflex Edieresis Egrave Iacute Icircumflex Idieresis Igrave Ntilde Oacute Ocircumflex Odieresis Ograve Otilde " +
	"Scaron Uacute Ucircumflex Udieresis Ugrave Yacute Ydieresis Zcaron aacute acircumflex adieresis agrave aring atilde ccedilla " +
	"eacute ecircumflex edieresis egrave iacute icircumflex idieresis igrave ntilde oacute ocircumflex odieresis ograve otilde " +
	"scaron uacute ucircumflex udieresis ugrave yacute ydieresis zcaron")

// type1Encoding reads the encoding from the clear part of a Type 1 font: "dup code /name put"; nil: the standard one.
func type1Encoding(b []byte) *[256]string {
	if len(b) > 1<<16 { // the encoding stands at the beginning
		b = b[:1<<16]
	}
	scan := pdf.NewScanner(b)
	var t *[256]string
	var before [3]pdf.Token
	for {
		tok := scan.Next()
		switch {
		case tok.Kind == pdf.End, tok.Kind == pdf.Operator && string(tok.Bytes) == "eexec":
			return t
		case tok.Kind == pdf.Operator && string(tok.Bytes) == "put" && before[2].Kind == pdf.NameToken &&
			before[1].Kind == pdf.Numeral && before[1].Number >= 0 && before[1].Number < 256:
			if t == nil {
				t = &[256]string{}
			}
			t[int(before[1].Number)] = nameText(string(before[2].Bytes))
		}
		before = [3]pdf.Token{before[1], before[2], tok}
	}
}
