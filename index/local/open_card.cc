#include "index/local/open_card.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "face/base/device.h"
#include "face/base/log.h"
#include "face/base/module.h"

namespace facegate {
namespace {

constexpr double kShareOfFree = 0.7;
constexpr double kMegabyte = 1e6;

#ifdef FACEGATE_GPU
constexpr bool kIsForCards = true;

StatusOr<std::unique_ptr<SearchCard>> OpenOfModule(int number) {
  FACEGATE_ASSIGN_OR_RETURN(const auto entry, OpenModule(kSearchCardModule));
  return reinterpret_cast<OpenSearchCard*>(entry)(number);
}
#else
constexpr bool kIsForCards = false;

StatusOr<std::unique_ptr<SearchCard>> OpenOfModule(int /*number*/) {
  return FailedPrecondition("this build is for CPUs alone (the preset gpu builds for cards)");
}
#endif

// Of "cuda:N" the number; of "cuda" and "auto" the first one.
int CardOf(std::string_view device) {
  const std::string_view digits = device.substr(device.find(':') + 1);
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

StatusOr<std::shared_ptr<CardSearch>> Start(const CardChoice& choice) {
  FACEGATE_ASSIGN_OR_RETURN(auto card, choice.open != nullptr
                                           ? choice.open(CardOf(choice.device))
                                           : OpenOfModule(CardOf(choice.device)));
  uint64_t budget = choice.bytes;
  if (budget == 0) {
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t free, card->free_bytes());
    budget = static_cast<uint64_t>(static_cast<double>(free) * kShareOfFree);
  }
  FACEGATE_ASSIGN_OR_RETURN(
      std::shared_ptr<CardSearch> search,
      CardSearch::Start(std::move(card), {.budget = budget, .least_rows = choice.least_rows}));
  LogInfo("searches run on {}, templates take up to {:.0f} MB there", search->name(),
          static_cast<double>(budget) / kMegabyte);
  return search;
}

}  // namespace

StatusOr<std::shared_ptr<CardSearch>> OpenCard(const CardChoice& choice) {
  FACEGATE_RETURN_IF_ERROR(Annotate(CheckDeviceName(choice.device), "index_device"));
  const bool is_auto = choice.device == "auto";
  // Where there can be no card, nobody misses one.
  if (choice.device == "cpu" || (is_auto && choice.open == nullptr && !kIsForCards)) {
    return std::shared_ptr<CardSearch>();
  }
  auto search = Start(choice);
  if (search.ok()) return search;
  if (is_auto) {
    LogInfo("searches run on the CPU, no card is used: {}", MessageOf(search.status()));
    return std::shared_ptr<CardSearch>();
  }
  return FailedPrecondition(fmt::format("index_device {}: {}; use auto or cpu", choice.device,
                                        MessageOf(search.status())));
}

}  // namespace facegate
