#pragma once

#include <optional>

#include "face/base/status.h"
#include "face/model/model_card.h"
#include "facegate/v1/types.pb.h"

namespace facegate {

// Where a decision begins: the request's operating point, else the collection's, else the model
// card's default. `requested` may be null. kInvalidField at operating_point for one that is
// malformed or of a kind that this server does not know, kNoOperatingPoint when there is none.
StatusOr<v1::DecisionBasis> ChooseBasis(const v1::OperatingPoint* requested,
                                        std::optional<float> collection_min_cosine,
                                        const ModelCard& card);

// MATCH from the threshold on. Both are compared as the fp32 numbers that the answer carries, so a
// client that compares them again agrees.
v1::Decision Decide(float cosine, const v1::DecisionBasis& basis);

}  // namespace facegate
