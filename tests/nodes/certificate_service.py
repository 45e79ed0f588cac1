"""istiod's certificate service, asked as a workload's proxy asks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from kubernetes import client

from lab.lab import Lab

from .pods import api_client, core, until

NAMESPACE = "istio-system"
TIMEOUT_SECONDS = 10.0

_METHOD = "/istio.v1.auth.IstioCertificateService/CreateCertificate"
_SERVER_NAME = "istiod.istio-system.svc"
_SERVICE = "istiod-for-the-host"
_PORT = 15012


class CertificateService:
    """The service of one cluster's istiods, reached from the host."""

    def __init__(self, target: str) -> None:
        self._target = target

    def create(self, csr: bytes, token: str, roots: bytes, seconds: int) -> list[str]:
        """Asks for a certificate for the holder of `token`; gives it and what is above it, PEM.

        Raises:
            grpc.RpcError: istiod is not there, is not the one of `roots` (PEM), or refuses.
        """
        credentials = grpc.ssl_channel_credentials(roots)
        options = [("grpc.ssl_target_name_override", _SERVER_NAME)]
        with grpc.secure_channel(self._target, credentials, options) as channel:
            call = channel.unary_unary(
                _METHOD,
                request_serializer=_REQUEST.SerializeToString,
                response_deserializer=_RESPONSE.FromString,
            )
            answer: Any = call(
                _REQUEST(csr=csr.decode(), validity_duration=seconds),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=TIMEOUT_SECONDS,
            )
        return list(answer.cert_chain)


@contextmanager
def certificate_service(lab: Lab, cluster: str) -> Iterator[CertificateService]:
    """Makes a Service by which the host reaches istiod, whichever pod that is; it goes in the end.

    Pods have no address that the host knows a way to.
    """
    api = core(lab, cluster)
    api.create_namespaced_service(
        NAMESPACE,
        {
            "metadata": {"name": _SERVICE},
            "spec": {
                "type": "NodePort",
                "selector": {"app": "istiod", "istio": "pilot"},
                "ports": [{"port": _PORT}],
            },
        },
    )
    try:
        [port] = api.read_namespaced_service(_SERVICE, NAMESPACE).spec.ports
        [node] = api.list_node().items
        addresses = {each.type: each.address for each in node.status.addresses}
        yield CertificateService(f"{addresses['InternalIP']}:{port.node_port}")
    finally:
        api.delete_namespaced_service(_SERVICE, NAMESPACE)


def await_istiod(lab: Lab, cluster: str, seconds: float = 180) -> Any:
    """Returns istiod's one pod, once its Deployment is as it was asked to be, and it is ready."""
    apps: Any = client.AppsV1Api(api_client(lab, cluster))

    def settled() -> Any:
        found = apps.read_namespaced_deployment("istiod", NAMESPACE)
        pods = core(lab, cluster).list_namespaced_pod(NAMESPACE, label_selector="app=istiod").items
        pods = [pod for pod in pods if pod.metadata.labels.get("istio") == "pilot"]
        is_current = found.metadata.generation == found.status.observed_generation
        is_ready = found.status.updated_replicas == found.status.ready_replicas == 1
        return pods[0] if is_current and is_ready and len(pods) == 1 else None

    return until(settled, f"istiod of {cluster}", seconds)


def _message(file: Any, name: str) -> Any:
    return message_factory.GetMessageClass(file.message_types_by_name[name])


def _service_messages() -> tuple[Any, Any]:
    """The two messages, with the fields that are used: Istio publishes no Python package."""
    field = descriptor_pb2.FieldDescriptorProto
    described = descriptor_pb2.FileDescriptorProto(
        name="istio_certificate_service.proto", package="istio.v1.auth", syntax="proto3"
    )
    request = described.message_type.add(name="IstioCertificateRequest")
    request.field.add(name="csr", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    request.field.add(
        name="validity_duration", number=3, type=field.TYPE_INT64, label=field.LABEL_OPTIONAL
    )
    response = described.message_type.add(name="IstioCertificateResponse")
    response.field.add(
        name="cert_chain", number=1, type=field.TYPE_STRING, label=field.LABEL_REPEATED
    )
    pool = descriptor_pool.DescriptorPool()
    file = pool.AddSerializedFile(described.SerializeToString())
    file = pool.FindFileByName(described.name) if file is None else file
    return _message(file, request.name), _message(file, response.name)


_REQUEST, _RESPONSE = _service_messages()
