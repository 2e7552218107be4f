# SPDX-License-Identifier: MIT
"""P4_16 (v1model) source to BMv2 JSON and P4Info."""

from softswitch.frontend.compiler import Compiled, compile_p4
from softswitch.frontend.diagnostics import Diagnostic, P4CompileError

__all__ = ["Compiled", "Diagnostic", "P4CompileError", "compile_p4"]
