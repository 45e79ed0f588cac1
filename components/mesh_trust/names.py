"""Names that the parts of the trust setup share; the defaults are those of Gloo's Vault guide."""

from .validation import InvalidInputError

ROOT_MOUNT_PATH = "pki"
ISTIO_NAMESPACE = "istio-system"
GLOO_NAMESPACE = "gloo-mesh"
KUBERNETES_ISSUER = "https://kubernetes.default.svc.cluster.local"
DEFAULT_REVISION = "default"
ADMINISTRATOR = "admin"
ADMINISTRATOR_POLICY = "admins"
ADMINISTRATOR_MOUNT_PATH = "userpass"


def intermediate_mount_path(cluster: str) -> str:
    """The secrets mount in which a cluster's intermediate CA requests are made."""
    return f"pki_int_{cluster}"


def cluster_ca_mount_path(cluster: str) -> str:
    """The secrets mount that holds a CA of a cluster's own."""
    return f"pki_{cluster}"


def auth_mount_path(cluster: str) -> str:
    """The auth mount at which a cluster's service accounts log in."""
    return f"kube-{cluster}-mesh-auth"


def jwt_auth_mount_path(cluster: str) -> str:
    """The auth mount at which a cluster's tokens are checked without asking its API server.

    Not the guide's, which has no such mount: a cluster can change over while both are there.
    """
    return f"jwt-{cluster}-mesh-auth"


def role_name(cluster: str) -> str:
    """The role that istiod's agent of a cluster takes on, and the policy that the role carries."""
    return f"gen-int-ca-istio-{cluster}-mesh"


def istiod_service_account(revision: str = DEFAULT_REVISION) -> str:
    """The service account that Istio's own charts give to the istiod of `revision`."""
    return "istiod" if revision == DEFAULT_REVISION else f"istiod-{revision}"


def istiod_deployment(revision: str = DEFAULT_REVISION) -> str:
    """The Deployment that Istio's own charts make of the istiod of `revision`."""
    return istiod_service_account(revision)


def service_account_subject(namespace: str, name: str) -> str:
    """What a service account's token says of whose it is: its claim `sub`."""
    return f"system:serviceaccount:{namespace}:{name}"


def csr_path(mount_path: str) -> str:
    """Where a certificate request is made whose private key is returned once, to the caller."""
    return f"{mount_path}/intermediate/generate/exported"


_SIGN_INTERMEDIATE = "/root/sign-intermediate"


def sign_intermediate_path(mount_path: str) -> str:
    """Where the CA of a mount signs an intermediate."""
    return f"{mount_path}{_SIGN_INTERMEDIATE}"


def signing_mount_path(ca_path: str) -> str:
    """The mount whose CA signs at `ca_path`.

    Raises:
        InvalidInputError: it is no path at which a mount's CA signs intermediates.
    """
    if not ca_path.endswith(_SIGN_INTERMEDIATE):
        raise InvalidInputError("ca_path", ca_path, f"use one that ends in {_SIGN_INTERMEDIATE}")
    return ca_path.removesuffix(_SIGN_INTERMEDIATE)
