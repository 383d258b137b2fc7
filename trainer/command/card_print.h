#pragma once

#include <ostream>
#include <string_view>

#include "face/weights/model_card.h"

namespace facegate {

// "name                  value".
void PrintCardRow(std::string_view name, std::string_view value, std::ostream& out);

// Prints what a card says, a row each; of the canary its size alone.
void PrintCard(const ModelCard& card, std::ostream& out);

}  // namespace facegate
