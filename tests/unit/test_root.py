from typing import Any

import pulumi
import pytest

from components import InvalidInputError, RootCa, RootCaArgs, RootPki, RootPkiArgs

from .conftest import Recorder, make_certificate, run, secret

KEY = "tls:index/privateKey:PrivateKey"
CERTIFICATE = "tls:index/selfSignedCert:SelfSignedCert"
MOUNT = "vault:index/mount:Mount"
IMPORT = "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa"
DEFAULT_ISSUER = "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers"


def test_a_root_by_default(recorder: Recorder) -> None:
    recorder.computed[KEY] = {"privateKeyPem": "the key"}
    recorder.computed[CERTIFICATE] = {"certPem": "the certificate"}

    def program() -> pulumi.Output[Any]:
        root = RootCa("root", {"common_name": "mesh root"})
        return pulumi.Output.all(
            root.certificate_pem, root.private_key_pem, root.private_key_pem.is_secret()
        )

    assert run(program) == ["the certificate", "the key", True]
    assert recorder.of_type(KEY) == {"root-key": {"algorithm": "RSA", "rsaBits": 4096}}
    certificate = recorder.of_type(CERTIFICATE)["root-certificate"]
    assert certificate == {
        "privateKeyPem": secret("the key"),
        "subject": {"commonName": "mesh root"},
        "validityPeriodHours": 3650 * 24,
        "isCaCertificate": True,
        "maxPathLength": 1,
        "setSubjectKeyId": True,
        "allowedUses": ["cert_signing", "crl_signing"],
    }


def test_a_root_as_asked_for(recorder: Recorder) -> None:
    recorder.computed[KEY] = {"privateKeyPem": "the key"}
    recorder.computed[CERTIFICATE] = {"certPem": "the certificate"}
    args: RootCaArgs = {
        "common_name": "mesh root",
        "organization": "Example",
        "key_bits": 3072,
        "lifetime_days": 10,
        "path_length": 2,
    }
    run(lambda: RootCa("root", args).certificate_pem)

    assert recorder.of_type(KEY)["root-key"]["rsaBits"] == 3072
    certificate = recorder.of_type(CERTIFICATE)["root-certificate"]
    assert certificate["subject"] == {"commonName": "mesh root", "organization": "Example"}
    assert certificate["validityPeriodHours"] == 240
    assert certificate["maxPathLength"] == 2


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"common_name": ""}, "common_name"),
        ({"common_name": "x" * 65}, "common_name"),
        ({"common_name": "x", "key_bits": 2048}, "key_bits"),
        ({"common_name": "x", "lifetime_days": 0}, "lifetime_days"),
        ({"common_name": "x", "path_length": 0}, "path_length"),
    ],
)
def test_a_useless_root_is_refused_before_anything_is_registered(
    recorder: Recorder, args: RootCaArgs, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        RootCa("root", args)
    assert recorder.registered == []


def test_the_root_is_imported_tuned_and_made_the_default_issuer(recorder: Recorder) -> None:
    older, root = make_certificate("root"), make_certificate("root")
    issuers = {"id-of-older": older, "id-of-root": root}
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda args: {
        **args,
        "keys": list(issuers),
    }
    recorder.answers["vault:pkiSecret/getBackendIssuer:getBackendIssuer"] = lambda args: {
        **args,
        "certificate": issuers[args["issuerRef"]],
    }

    def program() -> pulumi.Output[Any]:
        args: RootPkiArgs = {"certificate_pem": root, "private_key_pem": "the key"}
        pki = RootPki("root-pki", {**args, "intermediate_lifetime_days": 90})
        return pulumi.Output.all(pki.mount_path, pki.ca_path, pki.issuer_id)

    assert run(program) == ["pki", "pki/root/sign-intermediate", "id-of-root"]
    mount = recorder.of_type(MOUNT)["root-pki-mount"]
    assert (mount["path"], mount["type"]) == ("pki", "pki")
    assert mount["defaultLeaseTtlSeconds"] == mount["maxLeaseTtlSeconds"] == 90 * 86_400
    imported = recorder.of_type(IMPORT)["root-pki-import"]
    assert imported["backend"] == "pki"
    assert imported["pemBundle"] == secret(f"the key\n{root}")
    assert recorder.of_type(DEFAULT_ISSUER)["root-pki-default-issuer"] == {
        "backend": "pki",
        "default": "id-of-root",
        "defaultFollowsLatestIssuer": False,
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [({"mount_path": "pki/*"}, "mount_path"), ({"intermediate_lifetime_days": 0}, "intermediate")],
)
def test_a_useless_root_mount_is_refused_before_anything_is_registered(
    recorder: Recorder, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}"):
        RootPki("root-pki", {"certificate_pem": "c", "private_key_pem": "k", **change})  # type: ignore[typeddict-item]
    assert recorder.registered == []


def test_a_mount_without_the_root_is_one_line(recorder: Recorder) -> None:
    root = make_certificate("root")
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda args: args

    def program() -> pulumi.Output[Any]:
        return RootPki("root-pki", {"certificate_pem": root, "private_key_pem": "key"}).issuer_id

    with pytest.raises(pulumi.RunError, match="mount 'pki' has no issuers any more"):
        run(program)
