#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/model_card.h"

namespace facegate {

// Holds what the command line says of a model; nothing where it is silent.
struct CardOptions {
  std::optional<std::string> preset{};     // a name of ImportPresetNames()
  std::optional<std::string> alignment{};  // AlignmentName()
  std::optional<bool> letterbox{};
  std::optional<int> letterbox_grey{};  // 0..255
  std::optional<bool> mirror{};
  std::optional<std::string> color{};  // ColourOrderName()
  std::vector<float> mean{};           // none, one for all channels, or three
  std::vector<float> scale{};          // the same
  std::optional<float> default_min_cosine{};
  std::optional<std::string> training_data{};
  std::optional<std::string> licence{};
  std::optional<std::string> origin{};
  std::optional<std::string> teacher{};
  std::optional<std::string> intended_use{};
  std::optional<std::string> unintended_use{};
  // A JSON file with the card's "accuracy": [{"measure", "value", "unit", "command"}].
  std::optional<std::string> figures{};
};

// "bubbliiiing", "insightface", "adaface" and "arcface-tf2".
const std::vector<std::string>& ImportPresetNames();

// The architectures that the preset's project trains, for messages.
std::vector<std::string> ArchitecturesOfPreset(const std::string& preset);

// A card without architecture, size, digests and canary: what `source` says (the card that the file
// carried), changed by the preset, changed by the options. Where the alignment stays unsaid the
// command line is at fault: with another template than a model was trained on it loses its accuracy
// without any other sign. Size and channels of the preprocessing are those of `input`, which
// the network takes: grey where that has one channel. Letterbox, where unsaid, is what the template
// needs; a crop that would have to be scaled and bordered for that is refused. Figures of accuracy
// are dropped when the preprocessing changes.
StatusOr<ModelCard> MakeCard(const std::optional<ModelCard>& source, const CardOptions& options,
                             const network::Input& input = network::kCropInput);

}  // namespace facegate
