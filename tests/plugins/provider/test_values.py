import pytest
from google.protobuf.struct_pb2 import Struct

from lab.plugins.provider.values import (
    UNKNOWN,
    Asset,
    Properties,
    Secret,
    UnsupportedValue,
    Value,
    as_secret,
    contains_secret,
    contains_unknown,
    from_struct,
    reveal,
    reveal_properties,
    to_struct,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def wire(**fields: object) -> Struct:
    struct = Struct()
    struct.update(fields)  # type: ignore[arg-type]
    return struct


def output(**fields: object) -> dict[str, object]:
    return {SIGNATURE: OUTPUT, **fields}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -7,
        2**40,
        1.5,
        "",
        "text",
        [],
        {},
        [1, [2, {"deep": [None]}]],
        UNKNOWN,
        Secret("hidden"),
        Secret(None),
        Secret({"user": "a", "ports": [1, 2]}),
        Secret(UNKNOWN),
        {"list": [{"password": Secret("hidden"), "later": UNKNOWN}]},
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(value: Value) -> None:
    assert from_struct(to_struct({"value": value})) == {"value": value}


def test_an_integral_number_comes_back_as_an_integer() -> None:
    number = from_struct(wire(number=3.0))["number"]
    assert number == 3
    assert isinstance(number, int)


def test_a_truth_value_does_not_become_a_number() -> None:
    assert from_struct(to_struct({"flag": True}))["flag"] is True


def test_a_secret_has_its_envelope_on_the_wire() -> None:
    assert to_struct({"password": Secret("hidden")}) == wire(
        password={SIGNATURE: SECRET, "value": "hidden"}
    )


def test_a_secret_within_a_secret_has_one_envelope() -> None:
    struct = to_struct({"outer": Secret({"inner": Secret("hidden")})})
    assert struct == wire(outer={SIGNATURE: SECRET, "value": {"inner": "hidden"}})


@pytest.mark.parametrize(
    "reserved",
    [
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ],
)
def test_every_kind_of_unknown_is_one(reserved: str) -> None:
    assert from_struct(wire(value=reserved)) == {"value": UNKNOWN}


@pytest.mark.parametrize(
    ("envelope", "value"),
    [
        (output(value="plain"), "plain"),
        (output(value="plain", dependencies=["urn:a"]), "plain"),
        (output(value="hidden", secret=True), Secret("hidden")),
        (output(), UNKNOWN),
        (output(secret=True), Secret(UNKNOWN)),
        (output(value=None), None),
        (output(value={"nested": output(value=1.0)}), {"nested": 1}),
    ],
)
def test_an_output_becomes_its_value(envelope: dict[str, object], value: Value) -> None:
    assert from_struct(wire(value=envelope)) == {"value": value}


@pytest.mark.parametrize(
    "signature",
    [
        ASSET,
        "0def7320c3a5731c473e5ecbe6d01bc7",  # an archive
        "5cf8f73096256a8f31e491e813e4eb8e",  # a resource
    ],
)
def test_other_envelopes_are_refused(signature: str) -> None:
    with pytest.raises(UnsupportedValue, match="plain value is expected"):
        from_struct(wire(value={SIGNATURE: signature}))


@pytest.mark.parametrize(
    "asset", [Asset(text="words"), Asset(path="a/file"), Asset(uri="https://example.invalid")]
)
def test_an_asset_comes_back_where_it_is_asked_for(asset: Asset) -> None:
    struct = to_struct({"files": [asset, Secret(asset)]})

    assert from_struct(struct, with_assets=True) == {"files": [asset, Secret(asset)]}
    with pytest.raises(UnsupportedValue, match="an asset was given"):
        from_struct(struct)


def test_an_asset_on_the_wire() -> None:
    # The engine adds a hash of its content.
    envelope = {SIGNATURE: ASSET, "hash": "abc", "text": ""}

    assert from_struct(wire(asset=envelope), with_assets=True) == {"asset": Asset(text="")}


def test_an_asset_is_not_shown() -> None:
    assert "hidden" not in repr(Asset(text="hidden"))


def test_revealing_goes_all_the_way_down() -> None:
    value: Value = {"a": [Secret({"b": 1})], "c": Secret(UNKNOWN), "d": "plain"}
    assert reveal(value) == {"a": [{"b": 1}], "c": UNKNOWN, "d": "plain"}
    properties: Properties = {"value": Secret("hidden")}
    assert reveal_properties(properties) == {"value": "hidden"}


def test_what_a_value_contains() -> None:
    assert contains_unknown([{"a": Secret([UNKNOWN])}])
    assert not contains_unknown([{"a": Secret(["known"])}])
    assert contains_secret({"a": [Secret(1)]})
    assert not contains_secret({"a": [1]})


def test_a_secret_is_not_shown() -> None:
    assert "hidden" not in repr(as_secret({"password": Secret("hidden")}))
    assert "hidden" not in f"{Secret('hidden')}"
