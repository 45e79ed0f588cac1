// pulumi-resource-random serves the random provider to Pulumi, through the bridge that the official
// plugin uses as well. The schema is made at start, from the provider itself.
package main

import (
	"context"
	"io"
	"log"

	"github.com/terraform-providers/terraform-provider-random/internal/provider"
	pftfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
)

// The official plugin's version of this provider; stamped when the plugin is linked.
var version string

// token names a resource as the official plugin does: random_password is RandomPassword.
func token(module, name string) (string, error) {
	return tokens.MakeStandard("random")(module, "Random"+name)
}

func main() {
	ctx := context.Background()
	info := tfbridge.ProviderInfo{
		P:            pftfbridge.ShimProvider(provider.New()),
		Name:         "random",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(nil),
	}
	info.MustComputeTokens(tokens.SingleModule("random_", "index", token))

	// Its remarks are about documentation that only a package for publication needs.
	quiet := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	schema, err := tfgen.GenerateSchema(ctx, tfgen.GenerateSchemaOptions{
		ProviderInfo:    info,
		DiagnosticsSink: quiet,
		XInMemoryDocs:   true,
	})
	if err != nil {
		log.Fatal(err)
	}
	pftfbridge.Main(ctx, info.Name, info, schema.ProviderMetadata)
}
