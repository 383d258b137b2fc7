#include "trainer/sweep/search_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "trainer/run/recipe_keys.h"

namespace facegate {
namespace {

constexpr std::string_view kTry = "--try";
constexpr std::string_view kDots = "..";
constexpr size_t kMostPoints = 10'000;
constexpr size_t kMostChoices = 1'000;
// Numbers are drawn with so many digits, more where they lie within a few hundredths.
constexpr int kDigits = 4;
constexpr int kManyDigits = 8;
constexpr double kNarrow = 0.05;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <typename Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Splits at the commas that are in no brackets and no quotation marks.
std::vector<std::string> ListOf(std::string_view text) {
  std::vector<std::string> values(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[') {
      depth += 1;
    } else if (c == ']') {
      depth -= 1;
    } else if (c == ',' && depth == 0) {
      values.emplace_back();
      continue;
    }
    values.back().push_back(c);
  }
  for (std::string& value : values) value = std::string(Trimmed(value));
  return values;
}

// What the key makes of a value, or why it takes none such.
StatusOr<std::vector<std::string>> Checked(const std::string& key, const std::string& value,
                                           const std::string& text) {
  Recipe scratch;
  if (const Status status = SetRecipeKey(key, value, text, scratch); !status.ok()) {
    return RefuseField(kTry, MessageOf(status));
  }
  return RecipeKeys(scratch).Find(key)->Texts();
}

Status ReadChoices(const std::string& text, std::string_view values, TriedKey& tried) {
  tried.choices = ListOf(values);
  if (tried.choices.size() > kMostChoices) {
    return RefuseField(kTry, fmt::format("{} has {} values, {} are the most", tried.key,
                                         tried.choices.size(), kMostChoices));
  }
  std::vector<std::vector<std::string>> meanings;
  for (const std::string& choice : tried.choices) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<std::string> meaning, Checked(tried.key, choice, text));
    if (std::find(meanings.begin(), meanings.end(), meaning) != meanings.end()) {
      return RefuseField(kTry, fmt::format("{} has the value {} twice", tried.key, choice));
    }
    meanings.push_back(std::move(meaning));
  }
  return OkStatus();
}

// Reads ":log" and ":POINTS" behind a range.
Status ReadWords(std::string_view words, TriedKey& tried) {
  while (!words.empty()) {
    const size_t colon = words.find(':');
    const std::string_view word = words.substr(0, colon);
    words = colon == std::string_view::npos ? std::string_view() : words.substr(colon + 1);
    if (word == "log") {
      tried.log = true;
    } else if (const auto points = NumberOf<size_t>(word); points && *points >= 2) {
      if (*points > kMostPoints) {
        return RefuseField(kTry, fmt::format("{} has {} points, {} are the most", tried.key,
                                             *points, kMostPoints));
      }
      tried.points = *points;
    } else {
      return RefuseField(kTry, fmt::format("{}: \"{}\" is not what follows a range: log, or a "
                                           "number of points from 2 on",
                                           tried.key, word));
    }
  }
  return OkStatus();
}

Status CheckRangeOf(const TriedKey& tried) {
  if (!(tried.low < tried.high)) {
    return RefuseField(kTry, fmt::format("{} begins at {:g} and ends at {:g}, which is not above "
                                         "it",
                                         tried.key, tried.low, tried.high));
  }
  if (tried.log && !(tried.low > 0.0)) {
    return RefuseField(kTry, fmt::format("{} begins at {:g}; a range with :log begins above 0",
                                         tried.key, tried.low));
  }
  const double numbers = tried.high - tried.low + 1.0;
  if (tried.whole && static_cast<double>(tried.points) > numbers) {
    return RefuseField(kTry, fmt::format("{} has {:g} whole numbers, which is fewer than {} points",
                                         tried.key, numbers, tried.points));
  }
  return OkStatus();
}

Status ReadRange(const std::string& text, std::string_view values, TriedKey& tried) {
  const size_t colon = std::min(values.find(':'), values.size());
  const std::string_view ends = values.substr(0, colon);
  const size_t dots = ends.find(kDots);
  for (const auto& [end, number] :
       {std::pair(Trimmed(ends.substr(0, dots)), &tried.low),
        std::pair(Trimmed(ends.substr(dots + kDots.size())), &tried.high)}) {
    FACEGATE_ASSIGN_OR_RETURN(const auto texts, Checked(tried.key, std::string(end), text));
    const auto read = texts.empty() ? std::nullopt : NumberOf<double>(texts.front());
    if (!read || !std::isfinite(*read)) {
      return RefuseField(kTry, fmt::format("{}: \"{}\" is not the end of a range", text, end));
    }
    *number = *read;
  }
  FACEGATE_RETURN_IF_ERROR(
      ReadWords(colon < values.size() ? values.substr(colon + 1) : std::string_view(), tried));
  return CheckRangeOf(tried);
}

