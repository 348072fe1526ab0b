package offline

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The file of a book has a line for each thing that happened: its name, a sum, and words in base64. The sum is over the sum of the
// line before, the name and the words; a line counts once it is whole, with its line feed.
const (
	journalHeader = "courtseal.offline-book/v1\n"
	sumSize       = 16
	maxLine       = 64 << 20
)

// A journal is a file that only grows. Its owner lets one goroutine in at a time.
type journal struct {
	f      *os.File
	size   int64 // of what is whole
	sum    [sumSize]byte
	broken error // nothing is written any more
}

// A span is where a line stands.
type span struct {
	at, size int64
	before   [sumSize]byte // sum of the line before
}

// A line is one that was read.
type line struct {
	name  string
	words [][]byte
}

// newJournal is the content of a journal that has these lines.
func newJournal(lines ...line) []byte {
	b := []byte(journalHeader)
	var sum [sumSize]byte
	for _, l := range lines {
		var text []byte
		text, sum = l.encode(sum)
		b = append(b, text...)
	}
	return b
}

func (l line) encode(before [sumSize]byte) ([]byte, [sumSize]byte) {
	words := make([]string, len(l.words))
	for i, w := range l.words {
		words[i] = base64.StdEncoding.EncodeToString(w)
	}
	body := strings.Join(words, " ")
	sum := sumOf(before, l.name, []byte(body))
	return fmt.Appendf(nil, "%s %x %s\n", l.name, sum, body), sum
}

func sumOf(before [sumSize]byte, name string, body []byte) [sumSize]byte {
	h := sha256.New()
	h.Write(before[:])
	io.WriteString(h, name+" ")
	h.Write(body)
	return [sumSize]byte(h.Sum(nil))
}

// readJournal gives each whole line to take. What stands after the last line feed was being written when the process ended:
// nobody was told of it. Anything else that is not as it was written is ErrDamaged.
func readJournal(r io.Reader, take func(line, span) error) (j journal, torn bool, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		text, err := readLine(in)
		if err == io.EOF {
			if n == 1 {
				return j, false, fmt.Errorf("%w: it has no first line", ErrDamaged)
			}
			return j, len(text) > 0, nil
		}
		if err != nil {
			return j, false, err
		}
		if n == 1 {
			if string(text) != journalHeader {
				return j, false, fmt.Errorf("%w: it does not begin with the line %q", ErrDamaged, journalHeader[:len(journalHeader)-1])
			}
		} else if err := j.line(text, take); err != nil {
			return j, false, fmt.Errorf("line %d: %w", n, err)
		}
		j.size += int64(len(text))
	}
}

func readLine(in *bufio.Reader) (text []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrDamaged, maxLine)
		}
		text = append(text, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
	}
}

func (j *journal) line(text []byte, take func(line, span) error) error {
	l, sum, err := parseLine(text, j.sum)
	if err != nil {
		return err
	}
	s := span{j.size, int64(len(text)), j.sum}
	j.sum = sum
	return take(l, s)
}

func parseLine(text []byte, before [sumSize]byte) (l line, sum [sumSize]byte, err error) {
	name, rest, _ := bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte(" "))
	digits, body, _ := bytes.Cut(rest, []byte(" "))
	sum = sumOf(before, string(name), body)
	if string(digits) != hex.EncodeToString(sum[:]) {
		return l, sum, fmt.Errorf("%w: a line is not as it was written, or not where", ErrDamaged)
	}
	l.name = string(name)
	for word := range bytes.SplitSeq(body, []byte(" ")) {
		b, err := base64.StdEncoding.AppendDecode(nil, word)
		if err != nil {
			return l, sum, fmt.Errorf("%w: a line is not base64", ErrDamaged)
		}
		l.words = append(l.words, b)
	}
	return l, sum, nil
}

// append writes a line so that it lasts. When it fails, nothing was written; where that is not certain, nothing will be: what is on the
// disk then shows when the book is opened again.
func (j *journal) append(l line) (span, error) {
	if j.broken != nil {
		return span{}, fmt.Errorf("%w: %w", ErrBroken, j.broken)
	}
	text, sum := l.encode(j.sum)
	if len(text) > maxLine {
		return span{}, fmt.Errorf("%w: %d bytes, and %d are the most", ErrRequest, len(text), maxLine)
	}
	if _, err := j.f.WriteAt(text, j.size); err != nil {
		if undo := j.f.Truncate(j.size); undo != nil {
			j.broken = errors.Join(err, undo)
		}
		return span{}, fmt.Errorf("offline: write the book: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		j.broken = err
		return span{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	s := span{j.size, int64(len(text)), j.sum}
	j.size, j.sum = j.size+s.size, sum
	return s, nil
}

// read reads a line again that was read or written before.
func (j *journal) read(s span) (line, error) {
	text := make([]byte, s.size)
	if _, err := j.f.ReadAt(text, s.at); err != nil {
		return line{}, err
	}
	l, _, err := parseLine(text, s.before)
	return l, err
}
