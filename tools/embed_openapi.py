#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the API's description into C: as JSON for /openapi.json and as a page for /docs.

    embed_openapi.py OUTPUT.c openapi.yaml

The page is self-contained: no script, no font, nothing from elsewhere; its one style sheet is named
by its hash in the Content-Security-Policy. Wrong references in the description stop the build.
"""
import base64
import hashlib
import html
import json
import re
import sys

import yaml

METHODS = ["get", "post", "put", "patch", "delete"]

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#5b54d6}
body{font:14px/20px system-ui,sans-serif;margin:0 auto;max-width:960px;padding:24px}
h1,h2{font-size:20px;line-height:28px}h2{margin-top:40px;border-bottom:1px solid var(--line)}
h3{font:600 14px/20px ui-monospace,monospace;margin:28px 0 4px}
code,pre{font:13px/20px ui-monospace,monospace}
pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:8px;overflow-x:auto}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid var(--line);padding:4px 8px;
text-align:left;vertical-align:top}th{font-weight:600}
.method{color:var(--accent)}a{color:inherit}nav li{margin:2px 0}nav ul{list-style:none;padding:0}
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>{style}</style></head><body>
<h1>{title}</h1>{intro}<p><a href="/openapi.json">openapi.json</a></p>
<nav><ul>{contents}</ul></nav>{sections}</body></html>
"""


def resolve(spec, node):
    """The node itself, or what its $ref leads to."""
    while isinstance(node, dict) and "$ref" in node:
        target = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check_references(spec, node):
    if isinstance(node, dict):
        resolve(spec, node)
        for value in node.values():
            check_references(spec, value)
    elif isinstance(node, list):
        for value in node:
            check_references(spec, value)


def text(words):
    """Paragraphs, with `code` as code."""
    escaped = html.escape(words or "", quote=False)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return "".join(f"<p>{part.strip()}</p>" for part in escaped.split("\n\n") if part.strip())


def example_of(spec, schema, depth=0):
    """A value that the schema describes: its example, or one made of its members'."""
    schema = resolve(spec, schema)
    if "example" in schema:
        return schema["example"]
    if "default" in schema:
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return example_of(spec, schema[choice][0], depth)
    merged = {}
    for part in schema.get("allOf", []):
        value = example_of(spec, part, depth)
        if not isinstance(value, dict):
            return value
        merged |= value
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if merged or kind == "object" or "properties" in schema:
        if depth < 6:
            merged |= {name: example_of(spec, member, depth + 1)
                       for name, member in schema.get("properties", {}).items()}
        return merged
    if kind == "array":
        return [example_of(spec, schema.get("items", {}), depth + 1)]
    return {"string": "text", "integer": 1, "number": 0.5, "boolean": True}.get(kind)


def content_html(spec, holder):
    parts = []
    for kind, media in holder.get("content", {}).items():
        parts.append(f"<p><code>{html.escape(kind)}</code></p>")
        if "example" in media or "json" in kind:
            value = media.get("example", example_of(spec, media.get("schema", {})))
            shown = value if isinstance(value, str) else json.dumps(value, indent=2,
                                                                     ensure_ascii=False)
            parts.append(f"<pre>{html.escape(shown, quote=False)}</pre>")
    return "".join(parts)


def parameters_html(spec, parameters):
    if not parameters:
        return ""
    rows = []
    for parameter in (resolve(spec, parameter) for parameter in parameters):
        schema = resolve(spec, parameter.get("schema", {}))
        values = ", ".join(f"<code>{html.escape(str(value))}</code>"
                           for value in schema.get("enum", []))
        rows.append(f"<tr><td><code>{html.escape(parameter['name'])}</code></td>"
                    f"<td>{parameter['in']}</td>"
                    f"<td>{text(parameter.get('description'))}{values}</td></tr>")
    return f"<table><tr><th>Name</th><th>In</th><th></th></tr>{''.join(rows)}</table>"


def operation_html(spec, path, method, item, operation):
    anchor = f"{method}-{path}"
    parts = [f'<h3 id="{html.escape(anchor)}"><span class="method">{method.upper()}</span> '
             f"{html.escape(path)}</h3>",
             text(operation.get("summary")), text(operation.get("description")),
             parameters_html(spec, item.get("parameters", []) + operation.get("parameters", []))]
    if "requestBody" in operation:
        parts.append(content_html(spec, resolve(spec, operation["requestBody"])))
    for status, response in operation.get("responses", {}).items():
        response = resolve(spec, response)
        parts.append(f"<p><strong>{status}</strong> "
                     f"{html.escape(response.get('description', ''), quote=False)}</p>")
        if str(status).startswith("2"):
            parts.append(content_html(spec, response))
    return "".join(parts)


def page(spec):
    groups = {}
    for path, item in spec.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                tag = item[method].get("tags", ["API"])[0]
                groups.setdefault(tag, []).append((path, method, item, item[method]))
    contents, sections = [], []
    for tag, operations in groups.items():
        sections.append(f"<h2>{html.escape(tag)}</h2>")
        for path, method, item, operation in operations:
            contents.append(f'<li><a href="#{html.escape(method + "-" + path)}"><code>'
                            f"{method.upper()} {html.escape(path)}</code></a></li>")
            sections.append(operation_html(spec, path, method, item, operation))
    info = spec["info"]
    return PAGE.format(title=html.escape(info["title"]), style=STYLE, intro=text(info.get("description")),
                       contents="".join(contents), sections="".join(sections))


def c_function(name, content):
    data = content.encode()
    lines = [",".join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32)]
    return (f"struct str {name}(void)\n{{\n    static const unsigned char bytes[] = {{\n"
            + ",\n".join(lines)
            + "};\n\n    return (struct str){(const char *)bytes, sizeof(bytes)};\n}\n")


def main():
    output, source = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    check_references(spec, spec)
    style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; frame-ancestors 'none'"
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by tools/embed_openapi.py: change doc/openapi.yaml instead. */\n"
                   '#include "api/openapi.h"\n\n')
        file.write(c_function("openapi_json", json.dumps(spec, ensure_ascii=False, default=str)))
        file.write(c_function("openapi_page", page(spec)))
        file.write("struct str openapi_page_policy(void)\n{\n"
                   f'    return STR("{policy}");\n}}\n')


main()
