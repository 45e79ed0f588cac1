from typing import Any

import pulumi
import pulumi.runtime
import pulumi_random as random

from mesh_trust.known_values import known_after

from .conftest import run


class Reserved(pulumi.runtime.Mocks):
    """A provider that tells nothing before it has made something."""

    def new_resource(self, _: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return "", {}

    def call(self, _: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


async def comes_after(value: pulumi.Output[str], resource: pulumi.Resource) -> bool:
    return await value.resources() == {resource}


def test_a_known_value_stays_known_and_keeps_its_place() -> None:
    pulumi.runtime.set_mocks(Reserved(), project="mesh-trust", stack="unit", preview=True)

    def program() -> pulumi.Output[Any]:
        pet = random.RandomPet("pet", prefix="a")
        value = known_after("a", pet)
        return pulumi.Output.all(
            value,
            value.is_known(),
            pet.prefix.is_known(),
            value.apply(lambda known: known + "b").is_known(),
            comes_after(value, pet),
        )

    assert run(program) == ["a", True, False, True, True]
