// Package batch seals many files into one directory, so that a run which was killed can be started again.
//
// What is done of a batch is what stands in its directory, and nothing else is kept. A result appears under its final
// name only when it is whole. A run that finds a result there already looks into it: where it is its source, sealed with
// the seal of the job, the source is skipped; anything else is left alone and told as an error. So a run that was ended at
// any moment goes on when it is started again with the same files: none is sealed twice, and none is lost. A power cut may
// tear the last results, which are then such an error each, unless Options.Sync has the disk keep up.
//
// Files on their way stand in the directory's folder .sealing. It is there while a job runs, one job at a time for a
// directory; what a killed run left in it, the next one removes.
package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var (
	// ErrSameName: two sources would have one result. Nothing was sealed.
	ErrSameName = errors.New("batch: two files of one name")
	// ErrBusy: another job seals into the directory. Nothing was sealed.
	ErrBusy = errors.New("batch: another run seals into this directory")
	// ErrOther: what stands under the name of the result is not the source sealed with this seal. It stays.
	ErrOther = errors.New("batch: there is another file of this name")
)

// A Job says how files are sealed, and where to.
type Job struct {
	Signer  sign.Signer
	Seal    *seal.Seal       // that Signer stamps with; a result that bears it is done
	Dir     string           // of the results, made where it is not there; every file keeps its name
	Name    string           // stands for the arguments of the job in the ids of its acts: a run that goes on has the same
	Options document.Options // of every file; Document and the id of its Act are set for each
	Workers int              // files at a time; 0: GOMAXPROCS
}

// A Status says what became of a file.
type Status string

const (
	Done    Status = "ok"
	Skipped Status = "skip" // the result was there already
	Failed  Status = "fail"
)

// An Outcome tells of one file.
type Outcome struct {
	In, Out string
	Status  Status
	ID      string           // of the Act; empty where the signer was not asked
	Result  *document.Result // Done only
	Err     error            // Failed only
}

// ahead is how many outcomes may wait for an earlier file that takes longer.
const ahead = 256

// Run seals the files and tells of each as soon as all before it are told of: report is called in the order of the
// files, by one goroutine at a time. A file that fails does not stop the others; its error is in its Outcome. The error
// of Run says why the job did not begin, or why it ended before the last file: ctx, or an error of the key
// (*keydev.Error), which would fail every file after it and, where it is a wrong PIN, lock the device. Files that are
// being sealed are finished first, and there is no Outcome of a file that was not begun.
//
// Until a first file is sealed, one key is asked at a time, so that a PIN is asked for once, and a wrong one tried once.
func (j *Job) Run(ctx context.Context, files []string, report func(Outcome)) error {
	if err := distinct(files); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := filepath.Abs(j.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	work, leave, err := enter(j.Dir)
	if err != nil {
		return err
	}
	defer leave()
	r := &run{Job: j, work: work, dir: dir, gate: make(chan struct{}, 1)}
	r.gate <- struct{}{}
	return r.all(ctx, files, report)
}

// hopeless: no other file will fare better.
func hopeless(err error) bool {
	var key *keydev.Error
	return errors.As(err, &key)
}

func distinct(files []string) error {
	first := make(map[string]string, len(files))
	for _, f := range files {
		base := filepath.Base(f)
		if other, ok := first[base]; ok {
			return fmt.Errorf("%w: %s and %s", ErrSameName, other, f)
		}
		first[base] = f
	}
	return nil
}

// A run is one go at a job.
type run struct {
	*Job
	work  string // the folder of files on their way
	dir   string // Dir in full, for ids
	begun atomic.Int64
	gate  chan struct{} // one token for who may sign; closed once a file was sealed
	stop  context.CancelCauseFunc
}

// A ticket is a file on its way.
type ticket struct {
	in   string
	done chan Outcome
}

func (r *run) all(ctx context.Context, files []string, report func(Outcome)) error {
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	todo, order := make(chan ticket), make(chan ticket, ahead)
	go func() {
		defer close(order)
		defer close(todo)
		for _, in := range files {
			t := ticket{in, make(chan Outcome, 1)}
			if ctx.Err() != nil {
				return
			}
			select {
			case todo <- t:
				order <- t
			case <-ctx.Done():
				return
			}
		}
	}()
	workers := r.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for t := range todo {
				t.done <- r.file(ctx, t.in)
			}
		})
	}
	told := 0
	for t := range order {
		if o := <-t.done; o.Status != "" {
			report(o)
			told++
		}
	}
	working.Wait()
	if told < len(files) {
		return context.Cause(ctx)
	}
	return nil
}

