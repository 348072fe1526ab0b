package wordscan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// A compound file (MS-CFB) is a small file system: sectors chained by a table (FAT), whose own sectors are listed in the header
// and, in big files, in a chain of further lists (DIFAT). Only the directory and the first bytes of a stream are read here.
const (
	oleMagic  = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	oleHeader = 512
	oleListed = 109     // FAT sectors that the header lists
	oleEntry  = 128     // size of a directory entry
	oleDir    = 4 << 20 // what a directory may have
	oleSteps  = 1 << 16 // how far a chain is followed
	oleNone   = 0xfffffff0

	miniSector = 64
	miniCutoff = 4096 // streams below this live in the stream of the root
)

var errOLE = errors.New("wordscan: damaged compound file")

// compound is the directory of a compound file.
type compound struct {
	src    io.ReaderAt
	size   int64
	sector int64
	lists  []uint32 // where the sectors of the FAT are, as far as the header and the DIFAT say
	dir    []byte
	root   oleNode
	nodes  map[string]oleNode // of the top level, by upper-case name
}

type oleNode struct {
	kind  byte // 1 storage, 2 stream, 5 root
	class [16]byte
	start uint32
	size  int64
}

func openCompound(src io.ReaderAt, size int64) (*compound, error) {
	head := make([]byte, oleHeader)
	if err := readFull(src, head, 0); err != nil {
		return nil, err
	}
	c := &compound{src: src, size: size}
	switch version, shift := le16(head[26:]), le16(head[30:]); {
	case string(head[:8]) != oleMagic, le16(head[28:]) != 0xfffe, le16(head[32:]) != 6:
		return nil, fmt.Errorf("%w: header", errOLE)
	case version == 3 && shift == 9, version == 4 && shift == 12:
		c.sector = 1 << shift
	default:
		return nil, fmt.Errorf("%w: version %d with sectors of 2^%d bytes", errOLE, version, shift)
	}
	if err := c.readLists(head); err != nil {
		return nil, err
	}
	err := c.chain(le32(head[48:]), func(sector []byte) error {
		if len(c.dir)+len(sector) > oleDir {
			return fmt.Errorf("%w: its directory has more than %d bytes", errOLE, oleDir)
		}
		c.dir = append(c.dir, sector...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, c.readTop()
}

// readLists finds the sectors of the FAT, as many as a file of this size can need.
func (c *compound) readLists(head []byte) error {
	n := min(int64(le32(head[44:])), c.size/c.sector/(c.sector/4)+1)
	add := func(b []byte) {
		for ; len(b) >= 4 && int64(len(c.lists)) < n; b = b[4:] {
			c.lists = append(c.lists, le32(b))
		}
	}
	add(head[76 : 76+4*oleListed])
	buf := make([]byte, c.sector)
	for next := le32(head[68:]); int64(len(c.lists)) < n; { // every turn adds to lists, so a loop ends
		if err := c.read(next, buf); err != nil {
			return err
		}
		add(buf[:c.sector-4])
		next = le32(buf[c.sector-4:])
	}
	return nil
}

// chain gives the sectors from start on to f, until f or the chain says that it is enough.
func (c *compound) chain(start uint32, f func(sector []byte) error) error {
	data, table := make([]byte, c.sector), make([]byte, c.sector)
	have := -1 // which sector of the FAT is in table
	per := int(c.sector / 4)
	for n, at := int64(0), start; at < oleNone; n++ {
		if n > oleSteps {
			return fmt.Errorf("%w: a chain of more than %d sectors", errOLE, oleSteps)
		}
		if err := c.read(at, data); err != nil {
			return err
		}
		if err := f(data); err != nil {
			return err
		}
		list := int(at) / per
		if list >= len(c.lists) {
			return fmt.Errorf("%w: sector %d is not in the FAT", errOLE, at)
		}
		if list != have {
			if err := c.read(c.lists[list], table); err != nil {
				return err
			}
			have = list
		}
		at = le32(table[4*(int(at)%per):])
	}
	return nil
}

// read reads a sector. The header has a sector's room, whatever that is. The last sector of a file may be cut.
func (c *compound) read(sector uint32, b []byte) error {
	off := (int64(sector) + 1) * c.sector
	if sector >= oleNone || off >= c.size {
		return fmt.Errorf("%w: sector %d is beyond the end", errOLE, sector)
	}
	clear(b)
	return readFull(c.src, b[:min(int64(len(b)), c.size-off)], off)
}

// readTop reads what stands at the top of the directory: the siblings of the root's child.
func (c *compound) readTop() error {
	_, root, links, err := c.node(0)
	if err != nil {
		return err
	}
	if root.kind != 5 {
		return fmt.Errorf("%w: its directory has no root", errOLE)
	}
	c.root, c.nodes = root, map[string]oleNode{}
	seen := map[uint32]bool{}
	for todo := []uint32{links[2]}; len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if i >= oleNone {
			continue
		}
		if seen[i] {
			return fmt.Errorf("%w: its directory goes in circles", errOLE)
		}
		seen[i] = true
		name, n, links, err := c.node(i)
		if err != nil {
			return err
		}
		c.nodes[strings.ToUpper(name)] = n
		todo = append(todo, links[0], links[1])
	}
	return nil
}

// node reads a directory entry; links are its left and right siblings and its child.
func (c *compound) node(i uint32) (name string, n oleNode, links [3]uint32, err error) {
	if int64(i) >= int64(len(c.dir)/oleEntry) {
		return "", n, links, fmt.Errorf("%w: no entry %d in its directory", errOLE, i)
	}
	b := c.dir[int(i)*oleEntry:][:oleEntry]
	length := int(le16(b[64:]))
	if length > 64 || length%2 != 0 {
		return "", n, links, fmt.Errorf("%w: entry %d of its directory has a name of %d bytes", errOLE, i, length)
	}
	units := make([]uint16, 0, 32)
	for j := 0; j+2 < length; j += 2 { // without the zero at its end
		units = append(units, le16(b[j:]))
	}
	n = oleNode{kind: b[66], class: [16]byte(b[80:]), start: le32(b[116:]), size: int64(le32(b[120:]))}
	for k := range links {
		links[k] = le32(b[68+4*k:])
	}
	return string(utf16.Decode(units)), n, links, nil
}

var errEnough = errors.New("enough")

// begins tells whether a stream at the top begins with these bytes, which are no more than a mini sector holds.
func (c *compound) begins(name, with string) bool {
	n, ok := c.nodes[name]
	if !ok || n.kind != 2 || n.size < int64(len(with)) {
		return false
	}
	start, off := n.start, int64(0)
	if n.size < miniCutoff {
		if start >= oleNone {
			return false
		}
		start, off = c.root.start, int64(start)*miniSector
	}
	found := false
	err := c.chain(start, func(sector []byte) error {
		if off >= c.sector {
			off -= c.sector
			return nil
		}
		found = strings.HasPrefix(string(sector[off:]), with)
		return errEnough
	})
	return err == errEnough && found
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// readFull fills b; the end of the file is an error.
func readFull(src io.ReaderAt, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("wordscan: reading %d bytes at %d: %w", len(b), off, err)
}
