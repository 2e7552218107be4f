// SPDX-License-Identifier: MIT
// ATP-style in-network aggregation (first come, first served), with IPv4 routing for everything
// else. With or without reminders is a matter of the parameter server.
#include <core.p4>
#include <v1model.p4>

#include "common/parser.p4"
#include "atp/policy.p4"
#include "common/ingress.p4"
#include "common/egress.p4"

V1Switch(IncaParser(), IncaVerifyChecksum(), IncaIngress(), IncaEgress(), IncaComputeChecksum(),
         IncaDeparser()) main;