double Whole(double number) { return std::floor(number + 0.5); }

std::string NumberText(const TriedKey& tried, double number) {
  if (tried.whole) {
    return fmt::format("{}",
                       static_cast<int64_t>(std::clamp(Whole(number), tried.low, tried.high)));
  }
  const double width = tried.high - tried.low;
  const bool is_narrow = width < kNarrow * std::max(std::abs(tried.low), std::abs(tried.high));
  std::string text = fmt::format("{:.{}g}", number, is_narrow ? kManyDigits : kDigits);
  // Rounding must not leave the range.
  const double read = NumberOf<double>(text).value_or(number);
  if (read < tried.low) return fmt::format("{}", tried.low);
  if (read > tried.high) return fmt::format("{}", tried.high);
  return text;
}

// The number at a share of the range.
double At(const TriedKey& tried, double share, double low, double high) {
  if (!tried.log) return low + share * (high - low);
  return std::exp(std::log(low) + share * (std::log(high) - std::log(low)));
}

}  // namespace

size_t TriedKey::size() const {
  if (!choices.empty()) return choices.size();
  if (points > 0) return points;
  const double numbers = high - low + 1.0;
  return whole && numbers <= static_cast<double>(kMostPoints) ? static_cast<size_t>(numbers) : 0;
}

std::string TriedKey::Value(size_t number) const {
  if (!choices.empty()) return choices[number];
  if (points == 0) return NumberText(*this, low + static_cast<double>(number));
  const double share = static_cast<double>(number) / static_cast<double>(points - 1);
  return NumberText(*this, At(*this, share, low, high));
}

std::string TriedKey::Draw(RandomStream& random) const {
  const double share = random.Uniform();
  if (!choices.empty() || points > 0) {
    const auto count = static_cast<double>(size());
    return Value(std::min(size() - 1, static_cast<size_t>(share * count)));
  }
  // A whole number is the middle of what is rounded to it.
  const double half = whole ? 0.5 : 0.0;
  return NumberText(*this, At(*this, share, low - half, high + half));
}

StatusOr<TriedKey> ParseTry(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return RefuseField(kTry, fmt::format("\"{}\" is not KEY=VALUES", text));
  }
  TriedKey tried{.key = std::string(Trimmed(std::string_view(text).substr(0, equals)))};
  const std::string_view values = Trimmed(std::string_view(text).substr(equals + 1));
  Recipe scratch;
  const KeyTable keys = RecipeKeys(scratch);
  const Key* const key = keys.Find(tried.key);
  if (key == nullptr) {
    return RefuseField(kTry, fmt::format("there is no key \"{}\"{} (facegate-train fit "
                                         "--help-recipe lists them)",
                                         tried.key, keys.MeantKey(tried.key)));
  }
  if (values.empty()) return RefuseField(kTry, fmt::format("{} has no values", tried.key));
  const bool is_number = key->kind() == KeyKind::kNumber || key->kind() == KeyKind::kWholeNumber;
  tried.whole = key->kind() == KeyKind::kWholeNumber;
  const bool is_range =
      is_number && !key->is_list() && values.find(kDots) != std::string_view::npos;
  FACEGATE_RETURN_IF_ERROR(is_range ? ReadRange(text, values, tried)
                                    : ReadChoices(text, values, tried));
  return tried;
}

StatusOr<std::vector<TriedKey>> ParseTries(const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return RefuseField(kTry, "is missing: what to try, such as schedule.rate=0.01..0.3:log");
  }
  std::vector<TriedKey> all;
  for (const std::string& text : texts) {
    FACEGATE_ASSIGN_OR_RETURN(TriedKey tried, ParseTry(text));
    const bool is_there = std::any_of(all.begin(), all.end(),
                                      [&](const TriedKey& one) { return one.key == tried.key; });
    if (is_there) return RefuseField(kTry, fmt::format("{} is there twice", tried.key));
    all.push_back(std::move(tried));
  }
  return all;
}

Status Apply(const Settings& settings, Recipe& recipe) {
  for (const Setting& setting : settings) {
    FACEGATE_RETURN_IF_ERROR(SetRecipeKey(
        setting.key, setting.value, fmt::format("{}={}", setting.key, setting.value), recipe));
  }
  return OkStatus();
}

std::string SettingsText(const Settings& settings) {
  std::string text;
  for (const Setting& setting : settings) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", setting.key, setting.value);
  }
  return text;
}

}  // namespace facegate
