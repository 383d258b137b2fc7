#include "face/weights/model_card.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "face/base/sha256.h"
#include "face/decide/calibration_json.h"
#include "face/weights/json_number.h"

namespace facegate {
namespace {

std::string Text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Numbers(std::span<const float> values) {
  std::string text = "[";
  for (const float value : values) {
    if (text.size() > 1) text += ',';
    text += JsonNumber(value);
  }
  return text + "]";
}

std::string AccuracyJson(const std::vector<AccuracyFigure>& figures) {
  std::string text = "[";
  for (const AccuracyFigure& figure : figures) {
    if (text.size() > 1) text += ',';
    text +=
        fmt::format(R"({{"measure":{},"value":{},"unit":{},"command":{}}})", Text(figure.measure),
                    JsonNumber(figure.value), Text(figure.unit), Text(figure.command));
  }
  return text + "]";
}

std::string CanaryJson(const Canary& canary) {
  std::string embeddings;
  for (const std::vector<float>& embedding : canary.embeddings) {
    if (!embeddings.empty()) embeddings += ',';
    embeddings += Numbers(embedding);
  }
  return fmt::format(R"({{"seed":{},"embeddings":[{}]}})", canary.seed, embeddings);
}

}  // namespace

std::string ModelCardToJson(const ModelCard& card) {
  std::string json = fmt::format(
      R"({{"format_version":{},"architecture":{},"embedding_size":{},"preprocessing":{},)"
      R"("model_digest":{},"preprocessing_digest":{},"training_data":{},"licence":{},"origin":{})",
      ModelCard::kFormatVersion, Text(card.architecture), card.embedding_size,
      PreprocessingJson(card.preprocessing), Text(card.model_digest),
      Text(card.preprocessing_digest), Text(card.training_data), Text(card.licence),
      Text(card.origin));
  if (!card.network.empty()) json += fmt::format(R"(,"network":{})", Text(card.network));
  const std::pair<const char*, const std::string&> texts[] = {
      {"teacher", card.teacher},
      {"recipe", card.recipe},
      {"intended_use", card.intended_use},
      {"unintended_use", card.unintended_use},
  };
  for (const auto& [key, text] : texts) {
    if (!text.empty()) json += fmt::format(R"(,"{}":{})", key, Text(text));
  }
  if (!card.accuracy.empty()) json += fmt::format(R"(,"accuracy":{})", AccuracyJson(card.accuracy));
  if (card.default_min_cosine) {
    json += fmt::format(R"(,"default_min_cosine":{})", JsonNumber(*card.default_min_cosine));
  }
  if (card.canary) json += fmt::format(R"(,"canary":{})", CanaryJson(*card.canary));
  if (card.calibration) {
    json += fmt::format(R"(,"calibration":{})", CalibrationToJson(*card.calibration));
  }
  return json + "}";
}

std::string PreprocessingJson(const Preprocessing& preprocessing) {
  return fmt::format(
      R"({{"alignment":{},"colour_order":"{}","input_height":{},"input_width":{},"letterbox":{},)"
      R"("letterbox_grey":{},"mean":{},"mirror_average":{},"scale":{}}})",
      Text(AlignmentName(preprocessing.alignment)), ColourOrderName(preprocessing.colour_order),
      preprocessing.input_height, preprocessing.input_width, preprocessing.letterbox,
      preprocessing.letterbox_grey, Numbers(preprocessing.mean), preprocessing.mirror_average,
      Numbers(preprocessing.scale));
}

std::string PreprocessingDigest(const Preprocessing& preprocessing) {
  return Sha256Hex(PreprocessingJson(preprocessing));
}

}  // namespace facegate
