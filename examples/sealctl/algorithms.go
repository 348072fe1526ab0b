package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/courtseal/courtseal/verify"
)

// readAlgorithms reads until when algorithms protect, one a line: a name, of RSA and ECDSA the least bits, and the last day. Lines that
// begin with # are left out.
func readAlgorithms(name string) (list []verify.Algorithm, err error) {
	if name == "" {
		return nil, nil
	}
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		a := verify.Algorithm{Name: words[0]}
		if len(words) == 3 {
			a.Bits, err = strconv.Atoi(words[1])
		}
		day, wrong := time.Parse(time.DateOnly, words[len(words)-1])
		if err != nil || wrong != nil || len(words) < 2 || len(words) > 3 {
			return nil, fmt.Errorf("%s: %w: %q is not NAME [BITS] YYYY-MM-DD", name, verify.ErrAlgorithm, strings.TrimSpace(line))
		}
		a.Until = day.Add(24*time.Hour - time.Second)
		list = append(list, a)
	}
	if list == nil {
		return nil, fmt.Errorf("%s: %w: it has none", name, verify.ErrAlgorithm)
	}
	return list, nil
}
