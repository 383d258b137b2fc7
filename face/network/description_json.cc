#include "face/network/description_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <variant>

#include "face/base/sha256.h"
#include "face/network/architecture.h"
#include "face/network/description_check.h"
#include "face/network/layer_fields.h"
#include "face/weights/quote.h"
#include "face/weights/strict_json.h"

namespace facegate {
namespace {

using network::Call;
using network::Chain;
using network::Description;
using network::Join;
using network::kJoinNames;
using network::kKindNames;
using network::kMaxExtent;
using network::kMaxSide;
using network::Layer;
using network::LayerKind;
using Json = nlohmann::json;

constexpr std::string_view kDescribed = "described-";
constexpr size_t kNameDigits = 16;
constexpr size_t kMaxLayers = 20'000;
constexpr size_t kMaxLevels = 16;
constexpr size_t kMaxCalls = 20'000;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxPathBytes = 512;  // of the names of a layer and of those around it
constexpr size_t kMaxTensorDimensions = 4;

// Writes the fields of a layer into an object.
class Writer {
 public:
  explicit Writer(Json& object) : object_(object) {}

  void Number(const char* name, int64_t value, int64_t, int64_t) { object_[name] = value; }
  void Numbers(const char* name, std::initializer_list<int64_t*> values, int64_t, int64_t) {
    Json array = Json::array();
    for (const int64_t* value : values) array.push_back(*value);
    object_[name] = std::move(array);
  }
  void Real(const char* name, double value, double, double) { object_[name] = value; }
  void Truth(const char* name, bool value) { object_[name] = value; }
  void Divides(const char*, int64_t, int64_t) {}
  void Require(const char*, bool) {}
  void Layers(const char* name, std::vector<Layer>& layers, bool) {
    Json array = Json::array();
    for (Layer& layer : layers) array.push_back(JsonOf(layer));
    object_[name] = std::move(array);
  }
  void Calls(const char* name, const std::vector<Call>& calls) {
    Json array = Json::array();
    for (const Call& call : calls) {
      Json what;
      if (const auto* const layer = std::get_if<size_t>(&call.what)) {
        what = *layer;
      } else {
        what = kJoinNames[static_cast<size_t>(std::get<Join>(call.what))];
      }
      array.push_back({std::move(what), call.inputs});
    }
    object_[name] = std::move(array);
  }

  static Json JsonOf(Layer& layer) {
    Json object = {{"kind", kKindNames[layer.kind.index()]}, {"name", layer.name}};
    if (layer.map) object["map"] = true;
    Writer writer(object);
    std::visit([&](auto& kind) { Fields(writer, kind); }, layer.kind);
    return object;
  }

 private:
  Json& object_;
};

// Reads the fields of a layer. What is wrong first is kept; what is read after it means nothing.
class Reader {
 public:
  Reader(const Json& object, std::string place, size_t level, size_t path_bytes, size_t& layers,
         Status& status)
      : object_(object),
        place_(std::move(place)),
        level_(level),
        path_bytes_(path_bytes),
        layers_(layers),
        status_(status) {}

  void Fail(std::string_view name, std::string_view what) {
    if (!status_.ok()) return;
    status_ = InvalidArgument(
        fmt::format("the network's layer {}: {} {}", Quote(place_), Quote(name), what));
  }
  const Json& At(const char* name) {
    static const Json nothing;
    ++read_;
    const auto found = object_.find(name);
    if (found != object_.end()) return *found;
    Fail(name, "is missing");
    return nothing;
  }

  void Number(const char* name, int64_t& value, int64_t least, int64_t most) {
    Take(name, At(name), value, least, most);
  }
  void Numbers(const char* name, std::initializer_list<int64_t*> values, int64_t least,
               int64_t most) {
    const Json& array = At(name);
    if (!array.is_array() || array.size() != values.size()) {
      return Fail(name, fmt::format("is not {} numbers", values.size()));
    }
    size_t i = 0;
    for (int64_t* const value : values) Take(name, array[i++], *value, least, most);
  }
  void Real(const char* name, double& value, double least, double most) {
    const Json& number = At(name);
    value = number.is_number() ? number.get<double>() : least - 1.0;
    if (!(value >= least && value <= most)) {
      Fail(name, fmt::format("is not a number from {} to {}", least, most));
    }
  }
  void Truth(const char* name, bool& value) {
    const Json& truth = At(name);
    if (!truth.is_boolean()) return Fail(name, "is neither true nor false");
    value = truth.get<bool>();
  }
  void Divides(const char* name, int64_t whole, int64_t part) {
    if (part < 1 || whole % part != 0) Fail(name, fmt::format("does not divide {}", whole));
  }
  void Require(const char* name, bool fits) {
    if (!fits) Fail(name, "does not fit the rest");
  }
  void Layers(const char* name, std::vector<Layer>& layers, bool dots);
  void Calls(const char* name, std::vector<Call>& calls);

