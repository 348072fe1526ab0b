package glyph

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/harfbuzz"
)

// MaxFont is the largest font file that ParseFace reads. Noto Serif CJK, a collection of five, has 25 MB.
const MaxFont = 64 << 20

// ErrFont: a font file cannot be used.
var ErrFont = errors.New("glyph: font cannot be used")

// A Face is a font, parsed once, that sets lines of text. It is safe for concurrent use.
type Face struct {
	font *font.Font
	next *Face // asked for what font lacks; nil: nothing is

	shapers sync.Pool // of *shaper: go-text's faces and buffers serve one goroutine at a time

	mu       sync.Mutex
	outlines map[font.GID]*Glyph
}

// A shaper is what one goroutine needs to shape with a font.
type shaper struct {
	face *font.Face
	font *harfbuzz.Font
	buf  *harfbuzz.Buffer
}

// maxOutlines bounds the outlines that a face keeps: more than a court's documents have different characters.
const maxOutlines = 4096

// Embedded is the face of the embedded font, which Outline reads too. It lacks most of the world's characters.
func Embedded() *Face {
	// No variable is initialised with a function here, so that a program that only verifies links neither font nor shaper.
	embedded.once.Do(func() {
		f, err := newFace(otf, 0)
		if err != nil {
			panic(err) // of a constant of the program, which the tests read
		}
		embedded.face = f
	})
	return embedded.face
}

var embedded struct {
	once sync.Once
	face *Face
}

// ParseFace reads a TrueType or OpenType font, or font number index, 0 the first, of a collection. It keeps no part of data. What
// the font lacks the embedded one is asked for, so that a Uyghur font need have no Chinese. A font without outlines (bitmaps,
// coloured pictures), one in a web wrapper (WOFF), and one that lies about its tables is ErrFont.
//
// A font is chosen by whoever runs the program. What it can ask for is bounded in size and depth, but one made to be slow is slow.
func ParseFace(data []byte, index int) (*Face, error) {
	if len(data) > MaxFont {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrFont, len(data), MaxFont)
	}
	f, err := newFace(data, index)
	if err != nil {
		return nil, err
	}
	f.next = Embedded()
	return f, nil
}

func newFace(data []byte, index int) (f *Face, err error) {
	defer foreign(&err)
	file, err := open(data, index)
	if err != nil {
		return nil, err
	}
	ld, err := opentype.NewLoader(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, err)
	}
	parsed, err := font.NewFont(ld)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, err)
	}
	f = &Face{font: parsed, outlines: map[font.GID]*Glyph{}}
	f.shapers.New = func() any {
		face := font.NewFace(parsed)
		return &shaper{face, harfbuzz.NewFont(face), harfbuzz.NewBuffer()}
	}
	f.shapers.Put(f.shapers.New()) // here a bad layout table shows itself
	return f, nil
}

// foreign is the one door at which a panic is caught: the parser and the shaper that stand behind it are other people's, and a font
// is data of other people too. No state of ours is half changed when they fail: a shaper that panicked is not put back.
func foreign(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: its tables contradict each other (%v)", ErrFont, p)
	}
}

// wanted are the tables that outlines and shaping need. The others are kept from the parser: pictures of glyphs, hints, names,
// and the state machines of Apple's layout.
var wanted = map[string]bool{
	"cmap": true, "head": true, "hhea": true, "hmtx": true, "maxp": true, "OS/2": true,
	"glyf": true, "loca": true, "CFF ": true, "CFF2": true, "fvar": true,
	"GDEF": true, "GSUB": true, "GPOS": true, "kern": true,
}

// open finds a font in a file and gives a file of this font and its wanted tables alone. Every table lies inside the data: the parser
// makes room for what a directory promises before it looks.
func open(data []byte, index int) (opentype.Resource, error) {
	at, err := start(data, index)
	if err != nil {
		return nil, err
	}
	if at > len(data)-12 {
		return nil, fmt.Errorf("%w: cut short", ErrFont)
	}
	n := int(binary.BigEndian.Uint16(data[at+4:]))
	if at+12+16*n > len(data) {
		return nil, fmt.Errorf("%w: cut short in its directory of %d tables", ErrFont, n)
	}
	var kept [][]byte
	tables := map[string][]byte{}
	for i := range n {
		entry := data[at+12+16*i:][:16]
		tag := string(entry[:4])
		if !wanted[tag] || tables[tag] != nil {
			continue
		}
		offset, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		if uint64(offset)+uint64(length) > uint64(len(data)) {
			return nil, fmt.Errorf("%w: table %q ends behind the file", ErrFont, tag)
		}
		tables[tag] = data[offset:][:length:length]
		kept = append(kept, entry)
	}
	if tables["CFF "] == nil && tables["CFF2"] == nil && (tables["glyf"] == nil || tables["loca"] == nil) {
		return nil, fmt.Errorf("%w: no outlines in it", ErrFont)
	}
	if err := checkComposites(tables); err != nil {
		return nil, err
	}
	head := append([]byte(nil), data[at:at+12]...)
	binary.BigEndian.PutUint16(head[4:], uint16(len(kept)))
	moved := uint32(12 + 16*len(kept))
	for _, entry := range kept {
		head = append(head, entry...)
		offset := head[len(head)-8:]
		binary.BigEndian.PutUint32(offset, binary.BigEndian.Uint32(offset)+moved)
	}
	return io.NewSectionReader(joined{head, data}, 0, int64(len(head)+len(data))), nil
}

