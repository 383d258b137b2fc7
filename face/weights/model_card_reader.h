#pragma once

#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/model_card.h"

namespace facegate {

// The card that ModelCardToJson() wrote. kInvalidArgument, naming the field, for JSON that is no
// card of this version: a key that is unknown, missing or there twice, a wrong type, a value out of
// range.
StatusOr<ModelCard> ModelCardFromJson(std::string_view json);

// An array of the card's "accuracy" objects; kInvalidArgument as above.
StatusOr<std::vector<AccuracyFigure>> AccuracyFromJson(std::string_view json);

}  // namespace facegate
