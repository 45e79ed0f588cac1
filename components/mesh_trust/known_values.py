"""Values that are known before the resources exist that they speak of."""

from typing import TypeVar

import pulumi

_T = TypeVar("_T")


def known_after(value: _T, *resources: pulumi.Resource) -> pulumi.Output[_T]:
    """`value`, known in every preview; whoever uses it comes after `resources`.

    A resource's own output would tell the same, but is unknown in a preview where the provider's
    configuration is, and so would be everything that is made from it.
    """

    async def known() -> bool:
        return True

    async def resolved() -> _T:
        return value

    return pulumi.Output(set(resources), resolved(), known())
