// Sealserver seals over HTTP, and keeps the books of who may.
//
//	sealserver DIR          serves the registry of DIR, as DIR/server.json says
//	sealserver --demo [DIR] makes a province in miniature in DIR first, where there is none; without DIR, in ./province
//
// Its first line is its address, whose /openapi.yaml describes all it does. It ends on SIGINT or SIGTERM, and what is being
// answered then is finished first; whatever else ends it, no sealing that was acknowledged is lost.
//
// Its log is JSON on standard error, one line for an answer. There is no TLS: put it behind a reverse proxy to serve others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait for anything
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sealserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("sealserver", flag.ContinueOnError)
	listen := flags.String("listen", "", "`address` to listen at, in place of what server.json says; port 0 is any that is free")
	demo := flags.Bool("demo", false, "make a province in miniature in DIR, if there is none, and show its credentials")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: sealserver [--listen ADDR] DIR\n       sealserver --demo [--listen ADDR] [DIR]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir := flags.Arg(0)
	if dir == "" && *demo {
		dir = "province"
	}
	if dir == "" || flags.NArg() > 1 {
		flags.Usage()
		return errors.New("it takes one directory")
	}
	m := &Main{Dir: dir, Demo: *demo, Listen: *listen, Out: os.Stdout, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	if err := m.Run(ctx); err != nil {
		return errors.Join(err, m.Close())
	}
	select {
	case <-ctx.Done():
	case err := <-m.Ended:
		return errors.Join(err, m.Close())
	}
	return m.Close()
}
