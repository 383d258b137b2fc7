#include "trainer/photos/shown_name.h"

#include <fmt/format.h>

#include <cstddef>

#include "face/base/shown_text.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kMostShown = 1024;

bool CanBeShown(std::string_view name) {
  return name.size() <= kMostShown && ShownLine(name).size() == name.size();
}

}  // namespace

std::string ShownName(std::string_view name) {
  return CanBeShown(name) ? std::string(name) : Quote(name);
}

std::string ShownInQuotes(std::string_view name) {
  return CanBeShown(name) ? fmt::format("\"{}\"", name) : Quote(name);
}

}  // namespace facegate
