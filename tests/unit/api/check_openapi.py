#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds doc/openapi.yaml and the route table against each other, both ways.

Every route is described and every described operation is a route, with the same rule of who may ask
and of whether it takes a body. Besides: references lead somewhere, every component is used,
operation ids are unique, and the parameters in a path are declared.

    check_openapi.py OPENAPI_YAML PRINT_ROUTES
"""
import re
import subprocess
import sys

import yaml

METHODS = {"get", "put", "post", "delete", "patch"}


def operations(document):
    """Each operation as (method, path, operation, parameters of the path)."""
    for path, item in document["paths"].items():
        for method in METHODS.intersection(item):
            yield method.upper(), path, item[method], item.get("parameters", [])


def look_up(document, reference):
    value = document
    for step in reference.removeprefix("#/").split("/"):
        value = value[step]
    return value


def references(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def auth_of(document, operation):
    """none, optional, token or admin, by the security that is asked for."""
    wanted = operation.get("security", document["security"])
    if not wanted:
        return "none"
    if {} in wanted:
        return "optional"
    return "admin" if {"admin": []} in wanted else "token"


def body_of(operation):
    if "requestBody" not in operation:
        return "none"
    return "required" if operation["requestBody"].get("required") else "optional"


def check_routes(document, routes):
    described = {(method, path): operation for method, path, operation, _ in operations(document)}
    any_method = {path for method, path, _, _ in routes if method == "*"}
    for method, path, auth, body in routes:
        if method == "*":
            found = [key for key in described if key[1] == path]
        else:
            found = [key for key in described if key == (method, path)]
        if not found:
            yield f"{method} {path} is a route that is not described"
        for key in found:
            told = auth_of(document, described[key]), body_of(described[key])
            if told != (auth, body):
                yield (f"{method} {path}: the route has (who, body) {(auth, body)}, "
                       f"the description {told}")
    table = {(method, path) for method, path, _, _ in routes}
    for method, path in described:
        if (method, path) not in table and path not in any_method:
            yield f"{method} {path} is described and no route"


def check_references(document):
    used = set(references(document))
    for reference in sorted(used):
        try:
            look_up(document, reference)
        except (KeyError, TypeError):
            yield f"{reference} leads nowhere"
    for kind in ("parameters", "responses", "schemas"):
        for name in document["components"][kind]:
            if f"#/components/{kind}/{name}" not in used:
                yield f"components/{kind}/{name} is not used"


def check_operations(document):
    seen = set()
    for method, path, operation, outer in operations(document):
        name = operation.get("operationId")
        if name in seen:
            yield f"{method} {path}: the operationId {name} is there twice"
        seen.add(name)
        parameters = [look_up(document, parameter["$ref"]) if "$ref" in parameter else parameter
                      for parameter in outer + operation.get("parameters", [])]
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        if declared != set(re.findall(r"\{(\w+)\}", path)):
            yield f"{method} {path}: declares the path's parameters {sorted(declared)}"
        for key in ("summary", "responses", "tags"):
            if not operation.get(key):
                yield f"{method} {path}: has no {key}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    printed = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True).stdout
    routes = [tuple(line.split("\t")) for line in printed.splitlines()]
    found = [*check_routes(document, routes), *check_references(document),
             *check_operations(document)]
    if not routes:
        found.append("the route table is empty")
    print("\n".join(found) or f"openapi: {len(routes)} routes, all described")
    sys.exit(bool(found))


main()
