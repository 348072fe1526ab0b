package verify

import (
	"bytes"
	"cmp"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
)

// maxRestored bounds how many acts are undone to see what there was before them.
const maxRestored = 100

// restore undoes the acts of ours from the newest on, and hashes what there was before each. Only evidence and a source of withdrawn
// documents ask for that. Where other programs wrote the file anew since, what the record of the act says of the file before must do: it
// is signed.
func (d *office) restore() error {
	hashes := d.sourceHashes()
	if len(hashes) == 0 {
		return nil
	}
	acts := slices.Clone(d.acts)
	slices.SortStableFunc(acts, func(a, b *act) int { return cmp.Compare(b.number(), a.number()) })
	src, size := d.src, d.size
	for i, a := range acts {
		if a.undo == nil || i == maxRestored {
			return nil
		}
		b, err := d.readSignature(a.undo)
		if err != nil {
			return skip(err)
		}
		u, err := opcsig.ParseUndo(b)
		if err != nil {
			return skip(err)
		}
		a.before = sign.Sums{u.Hash: u.Digest}
		if src == nil {
			continue
		}
		if src, size, err = u.Restore(src, size); err != nil {
			src = nil
			if err := skip(err); err != nil {
				return err
			}
			continue
		}
		sums, err := d.sumsOf(src, size, append(hashes, u.Hash))
		if err != nil {
			return err
		}
		if !bytes.Equal(sums[u.Hash], u.Digest) {
			src = nil
			continue
		}
		a.before = sums
	}
	return nil
}

// skip drops an error that says that the file before cannot be had.
func skip(err error) error {
	for _, e := range []error{opc.ErrUndo, opcsig.ErrUndo, opc.ErrNotZip, opc.ErrFaults} {
		if errors.Is(err, e) {
			return nil
		}
	}
	if isOfPackage(err) {
		return nil
	}
	return err
}

// number is the k of /_seals/sealk/.
func (a *act) number() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(a.folder, "/")), sealFolder+"seal"))
	return n
}

// sourceHashes are those by which evidence names the file before, and where the books are asked, those that they know it by.
func (d *office) sourceHashes() []sign.Hash {
	wanted := map[sign.Hash]bool{}
	if d.opts.Sealings != nil {
		wanted[sign.SM3], wanted[sign.SHA256] = true, true
	}
	for _, b := range d.evidences {
		if entry, err := entryIn(b); err == nil {
			for h := range entry.Source {
				if h.Size() > 0 {
					wanted[h] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(wanted))
}

func (d *office) sumsOf(src io.ReaderAt, size int64, hashes []sign.Hash) (sign.Sums, error) {
	all := make([]hash.Hash, len(hashes))
	for i, h := range hashes {
		all[i] = h.New()
	}
	b := make([]byte, 256<<10)
	for at := int64(0); at < size; at += int64(len(b)) {
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		b = b[:min(int64(len(b)), size-at)]
		if _, err := readFull(src, b, at); err != nil {
			return nil, err
		}
		for _, w := range all {
			w.Write(b)
		}
	}
	sums := sign.Sums{}
	for i, h := range hashes {
		sums[h] = all[i].Sum(nil)
	}
	return sums, nil
}
