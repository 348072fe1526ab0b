package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/examples/internal/database"
	"github.com/courtseal/courtseal/internal/plain"
)

func (m *Main) audit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: m.say("审计账本：核对、导出、证明、查看", "audit a ledger: check it, export it, prove from it, read it"),
		Long: m.say(`LEDGER 是账本所在的数据库（sqlite:文件，或 postgres:// URL），或其导出的目录。只读，不写入账本。
--log 给出账本的公钥；不知道公钥就无从核对。`,
			`LEDGER is the database that a ledger is in (sqlite:FILE, or a URL postgres://…), or a directory with an export of one. It is
only read. --log gives the ledger's key: without one nothing can be checked.`),
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf(m.say("没有命令 %q", "there is no command %q"), args[0])}
			}
			return usageError{errors.New(m.say("缺少命令", "a command is missing"))}
		},
	}
	cmd.AddCommand(m.auditVerify(), m.auditExport(), m.auditProve(), m.auditTail(), m.auditWitness())
	return cmd
}

// ledgerFlags say whose the ledger is.
type ledgerFlags struct {
	m    *Main
	keys []string
}

func (m *Main) ledgerFlags(cmd *cobra.Command) *ledgerFlags {
	f := &ledgerFlags{m: m}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringArrayVar(&f.keys, "log", nil, m.say("账本公钥 NAME+HASH+KEY，或其文件，每行一个，可多次给出", "key of the ledger, NAME+HASH+KEY, or a file of keys, one a line; may be repeated"))
	return f
}

// A book is a ledger that is read: one of log and tiles is there.
type book struct {
	log   *ledger.Log
	tiles *audit.Tiles
	keys  []audit.Verifier
	db    *sql.DB
}

func (b *book) close() {
	if b.log != nil {
		b.log.Close()
	}
	if b.db != nil {
		b.db.Close()
	}
}

// find opens what name names, as far as its head is not needed.
func (f *ledgerFlags) find(name string) (b *book, o ledger.Options, err error) {
	b = &book{}
	for _, k := range f.keys {
		keys, err := readLogKeys(k)
		if err != nil {
			return nil, o, err
		}
		b.keys = append(b.keys, keys...)
	}
	if len(b.keys) == 0 {
		return nil, o, usageError{errors.New(f.m.say("缺少 --log", "--log is missing"))}
	}
	if !database.IsURL(name) {
		if info, err := os.Stat(name); err != nil {
			return nil, o, err
		} else if !info.IsDir() {
			return nil, o, database.ErrName
		}
		b.tiles, err = audit.OpenTiles(os.DirFS(name), b.keys...)
		return b, o, err
	}
	if file, ok := strings.CutPrefix(name, "sqlite:"); ok {
		if _, err := os.Stat(file); err != nil { // SQLite's own words for that do not help
			return nil, o, err
		}
	}
	b.db, o, err = database.Open(name, ".", true)
	o.Origin, o.Keys, o.ReadOnly = b.keys[0].Name(), b.keys, true
	return b, o, err
}

func (f *ledgerFlags) open(ctx context.Context, name string) (*book, error) {
	b, o, err := f.find(name)
	if err == nil && b.db != nil {
		b.log, err = ledger.Open(ctx, b.db, o)
	}
	if err == nil {
		return b, nil
	}
	if b != nil {
		b.close()
	}
	return nil, fmt.Errorf("%s: %w", plainName(name), err)
}

// head is the newest checkpoint.
func (b *book) head(ctx context.Context) (note []byte, c audit.Checkpoint, err error) {
	if b.tiles != nil {
		return b.tiles.Note(), b.tiles.Head(), nil
	}
	if note, err = b.log.Checkpoint(ctx); err != nil {
		return nil, c, err
	}
	c, _, err = audit.OpenCheckpoint(note, b.keys...)
	return note, c, err
}

// Nodes implements audit.NodeReader.
func (b *book) Nodes(ctx context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	if b.tiles != nil {
		return b.tiles.Nodes(ctx, ids)
	}
	return b.log.Nodes(ctx, ids)
}

