// A root, and two clusters' way to it.
package main

import (
	"example.com/pulumi-mesh-trust/sdk/go/meshtrust"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// For an environment that may be thrown away: root and mount are not protected.
const protect = false

func trust(ctx *pulumi.Context) error {
	root, err := meshtrust.NewRootCa(ctx, "root", &meshtrust.RootCaArgs{
		CommonName:   pulumi.StringRef("Mesh root"),
		Organization: pulumi.StringRef("Example"),
		Protect:      pulumi.BoolRef(protect),
	})
	if err != nil {
		return err
	}
	rootPki, err := meshtrust.NewRootPki(ctx, "root-pki", &meshtrust.RootPkiArgs{
		CertificatePem: root.CertificatePem,
		PrivateKeyPem:  root.PrivateKeyPem,
		Protect:        pulumi.BoolRef(protect),
	})
	if err != nil {
		return err
	}
	csrPaths := pulumi.StringArray{}
	for _, cluster := range []string{"east", "west"} {
		intermediate, err := meshtrust.NewIntermediatePki(
			ctx, cluster+"-intermediate", &meshtrust.IntermediatePkiArgs{
				Cluster: cluster,
				CaPath:  rootPki.CaPath,
			},
		)
		if err != nil {
			return err
		}
		csrPaths = append(csrPaths, intermediate.CsrPath)
	}
	ctx.Export("rootCertificate", root.CertificatePem)
	ctx.Export("csrPaths", csrPaths)
	return nil
}

func main() {
	pulumi.Run(trust)
}
