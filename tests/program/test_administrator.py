"""The administrator's login: the generated password, and what it is good for."""

from collections.abc import Iterator
from typing import Any

import pytest
from hvac.exceptions import Forbidden, VaultError

from lab.lab import Lab

from .handshake import Agent, Instructions, service_account_token
from .inventory import vault_client
from .program import Program

pytestmark = pytest.mark.usefixtures("deployed")


def log_in(lab: Lab, username: str, password: str) -> Any:
    """A client of Vault, logged in."""
    vault = vault_client(lab, token="")
    vault.auth.userpass.login(username, password)
    return vault


@pytest.fixture
def administrator(lab: Lab, deployed: Program) -> Any:
    login = deployed.secret_outputs()["administrator"]
    return log_in(lab, login["username"], login["password"])


def test_the_login(deployed: Program, administrator: Any) -> None:
    login = deployed.secret_outputs()["administrator"]
    assert login["username"] == "admin"
    assert len(login["password"]) == 32
    assert login["password"] not in str(deployed.outputs())

    own = administrator.auth.token.lookup_self()["data"]
    assert own["policies"] == ["admins", "default"]
    assert own["creation_ttl"] == 3600


def test_another_password_is_refused(lab: Lab) -> None:
    """Also that of the guide."""
    for password in ("admin", ""):
        with pytest.raises(VaultError):
            log_in(lab, "admin", password)


def test_every_cluster_is_within_reach(lab: Lab, administrator: Any) -> None:
    for cluster in ("east", "west"):
        mount, role = f"kube-{cluster}-mesh-auth", f"gen-int-ca-istio-{cluster}-mesh"
        path = f"auth/{mount}/role/{role}"
        before = administrator.read(path)["data"]
        administrator.write_data(path, data={"token_ttl": 60})
        try:
            assert vault_client(lab).read(path)["data"]["token_ttl"] == 60
        finally:
            administrator.write_data(path, data={"token_ttl": before["token_ttl"]})
        with pytest.raises(Forbidden):
            administrator.write_data(path, data={"token_policies": "root"})
    with pytest.raises(Forbidden):
        administrator.read("secret/data/any")


def test_the_logins_of_a_cluster_are_ended(lab: Lab, administrator: Any) -> None:
    agents = {}
    for cluster in ("east", "west"):
        with Agent(Instructions.of(lab, cluster)) as agent:
            login = agent.log_in(service_account_token(lab, cluster, "istiod", "istio-system"))
            agents[cluster] = vault_client(lab, login["client_token"])
            agents[cluster].auth.token.lookup_self()

    administrator.write_data("sys/leases/revoke-prefix/auth/kube-east-mesh-auth/login", data={})

    with pytest.raises(Forbidden):
        agents["east"].auth.token.lookup_self()
    agents["west"].auth.token.lookup_self()


@pytest.fixture
def next_password(program: Program) -> Iterator[None]:
    program.configure(administratorPasswordGeneration=2)
    yield
    program.configure_as_committed()
    program.up()


@pytest.mark.soak
@pytest.mark.usefixtures("next_password")
def test_a_new_password_takes_the_place_of_the_old_one(lab: Lab, program: Program) -> None:
    old = program.secret_outputs()["administrator"]["password"]

    assert program.steps().keys() == {"administrator-password", "administrator-user"}
    program.up()

    new = program.secret_outputs()["administrator"]["password"]
    assert new != old
    log_in(lab, "admin", new)
    with pytest.raises(VaultError):
        log_in(lab, "admin", old)


@pytest.mark.soak
def test_another_policy_of_the_user_is_put_back(lab: Lab, deployed: Program) -> None:
    vault_client(lab).write_data("auth/userpass/users/admin", data={"token_policies": "any"})

    deployed.run("refresh", "--yes", "--skip-preview")
    deployed.up()

    user = vault_client(lab).read("auth/userpass/users/admin")["data"]
    assert user["token_policies"] == ["admins"]
    deployed.run("preview", "--expect-no-changes")
