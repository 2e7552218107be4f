# SPDX-License-Identifier: MIT
"""Names, types and constants of a parsed program: `check_program`.

    typed = check_program(parse(preprocess(Path("program.p4"))))

fills the tree in place (see `softswitch.frontend.ast`) and returns an `ast.TypedProgram`, or
raises `P4CompileError` with every error found.  The modules follow the specification:
``typerefs`` (types as written), ``expressions``, ``operators``, ``members``, ``coerce``
(casts, initialisers), ``calls``, ``arguments``, ``infer``, ``builtins``, ``specialise``
(generic functions), ``statements``, ``flow``, ``functions``, ``tables``, ``parsers``,
``declarations``; ``session`` holds scopes and diagnostics, ``fold`` is the arithmetic.
"""

from softswitch.frontend.check.program import check_program

__all__ = ["check_program"]
