// istiod-agent stands for Gloo's agent beside istiod: it gets istiod its CA from the Vault that the
// RootTrustPolicy in its cluster names, and does exactly what that policy says.
//
// It was written from Gloo's documentation and knows nothing but its pod and its cluster, so that a
// wrong setup fails in it as it would in the product. It proves a reading of the product, not the
// product.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// Where istiod finds what the agent writes.
	caFolder = "/etc/cacerts"
	// How often the policy is looked at, and how long is waited after a failure.
	pause = 3 * time.Second
)

func main() {
	log.SetFlags(log.Ldate | log.Ltime | log.LUTC)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 || (arguments[0] != "init-container" && arguments[0] != "sidecar") {
		return errors.New("give one argument: init-container or sidecar")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	place, err := istiodOf(os.Getenv("POD_NAME"), os.Getenv("POD_NAMESPACE"))
	if err != nil {
		return err
	}
	cluster, err := connect()
	if err != nil {
		return err
	}
	agent := &agent{cluster: cluster, istiod: place, folder: folder(caFolder)}
	if arguments[0] == "init-container" {
		return agent.once(ctx)
	}
	agent.resume(ctx)
	return agent.forever(ctx)
}
