#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/gallery.h"
#include "server/engine/caller.h"
#include "server/operations/comparability.h"
#include "server/operations/decision.h"
#include "server/operations/operation_parts.h"
#include "server/operations/probe.h"

namespace facegate {

struct IdentificationOptions {
  size_t max_candidates = 0;  // of one face
  bool include_below_threshold = false;
  bool unique_identities = false;
  Labels labels{};  // only identities that have all of them are searched
};

// A face, or several, to be searched for (1:N).
struct IdentificationRequest {
  std::string_view collection;
  Probe probe;
  std::optional<OperatingPoint> operating_point;
  IdentificationOptions options;
};

// An identity that resembles a face: kMatch, or kNoMatch for one below the threshold.
struct DecidedCandidate {
  Candidate candidate;
  Decision decision = Decision::kNoMatch;
};

// A face and the identities that were found for it.
struct IdentifiedFace {
  FaceReport face;
  Decision decision = Decision::kInconclusive;
  std::vector<DecidedCandidate> candidates;  // best first; none when it is inconclusive
};

struct IdentificationResult {
  std::vector<IdentifiedFace> faces;  // one for each selected face
  DecisionBasis basis;
  uint64_t gallery_identities = 0;  // that were searched
};

// Tells who of the collection the faces are (the rules are in
// protos/facegate/v1/face_service.proto). kInconclusive for a face below the collection's probe
// quality, or one that cannot be aligned: neither has a part in the answer to the others.
StatusOr<IdentificationResult> Identify(const OperationParts& parts,
                                        const IdentificationRequest& request, const Caller& caller);

// A face of the picture and the identities nearest to it, best first; none where it is not to be
// compared.
struct SearchedFace {
  JudgedFace face;
  std::vector<Candidate> nearest;
};

// Returns how many of the nearest must be known of each of `faces`.
size_t NearestNeeded(const IdentificationOptions& options, size_t faces);

// The decision for each face. What `stop` says when it says so.
StatusOr<std::vector<IdentifiedFace>> DecideFaces(const IdentificationOptions& options,
                                                  const DecisionBasis& basis,
                                                  std::vector<SearchedFace> faces,
                                                  const StopCheck& stop);

}  // namespace facegate
