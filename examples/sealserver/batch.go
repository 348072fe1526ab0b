package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

const maxBatch = 10_000 // files of a batch

// A batch is many documents sealed alike. What is known of it stands in its directory, so that it goes on where it was when
// the server starts again:
//
//	batch.json     how it is sealed, and whose it is
//	KEY.name       the name of a file, once its document is whole; KEY is of its name
//	KEY.document   the document
//	KEY.sealed     sealed; whole, or not there
//	KEY.problem    why it was not sealed
//
// Each document is a request to seal of its own, whose id is that of the batch and KEY: one that was being sealed when the
// server ended has the answer that it would have had.
type batch struct {
	batchSettings
	dir   string
	mu    sync.Mutex
	files map[string]*batchFile // by name
	gone  bool                  // it was deleted
}

// batchSettings are what batch.json holds.
type batchSettings struct {
	ID   string  `json:"batch"`
	App  string  `json:"app"`
	Seal string  `json:"seal"`
	How  sealing `json:"how"`
}

// A batchFile is one document of a batch.
type batchFile struct {
	Name    string   `json:"name"`
	State   string   `json:"state"` // queued, sealed, failed
	Use     string   `json:"use"`   // id of its use, once it is sealed
	Source  string   `json:"source"`
	Problem *problem `json:"problem,omitempty"`
}

var (
	errBatchOther = errors.New("there is a batch of this name with other settings")
	errFileOther  = errors.New("the batch has another document of this name")
	errNotSealed  = errors.New("the document is not sealed")
	errNoBatch    = errors.New("there is no such batch or document")
)

// batches seals in the background.
type batches struct {
	server *server
	dir    string
	ctx    context.Context // ends with the server
	stop   context.CancelFunc
	work   sync.WaitGroup
	turns  chan struct{} // one for each document that may be sealed at a time

	mu  sync.Mutex
	all map[string]*batch // by app and id
}