func (b *book) entries(ctx context.Context, from uint64) iter.Seq2[ledger.Entry, error] {
	if b.log != nil {
		return b.log.Entries(ctx, from)
	}
	return func(yield func(ledger.Entry, error) bool) {
		for leaf, err := range b.tiles.Entries(ctx, from) {
			if !yield(ledger.Entry{Index: from, Leaf: leaf}, err) {
				return
			}
			from++
		}
	}
}

// auditReport is what `audit verify` prints.
type auditReport struct {
	Ledger    string   `json:"ledger"`
	Origin    string   `json:"origin"`
	Verdict   string   `json:"verdict"` // valid, invalid, indeterminate
	Size      uint64   `json:"size"`
	Root      string   `json:"root"`
	Entries   uint64   `json:"entries"`
	Epoch     uint64   `json:"epoch,omitempty"`
	Redacted  uint64   `json:"redacted"`
	Witnessed uint64   `json:"witnessed,omitempty"`
	Problems  []string `json:"problems"`
	More      uint64   `json:"more,omitempty"`
	Unchecked []string `json:"unchecked"`
}

func (m *Main) auditVerify() *cobra.Command {
	var f *ledgerFlags
	var witness string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --log KEY... [--witness F] [--json] LEDGER",
		Short: m.say("核对整个账本", "check a whole ledger"),
		Long: m.say(`读取全部条目，核对每个条目与其杂凑值、整棵树、时间顺序、不公开的值、头部及其签名；任何改动、删除、调换都会列出。
没有 --witness 就看不出账本被整个换成了较早的备份。退出码：0 无误；1 有问题；3 有的无法核实；4 用法错误或无法读取。`,
			`Reads all entries and checks each against its hash, the whole tree, the order of times, private values, the head and its
signatures; every change, removal and exchange is listed. Without --witness a ledger that was put back to an older
backup as a whole looks good. Exit codes: 0 nothing is wrong; 1 something is; 3 something could not be checked; 4 wrong
usage, or it cannot be read.`),
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			r, err := m.verifyLedger(cmd.Context(), f, a[0], witness)
			if err != nil {
				return fmt.Errorf("%s: %w", plainName(a[0]), err)
			}
			if asJSON {
				err = m.printJSON(r)
			} else {
				err = m.printAudit(r)
			}
			switch {
			case err != nil:
				return err
			case r.Verdict == "invalid":
				return exitCode(exitInvalid)
			case r.Verdict != "valid":
				return exitCode(exitUnchecked)
			}
			return nil
		},
	}
	f = m.ledgerFlags(cmd)
	cmd.Flags().StringVar(&witness, "witness", "", m.say("见证文件：账本的写入者在数据库之外保存的最新检查点", "witness file: the newest checkpoint, which the writer of the ledger keeps outside the database"))
	cmd.Flags().BoolVar(&asJSON, "json", false, m.say("输出一行 JSON", "print one line of JSON"))
	return cmd
}

func (m *Main) verifyLedger(ctx context.Context, f *ledgerFlags, name, witness string) (auditReport, error) {
	r := auditReport{Ledger: plainName(name), Verdict: "valid", Problems: []string{}, Unchecked: []string{}}
	b, o, err := f.find(name)
	if err != nil {
		return r, err
	}
	defer b.close()
	if b.tiles != nil {
		return r, m.verifyTiles(ctx, b, witness, &r)
	}
	if witness != "" {
		if _, err := os.Stat(witness); err != nil { // a file that is not there has seen nothing, which is not what was meant
			return r, err
		}
		o.Witness = ledger.FileWitness(witness)
	}
	bar := m.newBar(-1, m.say("核对", "checking"))
	defer bar.end()
	found, err := ledger.Verify(ctx, b.db, o, bar.at)
	if err != nil {
		return r, err
	}
	r.Origin, r.Size, r.Root, r.Entries = found.Origin, found.Size, found.Root.String(), found.Entries
	r.Epoch, r.Redacted, r.Witnessed, r.More = found.Epoch, found.Redacted, found.Witnessed, found.More
	for _, p := range found.Problems {
		r.Problems = append(r.Problems, p.String())
	}
	r.Unchecked = append(r.Unchecked, found.Unchecked...)
	switch {
	case len(r.Problems) > 0:
		r.Verdict = "invalid"
	case len(r.Unchecked) > 0:
		r.Verdict = "indeterminate"
	}
	return r, nil
}

