# SPDX-License-Identifier: Apache-2.0
"""Just enough reading of C for the checks in this folder: comments, literals, file scope.

It relies on the layout that clang-format gives, and makes no attempt at macros.
"""
import re


def blank(match):
    """Something of the same number of lines that holds no code."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    """C code with comments and the contents of literals blanked; lines stay where they are."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def without_preprocessor(code):
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", blank, code, flags=re.MULTILINE)


def file_scope_statements(code):
    """Declarations at file scope as (first line, last line, text), "{}" for each pair of braces."""
    statement, start, depth, number = "", 1, 0, 1
    for char in code:
        if char == "\n":
            number += 1
        if char == "{":
            depth += 1
            statement += "{" if depth == 1 else ""
        elif char == "}":
            depth -= 1
            if depth == 0:
                statement += "}"
                head = statement.split("{")[0]
                if "(" in head and "=" not in head:
                    statement = ""  # the end of a function
        elif depth == 0 and char == ";":
            yield start, number, " ".join(statement.split())
            statement = ""
        elif depth == 0:
            if not statement.strip() and not char.isspace():
                statement, start = "", number
            statement += char
