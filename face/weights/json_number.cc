#include "face/weights/json_number.h"

#include <array>
#include <charconv>

namespace facegate {
namespace {

template <typename T>
std::string Shortest(T value) {
  std::array<char, 64> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

}  // namespace

std::string JsonNumber(float value) { return Shortest(value); }

std::string JsonNumber(double value) { return Shortest(value); }

}  // namespace facegate