func (m *Main) verifyTiles(ctx context.Context, b *book, witness string, r *auditReport) error {
	head := b.tiles.Head()
	r.Origin, r.Size, r.Root = head.Origin, head.Size, head.Root.String()
	err := b.tiles.Verify(ctx, func(uint64, []byte) error { r.Entries++; return nil })
	if err == nil && witness != "" {
		var seen audit.Checkpoint
		if seen, err = readSeen(ctx, witness, b.keys); err != nil {
			return err
		}
		r.Witnessed = seen.Size
		err = grown(ctx, b, seen, head)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, audit.ErrProof) || errors.Is(err, audit.ErrFormat) || errors.Is(err, audit.ErrTooLarge) || errors.Is(err, ledger.ErrForked) || errors.Is(err, fs.ErrNotExist):
		r.Verdict, r.Problems = "invalid", append(r.Problems, err.Error())
		return nil
	}
	return err
}

func (m *Main) printAudit(r auditReport) error {
	w := &words{m: m}
	verdict := map[string]string{"valid": m.say("无误", "valid"), "invalid": m.say("有问题", "invalid"), "indeterminate": m.say("未能全部核实", "indeterminate")}
	w.title(fmt.Sprintf("%s: %s", r.Ledger, verdict[r.Verdict]))
	const margin = "   "
	w.line(margin, "账本", "ledger", r.Origin)
	w.line(margin, "条目", "entries", fmt.Sprint(r.Size))
	w.line(margin, "根", "root", r.Root)
	if r.Redacted > 0 {
		w.line(margin, "已隐去的值", "redacted values", fmt.Sprint(r.Redacted))
	}
	if r.Witnessed > 0 {
		w.line(margin, "见证至", "witnessed up to", fmt.Sprint(r.Witnessed))
	}
	if r.Witnessed == 0 {
		w.line(margin, "未问及", "not asked", m.say("账本是否最新：没有见证文件 (--witness)", "is it the newest there was? No witness file (--witness)"))
	}
	for _, p := range r.Problems {
		w.line(margin, "问题", "problem", p)
	}
	if r.More > 0 {
		w.line(margin, "其余问题", "more problems", fmt.Sprint(r.More))
	}
	for _, u := range r.Unchecked {
		w.line(margin, "未核实", "not checked", u)
	}
	_, err := fmt.Fprint(m.Stdout, w.String())
	return err
}

func (m *Main) auditExport() *cobra.Command {
	var f *ledgerFlags
	cmd := &cobra.Command{
		Use:   "export --log KEY... LEDGER DIR",
		Short: m.say("把账本导出为可公开的文件", "write a ledger as files that can be published"),
		Long: m.say(`把账本写成 C2SP tlog-tiles 格式的目录，供他人核对；不公开的值（人名等）不在其中。目录中已有同一账本较早的导出时只补充新的部分。`,
			`Writes a ledger as a directory in the form of C2SP tlog-tiles, for others to check; private values, such as names of people, are
not in it. A directory that has an earlier export of the ledger is brought up to date.`),
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, a []string) error {
			b, err := f.open(cmd.Context(), a[0])
			if err != nil {
				return err
			}
			defer b.close()
			if b.log == nil {
				return usageError{errors.New(m.say("导出须从数据库进行", "an export is made from a database"))}
			}
			bar := m.newBar(-1, m.say("导出", "exporting"))
			defer bar.end()
			note, err := b.log.Export(cmd.Context(), a[1], bar.at)
			if err != nil {
				return err
			}
			_, err = m.Stdout.Write(note)
			return err
		},
	}
	f = m.ledgerFlags(cmd)
	return cmd
}

