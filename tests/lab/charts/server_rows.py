"""Values of the Vault chart that change the server's pod in every mode."""

from typing import Any

from .rows import (
    ACCOUNT,
    BINDING,
    CONTAINER,
    ENVIRONMENT,
    FILLED,
    INTERNAL,
    PODS,
    SERVICE,
    SET,
    TEMPLATE,
    Row,
    added,
    gone,
    in_namespace,
    variable,
)

READY = f"{CONTAINER}.readinessProbe"
LIVE = f"{CONTAINER}.livenessProbe"

_ASKED = {"path": "/v1/sys/health?standbyok=true", "port": 8200, "scheme": "HTTP"}
_LIVE_TIMES = {
    "failureThreshold": 2,
    "initialDelaySeconds": 60,
    "periodSeconds": 5,
    "successThreshold": 1,
    "timeoutSeconds": 3,
}
_TIMES = tuple(_LIVE_TIMES)
_WITH_LIVE = {"server.livenessProbe.enabled": True}
_WITH_PATH = {"server.readinessProbe.path": "/ready"}


def _http_port(scheme: str, **ports: int) -> dict[str, Any]:
    return {"name": scheme, **ports}


_SERVED = {"port": 8200, "targetPort": 8200}

GLOBAL_ROWS = (
    Row("global.enabled", False, gone(SET, SERVICE, INTERNAL, ACCOUNT, BINDING)),
    Row("global.namespace", "other", in_namespace("other")),
    Row(
        "global.tlsDisable",
        False,
        {
            f"{ENVIRONMENT}[VAULT_ADDR].value": "https://127.0.0.1:8200",
            f"{ENVIRONMENT}[VAULT_API_ADDR].value": "https://$(POD_IP):8200",
            **gone(f"{CONTAINER}.ports[http]", f"{CONTAINER}.ports[http-rep]"),
            f"{CONTAINER}.ports[https]": _http_port("https", containerPort=8200),
            f"{CONTAINER}.ports[https-rep]": _http_port("https-rep", containerPort=8202),
            f"{READY}.httpGet.scheme": "HTTPS",
            **gone(f"{SERVICE}.spec.ports[http]", f"{INTERNAL}.spec.ports[http]"),
            f"{SERVICE}.spec.ports[https]": _http_port("https", **_SERVED),
            f"{INTERNAL}.spec.ports[https]": _http_port("https", **_SERVED),
        },
        _WITH_PATH,
    ),
    Row(
        "global.imagePullSecrets",
        ["one", {"name": "two"}],
        {f"{PODS}.spec.imagePullSecrets": [{"name": "one"}, {"name": "two"}]},
    ),
    Row("server.enabled", False, gone(SET, SERVICE, INTERNAL)),
    Row(
        "server.enabled",
        True,
        added(SET, SERVICE, INTERNAL, ACCOUNT, BINDING),
        {"global.enabled": False},
    ),
)

