#include "face/weights/model_card_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "face/decide/calibration_reader.h"
#include "face/weights/quote.h"
#include "face/weights/strict_json.h"

namespace facegate {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxCardBytes = 4 << 20;
constexpr size_t kMaxDepth = 8;
constexpr size_t kMaxTextBytes = 64 << 10;
constexpr size_t kMaxNetworkBytes = 3 << 20;
constexpr size_t kMaxFigures = 256;
constexpr size_t kMaxCanaries = 64;
constexpr int64_t kMaxEmbeddingSize = 4096;
constexpr int64_t kMaxInputSide = 1024;
constexpr double kUnitTolerance = 1e-3;

// One object of the card, read field by field. The first thing that is wrong is kept and what is
// read after it means nothing; Finish() tells.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object_.is_object()) Fail("", "is not an object");
  }
  ObjectReader(Json&& object, std::string path) = delete;  // would not outlive the call

  std::string Path(std::string_view key) const {
    return path_.empty() || key.empty() ? path_ + std::string(key)
                                        : fmt::format("{}.{}", path_, key);
  }
  void Fail(std::string_view key, std::string_view what) {
    if (status_.ok()) {
      status_ = InvalidArgument(fmt::format("card field \"{}\" {}", Path(key), what));
    }
  }
  void Absorb(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  bool ok() const { return status_.ok(); }

  bool Has(const char* key) const { return object_.is_object() && object_.contains(key); }
  // Null, and a failure, when the field is missing.
  const Json& At(const char* key) {
    static const Json null_value;
    read_.push_back(key);
    if (Has(key)) return object_[key];
    Fail(key, "is missing");
    return null_value;
  }

  std::string Text(const char* key, size_t limit = kMaxTextBytes) {
    const Json& value = At(key);
    if (!value.is_string()) {
      Fail(key, "is not text");
      return {};
    }
    auto text = value.get<std::string>();
    if (text.size() > limit) {
      Fail(key, fmt::format("has {} bytes, limit is {}", text.size(), limit));
    }
    return text;
  }
  std::string Digest(const char* key) {
    std::string text = Text(key);
    const bool hex = std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    if (text.size() != 64 || !hex) Fail(key, "is not 64 lower-case hexadecimal digits");
    return text;
  }
  bool Truth(const char* key) {
    const Json& value = At(key);
    if (!value.is_boolean()) Fail(key, "is neither true nor false");
    return value.is_boolean() && value.get<bool>();
  }
  int Integer(const char* key, int64_t low, int64_t high) {
    const Json& value = At(key);
    // An unsigned number above the range of int64_t would wrap in a comparison of signed ones.
    const bool fits = value.is_number_unsigned()
                          ? value.get<uint64_t>() <= static_cast<uint64_t>(high) &&
                                static_cast<int64_t>(value.get<uint64_t>()) >= low
                          : value.is_number_integer() && value.get<int64_t>() >= low &&
                                value.get<int64_t>() <= high;
    if (!fits) {
      Fail(key, fmt::format("is {}, expected a whole number of {} to {}", Shown(value), low, high));
      return static_cast<int>(low);
    }
    return value.get<int>();
  }
  // Exact: a text that was a float's shortest one reads back as that float.
  float Float(const Json& value, std::string_view key, double low, double high) {
    const double number =
        value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(number >= low && number <= high)) {
      Fail(key, fmt::format("is {}, expected a number of {} to {}", Shown(value), low, high));
      return 0.0F;
    }
    return static_cast<float>(number);
  }

  // OK when all went well and the object has no other key than those read.
  Status Finish() {
    if (!status_.ok()) return status_;
    for (const auto& [key, value] : object_.items()) {
      if (std::find(read_.begin(), read_.end(), key) == read_.end()) {
        return InvalidArgument(fmt::format("card field {} is unknown", Quote(Path(key))));
      }
    }
    return OkStatus();
  }

 private:
  static std::string Shown(const Json& value) {
    return value.is_number() ? value.dump() : fmt::format("of type {}", value.type_name());
  }

  const Json& object_;
  std::string path_;
  std::vector<std::string> read_;
  Status status_;
};

