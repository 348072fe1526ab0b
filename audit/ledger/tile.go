package ledger

import (
	"context"
	"fmt"

	"github.com/courtseal/courtseal/audit"
)

// Tile is the content of a tile or bundle of the newest acknowledged head, as C2SP tlog-tiles has it and Export writes it: for a
// server of tiles, whose checkpoint is Checkpoint. What the head does not have is audit.ErrRange.
func (l *Log) Tile(ctx context.Context, id audit.TileID) ([]byte, error) {
	if id.Level > 7 || id.Width < 1 || id.Width > audit.TileWidth || id.N > audit.MaxTree/audit.TileWidth {
		return nil, fmt.Errorf("%w: %+v", audit.ErrRange, id)
	}
	first, level := id.N*audit.TileWidth, 8*id.Level
	end := first + uint64(id.Width)
	h, err := l.current(ctx, 0)
	if err != nil {
		return nil, err
	}
	if end > h.size>>level {
		return nil, fmt.Errorf("%w: %s in a log of %d", audit.ErrRange, id.Path(), h.size)
	}
	var b []byte
	if id.Entries {
		for e, err := range readEntries(ctx, l.db, first, end) {
			if err == nil {
				b, err = audit.AppendBundle(b, e.Leaf)
			}
			if err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	ids := make([]audit.NodeID, id.Width)
	for i := range ids {
		ids[i] = audit.NodeID{Level: level, Index: first + uint64(i)}
	}
	hashes, err := l.Nodes(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b, nil
}