func (m *Main) auditProve() *cobra.Command {
	var f *ledgerFlags
	cmd := &cobra.Command{
		Use:   "prove --log KEY... LEDGER INDEX",
		Short: m.say("输出一个条目及其在账本中的证明", "print an entry with the proof that it is in the ledger"),
		Long: m.say(`输出 C2SP tlog-proof：条目、证明和检查点。任何有账本公钥的人都可以用它核对。`,
			`Prints a C2SP tlog-proof: the entry, the proof and the checkpoint. Whoever has the ledger's key can check it.`),
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, a []string) error {
			index, err := strconv.ParseUint(a[1], 10, 62)
			if err != nil {
				return usageError{fmt.Errorf(m.say("%q 不是条目的序号", "%q is no index of an entry"), a[1])}
			}
			b, err := f.open(cmd.Context(), a[0])
			if err != nil {
				return err
			}
			defer b.close()
			r, err := b.receipt(cmd.Context(), index)
			if err != nil {
				return err
			}
			_, err = m.Stdout.Write(r.Evidence())
			return err
		},
	}
	f = m.ledgerFlags(cmd)
	return cmd
}

func (b *book) receipt(ctx context.Context, index uint64) (r audit.Receipt, err error) {
	note, head, err := b.head(ctx)
	if err != nil {
		return r, err
	}
	r = audit.Receipt{Index: index, Checkpoint: note}
	if r.Proof, err = audit.ProveInclusion(ctx, head.Profile(), b, index, head.Size); err != nil {
		return r, err
	}
	for e, err := range b.entries(ctx, index) {
		r.Leaf = e.Leaf
		if err != nil {
			return r, err
		}
		break
	}
	e, err := audit.ParseEvidence(r.Evidence())
	if err == nil {
		_, err = e.Check(b.keys...)
	}
	return r, err
}

func (m *Main) auditTail() *cobra.Command {
	var f *ledgerFlags
	var lines int
	var follow, names, asJSON bool
	cmd := &cobra.Command{
		Use:   "tail --log KEY... [-n N] [--follow] [--names] [--json] LEDGER",
		Short: m.say("显示账本最后的条目", "print the last entries of a ledger"),
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			if lines < 0 {
				return usageError{fmt.Errorf(m.say("-n %d 应不小于零", "-n %d is not a number of entries"), lines)}
			}
			b, err := f.open(cmd.Context(), a[0])
			if err != nil {
				return err
			}
			defer b.close()
			_, head, err := b.head(cmd.Context())
			if err != nil {
				return err
			}
			next := head.Size - min(head.Size, uint64(lines))
			for {
				for e, err := range b.entries(cmd.Context(), next) {
					if err == nil {
						err = m.printEntry(e, names, asJSON)
					}
					if err != nil {
						return err
					}
					next = e.Index + 1
				}
				if !follow || b.log == nil {
					return nil
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(followPause):
				}
			}
		},
	}
	f = m.ledgerFlags(cmd)
	flags := cmd.Flags()
	flags.IntVarP(&lines, "lines", "n", 10, m.say("条目数", "how many entries"))
	flags.BoolVarP(&follow, "follow", "f", false, m.say("持续输出新条目，直到被中断", "go on with what is entered, until it is told to end"))
	flags.BoolVar(&names, "names", false, m.say("也显示不公开的值，如人名", "print private values too, such as names of people"))
	flags.BoolVar(&asJSON, "json", false, m.say("每个条目输出一行 JSON", "print one line of JSON for every entry"))
	return cmd
}

const followPause = time.Second

// entryLine is what --json prints of an entry.
type entryLine struct {
	Index  uint64            `json:"index"`
	Kind   string            `json:"kind"`
	Fields map[string]string `json:"fields"`
	Names  map[string]string `json:"names,omitempty"` // private values
}

func (m *Main) printEntry(e ledger.Entry, names, asJSON bool) error {
	line := entryLine{Index: e.Index}
	if leaf, err := audit.ParseLeaf(e.Leaf); err != nil { // of another maker's log
		line.Fields = map[string]string{"": plain.Text(string(e.Leaf))}
	} else {
		line.Kind, line.Fields = leaf.Kind, leaf.Fields
	}
	if names {
		private, err := audit.ParsePrivate(e.Private)
		if err != nil {
			return fmt.Errorf("%d: %w", e.Index, err)
		}
		line.Names = map[string]string{}
		for name, s := range private {
			line.Names[name] = s.Value
		}
	}
	if asJSON {
		return m.printJSON(line)
	}
	w := &words{m: m}
	w.title(fmt.Sprintf("#%d %s", line.Index, line.Kind))
	for _, name := range slices.Sorted(maps.Keys(line.Fields)) {
		value := line.Fields[name]
		if v := line.Names[name]; v != "" {
			value = v
		}
		w.line("   ", name, name, value)
	}
	_, err := fmt.Fprint(m.Stdout, w.String())
	return err
}

