package pdfx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/glyph"
)

var (
	ErrFont  = glyph.ErrFont    // a font file cannot be used
	ErrGlyph = glyph.ErrMissing // a text has characters that the font does not have; the error names them all
	ErrText  = glyph.ErrText    // a text cannot be set in any font: it is too long, or of characters that are not seen
)

// A Font is what text beside a seal is set in. Its letters are drawn as shapes, so that nothing is embedded, and the file is shown
// the same everywhere. Right-to-left and joined scripts come out as they are written (Uyghur, Tibetan, Kazakh, Devanagari); Mongolian
// runs from left to right, on its side. What the font lacks is taken from the embedded font, which has the common Chinese
// characters, ASCII and punctuation, so that a font for Uyghur need have no Chinese.
//
// A Font is parsed once and safe for concurrent use: keep it. A large one takes tenths of a second to parse.
type Font struct{ face *glyph.Face }

// ReadFont reads a font file: TrueType, OpenType, or a collection (TTC, OTC), of which name#n is font number n, and name alone the
// first, number 0. Errors are ErrFont and those of the file system.
func ReadFont(name string) (*Font, error) {
	path, index := name, 0
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		// A file may have # in its name; one that is there is meant.
		if before, after, found := cutLast(name, '#'); found {
			if n, err := strconv.ParseUint(after, 10, 16); err == nil {
				path, index = before, int(n)
			}
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, glyph.MaxFont+1))
	if err != nil {
		return nil, err
	}
	font, err := ParseFont(data, index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return font, nil
}

// ParseFont is ReadFont for a file in memory, of which it keeps nothing. A file that is no collection has font 0 alone.
func ParseFont(data []byte, index int) (*Font, error) {
	face, err := glyph.ParseFace(data, index)
	if err != nil {
		return nil, err
	}
	return &Font{face}, nil
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
