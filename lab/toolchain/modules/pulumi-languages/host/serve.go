// Package host has what language hosts of Pulumi share: being served, and making SDKs.
package host

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Main serves a host until the engine interrupts it, and ends the process.
func Main(runtime pulumirpc.LanguageRuntimeServer) {
	if err := serve(runtime); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(runtime pulumirpc.LanguageRuntimeServer) error {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cancel := make(chan bool)
	go func() {
		<-interrupted.Done()
		close(cancel)
	}()
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, runtime)
			return nil
		},
	})
	if err != nil {
		return err
	}
	// Tells the engine where to reach it.
	fmt.Println(server.Port)
	return <-server.Done
}
