package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/verify"
)

func (m *Main) verify() *cobra.Command {
	var roots, seals []string
	var asJSON bool
	var password, policy, algorithms string
	var known *logFlags
	cmd := &cobra.Command{
		Use:   "verify [--roots F]... [--policy P] [--seal F]... [--log KEY]... [--json] FILE...",
		Short: m.say("验证电子签章", "report on the seals of files"),
		Long: m.say(`验证每个 FILE 的全部签章并打印报告。只信任 --roots 给出的根证书，不访问网络。
退出码：0 全部有效；1 有无效签章或未签章；3 没有无效的，但有的无法完全核实；4 用法错误或文件不可读。`,
			`Verifies every signature of every FILE and prints a report. Only the roots of --roots are trusted, and no network is used.
Exit codes: 0 all valid; 1 something is invalid or unsigned; 3 nothing is invalid, but something could not be fully
checked; 4 wrong usage or an unreadable file.`),
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			var options verify.Options
			if err := options.Policy.UnmarshalText([]byte(policy)); err != nil {
				return usageError{fmt.Errorf(m.say("--policy %q 应为 %s 或 %s", "--policy %q is not %s or %s"), policy, verify.Default, verify.Strict2020)}
			}
			var err error
			if options.Roots, err = verify.ReadRoots(roots...); err != nil {
				return err
			}
			for _, name := range seals {
				e, err := seal.ReadFile(name)
				if err != nil {
					return err
				}
				options.Seals = append(options.Seals, e.Raw)
			}
			if options.Algorithms, err = readAlgorithms(algorithms); err != nil {
				return err
			}
			if options.Logs, err = known.logs(); err != nil {
				return err
			}
			if options.Password, err = m.password(password); err != nil {
				return err
			}
			code := exitOK
			for _, name := range files {
				report, err := verify.File(cmd.Context(), name, options)
				code = worse(code, m.print(name, report, err, asJSON))
			}
			if code != exitOK {
				return exitCode(code)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&roots, "roots", nil, m.say("信任的根证书文件，PEM 或 DER，可多次给出", "file of roots to trust, PEM or DER; may be repeated"))
	flags.StringVar(&policy, "policy", verify.Default.String(), m.say("strict-2020：按 GB/T 38540-2020 字面要求，印章和制章者证书现在也须有效；default：签章或制章时有效即可",
		"strict-2020 takes GB/T 38540-2020 by the letter: the seal and its maker's certificate\nmust be valid now too, where default asks for the time of sealing and of making"))
	flags.StringVar(&algorithms, "algorithms", "", m.say("算法有效期限文件，每行为 名称 [位数] 年-月-日，如 RSA 2048 2026-12-31；未列出的用默认期限",
		"file that says until when algorithms protect, one a line, NAME [BITS] YYYY-MM-DD, such as RSA 2048 2026-12-31;\nthose that it does not name end as docs/verification.md says"))
	flags.StringArrayVar(&seals, "seal", nil, m.say("已知印章文件 (.esl)，可多次给出：文件中与其图像相似而不属于其签章的图像会被指出",
		"file of a seal that is known (.esl); may be repeated: pictures that look like it and belong to no\nsignature with it are told of"))
	known = m.logFlags(flags)
	flags.BoolVar(&asJSON, "json", false, m.say("每个文件输出一行 JSON", "print one line of JSON for every file"))
	m.passwordFlag(cmd, &password)
	return cmd
}

// print prints what is known of one file and returns its exit code.
func (m *Main) print(name string, report *verify.Report, err error, asJSON bool) int {
	if err != nil && !errors.Is(err, verify.ErrUnsigned) { // that one comes with a report
		m.complain(fmt.Errorf("%s: %w", name, err))
		if asJSON {
			m.printJSON(unreadable{name, err.Error(), []verify.Signature{}})
		}
		return exitFailed
	}
	if asJSON {
		err = m.printJSON(report)
	} else {
		_, err = fmt.Fprint(m.Stdout, report)
	}
	switch {
	case err != nil:
		m.complain(err)
		return exitFailed
	case report.Unsigned || report.Verdict == verify.Invalid:
		return exitInvalid
	case report.Verdict == verify.Valid:
		return exitOK
	}
	return exitUnchecked
}

// unreadable stands in for the report of a file that has none.
type unreadable struct {
	File       string             `json:"file"`
	Error      string             `json:"error"`
	Signatures []verify.Signature `json:"signatures"`
}

func (m *Main) printJSON(v any) error {
	e := json.NewEncoder(m.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// worse orders exit codes: 4, 1, 3, 0.
func worse(a, b int) int {
	rank := map[int]int{exitOK: 0, exitUnchecked: 1, exitInvalid: 2, exitFailed: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}
