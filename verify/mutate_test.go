package verify

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// mutations is how many changed files of a format a test makes: 10,000, fewer under -short, and COURTSEAL_MUTATIONS for long runs.
func mutations(t *testing.T) int {
	if s := os.Getenv("COURTSEAL_MUTATIONS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 300
	}
	return 10_000
}

// A mutator changes files at random. What it does follows from its seed, and from nothing else.
type mutator struct {
	*rand.Rand
	pool []*mutable // whose pieces get into others
	did  []string   // what it did to the file at hand
}

// A mutable is a file, or a text, that a mutator can change.
type mutable struct {
	bytes  []byte
	tokens [][]int // what its language is made of: from, to
	spots  [][]int // where changes are most likely to mean something
}

func (m *mutator) tell(format string, args ...any) {
	m.did = append(m.did, fmt.Sprintf(format, args...))
}

// A splice puts other bytes in the place of some.
type splice struct {
	from, to int
	with     []byte
}

// withEdits makes edits, of which those that overlap with others are left out.
func withEdits(file []byte, edits []splice) []byte {
	slices.SortStableFunc(edits, func(a, b splice) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, e := range edits {
		if e.from < at {
			continue
		}
		out = append(append(out, file[at:e.from]...), e.with...)
		at = e.to
	}
	return append(out, file[at:]...)
}

// place is somewhere in a file: at a spot more often than elsewhere.
func (m *mutator) place(f *mutable) int {
	if len(f.spots) > 0 && m.IntN(4) > 0 {
		s := f.spots[m.IntN(len(f.spots))]
		if s[1] > s[0] {
			return min(len(f.bytes)-1, max(0, s[0]+m.IntN(s[1]-s[0])))
		}
	}
	return m.IntN(len(f.bytes))
}

// token is one near a place.
func (m *mutator) token(f *mutable) []int {
	at := m.place(f)
	i, _ := slices.BinarySearchFunc(f.tokens, at, func(t []int, at int) int { return cmp.Compare(t[0], at) })
	return f.tokens[min(i, len(f.tokens)-1)]
}

// stretch is a piece of a file: of a few bytes, of lines, or from a token to another.
func (m *mutator) stretch(f *mutable) (from, to int) {
	if m.IntN(2) == 0 {
		from = m.place(f)
		return from, min(len(f.bytes), from+1+m.IntN(1<<m.IntN(9)))
	}
	a, b := m.token(f), m.token(f)
	if m.IntN(3) > 0 { // near each other
		i := slices.IndexFunc(f.tokens, func(t []int) bool { return t[0] == a[0] })
		b = f.tokens[min(len(f.tokens)-1, i+m.IntN(12))]
	}
	return min(a[0], b[0]), max(a[1], b[1])
}

// other is another file of the pool, or the same.
func (m *mutator) other(f *mutable) *mutable {
	if len(m.pool) == 0 || m.IntN(3) == 0 {
		return f
	}
	return m.pool[m.IntN(len(m.pool))]
}

// width fits a text into so many bytes, where it can.
func (m *mutator) width(text []byte, n int) []byte {
	if m.IntN(3) == 0 || len(text) > n {
		return text
	}
	return append(text[:len(text):len(text)], bytes.Repeat([]byte{' '}, n-len(text))...)
}

// blind changes bytes whatever they mean.
func (m *mutator) blind(f *mutable) []splice {
	b, at := f.bytes, m.place(f)
	from, to := m.stretch(f)
	switch m.IntN(9) {
	case 0:
		m.tell("bit flipped at %d", at)
		return []splice{{at, at + 1, []byte{b[at] ^ 1<<m.IntN(8)}}}
	case 1:
		const likely = "\x00\t\n\r ()<>[]{}/%#\\0129-+.&;=\"'\xff"
		m.tell("another byte at %d", at)
		return []splice{{at, at + 1, []byte{likely[m.IntN(len(likely))]}}}
	case 2:
		m.tell("%d-%d deleted", from, to)
		return []splice{{from, to, nil}}
	case 3:
		m.tell("%d-%d doubled", from, to)
		return []splice{{to, to, b[from:to]}}
	case 4:
		m.tell("%d-%d copied to %d", from, to, at)
		return []splice{{at, at, b[from:to]}}
	case 5:
		n := min(to-from, len(b)-at)
		m.tell("%d-%d written over %d", from, from+n, at)
		return []splice{{at, at + n, b[from : from+n]}}
	case 6:
		c, d := m.stretch(f)
		m.tell("%d-%d and %d-%d exchanged", from, to, c, d)
		return []splice{{from, to, b[c:d]}, {c, d, b[from:to]}}
	case 7:
		o := m.other(f)
		c, d := m.stretch(o)
		m.tell("%d-%d of another file in place of %d-%d", c, d, from, to)
		return []splice{{from, to, o.bytes[c:d]}}
	default:
		o := m.other(f).bytes
		from, to = min(from, len(o)), min(to, len(o))
		m.tell("%d-%d as in another file", from, to)
		return []splice{{from, min(to, len(b)), o[from:to]}}
	}
}

var digits = regexp.MustCompile(`^[+-]?[0-9]+`)

// aware changes tokens.
func (m *mutator) aware(f *mutable) []splice {
	b, t := f.bytes, m.token(f)
	switch m.IntN(7) {
	case 0, 1, 2:
		for range 40 {
			if digits.Match(b[t[0]:t[1]]) {
				return m.number(f, t)
			}
			t = m.token(f)
		}
		fallthrough
	case 3:
		o := m.other(f)
		with := m.token(o)
		text := o.bytes[with[0]:with[1]]
		m.tell("%d-%d, %.40q, becomes %.40q", t[0], t[1], b[t[0]:t[1]], text)
		return []splice{{t[0], t[1], m.width(text, t[1]-t[0])}}
	case 4:
		with := m.token(f)
		m.tell("%d-%d and %d-%d exchanged, %.40q and %.40q", t[0], t[1], with[0], with[1], b[t[0]:t[1]], b[with[0]:with[1]])
		return []splice{{t[0], t[1], m.width(b[with[0]:with[1]], t[1]-t[0])}, {with[0], with[1], m.width(b[t[0]:t[1]], with[1]-with[0])}}
	case 5:
		m.tell("%.40q at %d taken away", b[t[0]:t[1]], t[0])
		return []splice{{t[0], t[1], m.width(nil, t[1]-t[0])}}
	default:
		m.tell("%.40q at %d doubled", b[t[0]:t[1]], t[0])
		return []splice{{t[1], t[1], append([]byte(" "), b[t[0]:t[1]]...)}}
	}
}

// number makes a number another: near it, of the file, or one that is hard to count with.
func (m *mutator) number(f *mutable, t []int) []splice {
	old := f.bytes[t[0]:t[1]]
	n, _ := strconv.ParseInt(string(digits.Find(old)), 10, 64)
	switch m.IntN(5) {
	case 0:
		n += int64(m.IntN(5) - 2)
	case 1:
		n = []int64{0, 1, -1, -n, 1 << 31, 1<<32 + n, 1<<63 - 1, int64(len(f.bytes)), 65535, 65536, n * 10}[m.IntN(11)]
	case 2:
		n = int64(m.place(f))
	case 3:
		n += int64(m.IntN(400) - 200)
	default:
		with := m.token(f)
		if d := digits.Find(f.bytes[with[0]:with[1]]); d != nil {
			n, _ = strconv.ParseInt(string(d), 10, 64)
		}
	}
	text := strconv.FormatInt(n, 10)
	if m.IntN(2) == 0 {
		text = fmt.Sprintf("%0*d", t[1]-t[0], n)
	}
	m.tell("%s at %d becomes %s", old, t[0], text)
	return []splice{{t[0], t[1], m.width([]byte(text), t[1]-t[0])}}
}

// eachMutation has one mutant made and judged for each seed from 1 to n, on all cores. judge says what is wrong with the verdict, if
// anything is; what a mutant was, and how to have it again, is said for it.
func eachMutation(t *testing.T, n int, one func(m *mutator) (base string, mutant []byte, wrong string)) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Int64
	first := 1
	if s := os.Getenv("COURTSEAL_MUTATION"); s != "" { // one seed alone
		first, _ = strconv.Atoi(s)
		n = 1
	}
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() < 10; i = int(next.Add(1)) - 1 {
				seed := first + i
				m := &mutator{Rand: rand.New(rand.NewPCG(uint64(seed), 0))}
				base, mutant, wrong := guarded(m, one)
				if wrong == "" {
					continue
				}
				failed.Add(1)
				name := "nowhere"
				if f, err := os.CreateTemp("", fmt.Sprintf("mutation-%d-", seed)); err == nil {
					f.Write(mutant)
					f.Close()
					name = f.Name()
				}
				t.Errorf("COURTSEAL_MUTATION=%d of %s: %s\n%q\nthe file is kept as %s", seed, base, wrong, m.did, name)
			}
		})
	}
	wg.Wait()
}

// guarded has a panic be a finding.
func guarded(m *mutator, one func(m *mutator) (base string, mutant []byte, wrong string)) (base string, mutant []byte, wrong string) {
	defer func() {
		if p := recover(); p != nil {
			wrong = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return one(m)
}
