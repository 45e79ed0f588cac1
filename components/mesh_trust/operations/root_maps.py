"""What istiod has workloads trust: the ConfigMap that it writes into every namespace."""

from typing import Any

from cryptography import x509

from mesh_trust.trusted_roots import ROOT_KEY

ROOT_MAP = "istio-ca-root-cert"


def roots_in_map(root_map: Any) -> list[x509.Certificate]:
    """The certificates that one of these ConfigMaps holds; none, where it holds something else."""
    try:
        return x509.load_pem_x509_certificates((root_map.data or {}).get(ROOT_KEY, "").encode())
    except ValueError:
        return []