// start is where the directory of font number index stands.
func start(data []byte, index int) (int, error) {
	if len(data) < 12 {
		return 0, fmt.Errorf("%w: %d bytes are no font", ErrFont, len(data))
	}
	count := 1
	switch string(data[:4]) {
	case "\x00\x01\x00\x00", "OTTO", "true":
	case "ttcf":
		if n := binary.BigEndian.Uint32(data[8:]); uint64(n) <= uint64(len(data)-12)/4 {
			count = int(n)
		} else {
			return 0, fmt.Errorf("%w: cut short in its list of %d fonts", ErrFont, n)
		}
	case "wOFF", "wOF2":
		return 0, fmt.Errorf("%w: a web font (WOFF): give the TTF or OTF that it was made of", ErrFont)
	default:
		return 0, fmt.Errorf("%w: it begins with %q, which no TTF, OTF or TTC does", ErrFont, data[:4])
	}
	if index < 0 || index >= count {
		return 0, fmt.Errorf("%w: no font %d, its fonts are numbered 0 to %d", ErrFont, index, count-1)
	}
	if !bytes.HasPrefix(data, []byte("ttcf")) {
		return 0, nil
	}
	at := binary.BigEndian.Uint32(data[12+4*index:])
	if uint64(at) > uint64(len(data)) {
		return 0, fmt.Errorf("%w: font %d begins behind the file", ErrFont, index)
	}
	return int(at), nil
}

// joined is two pieces read as one.
type joined struct{ head, body []byte }

func (j joined) ReadAt(p []byte, off int64) (n int, err error) {
	if off < int64(len(j.head)) {
		n = copy(p, j.head[off:])
	}
	if n < len(p) {
		n += copy(p[n:], j.body[off+int64(n)-int64(len(j.head)):])
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *Face) has(r rune) bool {
	id, ok := f.font.NominalGlyph(r)
	return ok && id != 0
}

// maxSegments bounds one glyph. The busiest ideographs have some 400.
const maxSegments = 20_000

// outline gives a glyph by its number, from those kept or through s.
func (f *Face) outline(s *shaper, id font.GID) (*Glyph, error) {
	f.mu.Lock()
	g := f.outlines[id]
	f.mu.Unlock()
	if g != nil {
		return g, nil
	}
	found, ok := s.face.GlyphData(id).(font.GlyphOutline) // the tables of the other kinds are not there
	if !ok || len(found.Segments) > maxSegments {
		return nil, fmt.Errorf("%w: the outline of glyph %d is damaged", ErrFont, id)
	}
	g, ok = f.convert(found.Segments)
	if !ok {
		return nil, fmt.Errorf("%w: glyph %d is larger than a page", ErrFont, id)
	}
	g.Advance = int(math.Round(float64(s.face.HorizontalAdvance(id)) * f.unit()))
	f.mu.Lock()
	if len(f.outlines) >= maxOutlines {
		clear(f.outlines)
	}
	f.outlines[id] = g
	f.mu.Unlock()
	return g, nil
}

// unit is a unit of the font in thousandths of an em.
func (f *Face) unit() float64 { return Em / float64(f.font.Upem()) }

// convert brings an outline to thousandths of an em and to cubic curves.
func (f *Face) convert(segments []font.Segment) (*Glyph, bool) {
	const most = 100 * Em
	k, ok := f.unit(), true
	g := &Glyph{Path: make([]Segment, 0, len(segments))}
	at := opentype.SegmentPoint{}
	for _, s := range segments {
		t := Segment{}
		points := s.Args
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			t.Op = MoveTo
		case opentype.SegmentOpLineTo:
			t.Op = LineTo
		case opentype.SegmentOpQuadTo: // raised to a cubic, whose control points lie two thirds of the way
			t.Op = CurveTo
			q, end := s.Args[0], s.Args[1]
			points = [3]opentype.SegmentPoint{
				{X: at.X + (q.X-at.X)*2/3, Y: at.Y + (q.Y-at.Y)*2/3},
				{X: end.X + (q.X-end.X)*2/3, Y: end.Y + (q.Y-end.Y)*2/3}, end,
			}
		default:
			t.Op = CurveTo
		}
		for i := range t.points() {
			x, y := float64(points[i].X)*k, float64(points[i].Y)*k
			if !(math.Abs(x) <= most && math.Abs(y) <= most) { // NaN is neither
				return nil, false
			}
			t.P[i] = Point{int(math.Round(x)), int(math.Round(y))}
		}
		at = points[t.points()-1]
		g.Path = append(g.Path, t)
	}
	return g, ok
}