// file seals one file. An Outcome without Status: ctx ended before it was begun.
func (r *run) file(ctx context.Context, in string) Outcome {
	o := Outcome{In: in, Out: filepath.Join(r.Dir, filepath.Base(in)), Status: Failed}
	_, err := os.Lstat(o.Out)
	switch {
	case err == nil:
		if o.Err = r.sealed(context.WithoutCancel(ctx), o.Out, in); o.Err == nil {
			o.Status = Skipped
		}
		return o
	case !errors.Is(err, fs.ErrNotExist):
		o.Err = err
		return o
	}
	if _, alone := <-r.gate; alone {
		if ctx.Err() != nil {
			o.Status = ""
			r.gate <- struct{}{}
			return o
		}
		defer func() {
			if o.Err == nil {
				close(r.gate)
			} else {
				r.gate <- struct{}{}
			}
		}()
	}
	o.Result, o.ID, o.Err = r.seal(context.WithoutCancel(ctx), o.Out, in)
	if o.Err == nil {
		o.Status = Done
	}
	if hopeless(o.Err) {
		r.stop(o.Err) // before another one may sign
	}
	return o
}

// seal seals a file, which is finished even if the job ends meanwhile.
func (r *run) seal(ctx context.Context, out, in string) (*document.Result, string, error) {
	options := r.Options
	options.Document = in
	s := &identified{Signer: r.Signer, job: r.Name, out: filepath.Join(r.dir, filepath.Base(in))}
	whole := filepath.Join(r.work, strconv.FormatInt(r.begun.Add(1), 10))
	result, err := document.SignFile(ctx, whole, in, s, options)
	if err == nil {
		err = r.place(out, whole)
	}
	if err != nil {
		return nil, s.id, err
	}
	result.Act.ID = s.id
	return result, s.id, nil
}

// moves are the ways to give a file a name that nothing has yet, the better first. Not every system and not every file
// system knows each.
var moves = []func(from, to string) error{renameNew, linkNew}

func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		os.Remove(from) // or the end of the run does
	}
	return err
}

// place gives a whole file its name, unless something has it.
func (r *run) place(out, whole string) error {
	err := errors.ErrUnsupported
	for _, move := range moves {
		if err = move(whole, out); err == nil || errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		if _, err = os.Lstat(out); err == nil {
			err = fs.ErrExist
		} else {
			err = os.Rename(whole, out)
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %s", ErrOther, out)
	case err == nil && r.Options.Sync:
		return disk.SyncFolder(r.Dir)
	}
	return err
}

// identified gives each Act an id that is the same whenever the same bytes are sealed by the same job for the same
// result, so that who keeps books of acts knows a second try for what it is.
type identified struct {
	sign.Signer
	job, out string
	id       string
}

func (s *identified) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	p := s.Profile()
	h := sha256.New()
	e := json.NewEncoder(h)
	spec := p.Specs[p.Format]
	e.Encode([]any{"courtseal batch 1", s.job, s.out, p.Format, p.Seal, spec.Chain[:min(1, len(spec.Chain))]})
	for _, name := range slices.Sorted(maps.Keys(act.Source)) {
		e.Encode([]any{name, act.Source[name]})
	}
	s.id = hex.EncodeToString(h.Sum(nil)[:16])
	named := *act
	named.ID = s.id
	return s.Signer.Sign(ctx, &named)
}
