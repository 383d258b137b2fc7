#pragma once

#include <cstdint>
#include <optional>
#include <string>
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

// A collection to be searched.
struct ChosenCollection {
  std::string_view id;
  std::string field{};  // its path in the request, for refusals; empty: they name none
};

// A face, or several, to be searched for (1:N).
struct IdentificationRequest {
  std::vector<ChosenCollection> collections;  // one or more, each once
  Probe probe;
  std::optional<OperatingPoint> operating_point;
  IdentificationOptions options;
};

// An identity that resembles a face: kMatch, or kNoMatch for one below its collection's threshold.
struct DecidedCandidate {
  Candidate candidate;
  size_t collection = 0;  // by its place in the request
  Decision decision = Decision::kNoMatch;
  double above = 0.0;  // its score, less the threshold
};

// A face and the identities that were found for it.
struct IdentifiedFace {
  FaceReport face;
  Decision decision = Decision::kInconclusive;
  // Matches first, then the best; none when it is inconclusive.
  std::vector<DecidedCandidate> candidates;
  std::vector<size_t> not_compared_with;  // collections that want a better face
};

// What a collection decided by.
struct SearchedCollection {
  DecisionBasis basis;
  uint64_t identities = 0;
};

struct IdentificationResult {
  std::vector<IdentifiedFace> faces;         // one for each selected face
  std::vector<SearchedCollection> searched;  // one for each collection, in the order of the request
};

// Tells who of the collections the faces are (the rules are in
// protos/facegate/v1/face_service.proto). Each collection judges by its own rules; the face is
// embedded once. kInconclusive for a face that matches nobody and was not compared with all of
// them: one below a collection's probe quality, or one that cannot be aligned. A face that is
// compared with nobody has no part in the answer to the others.
StatusOr<IdentificationResult> Identify(const OperationParts& parts,
                                        const IdentificationRequest& request, const Caller& caller);

// A face of the picture and the identities nearest to it, in the order of IdentifiedFace; none
// where it is not to be compared.
struct SearchedFace {
  JudgedFace face;
  std::vector<DecidedCandidate> nearest;
  std::vector<size_t> not_compared_with{};
};

// Returns how many of the nearest must be known of each of `faces`, of each collection and of all
// together.
size_t NearestNeeded(const IdentificationOptions& options, size_t faces);

// The candidate with what its collection's threshold makes of it.
DecidedCandidate Judge(Candidate candidate, size_t collection, const DecisionBasis& basis);

// Puts what was found in one more collection, best first, among what was found before, and keeps
// `needed`. What was found before goes first where two are alike.
void MergeNearest(const IdentificationOptions& options, size_t needed,
                  std::vector<DecidedCandidate> more, std::vector<DecidedCandidate>& nearest);

// The decision for each face. What `stop` says when it says so.
StatusOr<std::vector<IdentifiedFace>> DecideFaces(const IdentificationOptions& options,
                                                  std::vector<SearchedFace> faces,
                                                  const StopCheck& stop);

}  // namespace facegate
