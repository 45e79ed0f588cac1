// pulumi-language-go makes SDKs for programs in Go, with Pulumi's own generator, and runs programs.
//
// Pulumi's own host of that name is in a module that no Go proxy serves. Of what that one does,
// this does what `pulumi package add` and `pulumi up` take, and says of everything else that it is not implemented. Which
// plugins a program needs it does not look for beforehand: the engine finds out when they are asked
// for.
package main

import (
	"context"
	"os"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"mesh-trust/lab/toolchain/pulumi-languages/host"
)

// That of the engine; stamped when it is linked.
var version string

type runtime struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// Where the engine is reached, host:port.
	engine string
}

func (runtime) Handshake(
	context.Context, *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (runtime) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (runtime) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (r runtime) Run(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	return run(ctx, request, r.engine)
}

func (runtime) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return host.GeneratePackage(request, func(
		bound *schema.Package, request *pulumirpc.GeneratePackageRequest, _ schema.ReferenceLoader,
	) (map[string][]byte, error) {
		return golang.GeneratePackage("pulumi-language-go", bound, request.LocalDependencies)
	})
}

func main() {
	// The engine's address is the last argument that it gives.
	host.Main(runtime{engine: os.Args[len(os.Args)-1]})
}
