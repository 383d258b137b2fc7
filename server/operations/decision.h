#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/decide/operating_point.h"
#include "face/decide/rates.h"
#include "face/decide/threshold.h"
#include "face/weights/model_card.h"

namespace facegate {

enum class Decision {
  kMatch,
  kNoMatch,
  kInconclusive,  // the evidence does not support a decision
};

enum class ThresholdSource {
  kRequest,
  kCollection,
  kModelCard,
};

// The grounds of a decision: the threshold, where it comes from, and the error rate that it claims.
struct DecisionBasis {
  float threshold = 0.0f;  // the cosine from which on it is a match
  ThresholdSource source = ThresholdSource::kRequest;
  std::string calibration_id{};  // that `claimed` follows from; empty when there is none
  std::string model_digest{};    // that made the embeddings
  // The rate at which such a decision takes a stranger for somebody; absent without a calibration.
  std::optional<ErrorRate> claimed{};
  OperatingPointKind claimed_kind = OperatingPointKind::kFmr;  // kFmr or kFpir
  uint64_t searched_templates = 0;                             // of an FPIR
};

// Names those who may say where a decision begins, the first one first, and what is known of
// thresholds.
struct BasisRequest {
  const std::optional<OperatingPoint>& requested;
  std::optional<float> collection_min_cosine;
  const ModelCard& card;
  // The collection's own, where `requested` names it; null otherwise.
  const Calibration* of_collection = nullptr;
  DecisionScope scope{};  // what the face is compared with
};

// Chooses where a decision begins: the request's operating point, else the collection's, else the
// model card's default. kNoOperatingPoint when there is none; what ThresholdFor() says, at
// operating_point.
StatusOr<DecisionBasis> ChooseBasis(const BasisRequest& request);

// True from the threshold on. Both are compared as the fp32 numbers that the answer carries, so a
// client that compares them again agrees.
bool Matches(float cosine, const DecisionBasis& basis);
// kMatch or kNoMatch.
Decision Decide(float cosine, const DecisionBasis& basis);

}  // namespace facegate
