# SPDX-License-Identifier: MIT
"""The control plane: desired state from topology and job requests, written by P4Runtime.

`JobBook` turns a topology and jobs into the state of each switch, `Controller` (or, blocking,
`SyncController`) writes it.
"""

from controller.aggregation import AggregatorConfig, Downgrade, Event, JobPlan, ResultPath
from controller.controller import Controller, Program, SyncController
from controller.desired import Action, Difference, Key, Replica, SwitchState, difference, row
from controller.errors import (
    ControllerError,
    JobRejectedError,
    PeekTimeoutError,
    ProgramError,
    SwitchUnavailableError,
    WriteError,
)
from controller.jobs import JobBook, JobGrant, JobRequest, Limits
from controller.routing import Routes
from controller.trees import AggregationTree, build_tree

__all__ = [
    "Action",
    "AggregationTree",
    "AggregatorConfig",
    "Controller",
    "ControllerError",
    "Difference",
    "Downgrade",
    "Event",
    "JobBook",
    "JobGrant",
    "JobPlan",
    "JobRejectedError",
    "JobRequest",
    "Key",
    "Limits",
    "PeekTimeoutError",
    "Program",
    "ProgramError",
    "Replica",
    "ResultPath",
    "Routes",
    "SwitchState",
    "SwitchUnavailableError",
    "SyncController",
    "WriteError",
    "build_tree",
    "difference",
    "row",
]
