"""Names that the parts of the trust setup share; the defaults are those of Gloo's Vault guide."""

ROOT_MOUNT_PATH = "pki"
ISTIO_NAMESPACE = "istio-system"
GLOO_NAMESPACE = "gloo-mesh"
DEFAULT_REVISION = "default"


def intermediate_mount_path(cluster: str) -> str:
    """The secrets mount in which a cluster's intermediate CA requests are made."""
    return f"pki_int_{cluster}"


def auth_mount_path(cluster: str) -> str:
    """The auth mount at which a cluster's service accounts log in."""
    return f"kube-{cluster}-mesh-auth"


def role_name(cluster: str) -> str:
    """The role that istiod's agent of a cluster takes on, and the policy that the role carries."""
    return f"gen-int-ca-istio-{cluster}-mesh"


def istiod_service_account(revision: str = DEFAULT_REVISION) -> str:
    """The service account that Istio's own charts give to the istiod of `revision`."""
    return "istiod" if revision == DEFAULT_REVISION else f"istiod-{revision}"


def csr_path(mount_path: str) -> str:
    """Where a certificate request is made whose private key is returned once, to the caller."""
    return f"{mount_path}/intermediate/generate/exported"


def sign_intermediate_path(mount_path: str) -> str:
    """Where the root signs an intermediate."""
    return f"{mount_path}/root/sign-intermediate"
