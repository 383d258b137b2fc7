#include "face/weights/strict_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/weights/quote.h"

namespace facegate {
namespace {

// Takes nlohmann-json's parse events; each returns whether to go on.
class Checker {
 public:
  using Json = nlohmann::json;

  explicit Checker(size_t max_depth) : max_depth_(max_depth) {}
  const std::string& error() const { return error_; }

  bool start_object(size_t /*unused*/) { return Open(); }
  bool start_array(size_t /*unused*/) { return Open(); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(Json::string_t& name) {
    if (keys_.back().insert(name).second) return true;
    error_ = fmt::format("key {} stands twice", Quote(name));
    return false;
  }
  bool null() { return true; }
  bool boolean(bool /*unused*/) { return true; }
  bool number_integer(Json::number_integer_t /*unused*/) { return true; }
  bool number_unsigned(Json::number_unsigned_t /*unused*/) { return true; }
  bool number_float(Json::number_float_t /*unused*/, const Json::string_t& /*unused*/) {
    return true;
  }
  bool string(Json::string_t& /*unused*/) { return true; }
  bool binary(Json::binary_t& /*unused*/) { return true; }
  bool parse_error(size_t position, const std::string& /*unused*/,
                   const Json::exception& /*unused*/) {
    error_ = fmt::format("no JSON from byte {} on", position);
    return false;
  }

 private:
  bool Open() {
    keys_.emplace_back();
    if (keys_.size() <= max_depth_) return true;
    error_ = fmt::format("nested deeper than {}", max_depth_);
    return false;
  }
  bool Close() {
    keys_.pop_back();
    return true;
  }

  size_t max_depth_;
  std::vector<std::set<std::string>> keys_;  // of the open objects; empty for arrays
  std::string error_;
};

}  // namespace

Status CheckStrictJson(std::string_view text, size_t max_depth) {
  Checker checker(max_depth);
  return nlohmann::json::sax_parse(text, &checker) ? OkStatus() : InvalidArgument(checker.error());
}

}  // namespace facegate