void ReadThree(ObjectReader& reader, const char* key, bool zero_allowed,
               std::array<float, 3>& values) {
  constexpr double kMax = 1e6;
  const Json& array = reader.At(key);
  if (!array.is_array() || array.size() != values.size()) {
    reader.Fail(key, "is not three numbers");
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = reader.Float(array[i], key, -kMax, kMax);
    if (!zero_allowed && values[i] == 0.0F) reader.Fail(key, "has a 0");
  }
}

StatusOr<Preprocessing> ReadPreprocessing(const Json& json) {
  ObjectReader reader(json, "preprocessing");
  Preprocessing result;
  result.input_width = reader.Integer("input_width", 1, kMaxInputSide);
  result.input_height = reader.Integer("input_height", 1, kMaxInputSide);
  const std::optional<ColourOrder> order = ColourOrderFromName(reader.Text("colour_order"));
  if (!order) reader.Fail("colour_order", "is none of rgb, bgr and grey");
  result.colour_order = order.value_or(ColourOrder::kRgb);
  ReadThree(reader, "mean", true, result.mean);
  ReadThree(reader, "scale", false, result.scale);
  const std::optional<AlignmentTemplate> alignment = AlignmentFromName(reader.Text("alignment"));
  if (!alignment) reader.Fail("alignment", "is not a known alignment template");
  result.alignment = alignment.value_or(AlignmentTemplate::kArcFace112);
  result.letterbox = reader.Truth("letterbox");
  result.letterbox_grey = static_cast<uint8_t>(reader.Integer("letterbox_grey", 0, 255));
  result.mirror_average = reader.Truth("mirror_average");
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  const cv::Size crop = CropSize(result.alignment);
  if (!result.letterbox && crop != cv::Size(result.input_width, result.input_height)) {
    return InvalidArgument(fmt::format(
        "card field \"preprocessing.letterbox\" is false, but a crop of {}x{} is not an input of "
        "{}x{}",
        crop.width, crop.height, result.input_width, result.input_height));
  }
  return result;
}

StatusOr<std::vector<AccuracyFigure>> ReadAccuracy(const Json& json) {
  if (!json.is_array() || json.size() > kMaxFigures) {
    return InvalidArgument(
        fmt::format("card field \"accuracy\" is not an array of at most {} figures", kMaxFigures));
  }
  std::vector<AccuracyFigure> figures;
  for (const Json& item : json) {
    ObjectReader reader(item, fmt::format("accuracy[{}]", figures.size()));
    AccuracyFigure figure;
    figure.measure = reader.Text("measure");
    const Json& value = reader.At("value");
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      reader.Fail("value", "is not a finite number");
    }
    figure.unit = reader.Text("unit");
    figure.command = reader.Text("command");
    FACEGATE_RETURN_IF_ERROR(reader.Finish());
    figure.value = value.get<double>();
    figures.push_back(std::move(figure));
  }
  return figures;
}

StatusOr<std::vector<float>> ReadCanaryEmbedding(const Json& json, size_t number, size_t size) {
  const std::string path = fmt::format("canary.embeddings[{}]", number);
  const Json no_object = Json::object();
  ObjectReader reader(no_object, path);
  std::vector<float> values;
  double squares = 0.0;
  if (!json.is_array() || json.size() != size) {
    return InvalidArgument(fmt::format("card field \"{}\" is not {} numbers", path, size));
  }
  for (const Json& item : json) {
    values.push_back(reader.Float(item, "", -1.0 - kUnitTolerance, 1.0 + kUnitTolerance));
    squares += static_cast<double>(values.back()) * static_cast<double>(values.back());
  }
  if (std::abs(std::sqrt(squares) - 1.0) > kUnitTolerance) reader.Fail("", "has not length 1");
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  return values;
}