SERVER_ROWS = (
    Row("server.image.repository", "example/vault", {f"{CONTAINER}.image": "example/vault:1.13.1"}),
    Row("server.image.tag", "1.12.0", {f"{CONTAINER}.image": "hashicorp/vault:1.12.0"}),
    Row("server.image.tag", None, {f"{CONTAINER}.image": "hashicorp/vault:latest"}),
    Row("server.image.pullPolicy", "Always", {f"{CONTAINER}.imagePullPolicy": "Always"}),
    Row(
        "server.updateStrategyType",
        "RollingUpdate",
        {f"{SET}.spec.updateStrategy.type": "RollingUpdate"},
    ),
    Row("server.logLevel", "trace", {f"{ENVIRONMENT}[VAULT_LOG_LEVEL].value": "trace"}),
    Row("server.logLevel", "", gone(f"{ENVIRONMENT}[VAULT_LOG_LEVEL]")),
    Row("server.logFormat", "json", variable("VAULT_LOG_FORMAT", "json")),
    Row(
        "server.extraArgs",
        "-dev-no-store-token -log-level=warn",
        {
            f"{CONTAINER}.args": [
                "/usr/local/bin/docker-entrypoint.sh vault server -dev"
                " -dev-no-store-token -log-level=warn\n"
            ]
        },
    ),
    Row(
        "server.resources",
        {"limits": {"cpu": "1"}},
        {f"{CONTAINER}.resources": {"limits": {"cpu": "1"}}},
    ),
    Row(
        "server.dev.devRootToken",
        "other",
        {f"{ENVIRONMENT}[VAULT_DEV_ROOT_TOKEN_ID].value": "other"},
    ),
    # What YAML would read as a number or a truth value stays the text that it is.
    Row(
        "server.dev.devRootToken", "1234", {f"{ENVIRONMENT}[VAULT_DEV_ROOT_TOKEN_ID].value": "1234"}
    ),
    Row(
        "server.dev.devRootToken", "true", {f"{ENVIRONMENT}[VAULT_DEV_ROOT_TOKEN_ID].value": "true"}
    ),
    Row(
        "server.terminationGracePeriodSeconds",
        30,
        {f"{PODS}.spec.terminationGracePeriodSeconds": 30},
    ),
    Row(
        "server.preStopSleepSeconds",
        9,
        {
            f"{CONTAINER}.lifecycle.preStop.exec.command": [
                "/bin/sh",
                "-c",
                "sleep 9 && kill -SIGTERM $(pidof vault)",
            ]
        },
    ),
    Row(
        "server.extraEnvironmentVars",
        {"a.word": "b", "FLAG": True, "LARGE": 12345678},
        variable("A_WORD", "b") | variable("FLAG", "true") | variable("LARGE", "12345678"),
    ),
    Row(
        "server.extraSecretEnvironmentVars",
        [{"envName": "KEY", "secretName": "a-secret", "secretKey": "its-key"}],
        {
            f"{ENVIRONMENT}[KEY]": {
                "name": "KEY",
                "valueFrom": {"secretKeyRef": {"name": "a-secret", "key": "its-key"}},
            }
        },
    ),
    Row(
        "server.volumes",
        [{"name": "more", "emptyDir": {}}],
        {f"{PODS}.spec.volumes[more]": {"name": "more", "emptyDir": {}}},
    ),
    Row(
        "server.volumeMounts",
        [{"name": "more", "mountPath": "/more"}],
        {f"{CONTAINER}.volumeMounts[more]": {"name": "more", "mountPath": "/more"}},
    ),
    Row("server.hostNetwork", True, {f"{PODS}.spec.hostNetwork": True}),
    Row("server.extraLabels", {"more": "yes"}, {f"{PODS}.metadata.labels.more": "yes"}),
    Row("server.annotations", {"of": "us"}, {f"{PODS}.metadata.annotations": {"of": "us"}}),
    Row("server.annotations", TEMPLATE, {f"{PODS}.metadata.annotations": FILLED}),
)

PROBE_ROWS = (
    Row("server.readinessProbe.enabled", False, gone(READY)),
    Row(
        "server.readinessProbe.path",
        "/ready",
        {
            **gone(f"{READY}.exec"),
            f"{READY}.httpGet": {"path": "/ready", "port": 8200, "scheme": "HTTP"},
        },
    ),
    Row("server.readinessProbe.port", 8300, {f"{READY}.httpGet.port": 8300}, _WITH_PATH),
    *(Row(f"server.readinessProbe.{time}", 77, {f"{READY}.{time}": 77}) for time in _TIMES),
    Row(
        "server.livenessProbe.enabled",
        True,
        {LIVE: {"httpGet": _ASKED, **_LIVE_TIMES}},
    ),
    Row("server.livenessProbe.path", "/live", {f"{LIVE}.httpGet.path": "/live"}, _WITH_LIVE),
    Row("server.livenessProbe.port", 8300, {f"{LIVE}.httpGet.port": 8300}, _WITH_LIVE),
    Row(
        "server.livenessProbe.execCommand",
        ["/bin/check", "it"],
        {**gone(f"{LIVE}.httpGet"), f"{LIVE}.exec": {"command": ["/bin/check", "it"]}},
        _WITH_LIVE,
    ),
    *(
        Row(f"server.livenessProbe.{time}", 77, {f"{LIVE}.{time}": 77}, _WITH_LIVE)
        for time in _TIMES
    ),
)
