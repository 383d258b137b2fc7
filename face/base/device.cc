#include "face/base/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace facegate {
namespace {

constexpr std::string_view kCuda = "cuda";

// The number in "cuda:N", or 0 of "cuda"; nothing for another name.
std::optional<int> CardOf(std::string_view name) {
  if (name == kCuda) return 0;
  if (!name.starts_with("cuda:")) return std::nullopt;
  const std::string_view digits = name.substr(kCuda.size() + 1);
  int card = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), card);
  const bool all = error == std::errc() && end == digits.data() + digits.size();
  return all && card >= 0 ? std::optional(card) : std::nullopt;
}

// Why the card cannot be used; empty where it can.
std::string FlawOf(const CudaCard& card) {
  if (card.capability >= kLeastCapability) return "";
  return fmt::format("the card {} has compute capability {}.{}, and {}.{} is needed", card.name,
                     card.capability / 10, card.capability % 10, kLeastCapability / 10,
                     kLeastCapability % 10);
}

std::string CountText(size_t cards) {
  return cards == 1 ? "1 card, cuda:0"
                    : fmt::format("{} cards, cuda:0 to cuda:{}", cards, cards - 1);
}

}  // namespace

std::string Device::name() const {
  return is_cuda() ? fmt::format("{}:{}", kCuda, card) : std::string("cpu");
}

std::string Device::words() const {
  return is_cuda() ? fmt::format("{} ({})", name(), card_name) : name();
}

Status CheckDeviceName(std::string_view name) {
  if (name == "auto" || name == "cpu" || CardOf(name).has_value()) return OkStatus();
  return InvalidArgument(fmt::format(
      "unknown device \"{}\", expected auto, cpu, cuda or cuda:N, such as cuda:0", name));
}

StatusOr<Device> ChooseDevice(std::string_view name, const CudaMachine& machine) {
  FACEGATE_RETURN_IF_ERROR(CheckDeviceName(name));
  if (name == "cpu") return Device{};
  if (name == "auto") {
    const auto usable = std::find_if(machine.cards.begin(), machine.cards.end(),
                                     [](const CudaCard& card) { return FlawOf(card).empty(); });
    if (usable != machine.cards.end()) {
      return Device{.card = static_cast<int>(usable - machine.cards.begin()),
                    .card_name = usable->name};
    }
    if (!machine.sought) return Device{};
    const std::string why = machine.cards.empty() ? machine.missing : FlawOf(machine.cards.front());
    return Device{.note = fmt::format("no card is used: {}", why)};
  }
  const auto number = static_cast<size_t>(*CardOf(name));
  if (machine.cards.empty()) {
    return FailedPrecondition(fmt::format("device {}: {}; use auto or cpu", name, machine.missing));
  }
  if (number >= machine.cards.size()) {
    return FailedPrecondition(
        fmt::format("device {}: this machine has {}", name, CountText(machine.cards.size())));
  }
  const CudaCard& card = machine.cards[number];
  if (const std::string flaw = FlawOf(card); !flaw.empty()) {
    return FailedPrecondition(fmt::format("device {}: {}", name, flaw));
  }
  return Device{.card = static_cast<int>(number), .card_name = card.name};
}

}  // namespace facegate
