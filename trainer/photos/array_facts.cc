#include "trainer/photos/array_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "face/weights/strict_json.h"

namespace facegate {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 16;
constexpr size_t kMaxDimensions = 32;  // NumPy's own limit

const Json* Member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() ? &*found : nullptr;
}

Status Lacks(const char* key, const char* kind) {
  return InvalidArgument(fmt::format("has no \"{}\" that is {}", key, kind));
}

}  // namespace

StatusOr<ArrayFacts> ArrayFacts::Parse(std::string_view json) {
  const Status strict = CheckStrictJson(json, kMaxDepth);
  if (!strict.ok()) return InvalidArgument(fmt::format("is no JSON: {}", MessageOf(strict)));
  Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument("is no JSON object");
  return ArrayFacts(std::make_shared<const Json>(std::move(object)));
}

StatusOr<std::string> ArrayFacts::Text(const char* key) const {
  const Json* const member = Member(*object_, key);
  if (member == nullptr || !member->is_string()) return Lacks(key, "a text");
  return member->get<std::string>();
}

StatusOr<size_t> ArrayFacts::Size(const char* key) const {
  const Json* const member = Member(*object_, key);
  if (member == nullptr || !member->is_number_unsigned()) return Lacks(key, "a number from 0 on");
  return member->get<size_t>();
}

StatusOr<std::vector<size_t>> ArrayFacts::Sizes(const char* key) const {
  const Json* const member = Member(*object_, key);
  const auto is_size = [](const Json& one) { return one.is_number_unsigned(); };
  if (member == nullptr || !member->is_array() || member->size() > kMaxDimensions ||
      !std::all_of(member->begin(), member->end(), is_size)) {
    return Lacks(key, "a list of numbers from 0 on");
  }
  return member->get<std::vector<size_t>>();
}

}  // namespace facegate
