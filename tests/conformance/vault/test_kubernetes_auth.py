import base64
import json
from dataclasses import replace

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Secret, Value, contains_secret
from tests.conformance.harness import PartialError, Plugin, RefusedError
from tests.private_vault import PrivateVault

CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig"
ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"
HOST = "https://127.0.0.1:6443"
CA = "-----BEGIN CERTIFICATE-----\nnot looked at\n-----END CERTIFICATE-----"


def jwt_of(subject: str) -> str:
    """A token of the right form; nothing here looks at its signature."""
    parts = ({"alg": "HS256"}, {"sub": subject}, "signature")
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


REVIEWER = jwt_of("reviewer")


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    vault.client.sys.enable_auth_method("kubernetes", path=path)
    return path


class TestConfig:
    @pytest.fixture
    def inputs(self, mounted: str) -> Properties:
        return {
            "backend": mounted,
            "kubernetesHost": HOST,
            "kubernetesCaCert": CA,
            "disableLocalCaJwt": True,
            "tokenReviewerJwt": Secret(REVIEWER),
        }

    def test_create_and_read_back(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        config = plugin.create(CONFIG, inputs)
        found = vault.client.read(f"auth/{mounted}/config")["data"]
        assert (found["kubernetes_host"], found["kubernetes_ca_cert"]) == (HOST, CA)
        assert found["disable_local_ca_jwt"]
        assert config.id == f"auth/{mounted}/config"
        assert config.inputs == {**inputs, "__defaults": []}
        assert config.state == {
            **inputs,
            "id": config.id,
            # Sent as false where it is not given, though Vault's own default is true.
            "disableIssValidation": False,
            "issuer": "",
            "namespace": None,
            "pemKeys": None,
            "tokenReviewerJwtWo": Secret(None),
            "tokenReviewerJwtWoVersion": None,
            "useAnnotationsAsAliasMetadata": None,
        }
        read = plugin.read(config)
        assert read is not None
        assert (read.state, read.inputs) == (config.state, inputs)
        assert not plugin.diff(config, inputs).changes

    def test_the_reviewer_s_token_is_nowhere_in_clear(
        self, plugin: Plugin, inputs: Properties
    ) -> None:
        config = plugin.create(CONFIG, inputs)
        planned = plugin.create(CONFIG, inputs, preview=True)
        read = plugin.read(config)
        assert read is not None
        for resource in (config, planned, read):
            for values in (resource.inputs, resource.state):
                assert contains_secret(values["tokenReviewerJwt"])
                assert REVIEWER not in repr(values)

    def test_a_token_given_in_clear_is_marked(self, plugin: Plugin, inputs: Properties) -> None:
        checked = plugin.check(CONFIG, {**inputs, "tokenReviewerJwt": REVIEWER})
        assert checked.inputs["tokenReviewerJwt"] == Secret(REVIEWER)

    def test_update_in_place(self, plugin: Plugin, vault: PrivateVault, inputs: Properties) -> None:
        config = plugin.create(CONFIG, inputs)
        new: Properties = {
            **inputs,
            "kubernetesHost": "https://127.0.0.1:7443",
            "tokenReviewerJwt": Secret(jwt_of("other")),
            "issuer": "https://issuer",
            "disableIssValidation": True,
        }
        assert plugin.diff(config, new).detailed == {
            "kubernetesHost": "UPDATE",
            "tokenReviewerJwt": "UPDATE",
            "issuer": "UPDATE",
            "disableIssValidation": "UPDATE",
        }
        updated = plugin.update(config, new)
        found = vault.client.read(config.id)["data"]
        assert found["kubernetes_host"] == "https://127.0.0.1:7443"
        assert found["issuer"] == "https://issuer"
        assert found["disable_iss_validation"]
        assert updated.state["tokenReviewerJwt"] == Secret(jwt_of("other"))
        # What was not changed is sent again, as a write replaces the whole.
        assert found["kubernetes_ca_cert"] == CA

    def test_a_taken_away_token_is_a_change(self, plugin: Plugin, inputs: Properties) -> None:
        config = plugin.create(CONFIG, inputs)
        without = {key: value for key, value in inputs.items() if key != "tokenReviewerJwt"}
        assert plugin.diff(config, without).detailed == {"tokenReviewerJwt": "DELETE"}
        assert plugin.update(config, without).state["tokenReviewerJwt"] == Secret(None)

    def test_another_backend_replaces(self, plugin: Plugin, inputs: Properties) -> None:
        config = plugin.create(CONFIG, inputs)
        assert plugin.diff(config, {**inputs, "backend": "elsewhere"}).replaces == ["backend"]
        assert plugin.diff(config, {**inputs, "namespace": "team"}).replaces == ["namespace"]

    def test_slashes_around_the_backend_do_not_count(
        self, plugin: Plugin, mounted: str, inputs: Properties
    ) -> None:
        slashed: Properties = {**inputs, "backend": f"{mounted}/"}
        config = plugin.create(CONFIG, slashed)
        assert config.id == f"auth/{mounted}/config"
        assert (config.inputs["backend"], config.state["backend"]) == (f"{mounted}/", mounted)
        assert not plugin.diff(config, slashed).changes
        read = plugin.read(config)
        assert read is not None
        assert read.inputs["backend"] == f"{mounted}/"

    def test_the_backend_defaults_and_that_is_recorded(self, plugin: Plugin) -> None:
        first = plugin.check(CONFIG, {"kubernetesHost": HOST}).inputs
        assert first == {
            "kubernetesHost": HOST,
            "backend": "kubernetes",
            "__defaults": ["backend"],
        }

    def test_a_ca_certificate_taken_away_is_a_change_unless_the_local_one_is_off(
        self, plugin: Plugin, inputs: Properties
    ) -> None:
        local = {key: value for key, value in inputs.items() if key != "disableLocalCaJwt"}
        config = plugin.create(CONFIG, local)
        assert not plugin.diff(config, local).changes
        without = {key: value for key, value in local.items() if key != "kubernetesCaCert"}
        assert plugin.diff(config, without).detailed == {"kubernetesCaCert": "UPDATE"}
        not_local = plugin.update(config, inputs)
        assert not plugin.diff(not_local, {**without, "disableLocalCaJwt": True}).changes

    def test_a_write_only_token_reaches_vault_with_a_new_version_only(
        self, plugin: Plugin, mounted: str
    ) -> None:
        inputs: Properties = {
            "backend": mounted,
            "kubernetesHost": HOST,
            "kubernetesCaCert": CA,
            "disableLocalCaJwt": True,
            "tokenReviewerJwtWo": Secret(REVIEWER),
            "tokenReviewerJwtWoVersion": 1,
        }
        config = plugin.create(CONFIG, inputs)
        assert config.state["tokenReviewerJwtWo"] == Secret(None)
        assert config.inputs["tokenReviewerJwtWo"] == Secret(REVIEWER)
        other_token: Properties = {**inputs, "tokenReviewerJwtWo": Secret("not even a token")}
        assert not plugin.diff(config, other_token).changes
        # Sent, it would be refused: Vault parses a reviewer's token.
        plugin.update(config, other_token)
        with pytest.raises(PartialError):
            plugin.update(config, {**other_token, "tokenReviewerJwtWoVersion": 2})

    def test_import_by_id(self, plugin: Plugin, mounted: str, inputs: Properties) -> None:
        plugin.create(CONFIG, inputs)
        imported = plugin.import_(CONFIG, f"auth/{mounted}/config")
        assert imported is not None
        assert imported.inputs == {
            "backend": mounted,
            "kubernetesHost": HOST,
            "kubernetesCaCert": CA,
            "disableLocalCaJwt": True,
            "tokenReviewerJwt": Secret(None),
            "__defaults": [],
        }
        # The token is the one thing that Vault does not tell.
        assert plugin.diff(imported, inputs).detailed == {"tokenReviewerJwt": "ADD"}

    def test_an_id_of_another_form_is_refused(self, plugin: Plugin) -> None:
        with pytest.raises(RefusedError, match='invalid path "kubernetes"'):
            plugin.import_(CONFIG, "kubernetes")

    def test_deletion_leaves_it_to_the_mount(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        config = plugin.create(CONFIG, inputs)
        plugin.delete(config)
        assert vault.client.read(config.id)["data"]["kubernetes_host"] == HOST

    def test_deletion_by_others_is_seen(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        config = plugin.create(CONFIG, inputs)
        vault.client.sys.disable_auth_method(mounted)
        assert plugin.read(config) is None

    def test_a_preview_changes_nothing(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        unknown: Properties = {**inputs, "tokenReviewerJwt": Secret(UNKNOWN), "backend": UNKNOWN}
        planned = plugin.create(CONFIG, unknown, preview=True)
        assert planned.state["backend"] is UNKNOWN
        assert planned.state["tokenReviewerJwt"] == Secret(UNKNOWN)
        assert vault.client.read(f"auth/{mounted}/config") is None

    @pytest.mark.parametrize(
        ("wrong", "property_path", "words"),
        [
            ({"kubernetesHost": None}, "kubernetesHost", '"kubernetes_host" is required'),
            ({"tokenReviewerJwtWo": REVIEWER}, "tokenReviewerJwt", "conflicts with"),
            ({"tokenReviewerJwtWoVersion": 1}, "tokenReviewerJwtWoVersion", "must be specified"),
            ({"reviewer": REVIEWER}, "reviewer", "has no field 'reviewer'"),
        ],
    )
    def test_wrong_inputs_are_refused_by_name(
        self,
        plugin: Plugin,
        inputs: Properties,
        wrong: dict[str, Value],
        property_path: str,
        words: str,
    ) -> None:
        failures = plugin.check(CONFIG, {**inputs, **wrong}).failures
        assert failures[0][0] == property_path
        assert words in failures[0][1]
        assert REVIEWER not in str(failures)

    def test_a_refusal_of_vault_shows_no_token(self, plugin: Plugin, inputs: Properties) -> None:
        with pytest.raises(RefusedError) as refusal:
            plugin.create(CONFIG, {**inputs, "tokenReviewerJwt": Secret("s3cr3t")})
        assert str(refusal.value).startswith("error writing Kubernetes auth backend config")
        assert "s3cr3t" not in str(refusal.value)

    def test_a_failed_update_keeps_what_was_written_before(
        self, plugin: Plugin, inputs: Properties
    ) -> None:
        config = plugin.create(CONFIG, inputs)
        with pytest.raises(PartialError) as failure:
            plugin.update(config, {**inputs, "tokenReviewerJwt": Secret("s3cr3t")})
        assert failure.value.id == config.id
        assert failure.value.state == config.state
        assert "s3cr3t" not in str(failure.value)


class TestRole:
    @pytest.fixture
    def inputs(self, mounted: str) -> Properties:
        return {
            "backend": mounted,
            "roleName": "gen-int-ca",
            "boundServiceAccountNames": ["istiod", "agent"],
            "boundServiceAccountNamespaces": ["istio-system"],
            "tokenPolicies": ["gen-int-ca"],
            "tokenTtl": 600,
        }

    def test_create_and_read_back(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        found = vault.client.read(f"auth/{mounted}/role/gen-int-ca")["data"]
        assert set(found["bound_service_account_names"]) == {"istiod", "agent"}
        assert found["bound_service_account_namespaces"] == ["istio-system"]
        assert (found["token_policies"], found["token_ttl"]) == (["gen-int-ca"], 600)
        assert role.id == f"auth/{mounted}/role/gen-int-ca"
        assert role.inputs == {**inputs, "tokenType": "default", "__defaults": ["tokenType"]}
        assert role.state == {
            **inputs,
            "id": role.id,
            "boundServiceAccountNames": ["agent", "istiod"],
            "tokenType": "default",
            "aliasMetadata": None,
            "aliasNameSource": "serviceaccount_uid",
            "audience": None,
            "boundServiceAccountNamespaceSelector": None,
            "namespace": None,
            "tokenBoundCidrs": None,
            "tokenExplicitMaxTtl": 0,
            "tokenMaxTtl": 0,
            "tokenNoDefaultPolicy": False,
            "tokenNumUses": 0,
            "tokenPeriod": 0,
        }
        read = plugin.read(role)
        assert read is not None
        assert read.state == role.state
        assert read.inputs == role.inputs
        assert not plugin.diff(role, inputs).changes

    def test_the_order_of_a_set_does_not_count(self, plugin: Plugin, inputs: Properties) -> None:
        role = plugin.create(ROLE, inputs)
        reordered: Properties = {**inputs, "boundServiceAccountNames": ["agent", "istiod"]}
        assert not plugin.diff(role, reordered).changes

    def test_update_in_place(self, plugin: Plugin, vault: PrivateVault, inputs: Properties) -> None:
        role = plugin.create(ROLE, {**inputs, "audience": "vault"})
        new: Properties = {
            **inputs,
            "boundServiceAccountNames": ["istiod-1-20", "agent"],
            "tokenTtl": 900,
            "tokenNoDefaultPolicy": True,
            "tokenBoundCidrs": ["10.0.0.1/32"],
        }
        assert plugin.diff(role, new).detailed == {
            "boundServiceAccountNames[0]": "ADD",
            "boundServiceAccountNames[1]": "DELETE",
            "tokenTtl": "UPDATE",
            "tokenNoDefaultPolicy": "UPDATE",
            "tokenBoundCidrs": "ADD",
            "audience": "DELETE",
        }
        updated = plugin.update(role, new)
        found = vault.client.read(role.id)["data"]
        assert set(found["bound_service_account_names"]) == {"istiod-1-20", "agent"}
        assert (found["token_ttl"], found["token_no_default_policy"]) == (900, True)
        assert not found.get("audience")
        # Vault says 10.0.0.1; that is no change.
        assert found["token_bound_cidrs"] == ["10.0.0.1"]
        read = plugin.read(updated)
        assert read is not None
        assert read.state["tokenBoundCidrs"] == ["10.0.0.1/32"]
        assert not plugin.diff(read, new).changes
        assert plugin.diff(updated, inputs).detailed["tokenBoundCidrs[0]"] == "DELETE"

    @pytest.mark.parametrize("field", ["backend", "roleName", "namespace"])
    def test_what_cannot_be_changed_replaces(
        self, plugin: Plugin, inputs: Properties, field: str
    ) -> None:
        role = plugin.create(ROLE, inputs)
        assert plugin.diff(role, {**inputs, field: "other"}).replaces == [field]

    def test_import_by_id(self, plugin: Plugin, mounted: str, inputs: Properties) -> None:
        plugin.create(ROLE, inputs)
        imported = plugin.import_(ROLE, f"auth/{mounted}/role/gen-int-ca")
        assert imported is not None
        assert imported.inputs == {
            **inputs,
            "boundServiceAccountNames": ["agent", "istiod"],
            "aliasNameSource": "serviceaccount_uid",
            "audience": None,
            "__defaults": [],
        }
        assert not plugin.diff(imported, inputs).changes

    @pytest.mark.parametrize("wrong_id", ["gen-int-ca", "auth/kubernetes/role/"])
    def test_an_id_of_another_form_is_refused(self, plugin: Plugin, wrong_id: str) -> None:
        with pytest.raises(RefusedError, match=f'invalid path "{wrong_id}"'):
            plugin.import_(ROLE, wrong_id)

    def test_deletion(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        plugin.delete(role)
        assert vault.client.read(role.id) is None
        plugin.delete(role)
        vault.client.sys.disable_auth_method(mounted)
        plugin.delete(role)

    def test_delete_where_the_mount_is_gone(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        vault.client.sys.disable_auth_method(mounted)
        plugin.delete(role)

    def test_deletion_by_others_is_seen(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        vault.client.delete(role.id)
        assert plugin.read(role) is None

    def test_a_default_changed_by_others_is_none_any_more(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        found = vault.client.read(role.id)["data"]
        vault.client.write_data(role.id, data={**found, "token_type": "batch"})
        read = plugin.read(role)
        assert read is not None
        assert read.inputs["tokenType"] == "batch"
        assert "__defaults" not in read.inputs

    def test_changes_by_others_are_seen(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        vault.client.write_data(
            role.id,
            data={
                "bound_service_account_names": ["istiod", "agent", "intruder"],
                "bound_service_account_namespaces": ["istio-system"],
                "token_policies": ["root-like"],
            },
        )
        read = plugin.read(role)
        assert read is not None
        assert set(plugin.diff(read, inputs).detailed) == {
            "boundServiceAccountNames[1]",
            "tokenPolicies[0]",
        }

    def test_a_preview_changes_nothing(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        planned = plugin.create(
            ROLE, {**inputs, "boundServiceAccountNames": ["istiod", UNKNOWN]}, preview=True
        )
        assert planned.state["boundServiceAccountNames"] == ["istiod", UNKNOWN]
        assert planned.state["aliasNameSource"] is UNKNOWN
        assert vault.client.read(f"auth/{mounted}/role/gen-int-ca") is None

    def test_what_a_failed_update_did_not_write_the_next_one_writes(
        self, plugin: Plugin, vault: PrivateVault, inputs: Properties
    ) -> None:
        role = plugin.create(ROLE, inputs)
        wanted: Properties = {**inputs, "tokenPolicies": ["read-only"], "tokenMaxTtl": 300}
        with pytest.raises(PartialError, match="Code: 400") as failure:
            plugin.update(role, wanted)
        assert vault.client.read(role.id)["data"]["token_policies"] == ["gen-int-ca"]
        role = replace(role, state=failure.value.state)
        mended: Properties = {**wanted, "tokenTtl": 200}
        assert plugin.diff(role, mended).detailed == {
            "tokenPolicies[0]": "UPDATE",
            "tokenMaxTtl": "UPDATE",
            "tokenTtl": "UPDATE",
        }
        updated = plugin.update(role, mended)
        found = vault.client.read(role.id)["data"]
        assert found["token_policies"] == ["read-only"]
        assert (found["token_ttl"], found["token_max_ttl"]) == (200, 300)
        assert not plugin.diff(updated, mended).changes

    def test_a_role_of_no_one_is_refused_by_vault(self, plugin: Plugin, inputs: Properties) -> None:
        with pytest.raises(
            RefusedError, match=r"error writing Kubernetes auth backend role .* 400"
        ):
            plugin.create(ROLE, {**inputs, "boundServiceAccountNames": []})

    def test_an_unknown_field_is_refused_by_name(self, plugin: Plugin, inputs: Properties) -> None:
        ((found_path, reason),) = plugin.check(ROLE, {**inputs, "policies": ["x"]}).failures
        assert found_path == "policies"
        assert "has no field 'policies'" in reason

    def test_old_defaults_are_kept(self, plugin: Plugin, inputs: Properties) -> None:
        olds: Properties = {**inputs, "tokenType": "batch", "__defaults": ["tokenType"]}
        assert plugin.check(ROLE, inputs, olds=olds).inputs["tokenType"] == "batch"
        given: Properties = {**inputs, "tokenType": "batch", "__defaults": []}
        assert plugin.check(ROLE, inputs, olds=given).inputs["tokenType"] == "default"
