"""The rules as a policy pack of the engine's."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .resource import UNKNOWN, Resource
from .rule import Rule
from .rules import ALL_RULES

NAME = "mesh-trust"


def serve() -> None:
    """Serves the rules to the engine that has started this process, until that ends it."""
    PolicyPack(NAME, [_policy(each) for each in ALL_RULES], EnforcementLevel.MANDATORY)


def _policy(rule: Rule) -> Policy:
    schema = None
    if rule.bounds:
        schema = PolicyConfigSchema({each.name: each.schema() for each in rule.bounds})
    if rule.of_stack is not None:
        return StackValidationPolicy(
            rule.name, rule.description, _of_stack(rule), config_schema=schema
        )
    return ResourceValidationPolicy(
        rule.name, rule.description, _of_resource(rule), config_schema=schema
    )


def _of_resource(rule: Rule) -> Any:
    check = rule.of_resource
    assert check is not None

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(
            args.resource_type, args.name, _plain(args.props), args.urn, args.opts.protect
        )
        for message in check(resource, rule.settings(args.get_config())):
            report(message, None)

    return validate


def _of_stack(rule: Rule) -> Any:
    check = rule.of_stack
    assert check is not None

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [_resource(each) for each in args.resources]
        for resource, message in check(resources, rule.settings(args.get_config())):
            report(message, resource.urn)

    return validate


def _resource(seen: PolicyResource) -> Resource:
    parents = []
    parent = seen.parent
    while parent is not None:
        parents.append(Resource(parent.resource_type, parent.name, {}, parent.urn))
        parent = parent.parent
    return Resource(
        seen.resource_type,
        seen.name,
        _plain(seen.props),
        seen.urn,
        seen.opts.protect,
        tuple(parents),
    )


def _plain(value: Any) -> Any:
    """`value` without the SDK's wrappers, which raise an error where something is not known yet."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:
    try:
        return _plain(container[key])
    except UnknownValueError:
        return UNKNOWN
