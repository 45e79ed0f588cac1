"""Where each command of the pages is run: on a lab here, by another test, or nowhere, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A command that `test_on_a_lab.py` runs, in the order in which they are here."""

    page: str
    command: str
    """As it stands in the page."""
    replaced: tuple[tuple[str, str], ...] = ()
    """Parts that are the reader's own, each with what stands for it in the lab."""
    before: str = ""
    """What to run before it, in the same shell."""
    exit_codes: tuple[int, ...] = (0,)
    prints: str = ""
    """What it has to print, among other things."""

    @property
    def run(self) -> str:
        """What is run."""
        text = self.command
        for part, instead in self.replaced:
            assert part in text, (self.command, part)
            text = text.replace(part, instead)
        return f"{self.before}\n{text}" if self.before else text


@dataclass(frozen=True)
class RunBy:
    """Another test runs it, or does what it does with the same words."""

    test: str
    """`file::function`."""
    words: tuple[str, ...]
    """Of the command, without which it would be another one; the test's file has each."""


@dataclass(frozen=True)
class NotRun:
    """What it needs is nowhere in these tests."""

    why: str


YES = (("pulumi up", "pulumi up --yes --skip-preview"),)
ROOT = "export VAULT_TOKEN=$LAB_VAULT_TOKEN"
"""The lab's own token, where the stack's may not do what people do by hand."""
EAST = "urn:pulumi:prod::mesh-trust::mesh-trust:index:ClusterTrust::east"

