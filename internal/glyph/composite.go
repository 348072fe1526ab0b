package glyph

import (
	"encoding/binary"
	"fmt"
)

// maxPoints bounds the points that one glyph of a TrueType font may come to, with all of its parts.
const maxPoints = 100_000

// checkComposites refuses a font whose glyphs, made of glyphs made of glyphs, come to more points than any letter has: a few hundred
// bytes can ask for 2^20 of them. Only sizes are read; what is malformed besides is left to the parser.
func checkComposites(tables map[string][]byte) error {
	head, loca, glyf := tables["head"], tables["loca"], tables["glyf"]
	if len(head) < 52 {
		return nil // the parser says so
	}
	c := composites{glyf: glyf}
	if long := binary.BigEndian.Uint16(head[50:]) == 1; long {
		for ; len(loca) >= 4; loca = loca[4:] {
			c.start = append(c.start, int64(binary.BigEndian.Uint32(loca)))
		}
	} else {
		for ; len(loca) >= 2; loca = loca[2:] {
			c.start = append(c.start, 2*int64(binary.BigEndian.Uint16(loca)))
		}
	}
	if len(c.start) > 1<<16+1 { // glyphs are numbered in 16 bits
		c.start = c.start[:1<<16+1]
	}
	c.points = make([]int, len(c.start))
	for id := range max(0, len(c.start)-1) {
		if c.size(id) > maxPoints {
			return fmt.Errorf("%w: glyph %d is made of more than %d points", ErrFont, id, maxPoints)
		}
	}
	return nil
}

type composites struct {
	glyf   []byte
	start  []int64 // in glyf, of each glyph; the last is where the last one ends
	points []int   // 0: not known; being counted: too many, so that no glyph is a part of itself
}

// size counts a glyph's points, up to something more than maxPoints.
func (c *composites) size(id int) int {
	if id >= len(c.start)-1 {
		return 0
	}
	if c.points[id] > 0 {
		return c.points[id]
	}
	from, to := c.start[id], c.start[id+1]
	if from+10 > to || to > int64(len(c.glyf)) {
		c.points[id] = 1
		return 1
	}
	c.points[id] = maxPoints + 1
	g := c.glyf[from:to]
	n := int(int16(binary.BigEndian.Uint16(g)))
	sum := 1
	switch g = g[10:]; {
	case n > 0 && 2*n <= len(g):
		sum += int(binary.BigEndian.Uint16(g[2*n-2:])) + 1 // the number of the last point
	case n < 0:
		for more := true; more && len(g) >= 4 && sum <= maxPoints; {
			flags, part := binary.BigEndian.Uint16(g), binary.BigEndian.Uint16(g[2:])
			sum += 1 + c.size(int(part))
			more = flags&0x20 != 0
			length := 6
			for bit, bytes := range map[uint16]int{0x01: 2, 0x08: 2, 0x40: 4, 0x80: 8} { // words, scale, two scales, matrix
				if flags&bit != 0 {
					length += bytes
				}
			}
			g = g[min(length, len(g)):]
		}
	}
	c.points[id] = sum
	return sum
}
