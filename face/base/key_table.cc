#include "face/base/key_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <type_traits>
#include <utility>

#include "face/base/did_you_mean.h"

namespace facegate {
namespace {

constexpr std::string_view kAuto = "auto";

using Fault = std::optional<KeyFault>;

template <typename Value>
concept Number = std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>;

template <typename Value>
struct Traits {
  using Element = Value;
  static constexpr bool kIsList = false;
};
template <typename Value>
struct Traits<std::vector<Value>> {
  using Element = Value;
  static constexpr bool kIsList = true;
};

Fault Refuse(KeyFault::Reason reason, const std::string& text) {
  return KeyFault{.reason = reason, .text = text};
}

Fault Read(const KeyLimits&, const std::string& text, bool& out) {
  if (text != "true" && text != "false") return Refuse(KeyFault::Reason::kWrongKind, text);
  out = text == "true";
  return std::nullopt;
}

template <Number Value>
Fault Read(const KeyLimits& limits, const std::string& text, Value& out) {
  Value value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return Refuse(KeyFault::Reason::kWrongKind, text);
  if (limits.range && !limits.range->Contains(static_cast<double>(value))) {
    return Refuse(KeyFault::Reason::kOutOfRange, text);
  }
  out = value;
  return std::nullopt;
}

Fault Read(const KeyLimits& limits, const std::string& text, std::optional<double>& out) {
  std::optional<double> value;
  if (text != kAuto) {
    if (Fault fault = Read(limits, text, value.emplace())) return fault;
  }
  out = value;
  return std::nullopt;
}

Fault Read(const KeyLimits& limits, const std::string& text, std::string& out) {
  const std::vector<std::string>& all = limits.choices;
  if (!all.empty() && std::find(all.begin(), all.end(), text) == all.end()) {
    return Refuse(KeyFault::Reason::kNoChoice, text);
  }
  out = text;
  return std::nullopt;
}

template <typename Value>
Fault ReadAll(const KeyLimits& limits, const std::vector<std::string>& texts, Value& out) {
  if (texts.size() != 1) return Refuse(KeyFault::Reason::kWrongKind, fmt::format("{}", texts));
  return Read(limits, texts.front(), out);
}

template <typename Value>
Fault ReadAll(const KeyLimits& limits, const std::vector<std::string>& texts,
              std::vector<Value>& out) {
  std::vector<Value> values;
  values.reserve(texts.size());
  for (const std::string& text : texts) {
    if (Fault fault = Read(limits, text, values.emplace_back())) return fault;
  }
  out = std::move(values);
  return std::nullopt;
}

// A switch is "true" or "false", a real number as short as it reads back to the bit.
template <typename Value>
std::string Write(const Value& value) {
  return fmt::format("{}", value);
}
std::string Write(const std::optional<double>& value) {
  return value ? Write(*value) : std::string(kAuto);
}

std::string Question(std::string_view meant) {
  return meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant);
}

// The bare name is "batch" of "data.batch", and all of a name without a section.
std::string_view BareName(std::string_view name) { return name.substr(name.find('.') + 1); }

}  // namespace

KeyLimits InRange(double min, double max) { return NumberRange{.min = min, .max = max}; }

KeyLimits InWholeRange(int64_t min, int64_t max) {
  KeyLimits limits = InRange(static_cast<double>(min), static_cast<double>(max));
  limits.text = fmt::format("{} to {}", min, max);
  return limits;
}

KeyLimits OneOf(std::vector<std::string> choices) {
  KeyLimits limits;
  limits.text = fmt::format("{}", fmt::join(choices, ", "));
  limits.choices = std::move(choices);
  return limits;
}

KeyLimits Example(std::string value) {
  KeyLimits limits;
  limits.example = std::move(value);
  return limits;
}

Key::Key(std::string_view name, Member member, KeyLimits limits, std::string_view sentence)
    : name_(name), member_(member), limits_(std::move(limits)), sentence_(sentence) {}

KeyKind Key::kind() const {
  return std::visit(
      []<typename Value>(Value*) {
        using Element = typename Traits<Value>::Element;
        if (std::is_same_v<Element, bool>) return KeyKind::kSwitch;
        if (std::is_same_v<Element, std::string>) return KeyKind::kText;
        return std::is_integral_v<Element> ? KeyKind::kWholeNumber : KeyKind::kNumber;
      },
      member_);
}

bool Key::is_list() const {
  return std::visit([]<typename Value>(Value*) { return Traits<Value>::kIsList; }, member_);
}

bool Key::may_be_auto() const { return std::holds_alternative<std::optional<double>*>(member_); }

std::string Key::KindText() const {
  switch (kind()) {
    case KeyKind::kSwitch:
      return "true or false";
    case KeyKind::kWholeNumber:
      return "a whole number";
    case KeyKind::kNumber:
      if (is_list()) return "a list of numbers";
      return may_be_auto() ? "a number or auto" : "a number";
    case KeyKind::kText:
      break;
  }
  return is_list() ? "a list of texts" : "a text";
}

Fault Key::Set(const std::vector<std::string>& texts) const {
  return std::visit([&](auto* member) { return ReadAll(limits_, texts, *member); }, member_);
}

std::vector<std::string> Key::Texts() const {
  return std::visit(
      []<typename Value>(const Value* member) -> std::vector<std::string> {
        if constexpr (Traits<Value>::kIsList) {
          std::vector<std::string> texts;
          for (const auto& value : *member) texts.push_back(Write(value));
          return texts;
        } else {
          return {Write(*member)};
        }
      },
      member_);
}

std::string Key::MeantChoice(std::string_view text) const {
  return Question(DidYouMean(text, limits_.choices));
}

const Key* KeyTable::Find(std::string_view name) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.name() == name; });
  return found == keys_.end() ? nullptr : &*found;
}

std::string KeyTable::MeantKey(std::string_view name) const {
  std::vector<std::string> names;
  names.reserve(keys_.size());
  for (const Key& key : keys_) names.emplace_back(key.name());
  std::string meant = DidYouMean(name, names);
  if (!meant.empty()) return Question(meant);
  const std::string_view bare = BareName(name);
  size_t least = bare.size() / 6 + 1;
  for (const std::string& one : names) {
    const size_t distance = EditDistance(bare, BareName(one));
    if (distance >= least) continue;
    least = distance;
    meant = one;
  }
  return Question(meant);
}

}  // namespace facegate
