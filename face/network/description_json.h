#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/model_card.h"

// Networks that no function here describes (imported ones, and variants of the known) are kept in
// their model's card as JSON: {"input": [channels, height, width], "layers": [LAYER...], "more":
// [[name, shape]...], "name": TEXT, "outputs": N}, and each LAYER {"kind": TEXT, "name": TEXT,
// FIELDS...}, where kinds and fields are those of description.h.
namespace facegate {

// Gives the canonical form: keys in their order, no spaces, shortest numbers that read back alike.
std::string DescriptionToJson(const network::Description& description);

// Reads it again. Nothing in it is trusted: kInvalidArgument, naming the layer, for what is not of
// this form, for numbers out of range, names that stand twice, layers that do not fit each other,
// more than 20,000 layers, more than 16 levels, and layers that run more than 20,000 times in all.
StatusOr<network::Description> DescriptionFromJson(std::string_view json);

// The architecture's name of a network that a card describes: "described-" and the first 16
// hexadecimal digits of the sha256 of its canonical JSON. So the model digest covers the network.
std::string DescribedName(std::string_view json);

// Puts a network into a card: its name where it is one of ArchitectureNames(), else its JSON.
void PutNetwork(const network::Description& description, ModelCard& card);

// The network that a card names or describes; `dropout` acts in training where the architecture is
// one of ArchitectureNames(). kInvalidArgument for an unknown name, and for a description that is
// not of that name.
StatusOr<network::Description> NetworkOf(const ModelCard& card, double dropout = 0.0);

}  // namespace facegate