STEPS = (
    Step("README.md", "pulumi login", (("login", 'login "$PULUMI_BACKEND_URL"'),)),
    Step(
        "README.md",
        "pulumi stack init prod --secrets-provider passphrase",
        prints="Created stack 'prod'",
    ),
    Step(
        "README.md", ".venv/bin/mesh-trust preflight", prints="it can be used; clusters: east, west"
    ),
    Step("README.md", "pulumi preview", prints="to create"),
    Step("README.md", "pulumi up", YES, prints="created"),
    Step("vault-in-the-cluster.md", "pulumi refresh", (("refresh", "refresh --yes"),)),
    Step("vault-in-the-cluster.md", "pulumi up", YES, prints="unchanged"),
    Step("vault-servers.md", "pulumi up --stack prod", YES, prints="unchanged"),
    Step("root-ca.md", "pulumi up", YES, prints="unchanged"),
    Step("stack-token.md", "mesh-trust --stack prod vault policy > stack.hcl"),
    Step("stack-token.md", "vault policy write mesh-trust-stack stack.hcl", before=ROOT),
    Step("preflight.md", "mesh-trust --stack prod preflight", prints=" findings in "),
    Step("preflight.md", "mesh-trust --stack prod preflight --json", prints='"ok": true'),
    Step("preview-in-ci.md", "mesh-trust --stack prod preview", prints="no changes"),
    Step("preview-in-ci.md", "mesh-trust --stack prod preview --markdown", prints="### `prod`: no"),
    Step("preview-in-ci.md", "mesh-trust --stack prod preview --json", prints="{"),
    Step("policy-pack.md", "pulumi preview --policy-pack policy", prints="mesh-trust@v"),
    Step(
        "policy-pack.md",
        "pulumi preview --policy-pack policy --policy-pack-config policy/prod.json",
        before="echo '{}' > policy/prod.json",
        prints="mesh-trust@v",
    ),
    Step(
        "policy-pack.md",
        "mesh-trust --stack prod preview --policy-pack policy",
        prints="no changes",
    ),
    Step("root-rotation.md", "pulumi stack output roots --json", prints='"name": "first"'),
    Step(
        "rotate-plan.md",
        "mesh-trust rotate plan",
        exit_codes=(0, 1),
        prints="The next step is to add",
    ),
    Step(
        "rotate-plan.md", "mesh-trust rotate plan --json", exit_codes=(0, 1), prints='"step": "add"'
    ),
    Step("root-rotation.md", "mesh-trust rotate plan", exit_codes=(0, 1), prints="cluster west"),
    Step(
        "root-ca.md",
        "pulumi stack output rootCertificate | openssl x509 -noout -fingerprint -sha256",
        prints="ingerprint=",
    ),
    Step(
        "cluster-ca.md",
        "pulumi stack output rootCertificate | diff -B - <(kubectl get cm -n bookinfo"
        r" istio-ca-root-cert -o jsonpath='{.data.root-cert\.pem}')",
        (("kubectl get cm -n bookinfo", "kubectl --context east get cm -n default"),),
    ),
    Step(
        "vault-policies.md", "pulumi stack output administrator --show-secrets", prints='"password"'
    ),
    Step(
        "logins.md",
        "kubectl delete serviceaccount -n istio-system vault-token-reviewer",
        (("kubectl", "kubectl --context west"),),
        prints="deleted",
    ),
    Step(
        "logins.md",
        "pulumi refresh && pulumi up",
        (("pulumi refresh", "pulumi refresh --yes"), *YES),
        prints="west-rbac-reviewer",
    ),
    Step("logins.md", "kubectl --context west get --raw /openid/v1/jwks > west-keys.json"),
    # What a pipeline is let in by; the roles are there before its issuer can be asked.
    Step(
        "preview-in-ci.md", "vault auth enable -path=jwt-github jwt", before=ROOT, prints="Success!"
    ),
    Step(
        "preview-in-ci.md",
        "vault policy write mesh-trust-preview preview.hcl",
        before=ROOT + '\necho \'path "sys/mounts" { capabilities = ["read"] }\' > preview.hcl',
        prints="Success!",
    ),
    Step(
        "preview-in-ci.md",
        "vault write auth/jwt-github/role/mesh-trust-preview-prod - <<'JSON'\n"
        '{"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["mesh-trust-prod"],\n'
        '"bound_claims": {"repository": "your-org/your-repository"},\n'
        '"token_policies": ["mesh-trust-preview"], "token_ttl": "20m", "token_max_ttl": "20m"}\n'
        "JSON",
        before=ROOT,
        prints="Success!",
    ),
    Step(
        "preview-in-ci.md",
        "vault write auth/jwt-github/role/mesh-trust-update-prod - <<'JSON'\n"
        '{"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["mesh-trust-prod"],\n'
        '"bound_claims": {"sub": "repo:your-org/your-repository:environment:prod",'
        ' "ref": "refs/heads/main"},\n'
        '"token_policies": ["mesh-trust-stack"], "token_ttl": "60m", "token_max_ttl": "60m"}\n'
        "JSON",
        before=ROOT,
        prints="Success!",
    ),
    # Configuration, of which the file is put back afterwards.
    Step(
        "root-ca.md",
        "openssl req -x509 -newkey rsa:4096 -sha256 -days 3650 -nodes"
        ' -subj "/O=Example Ltd/CN=Example mesh root" \\\n'
        "-addext keyUsage=critical,keyCertSign,cRLSign -keyout root-key.pem -out root-cert.pem",
        before="cp Pulumi.prod.yaml kept.yaml",
    ),
    *(
        Step(page, command)
        for page in ("root-ca.md", "existing-setup.md")
        for command in (
            "pulumi config set rootSource imported",
            "pulumi config set rootCertificate < root-cert.pem",
            "pulumi config set --secret rootPrivateKey < root-key.pem",
        )
    ),
    Step("existing-setup.md", "pulumi config set rootAcceptMissingKeyUsage true"),
    Step("root-ca.md", "pulumi config set rootSource external"),
    Step("root-ca.md", "pulumi config set rootCertificate < root-cert.pem"),
    Step("root-ca.md", "pulumi config set rootSigningMount corporate/pki"),
    Step("root-ca.md", "pulumi config set rootReplaces 'AB:CD:…'"),
    Step("root-rotation.md", "pulumi config set rootRetires '06:b6:bb:14:…'"),
    Step(
        "root-rotation.md",
        "pulumi config set --path 'rootGenerations[1].certificate' < next-root.pem",
        before="pulumi config set --path 'rootGenerations[0].name' first\n"
        "cp root-cert.pem next-root.pem",
    ),
    Step(
        "root-rotation.md",
        "pulumi config set --secret --path 'rootGenerations[1].privateKey' < next-key.pem",
        before="cp root-key.pem next-key.pem",
    ),
    Step(
        "clusters.md",
        "pulumi config set --secret --path 'clusters[1].kubeconfig' < west.kubeconfig",
        before='cp "$KUBECONFIG" west.kubeconfig',
    ),
    Step(
        "vault-servers.md",
        "pulumi config set --secret --path 'mesh-trust:vaultInstall.seal.transit.token'"
        ' <<< "$TOKEN"',
        before="TOKEN=made-up",
    ),
    Step(
        "leaving.md",
        "umask 077",
        before="mv kept.yaml Pulumi.prod.yaml; rm root-key.pem next-key.pem west.kubeconfig",
    ),
    Step("leaving.md", "pulumi stack output rootCertificate > root-cert.pem"),
    Step(
        "leaving.md",
        "vault write -format=json pki_int_east/intermediate/generate/exported"
        " common_name=istiod.istio-system.east key_type=rsa key_bits=4096 > request.json",
        before=ROOT,
    ),
    Step("leaving.md", "jq -r .data.csr request.json > ca.csr"),
    Step("leaving.md", "jq -r .data.private_key request.json > ca-key.pem"),
    Step(
        "leaving.md",
        "vault write -format=json pki/root/sign-intermediate csr=@ca.csr"
        " common_name=istiod.istio-system.east ttl=8760h > signed.json",
        before=ROOT,
    ),
    Step("leaving.md", "jq -r .data.certificate signed.json > ca-cert.pem"),
    Step("leaving.md", "cp ca-cert.pem cert-chain.pem"),
    Step(
        "leaving.md",
        "openssl verify -CAfile root-cert.pem cert-chain.pem",
        prints="cert-chain.pem: OK",
    ),
    Step(
        "leaving.md",
        "kubectl --context east create secret generic cacerts -n istio-system"
        " --from-file=ca-cert.pem --from-file=ca-key.pem --from-file=root-cert.pem"
        " --from-file=cert-chain.pem",
        prints="created",
    ),
    Step("leaving.md", "rm ca-key.pem request.json"),
)
"""Before the agents go; what comes after is in `LAST`."""

