package pdfx

import (
	"context"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/courtseal/courtseal/sign"
)

const (
	chunkSize  = 256 << 10
	chunkCount = 4        // chunks on their way at a time
	maxWorkers = 4        // goroutines that hash
	inlineSize = 16 << 10 // a file up to this size is hashed where it is read, and one of a chunk with one hash
)

// running are the hashes of one content, in progress.
type running map[sign.Hash]hash.Hash

func newRunning(names []sign.Hash) (running, error) {
	r := running{}
	for _, n := range names {
		h := n.New()
		if h == nil {
			return nil, fmt.Errorf("%w: unknown hash %q", ErrProfile, n)
		}
		r[n] = h
	}
	return r, nil
}

func (r running) write(b []byte) {
	for _, h := range r {
		h.Write(b)
	}
}

// sums are the digests of what was written so far; more may be written afterwards.
func (r running) sums() sign.Sums {
	s := sign.Sums{}
	for n, h := range r {
		s[n] = h.Sum(nil)
	}
	return s
}

// A chunk is a buffer that several hashes read at a time.
type chunk struct {
	whole *[chunkSize]byte
	b     []byte // what is in it
	busy  sync.WaitGroup
}

func (r running) list() []hash.Hash {
	l := make([]hash.Hash, 0, len(r))
	for _, h := range r {
		l = append(l, h)
	}
	return l
}

// pour reads size bytes of src once, writes them to dst (nil: nowhere) and hashes them beside that.
func pour(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, hashes []hash.Hash) error {
	if size <= inlineSize || size <= chunkSize && len(hashes) == 1 { // nothing worth a goroutine, least of all in a batch
		chunks := make([]chunk, 1)
		defer release(chunks)
		return eachChunk(ctx, src, size, chunks, func(c *chunk) error {
			for _, h := range hashes {
				h.Write(c.b)
			}
			return writeAll(dst, c.b)
		})
	}
	var done sync.WaitGroup
	queues := make([]chan *chunk, min(len(hashes), maxWorkers))
	for i := range queues {
		queues[i] = make(chan *chunk, chunkCount)
		done.Go(func() {
			for c := range queues[i] {
				for k := i; k < len(hashes); k += len(queues) {
					hashes[k].Write(c.b)
				}
				c.busy.Done()
			}
		})
	}
	chunks := make([]chunk, chunkCount)
	err := eachChunk(ctx, src, size, chunks, func(c *chunk) error {
		c.busy.Add(len(queues))
		for _, q := range queues {
			q <- c
		}
		return writeAll(dst, c.b)
	})
	for _, q := range queues {
		close(q)
	}
	done.Wait()
	release(chunks)
	return err
}

// buffers are the chunks of files that are done with: who seals many files allocates them once.
var buffers = sync.Pool{New: func() any { return new([chunkSize]byte) }}

func release(chunks []chunk) {
	for i := range chunks {
		if b := chunks[i].whole; b != nil {
			buffers.Put(b)
		}
	}
}

// eachChunk fills the chunks in turn, each when nobody reads it any more, and hands them on.
func eachChunk(ctx context.Context, src io.ReaderAt, size int64, chunks []chunk, do func(*chunk) error) error {
	for at, i := int64(0), 0; at < size; i = (i + 1) % len(chunks) {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &chunks[i]
		n := int(min(chunkSize, size-at))
		if c.whole == nil {
			c.whole = buffers.Get().(*[chunkSize]byte)
		}
		c.busy.Wait()
		c.b = c.whole[:n]
		if got, err := src.ReadAt(c.b, at); got < n {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("pdfx: reading the file at %d: %w", at+int64(got), err)
		}
		if err := do(c); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

func writeAll(dst io.Writer, b []byte) error {
	if dst == nil {
		return nil
	}
	n, err := dst.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("pdfx: writing the sealed file: %w", err)
	}
	return nil
}
