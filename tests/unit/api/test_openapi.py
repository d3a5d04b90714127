"""The document says what the routes do."""

from __future__ import annotations

import re
from typing import Any

from esl_controller.web.api.openapi import document
from esl_controller.web.api.table import ROUTES

DOCUMENT = document(ROUTES, "/api/v1")


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    return set()


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_described_once():
    assert set(operations()) == {(route.method, route.path) for route in ROUTES}
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(ROUTES)


def test_every_reference_leads_somewhere_and_nothing_is_left_over():
    schemas = DOCUMENT["components"]["schemas"]
    wanted = {name.rpartition("/")[2] for name in references(DOCUMENT)}
    assert set(schemas) == wanted


def test_parameters_are_those_of_the_path():
    for (_, path), operation in operations().items():
        named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", path)


def test_a_query_parameter_has_no_null():
    for parameter in operations()["GET", "/domains/{domain_uuid}/conversations"]["parameters"]:
        assert "null" not in repr(parameter["schema"])
        assert "anyOf" not in parameter["schema"]


def test_every_failure_has_the_one_shape():
    for operation in operations().values():
        for status, response in operation["responses"].items():
            if not status.startswith("2"):
                (kind,) = response["content"]
                assert kind == "application/problem+json"


def test_bodies_are_bounded_by_type():
    """A body that nobody described could not be read."""
    described = {key for key, operation in operations().items() if "requestBody" in operation}
    assert described == {(r.method, r.path) for r in ROUTES if r.body is not None}
    for schema in DOCUMENT["components"]["schemas"].values():
        if schema.get("title", "").endswith("Request"):
            assert schema["additionalProperties"] is False
