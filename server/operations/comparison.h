#pragma once

#include <array>
#include <optional>

#include "face/base/status.h"
#include "server/engine/caller.h"
#include "server/operations/comparability.h"
#include "server/operations/decision.h"
#include "server/operations/operation_parts.h"
#include "server/operations/probe.h"

namespace facegate {

// Two faces that are compared with each other; nothing is stored.
struct ComparisonRequest {
  std::array<Probe, 2> probes;
  std::optional<OperatingPoint> operating_point;
  std::optional<float> probe_quality;  // 0..1; absent: the server's
};

struct ComparisonResult {
  Decision decision = Decision::kInconclusive;
  std::optional<float> cosine;  // absent when it is inconclusive
  DecisionBasis basis;
  std::array<FaceReport, 2> faces;
};

// kInconclusive when either face is below the quality that is wanted.
StatusOr<ComparisonResult> Compare(const OperationParts& parts, const ComparisonRequest& request,
                                   const Caller& caller);

}  // namespace facegate
