// Command pgvigil watches the Postgres databases behind CI systems.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(run()) }

// run is main with an exit code, as the command line's tests call it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends a clean-up that hangs.
	context.AfterFunc(ctx, stop)
	// What holds query texts (histories, sockets) is for this user alone.
	syscall.Umask(0o077)
	u := &ui{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := newRoot(u)
	root.SetArgs(os.Args[1:])
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(err, errFound) {
		err = context.Canceled // whatever it broke off
	}
	return u.exit(err)
}
