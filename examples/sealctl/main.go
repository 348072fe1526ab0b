// Sealctl seals PDF files and Word documents, verifies them and takes seals off again.
//
//	sealctl demo DIR                                    roots, a seal and four keys to try with
//	sealctl seal --seal F --key URI [--key URI] IN OUT  seals IN; with --out-dir D, many files
//	sealctl verify [--roots F]... FILE...               reports on every FILE
//	sealctl show FILE                                   tells of signatures, seals and certificates, without a verdict
//	sealctl remove IN OUT                               takes the last seal off IN
//	sealctl reserve [--place P]... IN OUT               puts signature lines into a Word document, for seals to come
//	sealctl audit verify|export|prove|tail|witness --log KEY LEDGER …  checks and reads a ledger
//	sealctl tsa --key URI [--listen ADDR]               makes time stamps over HTTP, for tests and pilots
//
// Exit codes: 0 all valid, or done; 1 something is invalid or unsigned; 3 nothing is invalid, but something could not be
// fully checked; 4 wrong usage, or a file, key or device that does not do, and nothing was written. A failure beats what
// was found: 4, then 1, then 3.
//
// A PIN comes from --pin-file or from the terminal, never from an argument. Messages are Chinese where LC_ALL,
// LC_MESSAGES or LANG begins with zh.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/internal/plain"
)

const (
	exitOK        = 0
	exitInvalid   = 1
	exitUnchecked = 3
	exitFailed    = 4
)

// A Main is one run of the program. Tests run it too.
type Main struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Chinese bool // the language of messages
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait for anything
	m := &Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Chinese: chinese(os.Getenv)}
	code := m.Run(ctx)
	stop()
	os.Exit(code)
}

func chinese(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return strings.HasPrefix(v, "zh")
		}
	}
	return false
}

// say picks the language.
func (m *Main) say(zh, en string) string {
	if m.Chinese {
		return zh
	}
	return en
}

// usageError is an error that help would have prevented.
type usageError struct{ error }

// exitCode ends a run that has already said what is to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// Run runs the command and returns the exit code.
func (m *Main) Run(ctx context.Context) int {
	root := &cobra.Command{
		Use:               "sealctl",
		Short:             m.say("为 PDF 文件和 Word 文档加盖、验证、撤销电子签章", "seal PDF files and Word documents, verify them, take seals off"),
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf(m.say("没有命令 %q", "there is no command %q"), args[0])}
			}
			return usageError{errors.New(m.say("缺少命令", "a command is missing"))}
		},
	}
	root.AddCommand(m.demo(), m.seal(), m.verify(), m.show(), m.remove(), m.reserve(), m.audit(), m.tsa())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return m.noEmptyFlags(cmd.Flags()) }
	m.localize(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.SetArgs(m.Args)
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)

	cmd, err := root.ExecuteContextC(ctx)
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		m.complain(err)
		fmt.Fprintf(m.Stderr, m.say("用法见 `%s --help`\n", "see `%s --help`\n"), cmd.CommandPath())
	default:
		m.complain(err)
	}
	return exitFailed
}

// localize puts into Chinese what cobra itself says in help.
func (m *Main) localize(root *cobra.Command) {
	if !m.Chinese {
		return
	}
	root.SetUsageTemplate(strings.NewReplacer("Usage:", "用法：", "Available Commands:", "命令：", "Flags:", "参数：",
		`Use "{{.CommandPath}} [command] --help" for more information about a command.`, "各命令的用法见 `{{.CommandPath}} 命令 --help`。",
	).Replace(root.UsageTemplate()))
	root.InitDefaultHelpCmd()
	localizeHelp(root)
}

func localizeHelp(c *cobra.Command) {
	if c.Name() == "help" {
		c.Short = "显示命令的用法"
	}
	c.Flags().BoolP("help", "h", false, "显示用法")
	for _, sub := range c.Commands() {
		localizeHelp(sub)
	}
}

// noEmptyFlags refuses a flag that is given with nothing, as by a shell variable that is not set: it would count as not given,
// and the file be sealed somewhere else, or without a time stamp.
func (m *Main) noEmptyFlags(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if v == "" {
				err = usageError{fmt.Errorf(m.say("--%s 是空的", "--%s is empty"), f.Name)}
			}
		}
	})
	return err
}

// complain prints one line for an error.
func (m *Main) complain(err error) {
	fmt.Fprintf(m.Stderr, "sealctl: %s\n", plain.Text(m.explain(err)))
}

// args is cobra.ExactArgs and the like, told as usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, a []string) error {
		if err := check(cmd, a); err != nil {
			return usageError{err}
		}
		return nil
	}
}
