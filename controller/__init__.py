# SPDX-License-Identifier: MIT
"""The control plane: desired state from topology and job requests, written by P4Runtime.

`JobBook` turns a topology and jobs into the state of each switch, `Controller` (or, blocking,
`SyncController`) writes it.
"""

import logging

from controller.aggregation import AggregatorConfig, Downgrade, Event, JobPlan, ResultPath
from controller.controller import Controller, Program, SyncController
from controller.desired import Action, Difference, Key, Replica, SwitchState, difference, row
from controller.errors import (
    ControllerError,
    JobRejectedError,
    NotPrimaryError,
    PeekTimeoutError,
    ProgramError,
    SwitchUnavailableError,
    WriteError,
)
from controller.jobs import JobBook, JobGrant, JobRequest, Limits
from controller.routing import Routes
from controller.trees import AggregationTree, build_tree

# finsy warns of harmless things (a switch without gNMI); without a handler they would go to
# standard error. Whoever sets logging up still gets them.
logging.getLogger("finsy").addHandler(logging.NullHandler())

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
    "NotPrimaryError",
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
