# SPDX-License-Identifier: MIT
"""P4_16 source text to syntax tree: recursive descent over the grammar of appendix H.

As in the specification, whether a name is a type decides how a sentence is read, so the parser
keeps the names declared so far (`Stream.scopes`).
"""

from softswitch.frontend.parse.program import parse

__all__ = ["parse"]
