package opc

import (
	"hash/crc32"
	"testing"

	"github.com/courtseal/courtseal/internal/ziptest"
)

type (
	archive = ziptest.Archive
	made    = ziptest.Entry
	fields  = ziptest.Fields
)

// archived makes an archive of files, all deflated, without descriptors.
func archived(t testing.TB, files []file) *archive {
	a := &archive{}
	for _, f := range files {
		a.Entries = append(a.Entries, ziptest.New(t, f.name, f.text))
	}
	return a
}

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
