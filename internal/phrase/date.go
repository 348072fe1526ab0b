package phrase

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A Kind is what a date that ends a signature block is written in. Courts write 二〇二六年十一月二十四日, others 2026年11月24日: such a
// date counts where a page has none in ideographs, as below a judgment a list of what was paid when may follow. One like
// 2026-11-24 counts where a page has no other. The greater kind is the better one.
type Kind int

const (
	NoDate Kind = iota
	DashedDate
	PlainDate
	CourtDate
)

// Date says whether a line is a date, and which kind of one: line[start:end], where line is in the form that Normal gives. A note
// before or after it where the seal goes, such as （院印）, is no part of it.
func Date(line string) (start, end int, kind Kind) {
	const longest = 64 // bytes: a date of 12 ideographs and a note
	if len(line) > longest || line == "" {
		return 0, 0, NoDate
	}
	start = noteLength(line)
	n, words := dateLength(line[start:])
	end = start + n
	switch {
	case n == 0 || !isSealNote(line[end:]):
		return 0, 0, NoDate
	case !words:
		kind = DashedDate
	case line[start] < utf8.RuneSelf:
		kind = PlainDate
	default:
		kind = CourtDate
	}
	return start, end, kind
}

// noteLength says how many bytes at the beginning of a line are a note in brackets that the seal goes here.
func noteLength(s string) int {
	end := strings.IndexAny(s, ")]〕】")
	if end < 0 || !strings.ContainsRune("([〔【", firstRune(s)) || !isSealNote(s[:end]) {
		return 0
	}
	_, n := utf8.DecodeRuneInString(s[end:])
	return end + n
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// isSealNote says whether a text is nothing, or the note that the seal goes here.
func isSealNote(s string) bool {
	s = strings.Trim(s, "()[]〔〕【】")
	return s == "" || s == "院印" || s == "公章" || s == "印章" || s == "印" || s == "盖章" || s == "章"
}

// dateLength says how many bytes at the beginning of a text in NFKC are a date, 0 if they are none, and whether it is
// written with 年, 月, 日.
func dateLength(s string) (n int, words bool) {
	year, rest := yearOf(s)
	if year < 1000 || rest == "" {
		return 0, false
	}
	sep, k := utf8.DecodeRuneInString(rest)
	rest = rest[k:]
	ends := "月日"
	switch sep {
	case '年':
	case '-', '/', '.', '‐', '−':
		ends = string(sep)
	default:
		return 0, false
	}
	month, rest := numberOf(rest)
	next, k := utf8.DecodeRuneInString(ends)
	if !strings.HasPrefix(rest, string(next)) {
		return 0, false
	}
	day, rest := numberOf(rest[len(string(next)):])
	if last := ends[k:]; !strings.HasPrefix(rest, last) {
		return 0, false
	} else {
		rest = rest[len(last):]
	}
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if month < 1 || month > 12 || d.Day() != day || int(d.Month()) != month {
		return 0, false
	}
	return len(s) - len(rest), sep == '年'
}

// digitOf is the value of a digit, Latin or Chinese; what people take for 〇 counts as it. -1: none.
func digitOf(r rune) int {
	if r >= '0' && r <= '9' {
		return int(r - '0')
	}
	if strings.ContainsRune("〇○零Oo◯ΟО0⭕", r) {
		return 0
	}
	for i, c := range []rune("一二三四五六七八九") {
		if r == c {
			return i + 1
		}
	}
	return -1
}

// yearOf reads four digits.
func yearOf(s string) (year int, rest string) {
	for range 4 {
		r, n := utf8.DecodeRuneInString(s)
		d := digitOf(r)
		if d < 0 {
			return 0, s
		}
		year, s = year*10+d, s[n:]
	}
	return year, s
}

// numberOf reads a number below 100: 24, 二十四, 二四, 廿四, 元.
func numberOf(s string) (n int, rest string) {
	if rest, ok := strings.CutPrefix(s, "元"); ok {
		return 1, rest
	}
	count := 0
	for ; count < 3; count++ {
		r, k := utf8.DecodeRuneInString(s)
		switch d := digitOf(r); {
		case d >= 0:
			n = n*10 + d
			if n > 99 {
				return 0, s
			}
		case r == '十' && count < 2:
			n = max(n, 1) * 10
			if d := tail(s[k:]); d > 0 { // 二十四: the digit is added, not appended
				_, w := utf8.DecodeRuneInString(s[k:])
				return n + d, s[k+w:]
			}
			return n, s[k:]
		case (r == '廿' || r == '卅') && count == 0:
			n = 20
			if r == '卅' {
				n = 30
			}
			if d := tail(s[k:]); d > 0 {
				_, w := utf8.DecodeRuneInString(s[k:])
				return n + d, s[k+w:]
			}
			return n, s[k:]
		default:
			return n, s
		}
		s = s[k:]
	}
	return n, s
}

// tail is the digit after a ten; 0: none.
func tail(s string) int {
	r, _ := utf8.DecodeRuneInString(s)
	return max(0, digitOf(r))
}