func (m *Main) auditWitness() *cobra.Command {
	var f *ledgerFlags
	cmd := &cobra.Command{
		Use:   "witness --log KEY... LEDGER FILE...",
		Short: m.say("核对账本是否由以前见过的检查点延续而来", "check that a ledger has grown from checkpoints that were seen"),
		Long: m.say(`FILE 是以前见过的检查点：账本的见证文件、导出目录中的 checkpoint，或 audit prove 的输出。
退出码：0 账本由它们全部延续而来；1 账本较旧或分叉；4 用法错误或无法读取。`,
			`FILE is a checkpoint that was seen: the witness file of the ledger, the checkpoint of an export, or what audit prove
printed. Exit codes: 0 the ledger has grown from all of them; 1 it is older, or forked; 4 wrong usage, or it cannot be read.`),
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, a []string) error {
			b, err := f.open(cmd.Context(), a[0])
			if err != nil {
				return err
			}
			defer b.close()
			_, head, err := b.head(cmd.Context())
			if err != nil {
				return err
			}
			code := exitOK
			for _, name := range a[1:] {
				code = worse(code, m.compareSeen(cmd.Context(), b, head, name))
			}
			if code != exitOK {
				return exitCode(code)
			}
			return nil
		},
	}
	f = m.ledgerFlags(cmd)
	return cmd
}

// compareSeen prints how the ledger stands to a checkpoint that was seen, and returns its exit code.
func (m *Main) compareSeen(ctx context.Context, b *book, head audit.Checkpoint, name string) int {
	seen, err := readSeen(ctx, name, b.keys)
	if err == nil {
		err = grown(ctx, b, seen, head)
	}
	switch {
	case err == nil:
		fmt.Fprintf(m.Stdout, m.say("%s：%d 个条目，账本有 %d 个并由其延续而来\n", "%s: %d entries, and the ledger of %d has grown from them\n"), plain.Text(name), seen.Size, head.Size)
		return exitOK
	case errors.Is(err, ledger.ErrForked):
		fmt.Fprintf(m.Stdout, "%s: %s\n", plain.Text(name), plain.Text(m.explain(err)))
		return exitInvalid
	}
	m.complain(fmt.Errorf("%s: %w", name, err))
	return exitFailed
}

// readSeen reads a checkpoint out of a witness file, a note, or evidence.
func readSeen(ctx context.Context, name string, keys []audit.Verifier) (c audit.Checkpoint, err error) {
	note, err := readSmall(name)
	if err != nil {
		return c, err
	}
	if e, err := audit.ParseEvidence(note); err == nil {
		note = e.Checkpoint
	} else if !strings.Contains(string(note), "\n\n— ") || strings.HasPrefix(string(note), "\x00") {
		if note, err = ledger.FileWitness(name).Last(ctx); err != nil {
			return c, err
		}
	}
	c, _, err = audit.OpenCheckpoint(note, keys...)
	return c, err
}

// grown checks that the ledger with that head has grown from what was seen.
func grown(ctx context.Context, b *book, seen, head audit.Checkpoint) error {
	if seen.Origin != head.Origin {
		return fmt.Errorf("%w: %q", ledger.ErrOrigin, seen.Origin)
	}
	if seen.Size > head.Size {
		return fmt.Errorf("%w: it has %d entries, and %d were seen", ledger.ErrForked, head.Size, seen.Size)
	}
	root, err := audit.RootAt(ctx, head.Profile(), b, seen.Size)
	if err == nil && root != seen.Root {
		err = fmt.Errorf("%w: its first %d entries are others", ledger.ErrForked, seen.Size)
	}
	return err
}

// plainName is the name of a ledger without the password that a URL may hold.
func plainName(name string) string {
	if database.IsURL(name) && !strings.HasPrefix(name, "sqlite:") {
		return "postgres"
	}
	return name
}
