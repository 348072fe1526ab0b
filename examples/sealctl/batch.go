package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/courtseal/courtseal/examples/internal/batch"
	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

type batchFlags struct {
	dir  string
	jobs int
	sync bool
}

func (m *Main) batchFlags(flags *pflag.FlagSet, f *batchFlags) {
	flags.StringVar(&f.dir, "out-dir", "", m.say("批量签章：把每个 IN 以原名写入此目录", "seal every IN into this directory, under its own name"))
	flags.IntVar(&f.jobs, "jobs", 0, m.say("用于 --out-dir：同时处理的文件数；不给则为处理器数", "with --out-dir: files at a time; without it the number of processors"))
	flags.BoolVar(&f.sync, "sync", false, m.say("用于 --out-dir：每个文件确已写入磁盘才算完成，断电也不丢失", "with --out-dir: a file is done when the disk has it, so that it outlasts a power cut"))
}

func (m *Main) checkBatch(f batchFlags) error {
	switch {
	case f.jobs < 0:
		return fmt.Errorf(m.say("--jobs %d 应大于零", "--jobs %d is not a number of files"), f.jobs)
	case f.dir == "" && (f.jobs != 0 || f.sync):
		return errors.New(m.say("--jobs 和 --sync 只与 --out-dir 一起使用", "--jobs and --sync go with --out-dir"))
	}
	return nil
}

// outcomeLine is what --json prints of one file.
type outcomeLine struct {
	File   string     `json:"file"`
	Out    string     `json:"out"`
	Status string     `json:"status"` // ok, skip, fail
	ID     string     `json:"id,omitempty"`
	Error  string     `json:"error,omitempty"`
	Notes  []noteLine `json:"notes,omitempty"`
}

type noteLine struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func notesOf(r *document.Result) (notes []noteLine) {
	for _, n := range r.Notes {
		notes = append(notes, noteLine(n))
	}
	return notes
}

func (m *Main) runBatch(ctx context.Context, f sealFlags, files []string, s *seal.Seal, stamp sign.Signer, options document.Options) error {
	options.Sync = f.batch.sync
	name, err := json.Marshal(f.place)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	job := &batch.Job{Signer: stamp, Seal: s, Dir: f.batch.dir, Name: string(name), Options: options, Workers: f.batch.jobs}
	bar := m.newBar(len(files), m.say("签章", "sealing"))
	count := map[batch.Status]int{}
	err = job.Run(ctx, files, func(o batch.Outcome) {
		count[o.Status]++
		bar.step(func() {
			if err := m.printOutcome(o, f.asJSON); err != nil {
				stop(err)
			}
		})
	})
	bar.end()
	if sum := count[batch.Done] + count[batch.Skipped] + count[batch.Failed]; sum > 0 || errors.Is(err, context.Canceled) {
		fmt.Fprintf(m.Stderr, m.say("签章 %d 个，已有 %d 个，失败 %d 个", "%d sealed, %d there already, %d failed"),
			count[batch.Done], count[batch.Skipped], count[batch.Failed])
		if left := len(files) - sum; left > 0 {
			fmt.Fprintf(m.Stderr, m.say("，未处理 %d 个；以同样的参数再次运行即可继续", ", %d left; the same command goes on from here"), left)
		}
		fmt.Fprintln(m.Stderr)
	}
	if err == nil {
		err = context.Cause(ctx) // of printing the last one
	}
	if err == nil && count[batch.Failed] > 0 || errors.Is(err, context.Canceled) {
		return exitCode(exitFailed)
	}
	return err
}

// printOutcome prints the line of one file, and what is to be noted to standard error.
func (m *Main) printOutcome(o batch.Outcome, asJSON bool) error {
	if asJSON {
		line := outcomeLine{File: o.In, Out: o.Out, Status: string(o.Status), ID: o.ID}
		if o.Err != nil {
			line.Error = o.Err.Error()
		}
		if o.Result != nil {
			line.Notes = notesOf(o.Result)
		}
		return m.printJSON(line)
	}
	text := fmt.Sprintf("%s %s -> %s", o.Status, o.In, o.Out)
	if o.Err != nil {
		text = fmt.Sprintf("%s %s: %s", o.Status, o.In, m.explain(o.Err))
	}
	if o.Result != nil {
		m.printNotes(o.Out, o.Result)
	}
	_, err := fmt.Fprintln(m.Stdout, plain.Text(text))
	return err
}

// A bar shows how far a batch is, on standard error where that is a terminal. Nil: nowhere.
type bar struct{ *progressbar.ProgressBar }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (m *Main) newBar(n int, what string) *bar {
	if !isTerminal(m.Stderr) {
		return nil
	}
	return &bar{progressbar.NewOptions(n, progressbar.OptionSetWriter(m.Stderr), progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription(what))}
}

// at moves the bar to a place.
func (b *bar) at(done, total uint64) {
	if b == nil {
		return
	}
	b.ChangeMax64(int64(total))
	b.Set64(int64(done))
}

// step prints something where the bar stands, and the bar, one further, below it.
func (b *bar) step(print func()) {
	if b == nil {
		print()
		return
	}
	b.Clear()
	print()
	b.Add(1)
}

func (b *bar) end() {
	if b != nil {
		b.Clear()
	}
}
