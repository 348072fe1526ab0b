// Package plain makes text from a hostile file safe to print.
package plain

import "strings"

// Text keeps a hostile name from writing to the reader's terminal or starting a line of its own: control characters, line
// separators and marks that turn the direction of writing become U+FFFD.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 || r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, s)
}