StatusOr<Canary> ReadCanary(const Json& json, int embedding_size) {
  ObjectReader reader(json, "canary");
  Canary canary;
  const Json& seed = reader.At("seed");
  if (!seed.is_number_unsigned()) reader.Fail("seed", "is not a whole number from 0 to 2^64 - 1");
  const Json& embeddings = reader.At("embeddings");
  if (!embeddings.is_array() || embeddings.empty() || embeddings.size() > kMaxCanaries) {
    reader.Fail("embeddings", fmt::format("is not an array of 1 to {} embeddings", kMaxCanaries));
  }
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  canary.seed = seed.get<uint64_t>();
  for (const Json& item : embeddings) {
    FACEGATE_ASSIGN_OR_RETURN(
        std::vector<float> embedding,
        ReadCanaryEmbedding(item, canary.embeddings.size(), static_cast<size_t>(embedding_size)));
    canary.embeddings.push_back(std::move(embedding));
  }
  return canary;
}

// Tables of another model or preprocessing would promise what nobody measured.
StatusOr<Calibration> ReadCalibration(const Json& json, const ModelCard& card) {
  FACEGATE_ASSIGN_OR_RETURN(
      Calibration calibration,
      CalibrationFromJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)));
  if (calibration.model_digest != card.model_digest ||
      calibration.preprocessing_digest != card.preprocessing_digest) {
    return InvalidArgument("card field \"calibration\" is of another model or preprocessing");
  }
  return calibration;
}

// Stores the value, or makes the failure the reader's.
template <typename T, typename Field>
void Keep(ObjectReader& reader, StatusOr<T> value, Field& field) {
  if (value.ok()) {
    field = *std::move(value);
  } else {
    reader.Absorb(value.status());
  }
}

StatusOr<ModelCard> ReadCard(const Json& json) {
  ObjectReader reader(json, "");
  ModelCard card;
  reader.Integer("format_version", ModelCard::kFormatVersion, ModelCard::kFormatVersion);
  card.architecture = reader.Text("architecture");
  if (card.architecture.empty()) reader.Fail("architecture", "is empty");
  if (reader.Has("network")) card.network = reader.Text("network", kMaxNetworkBytes);
  card.embedding_size = reader.Integer("embedding_size", 1, kMaxEmbeddingSize);
  Keep(reader, ReadPreprocessing(reader.At("preprocessing")), card.preprocessing);
  card.model_digest = reader.Digest("model_digest");
  card.preprocessing_digest = reader.Digest("preprocessing_digest");
  card.training_data = reader.Text("training_data");
  card.licence = reader.Text("licence");
  card.origin = reader.Text("origin");
  if (reader.Has("teacher")) card.teacher = reader.Text("teacher");
  if (reader.Has("recipe")) card.recipe = reader.Text("recipe");
  if (reader.Has("intended_use")) card.intended_use = reader.Text("intended_use");
  if (reader.Has("unintended_use")) card.unintended_use = reader.Text("unintended_use");
  if (reader.Has("accuracy")) Keep(reader, ReadAccuracy(reader.At("accuracy")), card.accuracy);
  if (reader.Has("default_min_cosine")) {
    card.default_min_cosine =
        reader.Float(reader.At("default_min_cosine"), "default_min_cosine", -1.0, 1.0);
  }
  if (reader.ok() && reader.Has("canary")) {
    Keep(reader, ReadCanary(reader.At("canary"), card.embedding_size), card.canary);
  }
  if (reader.ok() && reader.Has("calibration")) {
    Keep(reader, ReadCalibration(reader.At("calibration"), card), card.calibration);
  }
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  return card;
}

StatusOr<Json> ParseCardJson(std::string_view json) {
  if (json.size() > kMaxCardBytes) {
    return InvalidArgument(
        fmt::format("the card has {} bytes, limit is {}", json.size(), kMaxCardBytes));
  }
  if (Status status = CheckStrictJson(json, kMaxDepth); !status.ok()) {
    return Annotate(status, "the card's JSON");
  }
  return Json::parse(json, nullptr, false);
}

}  // namespace

StatusOr<ModelCard> ModelCardFromJson(std::string_view json) {
  FACEGATE_ASSIGN_OR_RETURN(const Json parsed, ParseCardJson(json));
  return ReadCard(parsed);
}

StatusOr<std::vector<AccuracyFigure>> AccuracyFromJson(std::string_view json) {
  FACEGATE_ASSIGN_OR_RETURN(const Json parsed, ParseCardJson(json));
  return ReadAccuracy(parsed);
}

}  // namespace facegate
