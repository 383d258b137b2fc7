#pragma once

#include <optional>
#include <string>
#include <variant>

#include "face/base/status.h"
#include "face/model/model_card.h"

namespace facegate {

enum class Decision {
  kMatch,
  kNoMatch,
  kInconclusive,  // the evidence does not support a decision
};

// Where a request wants a match to begin; exactly one kind of rule.
struct MinCosine {
  float cosine = 0.0f;  // -1..1: the smallest cosine that is a match
};
using OperatingPoint = std::variant<MinCosine>;

enum class ThresholdSource {
  kRequest,
  kCollection,
  kModelCard,  // promises no error rate
};

// What a decision rests on.
struct DecisionBasis {
  float threshold = 0.0f;  // the cosine from which on it is a match
  ThresholdSource source = ThresholdSource::kRequest;
  std::string calibration_id{};  // that gave the threshold; empty when there was none
  std::string model_digest{};    // that made the embeddings
};

// Where a decision begins: the request's operating point, else the collection's, else the model
// card's default. kNoOperatingPoint when there is none.
StatusOr<DecisionBasis> ChooseBasis(const std::optional<OperatingPoint>& requested,
                                    std::optional<float> collection_min_cosine,
                                    const ModelCard& card);

// From the threshold on. Both are compared as the fp32 numbers that the answer carries, so a client
// that compares them again agrees.
bool Matches(float cosine, const DecisionBasis& basis);
// kMatch or kNoMatch.
Decision Decide(float cosine, const DecisionBasis& basis);

}  // namespace facegate
