package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/examples/internal/demo"
)

func (m *Main) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo DIR",
		Short: m.say("生成演示用的根证书、印章和密钥", "make roots, a seal and keys to try with"),
		Long: m.say("在 DIR 中生成 roots.pem（演示根证书）、court.esl（印章）和 keys（两个持章人和两个时间戳机构的密钥，PIN 为 "+demo.PIN+"）。\n已有的保留不变。",
			"Makes DIR/roots.pem (the roots to trust), DIR/court.esl (a seal) and DIR/keys (the keys of its two holders\nand of two time-stamping authorities, whose PIN is "+demo.PIN+"). What is there already is kept."),
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			d, err := demo.Make(cmd.Context(), a[0], time.Now())
			if err != nil {
				return err
			}
			for _, s := range []string{d.Roots, d.Seal, d.Key(demo.HolderSM2), d.Key(demo.HolderRSA), d.Key(demo.TSASM2), d.Key(demo.TSARSA)} {
				fmt.Fprintln(m.Stdout, s)
			}
			return nil
		},
	}
}