// openBatches reads what is in dir, and goes on with what is not done.
func (s *server) openBatches(dir string) (*batches, error) {
	b := &batches{server: s, dir: dir, turns: make(chan struct{}, runtime.GOMAXPROCS(0)), all: map[string]*batch{}}
	b.ctx, b.stop = context.WithCancel(context.Background())
	names, err := filepath.Glob(filepath.Join(dir, "*", "batch.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		one := &batch{dir: filepath.Dir(name), files: map[string]*batchFile{}}
		if err := readFile(name, &one.batchSettings); err != nil {
			return nil, err
		}
		if err := one.look(); err != nil {
			return nil, err
		}
		b.all[one.App+"\x00"+one.ID] = one
		for _, f := range one.files {
			if f.State == "queued" {
				b.queue(one, f)
			}
		}
	}
	return b, os.MkdirAll(dir, 0o700)
}

// close lets what is being sealed finish, and begins nothing more.
func (b *batches) close() {
	b.stop()
	b.work.Wait()
}

// look finds the files of a batch.
func (b *batch) look() error {
	half, err := filepath.Glob(filepath.Join(b.dir, "*new-*")) // what a server was writing when it was killed
	if err != nil {
		return err
	}
	for _, name := range half {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	names, err := filepath.Glob(filepath.Join(b.dir, "*.name"))
	if err != nil {
		return err
	}
	for _, name := range names {
		f := &batchFile{State: "queued"}
		if err := readFile(name, f); err != nil {
			return err
		}
		base := strings.TrimSuffix(name, ".name")
		if _, err := os.Stat(base + ".sealed"); err == nil {
			f.State, f.Use = "sealed", useID(b.App, b.request(f))
		} else if err := readFile(base+".problem", &f.Problem); err == nil {
			f.State = "failed"
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b.files[f.Name] = f
	}
	return nil
}

func readFile(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func writeFile(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return disk.Replace(name, b)
}

// keyOf names things on disk and in requests whose own names may be anything.
func keyOf(parts ...string) string {
	return hex.EncodeToString(sign.SM3.Sum([]byte(strings.Join(parts, "\x00")))[:16])
}

func (b *batch) path(f *batchFile, kind string) string {
	return filepath.Join(b.dir, keyOf(f.Name)+"."+kind)
}

// create makes a batch, or finds the one that was made alike.
func (b *batches) create(s batchSettings) (*batch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := s.App + "\x00" + s.ID
	if old := b.all[name]; old != nil {
		x, err := json.Marshal(old.batchSettings)
		y, err2 := json.Marshal(s)
		if string(x) != string(y) {
			return nil, errors.Join(fmt.Errorf("%w: %s", errBatchOther, s.ID), err, err2)
		}
		return old, nil
	}
	one := &batch{batchSettings: s, dir: filepath.Join(b.dir, keyOf(s.App, s.ID)), files: map[string]*batchFile{}}
	if err := os.MkdirAll(one.dir, 0o700); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(one.dir, "batch.json"), s); err != nil {
		return nil, err
	}
	b.all[name] = one
	return one, nil
}

func (b *batches) find(app, id string) (*batch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one := b.all[app+"\x00"+id]; one != nil {
		return one, nil
	}
	return nil, fmt.Errorf("%w: batch %s", errNoBatch, id)
}

// remove deletes a batch and its files. The uses stay in the books.
func (b *batches) remove(app, id string) error {
	one, err := b.find(app, id)
	if err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.all, app+"\x00"+id)
	b.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	one.gone = true
	return os.RemoveAll(one.dir)
}

// add takes a document into a batch, or finds it there: one that failed is tried again.
func (b *batches) add(one *batch, name string, up *upload) (batchFile, error) {
	h := sign.SM3.New()
	if _, err := io.Copy(h, io.NewSectionReader(up, 0, up.Size)); err != nil {
		return batchFile{}, err
	}
	source := hex.EncodeToString(h.Sum(nil))
	one.mu.Lock()
	defer one.mu.Unlock()
	f := one.files[name]
	switch {
	case one.gone:
		return batchFile{}, fmt.Errorf("%w: batch %s", errNoBatch, one.ID)
	case f != nil && f.Source != source:
		return batchFile{}, fmt.Errorf("%w: %s", errFileOther, name)
	case f != nil && f.State != "failed":
		return *f, nil
	case f == nil && len(one.files) >= maxBatch:
		return batchFile{}, fmt.Errorf("%w: a batch has at most %d documents", errTooMuch, maxBatch)
	}
	f = &batchFile{Name: name, State: "queued", Source: source}
	if err := one.keep(f, up); err != nil {
		return batchFile{}, err
	}
	one.files[name] = f
	b.queue(one, f)
	return *f, nil
}

// keep writes a document, and then its name.
func (b *batch) keep(f *batchFile, up *upload) error {
	out, err := os.Create(b.path(f, "document"))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(up, 0, up.Size))
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Remove(b.path(f, "problem")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeFile(b.path(f, "name"), f)
}

// queue has a document sealed when its turn comes.
func (b *batches) queue(one *batch, f *batchFile) {
	b.work.Go(func() {
		select {
		case b.turns <- struct{}{}:
			defer func() { <-b.turns }()
		case <-b.ctx.Done():
			return
		}
		if b.ctx.Err() == nil {
			b.seal(one, f)
		}
	})
}

// seal seals one document of a batch. What fails is the document's own; what it left in the books is answered again.
func (b *batches) seal(one *batch, f *batchFile) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), workTime)
	defer cancel()
	use, err := one.seal(ctx, b.server, f)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.gone {
		return
	}
	if err == nil {
		f.State, f.Use = "sealed", use
		return
	}
	p := problemOf(err)
	f.State, f.Problem = "failed", &p
	if err = errors.Join(err, writeFile(one.path(f, "problem"), p)); p.Status >= http.StatusInternalServerError {
		b.server.log.Error("not sealed", slog.String("batch", one.ID), slog.String("error", err.Error()))
	}
}

