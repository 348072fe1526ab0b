// Command peak seals IN as OUT with the key KEY and the seal SEAL, and prints the most memory it had, in KB.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	_ "github.com/courtseal/courtseal/sign/cms"
)

func main() {
	in, out, uri, esl := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx := context.Background()
	key, dev, err := keydev.OpenKey(ctx, uri, keydev.PIN(nil))
	check(err)
	defer dev.Close()
	s, err := seal.ReadFile(esl)
	check(err)
	stamp, err := s.Stamp(key, seal.StampOptions{})
	check(err)
	_, err = pdfx.SignFile(ctx, out, in, stamp, pdfx.Options{At: []pdfx.At{{Page: 1, X: 60, Y: 60}}})
	check(err)
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			fmt.Print(f[1])
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
