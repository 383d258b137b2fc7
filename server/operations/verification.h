#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "server/engine/caller.h"
#include "server/operations/comparability.h"
#include "server/operations/decision.h"
#include "server/operations/operation_parts.h"
#include "server/operations/probe.h"

namespace facegate {

// A face and the identity that it claims to be (1:1).
struct VerificationRequest {
  std::string_view collection;
  std::string_view identity;
  Probe probe;
  std::optional<OperatingPoint> operating_point;
};

struct VerificationResult {
  Decision decision = Decision::kInconclusive;
  std::optional<Candidate> best;  // the identity's best template; absent when it is inconclusive
  DecisionBasis basis;
  FaceReport face;
};

// The best of the identity's templates counts. kInconclusive for a face below the collection's
// probe quality.
StatusOr<VerificationResult> Verify(const OperationParts& parts, const VerificationRequest& request,
                                    const Caller& caller);

}  // namespace facegate
