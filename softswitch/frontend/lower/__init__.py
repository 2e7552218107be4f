# SPDX-License-Identifier: MIT
"""From the typed tree to the model of a BMv2 program: inlining, storage, control flow."""
