package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/verify"
)

// logFlags say what is known of ledgers, to judge evidence with.
type logFlags struct{ keys, checkpoints, tiles []string }

func (m *Main) logFlags(flags *pflag.FlagSet) *logFlags {
	f := &logFlags{}
	flags.StringArrayVar(&f.keys, "log", nil, m.say("信任的账本公钥 NAME+HASH+KEY，或其文件，每行一个；制章者写入印章的公钥无须给出，可多次给出",
		"key of a ledger to trust, NAME+HASH+KEY, or a file of keys, one a line; those that the maker of a seal\nput into it need not be given; may be repeated"))
	flags.StringArrayVar(&f.checkpoints, "checkpoint", nil, m.say("以前见过的账本检查点文件，用于发现分叉的账本，可多次给出", "file of a checkpoint of a ledger seen before, to find one that is forked; may be repeated"))
	flags.StringArrayVar(&f.tiles, "tiles", nil, m.say("账本副本的目录（C2SP tlog-tiles），证据须与其同源，须以 --log 给出公钥，可多次给出",
		"directory with the copy of a ledger (C2SP tlog-tiles), whose history that of the evidence must be;\nits key is given with --log; may be repeated"))
	return f
}

// logs reads what the flags name.
func (f *logFlags) logs() (l verify.Logs, err error) {
	for _, k := range f.keys {
		keys, err := readLogKeys(k)
		if err != nil {
			return l, err
		}
		l.Keys = append(l.Keys, keys...)
	}
	var trees []*audit.Tiles
	for _, dir := range f.tiles {
		t, err := audit.OpenTiles(os.DirFS(dir), l.Keys...)
		if err != nil {
			return l, fmt.Errorf("%s: %w", dir, err)
		}
		trees = append(trees, t)
		l.Trees = append(l.Trees, verify.Tree{Checkpoint: t.Note(), Nodes: t})
	}
	for _, name := range f.checkpoints {
		note, head, err := readCheckpoint(name)
		if err != nil {
			return l, fmt.Errorf("%s: %w", name, err)
		}
		tree := verify.Tree{Checkpoint: note}
		for _, t := range trees {
			if t.Head().Origin == head.Origin && t.Head().Size >= head.Size {
				tree.Nodes = t
			}
		}
		l.Trees = append(l.Trees, tree)
	}
	return l, nil
}

// readLogKeys reads a key, or a file of keys: one a line, lines that begin with # left out.
func readLogKeys(arg string) ([]audit.Verifier, error) {
	key, err := audit.ParseVerifier(arg)
	if err == nil {
		return []audit.Verifier{key}, nil
	}
	text, readErr := readSmall(arg)
	if readErr != nil {
		if strings.Count(arg, "+") >= 2 {
			return nil, err // a key, and a wrong one
		}
		return nil, readErr
	}
	var keys []audit.Verifier
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if key, err = audit.ParseVerifier(line); err != nil {
			return nil, fmt.Errorf("%s: %w", arg, err)
		}
		keys = append(keys, key)
	}
	if keys == nil {
		return nil, fmt.Errorf("%s: %w: it has none", arg, audit.ErrKey)
	}
	return keys, nil
}

// readCheckpoint reads a signed note and what its text says; who signed it is asked when it is used.
func readCheckpoint(name string) ([]byte, audit.Checkpoint, error) {
	note, err := readSmall(name)
	if err != nil {
		return nil, audit.Checkpoint{}, err
	}
	text, _, ok := strings.Cut(string(note), "\n\n")
	if !ok {
		return nil, audit.Checkpoint{}, fmt.Errorf("%w: no checkpoint with signatures", audit.ErrFormat)
	}
	head, err := audit.ParseCheckpoint([]byte(text + "\n"))
	return note, head, err
}

var errTooLong = errors.New("the file is too long for what it should be")

// readSmall reads a file that is no longer than a signed note may be.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, audit.MaxNote+1))
	if err == nil && len(b) > audit.MaxNote {
		err = fmt.Errorf("%s: %w", name, errTooLong)
	}
	return b, err
}