func (b *batch) seal(ctx context.Context, s *server, f *batchFile) (use string, err error) {
	defer func() { // a file that brings the server down would bring it down at each start
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	in, err := os.Open(b.path(f, "document"))
	if err != nil {
		return "", err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return "", err
	}
	out, err := os.CreateTemp(b.dir, "new-*")
	if err != nil {
		return "", err
	}
	up := &upload{ReaderAt: in, Size: info.Size()}
	r, err := s.seal(ctx, rewritten{out}, registry.App(b.App), b.request(f), b.Seal, b.How, f.Name, up)
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(out.Name(), b.path(f, "sealed"))
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return r.Act.ID, nil
}

// A rewritten file can begin anew.
type rewritten struct{ *os.File }

func (f rewritten) Reset() error {
	_, err := f.Seek(0, io.SeekStart)
	return errors.Join(err, f.Truncate(0))
}

// request is the id of the request to seal a document of the batch.
func (b *batch) request(f *batchFile) string { return "batch." + keyOf(b.ID, f.Name) }

// report is the state of a batch, its documents by name.
func (b *batch) report() (r batchReport) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.Batch, r.Seal, r.Documents = b.ID, b.Seal, []batchFile{}
	for _, f := range b.files {
		r.Documents = append(r.Documents, *f)
		switch f.State {
		case "sealed":
			r.Sealed++
		case "failed":
			r.Failed++
		default:
			r.Queued++
		}
	}
	slices.SortFunc(r.Documents, func(x, y batchFile) int { return cmp.Compare(x.Name, y.Name) })
	return r
}

type batchReport struct {
	Batch     string      `json:"batch"`
	Seal      string      `json:"seal"`
	Queued    int         `json:"queued"`
	Sealed    int         `json:"sealed"`
	Failed    int         `json:"failed"`
	Documents []batchFile `json:"documents"`
}

// checkFileName wants a name that people can read.
func checkFileName(name string) error {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%w: the name of a document is 1 to 255 bytes of UTF-8 without control characters", errParameter)
	}
	return nil
}

// putBatch makes a batch: its id is the caller's, so that to make it again changes nothing.
func putBatch(c *call) error {
	s := batchSettings{ID: c.PathValue("batch"), App: c.by.App}
	if err := checkKey(s.ID); err != nil {
		return err
	}
	var q struct {
		Seal string `json:"seal"`
		sealing
	}
	if err := c.read(&q); err != nil {
		return err
	}
	s.Seal, s.How = q.Seal, q.sealing
	if _, err := s.How.options(""); err != nil {
		return err
	}
	if s.How.Password != "" || s.How.Application != "" {
		return fmt.Errorf("%w: a password, and an application, are of one document and not of a batch", errBody)
	}
	if err := c.has(s.Seal); err != nil {
		return err
	}
	if _, err := c.server.signer(c.Context(), c.by, s.Seal, s.How.purpose, ""); err != nil {
		return err
	}
	one, err := c.server.batches.create(s)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, one.report())
}

func getBatch(c *call) error {
	one, err := c.server.batches.find(c.by.App, c.PathValue("batch"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, one.report())
}

func deleteBatch(c *call) error {
	if err := c.server.batches.remove(c.by.App, c.PathValue("batch")); err != nil {
		return err
	}
	c.WriteHeader(http.StatusNoContent)
	return nil
}

// putDocument takes a document into a batch; it is sealed in the background.
func putDocument(c *call) error {
	one, err := c.server.batches.find(c.by.App, c.PathValue("batch"))
	if err != nil {
		return err
	}
	name := c.PathValue("name")
	if err := checkFileName(name); err != nil {
		return err
	}
	up, err := c.document()
	if err != nil {
		return err
	}
	defer up.Close()
	f, err := c.server.batches.add(one, name, up)
	if err != nil {
		return err
	}
	return c.answer(http.StatusAccepted, f)
}

// getDocument answers with the sealed document.
func getDocument(c *call) error {
	one, err := c.server.batches.find(c.by.App, c.PathValue("batch"))
	if err != nil {
		return err
	}
	one.mu.Lock()
	f := one.files[c.PathValue("name")]
	var state batchFile
	if f != nil {
		state = *f
	}
	one.mu.Unlock()
	switch {
	case f == nil:
		return fmt.Errorf("%w: document %s", errNoBatch, c.PathValue("name"))
	case state.Problem != nil:
		return fmt.Errorf("%w: %s", errNotSealed, state.Problem.Code)
	case state.State != "sealed":
		return fmt.Errorf("%w yet", errNotSealed)
	}
	sealed, err := os.Open(one.path(f, "sealed"))
	if err != nil {
		return err
	}
	defer sealed.Close()
	kind, err := document.KindOf(sealed)
	if err != nil {
		return err
	}
	c.Header().Set("Content-Type", kind.MediaType())
	c.Header().Set("Courtseal-Use", state.Use)
	_, err = io.Copy(c, sealed)
	return err
}
