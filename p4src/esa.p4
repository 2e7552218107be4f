// SPDX-License-Identifier: MIT
// ESA-inspired preemptive in-network aggregation, with IPv4 routing for everything else.
#include <core.p4>
#include <v1model.p4>

#include "common/parser.p4"
#include "esa/policy.p4"
#include "common/ingress.p4"
#include "common/egress.p4"

V1Switch(IncaParser(), IncaVerifyChecksum(), IncaIngress(), IncaEgress(), IncaComputeChecksum(),
         IncaDeparser()) main;
