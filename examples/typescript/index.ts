import * as trust from "@pulumi/mesh-trust";

// For an environment that may be thrown away: root and mount are not protected.
const protect = false;

const root = new trust.RootCa("root", {
    commonName: "Mesh root",
    organization: "Example",
    protect,
});

const rootPki = new trust.RootPki("root-pki", {
    certificatePem: root.certificatePem,
    privateKeyPem: root.privateKeyPem,
    protect,
});

const intermediates = ["east", "west"].map(
    (cluster) => new trust.IntermediatePki(`${cluster}-intermediate`, { cluster, caPath: rootPki.caPath }),
);

export const rootCertificate = root.certificatePem;
export const csrPaths = intermediates.map((each) => each.csrPath);
