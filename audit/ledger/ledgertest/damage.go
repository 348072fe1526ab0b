package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

func (s *suite) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

type savedHead struct {
	epoch, size int64
	note        []byte
}

func (s *suite) saveHead(t testing.TB) (h savedHead) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), "SELECT epoch, size, note FROM ledger_head").Scan(&h.epoch, &h.size, &h.note); err != nil {
		t.Fatal(err)
	}
	return h
}

// restore makes the store what it was: a shorter one.
func (s *suite) restore(t testing.TB, h savedHead) {
	t.Helper()
	s.exec(t, "DELETE FROM ledger_entry WHERE idx >= $1", h.size)
	s.exec(t, "UPDATE ledger_head SET epoch = $1, size = $2, note = $3", h.epoch, h.size, h.note)
}

func testOlderStore(t *testing.T, s *suite) {
	ctx := t.Context()
	l := s.create(t)
	add(t, l, "0", "1", "2", "3", "4")
	h := s.saveHead(t)
	add(t, l, "5", "6", "7")
	s.restore(t, h)
	if _, err := l.Do(ctx, func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil }); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("a log whose store became older: %v", err)
	}
	l.Close()
	if _, err := ledger.Open(ctx, s.db, s.options()); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Open of an older store: %v", err)
	}
	r, err := ledger.Verify(ctx, s.db, s.options(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); !errors.Is(err, ledger.ErrForked) || r.Witnessed != 8 {
		t.Errorf("Verify of an older store: %v (witnessed %d)", err, r.Witnessed)
	}
}

func testOtherHistory(t *testing.T, s *suite) {
	ctx := t.Context()
	l := s.create(t)
	empty := s.saveHead(t)
	add(t, l, "0", "1", "2", "3", "4")
	l.Close()
	seen := s.witness
	s.restore(t, empty)
	s.witness += "-new"
	l = s.open(t)
	add(t, l, "0", "1", "2", "three", "4", "5")
	l.Close()
	s.verify(t, 6)
	s.witness = seen
	if _, err := ledger.Open(ctx, s.db, s.options()); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Open of another history: %v", err)
	}
	r, err := ledger.Verify(ctx, s.db, s.options(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Verify of another history: %v", err)
	}
}

// redact takes private values out of an entry as a program does.
func redact(t testing.TB, l *ledger.Log, index uint64, names ...string) error {
	_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		leaf, err := tx.Redact(ctx, index, names...)
		if err != nil {
			return nil, err
		}
		leaf.Fields["reason"] = "file closed"
		b, err := leaf.Marshal()
		return []ledger.Entry{{Leaf: b}}, err
	})
	return err
}

