#include "trainer/eval/pair_list.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "trainer/data/text_lines.h"

namespace facegate {
namespace {

constexpr size_t kDefaultFolds = 10;

std::vector<std::string> Split(std::string_view line, std::string_view separators) {
  std::vector<std::string> fields;
  for (size_t begin = line.find_first_not_of(separators); begin != std::string_view::npos;
       begin = line.find_first_not_of(separators, begin)) {
    const size_t end = line.find_first_of(separators, begin);
    fields.emplace_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) break;
    begin = end;
  }
  return fields;
}

std::vector<std::string> SplitFields(std::string_view line) {
  for (const char separator : {'\t', ','}) {
    if (line.find(separator) != std::string_view::npos) {
      return Split(line, std::string_view(&separator, 1));
    }
  }
  return Split(line, " ");
}

std::optional<size_t> NumberOf(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> LfwPhoto(const std::string& name, std::string_view number) {
  const std::optional<size_t> index = NumberOf(number);
  if (!index.has_value()) return std::nullopt;
  return fmt::format("{}/{}_{:04}.jpg", name, name, *index);
}

std::optional<FacePair> LfwPair(const std::vector<std::string>& fields) {
  std::optional<std::string> first;
  std::optional<std::string> second;
  if (fields.size() == 3) {
    first = LfwPhoto(fields[0], fields[1]);
    second = LfwPhoto(fields[0], fields[2]);
  } else if (fields.size() == 4) {
    first = LfwPhoto(fields[0], fields[1]);
    second = LfwPhoto(fields[2], fields[3]);
  }
  if (!first.has_value() || !second.has_value()) return std::nullopt;
  return FacePair{
      .first = *std::move(first), .second = *std::move(second), .same = fields.size() == 3};
}

std::optional<FacePair> LabelledPair(std::vector<std::string> fields) {
  if (fields.size() != 3 || (fields[2] != "0" && fields[2] != "1")) return std::nullopt;
  return FacePair{
      .first = std::move(fields[0]), .second = std::move(fields[1]), .same = fields[2] == "1"};
}

// The first line of LFW's form: how many folds, and how many pairs of each kind each has.
std::optional<std::pair<size_t, size_t>> LfwHeader(const std::string& line) {
  const std::vector<std::string> fields = SplitFields(line);
  if (fields.size() != 2) return std::nullopt;
  const std::optional<size_t> folds = NumberOf(fields[0]);
  const std::optional<size_t> pairs = NumberOf(fields[1]);
  if (!folds.has_value() || !pairs.has_value() || *folds == 0 || *pairs == 0) return std::nullopt;
  return std::pair(*folds, *pairs);
}

}  // namespace

StatusOr<PairList> ReadPairList(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  if (lines.empty()) return InvalidArgument(fmt::format("{} has no pairs", path));
  const auto header = LfwHeader(lines.front());
  PairList list{.pairs = {}, .folds = header.has_value() ? header->first : kDefaultFolds};
  for (size_t i = header.has_value() ? 1 : 0; i < lines.size(); ++i) {
    std::vector<std::string> fields = SplitFields(lines[i]);
    std::optional<FacePair> pair =
        header.has_value() ? LfwPair(fields) : LabelledPair(std::move(fields));
    if (!pair.has_value()) {
      return InvalidArgument(
          fmt::format("{}, line {}: expected {}", path, i + 1,
                      header.has_value() ? "NAME I J, or NAME I NAME J" : "PHOTO PHOTO 0 (or 1)"));
    }
    list.pairs.push_back(*std::move(pair));
  }
  if (header.has_value()) {
    const size_t expected = 2 * header->first * header->second;
    if (list.pairs.size() != expected) {
      return InvalidArgument(
          fmt::format("{} announces {} pairs and has {}", path, expected, list.pairs.size()));
    }
  }
  return list;
}

}  // namespace facegate
