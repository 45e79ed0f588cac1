// pulumi-language-nodejs makes SDKs for programs in TypeScript, with Pulumi's own generator.
//
// Pulumi's own host of that name is in a module that no Go proxy serves. Of what that one does,
// this does the one thing that an SDK takes, and says of everything else that it is not implemented.
package main

import (
	"context"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"mesh-trust/lab/toolchain/pulumi-languages/host"
)

// That of the engine; stamped when it is linked.
var version string

type runtime struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
}

func (runtime) Handshake(
	context.Context, *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (runtime) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (runtime) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return host.GeneratePackage(request, func(
		bound *schema.Package, request *pulumirpc.GeneratePackageRequest, loader schema.ReferenceLoader,
	) (map[string][]byte, error) {
		return nodejs.GeneratePackage(
			"pulumi-language-nodejs", bound, request.ExtraFiles, request.LocalDependencies,
			request.Local, loader,
		)
	})
}

func main() {
	host.Main(runtime{})
}