FORGET = Step(
    "leaving.md",
    f"pulumi state delete '{EAST}' --target-dependents --yes",
    prints="Resource deleted",
)

TAKE_BACK = (
    Step(
        "leaving.md",
        "kubectl --context east delete -n istio-system serviceaccount/vault-token-reviewer"
        " configmap/istiod-agent-environment clusterrole/gloo-mesh-istiod-agent"
        " clusterrolebinding/gloo-mesh-istiod-agent clusterrolebinding/vault-token-reviewer",
        # This cluster has had its agent taken off before.
        ((" configmap/istiod-agent-environment", ""),),
        prints="deleted",
    ),
    Step("leaving.md", "pulumi up --refresh", (("up", "up --yes --skip-preview"),)),
)
"""After the commands that the preview has printed."""

LEAVE = (
    Step(
        "leaving.md",
        "pulumi destroy",
        # With its preview: without, it would take away what is not protected, and then stop.
        (("destroy", "destroy --yes"),),
        exit_codes=(255, 1),
        prints="protected",
    ),
    Step(
        "root-ca.md",
        "pulumi state unprotect 'URN…'",
        (("'URN…'", '"$ROOT_MOUNT" --yes'),),
        prints="unprotected",
    ),
    Step("leaving.md", "pulumi state unprotect --all", (("--all", "--all --yes"),)),
)

LET_GO = Step(
    "leaving.md",
    "pulumi stack rm prod --force --preserve-config",
    (("--force", "--force --yes"),),
)