func testRedact(t *testing.T, s *suite) {
	ctx := t.Context()
	l := s.create(t)
	_, err := l.Do(ctx, func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		return []ledger.Entry{private(t, tx, "a"), private(t, tx, "b"), entry(t, tx, "c")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before, err := l.Entry(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := redact(t, l, 0, "person"); err != nil {
		t.Fatal(err)
	}
	after, err := l.Entry(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := audit.ParsePrivate(after.Private)
	if err != nil || !p["person"].Redacted() || p["witness"].Value != "李四" || string(after.Leaf) != string(before.Leaf) {
		t.Errorf("after redaction: %v %v", p, err)
	}
	if r := s.verify(t, 4); r.Redacted != 1 {
		t.Errorf("%d redacted", r.Redacted)
	}
	for name, err := range map[string]error{
		"once more":     redact(t, l, 0, "person"),
		"another field": redact(t, l, 0, "text"),
		"no field":      redact(t, l, 1),
		"no such entry": redact(t, l, 9, "person"),
	} {
		if !errors.Is(err, ledger.ErrNoEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		_, err := tx.Redact(ctx, 1, "person")
		return nil, err
	})
	if !errors.Is(err, ledger.ErrLeaf) {
		t.Errorf("a redaction that nothing tells of: %v", err)
	}
	if r, err := l.Receipt(ctx, 0); err != nil {
		t.Error(err)
	} else {
		check(t, r)
	}
	s.verify(t, 4)

	s.exec(t, "UPDATE ledger_entry SET private = $1 WHERE idx = 0", before.Private)
	s.damaged(t, "a redacted value is there again")
	s.exec(t, "UPDATE ledger_entry SET private = $1 WHERE idx = 0", after.Private)
	p = audit.Private{"person": {}, "witness": {}}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s.exec(t, "UPDATE ledger_entry SET private = $1 WHERE idx = 1", b)
	s.damaged(t, "a value was taken out without an entry")
}

// damaged expects that Verify finds something, with the witness out of the way.
func (s *suite) damaged(t testing.TB, what string) {
	t.Helper()
	o := s.options()
	o.Witness = nil
	r, err := ledger.Verify(t.Context(), s.db, o, nil)
	if err != nil {
		t.Errorf("%s: Verify could not answer: %v", what, err)
		return
	}
	if r.Err() == nil {
		t.Errorf("%s: not found", what)
	}
}

// Every byte of every column of every row is changed, and rows are taken away, moved and doubled.
func testTampered(t *testing.T, s *suite) {
	l := s.create(t)
	for i := range 3 {
		_, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			return []ledger.Entry{entry(t, tx, fmt.Sprint("a", i)), private(t, tx, fmt.Sprint("b", i))}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.advance(time.Second)
	}
	if err := redact(t, l, 1, "person"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.verify(t, 7)
	s.db.SetMaxOpenConns(1) // for what is set on it; nothing needs a second one now
	if s.Dialect == ledger.SQLite {
		s.exec(t, "PRAGMA ignore_check_constraints = ON")
		s.exec(t, "PRAGMA synchronous = OFF")
	} else {
		s.exec(t, "SET synchronous_commit = off")
		s.exec(t, "ALTER TABLE ledger_head DROP CONSTRAINT ledger_head_id_check")
	}
	changes := 0
	for _, c := range s.cells(t) {
		for what, v := range c.variants() {
			if _, err := s.db.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", c.table, c.column, c.key), v, c.row); err != nil {
				if c.bytes == nil && c.column != "private" {
					continue // a number that the column does not take, or an index that is taken
				}
				t.Fatalf("%s: %v", what, err)
			}
			changes++
			s.damaged(t, what)
			row := any(c.row)
			if c.column == c.key {
				row = v
			}
			s.exec(t, fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", c.table, c.column, c.key), c.value(), row)
		}
	}
	t.Logf("%d changes", changes)
	s.verify(t, 7)
	s.damagedSignatures(t)
	s.verify(t, 7)
	s.damagedRows(t)
	s.verify(t, 7)
}

// damagedSignatures takes a whole signature from the head: what is left is a good note, but not the one that the witness saw.
func (s *suite) damagedSignatures(t *testing.T) {
	head := s.saveHead(t)
	lines := bytes.SplitAfter(head.note, []byte("\n"))
	for i := 4; i < 6; i++ { // after the text and the empty line
		s.exec(t, "UPDATE ledger_head SET note = $1", bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil))
		r, err := ledger.Verify(t.Context(), s.db, s.options(), nil)
		if err != nil || !errors.Is(r.Err(), ledger.ErrDamaged) {
			t.Errorf("signature %d of the head removed: %v, %v", i-3, r, err)
		}
		s.restore(t, head)
	}
}

// damagedRows takes rows away, exchanges their parts, and adds some.
func (s *suite) damagedRows(t *testing.T) {
	const columns = "idx, hashes, leaf, private"
	s.exec(t, "CREATE TABLE kept AS SELECT * FROM ledger_entry")
	s.exec(t, "CREATE TABLE kept_head AS SELECT * FROM ledger_head")
	restore := func(what string) {
		t.Helper()
		s.damaged(t, what)
		s.exec(t, "DELETE FROM ledger_entry")
		s.exec(t, "INSERT INTO ledger_entry ("+columns+") SELECT "+columns+" FROM kept")
		s.exec(t, "DELETE FROM ledger_head")
		s.exec(t, "INSERT INTO ledger_head SELECT * FROM kept_head")
	}
	for i := range 7 {
		s.exec(t, "DELETE FROM ledger_entry WHERE idx = $1", i)
		restore(fmt.Sprint("entry removed ", i))
		s.exec(t, "DELETE FROM ledger_entry WHERE idx >= $1", i)
		restore(fmt.Sprint("entries removed from ", i))
		s.exec(t, "DELETE FROM ledger_entry WHERE idx <= $1", i)
		restore(fmt.Sprint("entries removed up to ", i))
		s.exec(t, "DELETE FROM ledger_entry WHERE idx = $1", i)
		s.exec(t, "UPDATE ledger_entry SET idx = idx - 100 WHERE idx > $1", i)
		s.exec(t, "UPDATE ledger_entry SET idx = idx + 99 WHERE idx < 0")
		s.exec(t, "UPDATE ledger_head SET size = 6")
		restore(fmt.Sprint("entry removed, others moved up ", i))
		for _, part := range []string{"idx", "hashes", "leaf", "private", "leaf, hashes", "leaf, private", "hashes, leaf, private"} {
			for j := range i {
				if i+j == 0 || !s.swap(t, i, j, part) {
					continue
				}
				restore(fmt.Sprintf("%s of %d and %d exchanged", part, i, j))
			}
		}
	}
	s.exec(t, "INSERT INTO ledger_entry ("+columns+") SELECT 7, hashes, leaf, private FROM kept WHERE idx = 6")
	restore("an entry too many")
	s.exec(t, "INSERT INTO ledger_entry ("+columns+") SELECT -1, hashes, leaf, private FROM kept WHERE idx = 6")
	restore("an entry before the first")
	s.exec(t, "DELETE FROM ledger_head")
	restore("no head")
	s.exec(t, "INSERT INTO ledger_head SELECT 2, version, epoch, size, note FROM kept_head")
	restore("two heads")
	s.exec(t, "DELETE FROM ledger_entry")
	s.exec(t, "DELETE FROM ledger_head")
	restore("nothing left")
}

// swap exchanges columns of two rows, and tells whether that makes a difference.
func (s *suite) swap(t *testing.T, i, j int, part string) bool {
	if part == "idx" {
		for _, m := range [][2]int{{i, -9}, {j, i}, {-9, j}} {
			s.exec(t, "UPDATE ledger_entry SET idx = $1 WHERE idx = $2", m[1], m[0])
		}
		return true
	}
	var differ bool
	for column := range strings.SplitSeq(part, ", ") {
		var a, b []byte
		get := "SELECT " + column + " FROM ledger_entry WHERE idx = $1"
		if err := s.db.QueryRowContext(t.Context(), get, i).Scan(&a); err != nil {
			t.Fatal(err)
		}
		if err := s.db.QueryRowContext(t.Context(), get, j).Scan(&b); err != nil {
			t.Fatal(err)
		}
		differ = differ || string(a) != string(b)
		s.exec(t, "UPDATE ledger_entry SET "+column+" = $1 WHERE idx = $2", b, i)
		s.exec(t, "UPDATE ledger_entry SET "+column+" = $1 WHERE idx = $2", a, j)
	}
	return differ
}

// A cell is a value of the store.
type cell struct {
	table, column, key string
	row                int64
	number             int64
	bytes              []byte // nil: a number, or NULL
}

func (c cell) value() any {
	switch {
	case c.bytes != nil:
		return c.bytes
	case c.column == "private":
		return nil
	}
	return c.number
}

// variants are other values for a cell.
func (c cell) variants() map[string]any {
	all := map[string]any{}
	name := fmt.Sprintf("%s %d, %s", c.table, c.row, c.column)
	switch {
	case c.bytes != nil:
		for i := range c.bytes {
			if testing.Short() && i%7 != 0 {
				continue
			}
			b := append([]byte(nil), c.bytes...)
			b[i] ^= 1 << (i % 8)
			all[fmt.Sprintf("%s: byte %d", name, i)] = b
		}
		all[name+": a byte less"] = append([]byte{}, c.bytes[:len(c.bytes)-1]...)
		all[name+": a byte more"] = append(append([]byte{}, c.bytes...), 0)
		all[name+": empty"] = []byte{}
		if c.column == "private" {
			all[name+": NULL"] = nil
		}
	case c.column == "private":
		all[name+": empty"] = []byte{}
		all[name+": a byte"] = []byte{0}
		all[name+": a value"] = []byte("courtseal.private/v1\ntext -\n")
	default:
		for bit := range 63 {
			all[fmt.Sprintf("%s: bit %d", name, bit)] = c.number ^ 1<<bit
		}
		all[name+": negative"] = -c.number - 1
	}
	return all
}

func (s *suite) cells(t *testing.T) (cells []cell) {
	for _, q := range []struct {
		table, key string
		columns    []string
		numbers    int // so many of them are numbers
	}{
		{"ledger_entry", "idx", []string{"idx", "hashes", "leaf", "private"}, 1},
		{"ledger_head", "id", []string{"id", "version", "epoch", "size", "note"}, 4},
	} {
		rows, err := s.db.QueryContext(t.Context(), "SELECT "+strings.Join(q.columns, ", ")+" FROM "+q.table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			numbers, blobs := make([]int64, len(q.columns)), make([][]byte, len(q.columns))
			var into []any
			for i := range q.columns {
				if i < q.numbers {
					into = append(into, &numbers[i])
				} else {
					into = append(into, &blobs[i])
				}
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, column := range q.columns {
				cells = append(cells, cell{q.table, column, q.key, numbers[0], numbers[i], blobs[i]})
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return cells
}

// checkTiles holds every file of an export against what the log says of it by itself.
func checkTiles(t *testing.T, l *ledger.Log, dir string) {
	t.Helper()
	fsys := os.DirFS(dir)
	err := fs.WalkDir(fsys, "tile", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		id, err := audit.ParseTilePath(name)
		if err != nil {
			return err
		}
		file, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if tile, err := l.Tile(t.Context(), id); err != nil || !bytes.Equal(tile, file) {
			t.Errorf("%s is another one: %v", name, err)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // of an empty log there is none
		t.Error(err)
	}
	for _, id := range []audit.TileID{{N: 1000, Width: 1}, {Level: 7, Width: 1}, {Level: 8, Width: 1}, {Entries: true, N: 1 << 60, Width: 1}, {Width: 0}, {Width: 257}} {
		if _, err := l.Tile(t.Context(), id); !errors.Is(err, audit.ErrRange) {
			t.Errorf("%+v: %v", id, err)
		}
	}
}

// testExport reads the export as C2SP tiles, and has golang.org/x/mod/sumdb/tlog build the tree of profile SHA-256 from the
// entries in it.
func testExport(t *testing.T, s *suite) {
	ctx := t.Context()
	o := s.options()
	o.Origin, o.Signers = OriginSHA256, Signers(OriginSHA256)
	l := opened(t)(ledger.Create(ctx, s.db, o))
	dir := t.TempDir()
	size := 0
	for _, grow := range []int{0, 3, 253, 1, 300, 0, 211, 700} {
		if grow > 0 {
			texts := make([]string, grow)
			for i := range texts {
				texts[i] = fmt.Sprint(size + i)
			}
			add(t, l, texts...)
			size += grow
		}
		note, err := l.Export(ctx, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		fresh := t.TempDir()
		if _, err := l.Export(ctx, fresh, nil); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{dir, fresh} {
			tiles, err := audit.OpenTiles(os.DirFS(d), Keys(OriginSHA256)...)
			if err != nil {
				t.Fatal(err)
			}
			if string(tiles.Note()) != string(note) || tiles.Head().Size != uint64(size) {
				t.Errorf("export of %d says %d", size, tiles.Head().Size)
			}
			if err := tiles.Verify(ctx, nil); err != nil {
				t.Errorf("export of %d: %v", size, err)
			}
			checkTlog(t, tiles)
			checkTiles(t, l, d)
		}
	}
	// A directory of another log is left alone, and so is one that is ahead.
	h := s.saveHead(t)
	add(t, l, "one more")
	if _, err := l.Export(ctx, dir, nil); err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.restore(t, h)
	o.Witness = ledger.Unwitnessed
	l = opened(t)(ledger.Open(ctx, s.db, o))
	if _, err := l.Export(ctx, dir, nil); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("export into a newer one: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, audit.CheckpointPath), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Export(ctx, other, nil); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("export into something else: %v", err)
	}
	// A leaf that was changed does not come out.
	s.exec(t, "UPDATE ledger_entry SET leaf = $1 WHERE idx = 5", []byte("courtseal.leaf/v1 test\n"))
	fresh := t.TempDir()
	if _, err := l.Export(ctx, fresh, nil); !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("export of a damaged store: %v", err)
	}
	if _, err := os.Stat(filepath.Join(fresh, audit.CheckpointPath)); err == nil {
		t.Error("a checkpoint over a damaged store")
	}
}

func checkTlog(t *testing.T, tiles *audit.Tiles) {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			hashes[i] = stored[at]
		}
		return hashes, nil
	})
	n := int64(0)
	for e, err := range tiles.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		hashes, err := tlog.StoredHashes(n, e, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		n++
	}
	root, err := tlog.TreeHash(n, read)
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		return // tlog has zeros for the empty tree, and RFC 6962 the hash of nothing
	}
	if head := tiles.Head(); n != int64(head.Size) || audit.Hash(root) != head.Root {
		t.Errorf("tlog builds %s over %d entries, and the checkpoint has %s over %d", root, n, head.Root, head.Size)
	}
}
