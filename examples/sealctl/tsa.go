package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
	"github.com/courtseal/courtseal/sign/tsp/tsphttp"
)

const (
	trialPolicy = "1.2.840.113556.1.8000.2554.28574.50230.50420.17023.35091.14912170.8524227.5" // sign/FORMAT.md: it promises nothing
	usualListen = "127.0.0.1:3161"

	headTime  = 5 * time.Second // for the header of a request
	readTime  = 10 * time.Second
	writeTime = 30 * time.Second // a key may be slow
	idleTime  = time.Minute
	endTime   = 10 * time.Second // for what is being answered when the program is told to end
	maxHeader = 8 << 10
)

type tsaFlags struct {
	key     string
	pinFile string
	listen  string
	policy  string
}

func (m *Main) tsa() *cobra.Command {
	var f tsaFlags
	cmd := &cobra.Command{
		Use:   "tsa --key URI [--listen ADDR]",
		Short: m.say("运行时间戳服务（测试和试点用）", "run a time-stamping authority, for tests and pilots"),
		Long: m.say(`以 RFC 3161（GM/T 0033）经 HTTP 提供时间戳，直到被中断。第一行输出其 URL，供 seal --tsa 使用。
时间取自本机时钟；密钥的证书须只用于时间戳。不限制谁可以请求，也不使用 TLS：对外提供时请置于反向代理之后。`,
			`Makes time stamps (RFC 3161, GM/T 0033) over HTTP until it is told to end. Its first line is its URL, for seal --tsa.
The time is that of this machine's clock, and the key's certificate must be one for time stamps alone. Anyone may ask,
and there is no TLS: put it behind a reverse proxy to serve others.`),
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return m.runTSA(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.key, "key", "", m.say("密钥 URI", "URI of the key"))
	flags.StringVar(&f.pinFile, "pin-file", "", m.say("第一行是 PIN 的文件；不给则在终端询问", "file whose first line is the PIN of the key; without it the terminal asks"))
	flags.StringVar(&f.listen, "listen", usualListen, m.say("监听地址；端口 0 为任一空闲端口", "address to listen at; port 0 is any that is free"))
	flags.StringVar(&f.policy, "policy", trialPolicy, m.say("时间戳策略的对象标识符", "object identifier of the policy of the stamps"))
	return cmd
}

func (m *Main) runTSA(ctx context.Context, f tsaFlags) error {
	if f.key == "" {
		return usageError{errors.New(m.say("缺少 --key", "--key is missing"))}
	}
	policy, err := sign.ParseOID(f.policy)
	if err != nil {
		return usageError{fmt.Errorf(m.say("--policy %q 不是对象标识符", "--policy %q is not an object identifier"), f.policy)}
	}
	key, device, err := keydev.OpenKey(ctx, f.key, m.auth(ctx, f.pinFile))
	if err != nil {
		return err
	}
	defer device.Close()
	authority, err := tsp.NewAuthority(key, tsp.AuthorityOptions{Policy: policy})
	if err != nil {
		return err
	}
	// The first stamp is for nobody: a PIN is asked for now, and a key that does not do is found now.
	if _, err := authority.Timestamp(ctx, sign.SHA256, make([]byte, sign.SHA256.Size())); err != nil {
		return err
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: tsphttp.Handler(authority, func(r *http.Request, err error) {
			fmt.Fprintf(m.Stderr, "sealctl: %s\n", plain.Text(r.RemoteAddr+": "+err.Error()))
		}),
		ReadHeaderTimeout: headTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
	}
	if _, err := fmt.Fprintf(m.Stdout, "http://%s/\n", listener.Addr()); err != nil {
		listener.Close()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
