from dataclasses import replace

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Value
from tests.conformance.harness import PartialError, Plugin, RefusedError
from tests.conformance.vault.conftest import PrivateVault
from tests.token_issuer import TokenIssuer, serving

BACKEND = "vault:jwt/authBackend:AuthBackend"
ROLE = "vault:jwt/authBackendRole:AuthBackendRole"
ISSUER = "https://kubernetes.default.svc.cluster.local"
KEY = TokenIssuer().public_key_pem
OTHER_KEY = TokenIssuer().public_key_pem


class TestBackend:
    @pytest.fixture
    def inputs(self, path: str) -> Properties:
        return {
            "path": path,
            "description": "cluster east",
            "jwtValidationPubkeys": [KEY],
            "jwtSupportedAlgs": ["RS256"],
            "boundIssuer": ISSUER,
        }

    def test_create_and_read_back(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        entry = vault.client.sys.list_auth_methods()["data"][f"{path}/"]
        assert (entry["type"], entry["description"]) == ("jwt", "cluster east")
        found = vault.client.read(f"auth/{path}/config")["data"]
        assert found["jwt_validation_pubkeys"] == [KEY]
        assert (found["bound_issuer"], found["jwt_supported_algs"]) == (ISSUER, ["RS256"])
        assert backend.id == path
        assert backend.inputs == {
            **inputs,
            "type": "jwt",
            "namespaceInState": True,
            "__defaults": ["namespaceInState", "type"],
        }
        assert backend.state == {
            **inputs,
            "id": path,
            "type": "jwt",
            "accessor": entry["accessor"],
            "defaultRole": "",
            "disableRemount": False,
            "jwksCaPem": "",
            "jwksUrl": "",
            "local": False,
            "namespace": None,
            "namespaceInState": True,
            "oidcDiscoveryCaPem": "",
            "oidcDiscoveryUrl": "",
            "tune": {
                "allowedResponseHeaders": [],
                "auditNonHmacRequestKeys": [],
                "auditNonHmacResponseKeys": [],
                "defaultLeaseTtl": "768h",
                "listingVisibility": "",
                "maxLeaseTtl": "768h",
                "passthroughRequestHeaders": [],
                "tokenType": "default-service",
            },
        }
        read = plugin.read(backend)
        assert read is not None
        assert read.state == backend.state
        assert not plugin.diff(backend, inputs).changes
        assert not plugin.diff(read, inputs).changes

    def test_another_key_is_an_update_that_writes_the_whole(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        new: Properties = {**inputs, "jwtValidationPubkeys": [KEY, OTHER_KEY]}
        assert plugin.diff(backend, new).detailed == {"jwtValidationPubkeys[1]": "ADD"}
        updated = plugin.update(backend, new)
        found = vault.client.read(f"auth/{path}/config")["data"]
        assert found["jwt_validation_pubkeys"] == [KEY, OTHER_KEY]
        assert found["bound_issuer"] == ISSUER
        assert not plugin.diff(updated, new).changes

    def test_another_issuer_by_others_is_seen(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        vault.client.write(
            f"auth/{path}/config", jwt_validation_pubkeys=OTHER_KEY, bound_issuer="https://other"
        )
        read = plugin.read(backend)
        assert read is not None
        assert read.inputs["boundIssuer"] == "https://other"
        changes = plugin.diff(read, inputs).detailed
        assert {"boundIssuer", "jwtValidationPubkeys[0]", "jwtSupportedAlgs[0]"} == set(changes)
        plugin.update(read, inputs)
        assert vault.client.read(f"auth/{path}/config")["data"]["bound_issuer"] == ISSUER

    def test_a_new_description_goes_no_further_than_the_state(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        updated = plugin.update(backend, {**inputs, "description": "cluster west"})
        assert updated.state["description"] == "cluster west"
        entry = vault.client.sys.list_auth_methods()["data"][f"{path}/"]
        assert entry["description"] == "cluster east"

    def test_tuning(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, {**inputs, "tune": {"maxLeaseTtl": "2h"}})
        found = vault.client.sys.read_auth_method_tuning(path)["data"]
        assert found["max_lease_ttl"] == 7200
        plugin.update(backend, {**inputs, "tune": {"maxLeaseTtl": "3h"}})
        found = vault.client.sys.read_auth_method_tuning(path)["data"]
        assert found["max_lease_ttl"] == 10800

    def test_another_path_moves_it(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        new: Properties = {**inputs, "path": f"{path}-moved"}
        assert plugin.diff(backend, new).replaces == []
        moved = plugin.update(backend, new)
        assert moved.state["accessor"] == backend.state["accessor"]
        assert vault.client.read(f"auth/{path}-moved/config")["data"]["bound_issuer"] == ISSUER

    @pytest.mark.parametrize(
        ("field", "value"), [("type", "oidc"), ("local", True), ("namespace", "team")]
    )
    def test_what_cannot_be_changed_replaces(
        self, plugin: Plugin, inputs: Properties, field: str, value: Value
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        assert plugin.diff(backend, {**inputs, field: value}).replaces == [field]

    def test_keys_from_a_server(self, plugin: Plugin, vault: PrivateVault, path: str) -> None:
        with serving({"/openid/v1/jwks": TokenIssuer().jwks()}) as address:
            inputs: Properties = {"path": path, "jwksUrl": f"{address}/openid/v1/jwks"}
            backend = plugin.create(BACKEND, inputs)
        assert vault.client.read(f"auth/{path}/config")["data"]["jwks_url"] == inputs["jwksUrl"]
        assert not plugin.diff(backend, inputs).changes

    def test_keys_by_discovery(self, plugin: Plugin, vault: PrivateVault, path: str) -> None:
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": "{address}",
                "jwks_uri": "{address}/keys",
            },
            "/keys": TokenIssuer().jwks(),
        }
        with serving(documents) as address:
            inputs: Properties = {"path": path, "oidcDiscoveryUrl": address}
            backend = plugin.create(BACKEND, inputs)
        found = vault.client.read(f"auth/{path}/config")["data"]
        assert found["oidc_discovery_url"] == address
        assert not plugin.diff(backend, inputs).changes

    def test_one_source_after_another(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        with serving({"/keys": TokenIssuer().jwks()}) as address:
            plugin.update(backend, {"path": path, "jwksUrl": f"{address}/keys"})
        found = vault.client.read(f"auth/{path}/config")["data"]
        assert found["jwks_url"] == f"{address}/keys"
        assert not found["jwt_validation_pubkeys"]
        assert found["bound_issuer"] == ""

    def test_a_configuration_that_fails_leaves_a_resource_to_mend(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        with pytest.raises(PartialError, match="error updating configuration to Vault") as failure:
            plugin.create(BACKEND, {**inputs, "jwtValidationPubkeys": ["no key"]})
        assert failure.value.id == path
        assert f"{path}/" in vault.client.sys.list_auth_methods()["data"]
        unfinished = replace(
            plugin.create(BACKEND, {**inputs, "path": f"{path}-other"}),
            id=path,
            inputs={},
            state=failure.value.state,
        )
        assert "jwtValidationPubkeys" in plugin.diff(unfinished, inputs).detailed
        plugin.update(unfinished, inputs)
        assert vault.client.read(f"auth/{path}/config")["data"]["bound_issuer"] == ISSUER

    def test_a_method_without_keys_is_refused(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        with pytest.raises(RefusedError, match="exactly one of oidc_discovery_url"):
            plugin.diff(backend, {"path": path})
        with pytest.raises(RefusedError, match="exactly one of oidc_discovery_url"):
            plugin.create(BACKEND, {"path": f"{path}-none"})
        assert f"{path}-none/" not in vault.client.sys.list_auth_methods()["data"]

    @pytest.mark.parametrize(
        ("wrong", "property_path", "words"),
        [
            ({"path": "jwt/"}, "path", 'contains leading/trailing "/"'),
            ({"type": "saml"}, "type", "to be one of"),
            ({"jwksUrl": "https://keys"}, "jwksUrl", "conflicts with jwt_validation_pubkeys"),
            ({"oidcClientId": "x"}, "oidcClientId", "has no field 'oidcClientId'"),
        ],
    )
    def test_wrong_inputs_are_refused_by_name(
        self,
        plugin: Plugin,
        inputs: Properties,
        wrong: Properties,
        property_path: str,
        words: str,
    ) -> None:
        failures = dict(plugin.check(BACKEND, {**inputs, **wrong}).failures)
        assert words in failures[property_path]

    def test_import_by_id(self, plugin: Plugin, path: str, inputs: Properties) -> None:
        plugin.create(BACKEND, inputs)
        imported = plugin.import_(BACKEND, path)
        assert imported is not None
        assert imported.inputs["jwtValidationPubkeys"] == [KEY]
        # The description is not read, so that it is a change once.
        assert plugin.diff(imported, inputs).detailed["description"] == "ADD"

    def test_deletion(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        backend = plugin.create(BACKEND, inputs)
        plugin.delete(backend)
        assert f"{path}/" not in vault.client.sys.list_auth_methods()["data"]
        assert plugin.read(backend) is None

    def test_a_preview_changes_nothing(
        self, plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
    ) -> None:
        planned = plugin.create(BACKEND, {**inputs, "boundIssuer": UNKNOWN}, preview=True)
        assert (planned.id, planned.state["boundIssuer"]) == ("", UNKNOWN)
        assert planned.state["accessor"] is UNKNOWN
        assert f"{path}/" not in vault.client.sys.list_auth_methods()["data"]


class TestRole:
    @pytest.fixture
    def mounted(self, vault: PrivateVault, path: str) -> str:
        vault.client.sys.enable_auth_method("jwt", path=path)
        vault.client.write(f"auth/{path}/config", jwt_validation_pubkeys=KEY)
        return path

    @pytest.fixture
    def inputs(self, mounted: str) -> Properties:
        return {
            "backend": mounted,
            "roleName": "agent",
            "roleType": "jwt",
            "userClaim": "sub",
            "boundAudiences": [ISSUER],
            "boundClaims": {"sub": "system:serviceaccount:istio-system:istiod"},
            "tokenPolicies": ["agent"],
            "tokenTtl": 3600,
            "tokenMaxTtl": 3600,
        }

    def test_create_and_read_back(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        found = vault.client.read(f"auth/{mounted}/role/agent")["data"]
        assert found["bound_audiences"] == [ISSUER]
        assert found["bound_claims"] == {"sub": ["system:serviceaccount:istio-system:istiod"]}
        assert (found["user_claim"], found["token_ttl"]) == ("sub", 3600)
        assert role.id == f"auth/{mounted}/role/agent"
        assert role.inputs == {
            **inputs,
            "boundClaims": inputs["boundClaims"],
            "tokenType": "default",
            "__defaults": ["tokenType"],
        }
        assert role.state == {
            **inputs,
            "id": role.id,
            "aliasMetadata": None,
            "allowedRedirectUris": None,
            "boundClaimsType": "string",
            "boundSubject": "",
            "claimMappings": None,
            "clockSkewLeeway": 0,
            "disableBoundClaimsParsing": False,
            "expirationLeeway": 0,
            "groupsClaim": "",
            "maxAge": 0,
            "namespace": None,
            "notBeforeLeeway": 0,
            "oidcScopes": None,
            "tokenBoundCidrs": None,
            "tokenExplicitMaxTtl": 0,
            "tokenNoDefaultPolicy": False,
            "tokenNumUses": 0,
            "tokenPeriod": 0,
            "tokenType": "default",
            "userClaimJsonPointer": False,
            "verboseOidcLogging": False,
        }
        read = plugin.read(role)
        assert read is not None
        assert read.state == role.state
        assert not plugin.diff(role, inputs).changes
        assert not plugin.diff(read, inputs).changes

    def test_several_values_of_a_claim(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        several: Properties = {**inputs, "boundClaims": {"sub": "one, two"}}
        role = plugin.create(ROLE, several)
        assert vault.client.read(role.id)["data"]["bound_claims"] == {"sub": ["one", "two"]}
        whole: Properties = {
            **inputs,
            "boundClaims": {"sub": "one, two"},
            "disableBoundClaimsParsing": True,
        }
        plugin.update(role, whole)
        assert vault.client.read(role.id)["data"]["bound_claims"] == {"sub": ["one, two"]}

    def test_update_in_place(self, plugin: Plugin, vault: PrivateVault, inputs: Properties) -> None:
        role = plugin.create(ROLE, inputs)
        new: Properties = {
            **inputs,
            "boundAudiences": ["vault"],
            "tokenTtl": 60,
            "tokenNoDefaultPolicy": True,
            "expirationLeeway": -1,
        }
        assert plugin.diff(role, new).detailed == {
            "boundAudiences[0]": "UPDATE",
            "tokenTtl": "UPDATE",
            "tokenNoDefaultPolicy": "UPDATE",
            "expirationLeeway": "UPDATE",
        }
        updated = plugin.update(role, new)
        found = vault.client.read(role.id)["data"]
        assert (found["bound_audiences"], found["token_ttl"]) == (["vault"], 60)
        assert (found["token_no_default_policy"], found["expiration_leeway"]) == (True, -1)
        assert found["token_max_ttl"] == 3600
        assert not plugin.diff(updated, new).changes

    def test_a_wider_role_by_others_is_seen(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        vault.client.write(
            role.id, role_type="jwt", user_claim="sub", bound_claims={"sub": "anyone"}
        )
        read = plugin.read(role)
        assert read is not None
        assert plugin.diff(read, inputs).detailed == {"boundClaims.sub": "UPDATE"}
        plugin.update(read, inputs)
        found = vault.client.read(role.id)["data"]
        assert found["bound_claims"] == {"sub": ["system:serviceaccount:istio-system:istiod"]}

    @pytest.mark.parametrize(
        ("field", "value"), [("backend", "other"), ("roleName", "other"), ("roleType", "oidc")]
    )
    def test_what_cannot_be_changed_replaces(
        self, plugin: Plugin, inputs: Properties, field: str, value: Value
    ) -> None:
        role = plugin.create(ROLE, inputs)
        assert plugin.diff(role, {**inputs, field: value}).replaces == [field]

    def test_import_by_id(self, plugin: Plugin, inputs: Properties) -> None:
        role = plugin.create(ROLE, inputs)
        imported = plugin.import_(ROLE, role.id)
        assert imported is not None
        assert imported.inputs["boundClaims"] == {**_claims(inputs), "__defaults": []}
        assert not plugin.diff(imported, inputs).changes
        with pytest.raises(RefusedError, match="invalid path"):
            plugin.import_(ROLE, "agent")

    def test_deletion(self, plugin: Plugin, vault: PrivateVault, inputs: Properties) -> None:
        role = plugin.create(ROLE, inputs)
        plugin.delete(role)
        assert vault.client.read(role.id) is None
        assert plugin.read(role) is None

    def test_deletion_where_the_mount_is_gone(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        vault.client.sys.disable_auth_method(str(inputs["backend"]))
        plugin.delete(role)

    def test_a_role_that_binds_nobody_is_vaults_refusal(
        self, plugin: Plugin, inputs: Properties
    ) -> None:
        unbound = {
            key: value
            for key, value in inputs.items()
            if key not in ("boundAudiences", "boundClaims")
        }
        with pytest.raises(RefusedError, match="must have at least one bound constraint"):
            plugin.create(ROLE, unbound)


def _claims(inputs: Properties) -> Properties:
    claims = inputs["boundClaims"]
    assert isinstance(claims, dict)
    return claims
