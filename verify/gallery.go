package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/resemble"
	"github.com/courtseal/courtseal/seal"
)

// How alike two pictures are: what is alike is told of, and what is unlike is another picture. In between nothing is said. The test of
// package resemble has the distribution that these numbers stand on: the same seal scanned and compressed has 0.91 at the least, the
// seals of two courts whose names differ in one character 0.62 at the most.
const (
	alikeFrom = 0.75
	unlikeTo  = 0.65
)

// A gallery has the pictures of the seals that are known, and compares others with them.
type gallery struct {
	exhibits []*exhibit
	pixels   int64 // that may still be decoded
	left     int   // comparisons that may still be made
	notes    []Note
	more     int // notes beyond maxPictureNotes
}

// An exhibit is the picture of one seal.
type exhibit struct {
	id, name      string
	sum           [32]byte // of the picture's bytes
	data          []byte
	width, height float64         // mm
	print         *resemble.Print // nil: it cannot be compared, or was not yet
	made          bool
}

const (
	galleryPixels   = 48 << 20
	maxComparisons  = 256
	maxExhibits     = 64
	maxPictureNotes = 20
)

// hang adds a seal, if it is not there, and gives it; nil: there are too many, or it has no picture.
func (g *gallery) hang(e *seal.Seal) *exhibit {
	x := &exhibit{id: e.ID, name: e.Name, data: e.Picture.Data, sum: sha256.Sum256(e.Picture.Data), width: float64(e.Picture.Width), height: float64(e.Picture.Height)}
	if i := slices.IndexFunc(g.exhibits, func(o *exhibit) bool { return o.is(e) }); i >= 0 {
		return g.exhibits[i]
	}
	if len(g.exhibits) == maxExhibits || len(x.data) == 0 {
		return nil
	}
	g.exhibits = append(g.exhibits, x)
	return x
}

// is says whether it is the picture of a seal.
func (x *exhibit) is(e *seal.Seal) bool {
	return x.id == e.ID && x.sum == sha256.Sum256(e.Picture.Data)
}

// newGallery has the seals that the caller knows.
func (j *job) newGallery() *gallery {
	g := &gallery{pixels: galleryPixels, left: maxComparisons}
	for _, e := range j.seals {
		g.hang(e)
	}
	return g
}

// ink is what is compared of an exhibit; nil: it has nothing that could be.
func (g *gallery) ink(x *exhibit) *resemble.Print {
	if !x.made {
		x.made = true
		if img, err := appearance.Decode(x.data); err == nil {
			x.print = resemble.OfImage(img)
		}
	}
	return x.print
}

// most finds the exhibit that a picture looks most like, but for those that are left out; nil: it looks like none. known is false where
// too many have been compared.
func (g *gallery) most(p *resemble.Print, except func(*exhibit) bool) (best *exhibit, likeness float64, known bool) {
	if p == nil {
		return nil, 0, true
	}
	for _, x := range g.exhibits {
		q := g.ink(x)
		if q == nil || except != nil && except(x) {
			continue
		}
		if g.left--; g.left < 0 {
			return best, likeness, false
		}
		if l := q.Likeness(p); l >= alikeFrom && l > likeness {
			best, likeness = x, l
		}
	}
	return best, likeness, true
}

// sized says whether a picture of so many mm may be one of a seal.
func (g *gallery) sized(w, h float64) bool {
	low, high := 20.0, 80.0
	for _, x := range g.exhibits {
		low, high = min(low, 0.75*x.width, 0.75*x.height), max(high, 1.25*x.width, 1.25*x.height)
	}
	return min(w, h) >= max(low, 5) && max(w, h) <= high
}

func (g *gallery) note(code string, t Text) {
	if len(g.notes) == maxPictureNotes {
		g.more++
		return
	}
	g.notes = append(g.notes, Note{code, t})
}

// unsigned notes a picture that looks like a seal.
func (g *gallery) unsigned(where Text, x *exhibit, likeness float64) {
	percent := percent(min(1, likeness))
	g.note("unsigned-picture", Text{
		fmt.Sprintf("%s的图像与印章“%s”（esID %s）相似（%d%%），但不属于使用该印章的签章", where.ZH, x.name, clipName(x.id), percent),
		fmt.Sprintf("%s: a picture looks like the seal %s (esID %s) by %d%%, and belongs to no signature that uses it", where.EN, x.name, clipName(x.id), percent)})
}

// skipped notes a picture that could not be compared.
func (g *gallery) skipped(where Text, why error) {
	g.note("picture-not-compared", Text{
		fmt.Sprintf("%s的图像大小如同印章，但无法与已知印章比较：%v", where.ZH, why),
		fmt.Sprintf("%s: a picture of the size of a seal could not be compared with those that are known: %v", where.EN, why)})
}

// told are the notes, with one about those that are left out.
func (g *gallery) told() []Note {
	if g.more > 0 {
		g.notes = append(g.notes, Note{"picture-not-compared", Text{fmt.Sprintf("还有 %d 处图像未列出", g.more), fmt.Sprintf("%d more places of pictures are not listed", g.more)}})
	}
	return g.notes
}
