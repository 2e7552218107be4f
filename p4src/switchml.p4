// SPDX-License-Identifier: MIT
// SwitchML-style in-network aggregation (static pools, two sets), with IPv4 routing for
// everything else.
#include <core.p4>
#include <v1model.p4>

#include "common/parser.p4"
#include "switchml/ingress.p4"
#include "common/egress.p4"

V1Switch(IncaParser(), IncaVerifyChecksum(), IncaIngress(), IncaEgress(), IncaComputeChecksum(),
         IncaDeparser()) main;
