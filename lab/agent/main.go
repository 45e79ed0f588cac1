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
	"log/slog"
	"os"
	"os/signal"
	"strings"
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
	options := &slog.HandlerOptions{ReplaceAttr: inLowerCase}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, options)))
	if err := run(os.Args[1:]); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

// inLowerCase writes levels as Gloo's and Istio's own JSON has them.
func inLowerCase(_ []string, attribute slog.Attr) slog.Attr {
	if attribute.Key == slog.LevelKey {
		attribute.Value = slog.StringValue(strings.ToLower(attribute.Value.String()))
	}
	return attribute
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
	agent.resume()
	return agent.forever(ctx)
}
