#pragma once

#include <string>

#include "face/base/status.h"
#include "facegate/v1/types.pb.h"
#include "server/engine/face_engine.h"
#include "server/operations/probe.h"
#include "server/rpc/request_checks.h"

namespace facegate {

// Says which probes a method takes.
struct ProbePolicy {
  SelectionPolicy selection;
  bool allow_embedding = true;
  bool allow_template_name = true;
  bool allow_source_digest = false;
};

// A probe whose fields are in order; nothing is decoded or looked up yet. `probe` is null when the
// request has none, and otherwise outlives the result; `field` is its path in the request.
StatusOr<Probe> ParseProbe(const v1::Probe* probe, std::string field, const ProbePolicy& policy,
                           const FaceEngine& engine);

}  // namespace facegate
