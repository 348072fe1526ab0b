package opc

import (
	"cmp"
	"context"
	"hash"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// large is the size from which a part is worth a goroutine for each hash.
const large = 256 << 10

// Digests inflates each part once and hashes it with every hash, on all cores, the biggest first: [part][hash].
func (p *Package) Digests(ctx context.Context, parts []*Part, hashes []func() hash.Hash) ([][][]byte, error) {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(parts[b].Size, parts[a].Size) })
	var all int64
	for _, part := range parts {
		all += part.Size
	}
	cores := runtime.GOMAXPROCS(0)
	sums, errs := make([][][]byte, len(parts)), make([]error, len(parts))
	var next atomic.Int64
	var failed atomic.Bool
	work := func() {
		for !failed.Load() {
			n := int(next.Add(1)) - 1
			if n >= len(order) {
				return
			}
			i := order[n]
			// While a part that is most of the document is read, other cores would have nothing to do.
			aside := cores > 1 && parts[i].Size > large && parts[i].Size > all/int64(cores)
			if sums[i], errs[i] = p.digest(ctx, parts[i], hashes, aside); errs[i] != nil {
				failed.Store(true)
			}
		}
	}
	var wg sync.WaitGroup
	for range min(cores, len(parts)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// digest makes the hashes of one part: aside, beside the inflating of it; otherwise after each piece.
func (p *Package) digest(ctx context.Context, part *Part, hashes []func() hash.Hash, aside bool) ([][]byte, error) {
	all := make([]hash.Hash, len(hashes))
	for i, f := range hashes {
		all[i] = f()
	}
	write, end := func(b []byte) {
		for _, h := range all {
			h.Write(b)
		}
	}, func() {}
	if aside {
		write, end = besides(all)
	}
	err := p.stream(part, func(b []byte) error {
		write(b)
		return ctx.Err()
	})
	end()
	if err != nil {
		return nil, err
	}
	sums := make([][]byte, len(all))
	for i, h := range all {
		sums[i] = h.Sum(nil)
	}
	return sums, nil
}

// A piece of a part is lent to each hash; when all have given it back it is filled again.
type lent struct {
	b    []byte
	busy sync.WaitGroup
}

// besides gives a function that hands a copy of its bytes to every hash, each in a goroutine of its own, and one that waits
// until they are done.
func besides(all []hash.Hash) (write func([]byte), end func()) {
	var ring [8]lent
	var done sync.WaitGroup
	queues := make([]chan *lent, len(all))
	for i, h := range all {
		queue := make(chan *lent, len(ring))
		queues[i] = queue
		done.Go(func() {
			for p := range queue {
				h.Write(p.b)
				p.busy.Done()
			}
		})
	}
	next := 0
	write = func(b []byte) {
		p := &ring[next%len(ring)]
		next++
		p.busy.Wait()
		p.b = append(p.b[:0], b...)
		p.busy.Add(len(queues))
		for _, q := range queues {
			q <- p
		}
	}
	end = func() {
		for _, q := range queues {
			close(q)
		}
		done.Wait()
	}
	return write, end
}