  // Takes a layer's own name, kind and fields.
  Layer Whole(bool dots);

 private:
  void Take(const char* name, const Json& number, int64_t& value, int64_t least, int64_t most) {
    const bool whole =
        number.is_number_integer() &&
        !(number.is_number_unsigned() && number.get<uint64_t>() > static_cast<uint64_t>(most));
    value = whole ? number.get<int64_t>() : least;
    if (!whole || value < least || value > most) {
      Fail(name, fmt::format("is not a whole number from {} to {}", least, most));
      value = least;
    }
  }
  void CheckName(const std::string& name, bool dots) {
    const bool parts = !name.empty() && name.front() != '.' && name.back() != '.' &&
                       name.find("..") == std::string::npos;
    path_bytes_ += name.size();
    if (!parts || name.size() > kMaxNameBytes || path_bytes_ > kMaxPathBytes ||
        (!dots && name.find('.') != std::string::npos)) {
      Fail("name", "is not the name of a layer");
    }
  }
  Call OneCall(const char* name, const Json& json);

  const Json& object_;
  const std::string place_;
  const size_t level_;
  size_t path_bytes_;  // of the names so far
  size_t& layers_;     // read so far, of the whole network
  Status& status_;
  size_t read_ = 0;  // keys
};

template <size_t... I>
LayerKind KindOfNumber(size_t number, std::index_sequence<I...> /*all*/) {
  LayerKind kind;
  ((I == number ? void(kind.emplace<I>()) : void()), ...);
  return kind;
}

Layer Reader::Whole(bool dots) {
  Layer layer;
  const Json& name = At("name");
  const Json& kind = At("kind");
  if (!name.is_string() || !kind.is_string()) {
    Fail("name", "or the kind is no text");
    return layer;
  }
  layer.name = name.get<std::string>();
  CheckName(layer.name, dots);
  const auto* const found =
      std::find(kKindNames.begin(), kKindNames.end(), kind.get_ref<const std::string&>());
  if (found == kKindNames.end()) {
    Fail("kind", "is not known");
    return layer;
  }
  if (object_.contains("map")) Truth("map", layer.map);
  layer.kind = KindOfNumber(static_cast<size_t>(found - kKindNames.begin()),
                            std::make_index_sequence<std::variant_size_v<LayerKind>>());
  std::visit([this](auto& fields) { Fields(*this, fields); }, layer.kind);
  if (read_ != object_.size()) Fail("kind", "has other fields");
  return layer;
}

void Reader::Layers(const char* name, std::vector<Layer>& layers, bool dots) {
  const Json& array = At(name);
  if (!array.is_array()) return Fail(name, "is not an array");
  if (level_ >= kMaxLevels) return Fail(name, "is nested too deeply");
  layers_ += array.size();
  if (layers_ > kMaxLayers) return Fail(name, "makes too many layers");
  std::set<std::string> names;
  for (const Json& one : array) {
    if (!status_.ok()) return;
    if (!one.is_object()) return Fail(name, "holds what is no layer");
    Reader reader(one, fmt::format("{}.{}", place_, layers.size()), level_ + 1, path_bytes_,
                  layers_, status_);
    layers.push_back(reader.Whole(dots));
    if (!names.insert(layers.back().name).second) Fail(name, "has a name twice");
  }
}

Call Reader::OneCall(const char* name, const Json& json) {
  Call call;
  if (!json.is_array() || json.size() != 2 || !json[1].is_array()) {
    Fail(name, "holds what is no call");
    return call;
  }
  if (json[0].is_string()) {
    const auto* const join =
        std::find(kJoinNames.begin(), kJoinNames.end(), json[0].get_ref<const std::string&>());
    if (join == kJoinNames.end()) Fail(name, "has an unknown join");
    call.what =
        static_cast<Join>((join - kJoinNames.begin()) % static_cast<ptrdiff_t>(kJoinNames.size()));
  } else {
    int64_t layer = 0;
    Take(name, json[0], layer, 0, static_cast<int64_t>(kMaxLayers));
    call.what = static_cast<size_t>(layer);
  }
  for (const Json& input : json[1]) {
    int64_t value = 0;
    Take(name, input, value, 0, static_cast<int64_t>(kMaxCalls));
    call.inputs.push_back(static_cast<size_t>(value));
  }
  return call;
}

void Reader::Calls(const char* name, std::vector<Call>& calls) {
  const Json& array = At(name);
  if (!array.is_array() || array.size() > kMaxCalls) return Fail(name, "is not an array of calls");
  for (const Json& one : array) {
    if (!status_.ok()) return;
    calls.push_back(OneCall(name, one));
  }
}

// Tensors of no layer, as [name, shape].
StatusOr<std::vector<network::TensorShape>> MoreFromJson(const Json& json) {
  std::vector<network::TensorShape> more;
  if (!json.is_array() || json.size() > kMaxLayers) {
    return InvalidArgument("the network's \"more\" is not an array of tensors");
  }
  for (const Json& one : json) {
    const bool fits = one.is_array() && one.size() == 2 && one[0].is_string() &&
                      one[1].is_array() && one[1].size() <= kMaxTensorDimensions &&
                      std::all_of(one[1].begin(), one[1].end(), [](const Json& extent) {
                        return extent.is_number_unsigned() &&
                               extent.get<uint64_t>() <= static_cast<uint64_t>(kMaxExtent);
                      });
    if (!fits) return InvalidArgument("the network's \"more\" holds what is no tensor");
    more.push_back({one[0].get<std::string>(), one[1].get<std::vector<int64_t>>()});
  }
  return more;
}

}  // namespace

std::string DescriptionToJson(const Description& description) {
  Description written = description;  // Fields() takes what a reader could change
  const auto& [channels, height, width] = description.input;
  Json json = {{"input", {channels, height, width}},
               {"name", description.name},
               {"outputs", description.outputs},
               {"more", Json::array()}};
  for (const network::TensorShape& tensor : description.more) {
    json["more"].push_back({tensor.name, tensor.shape});
  }
  Writer(json).Layers("layers", written.layers, false);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

StatusOr<Description> DescriptionFromJson(std::string_view text) {
  if (Status status = CheckStrictJson(text, 3 * kMaxLevels); !status.ok()) {
    return Annotate(status, "the network's JSON");
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return InvalidArgument("the network's JSON is not an object");
  Description description;
  Status status;
  size_t layers = 0;
  Reader reader(json, "network", 0, 0, layers, status);
  auto& [channels, height, width] = description.input;
  reader.Numbers("input", {&channels, &height, &width}, 1, kMaxSide);
  reader.Number("outputs", description.outputs, 1, kMaxExtent);
  reader.Layers("layers", description.layers, false);
  const Json& name = reader.At("name");
  if (!name.is_string() || name.get_ref<const std::string&>().size() > kMaxNameBytes) {
    reader.Fail("name", "is not a short text");
  }
  const Json& more = reader.At("more");
  FACEGATE_RETURN_IF_ERROR(status);
  if (json.size() != 5) return InvalidArgument("the network's JSON has other fields");
  description.name = name.get<std::string>();
  FACEGATE_ASSIGN_OR_RETURN(description.more, MoreFromJson(more));
  FACEGATE_RETURN_IF_ERROR(CheckDescription(description));
  return description;
}

std::string DescribedName(std::string_view json) {
  return std::string(kDescribed) + Sha256Hex(json).substr(0, kNameDigits);
}

void PutNetwork(const Description& description, ModelCard& card) {
  card.network.clear();
  card.architecture = description.name;
  if (DescribeArchitecture(description.name).ok()) return;
  card.network = DescriptionToJson(description);
  card.architecture = DescribedName(card.network);
}

StatusOr<Description> NetworkOf(const ModelCard& card, double dropout) {
  if (card.network.empty()) return DescribeArchitecture(card.architecture, dropout);
  if (DescribedName(card.network) != card.architecture) {
    return InvalidArgument(fmt::format("the card describes {}, and names {}",
                                       DescribedName(card.network), Quote(card.architecture)));
  }
  return DescriptionFromJson(card.network);
}

}  // namespace facegate
