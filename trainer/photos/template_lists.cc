#include "trainer/photos/template_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "face/base/utf8.h"
#include "trainer/photos/list_text.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/shown_name.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

constexpr size_t kPairsAtOnce = 1 << 20;
constexpr size_t kCoordinates = 10;
constexpr std::string_view kBlanks = " \t";

// The whole text as a number; nothing for any other text.
template <typename Number>
std::optional<Number> NumberIn(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes the next field off the front of a line; empty at its end.
std::string_view TakeField(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view field = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(field.size());
  return field;
}

// Calls `take` with the number of each line that is not blank, and its text.
template <typename Take>
Status ForEachLine(std::string_view text, const Take& take) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    FACEGATE_RETURN_IF_ERROR(take(number, line));
  }
  return OkStatus();
}

Status BadLine(const std::string& path, size_t line, std::string_view what) {
  return InvalidArgument(fmt::format("{}, line {}: {}", path, line, what));
}

struct FaceMarks {
  Landmarks landmarks{};
  float detection = 0.0F;
};

std::optional<FaceMarks> MarksIn(std::string_view line) {
  FaceMarks marks;
  marks.landmarks.resize(kCoordinates / 2);
  for (size_t i = 0; i < kCoordinates; ++i) {
    const std::optional<float> value = NumberIn<float>(TakeField(line));
    if (!value.has_value() || !std::isfinite(*value)) return std::nullopt;
    (i % 2 == 0 ? marks.landmarks[i / 2].x : marks.landmarks[i / 2].y) = *value;
  }
  const std::optional<float> score = NumberIn<float>(TakeField(line));
  if (!score.has_value() || !std::isfinite(*score) || *score < 0.0F) return std::nullopt;
  if (!TakeField(line).empty()) return std::nullopt;
  marks.detection = *score;
  return marks;
}

using MarksByName = std::unordered_map<std::string, FaceMarks>;

StatusOr<MarksByName> ReadMarks(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  MarksByName marks;
  FACEGATE_RETURN_IF_ERROR(ForEachLine(text, [&](size_t number, std::string_view line) {
    const std::string name(TakeField(line));
    const std::optional<FaceMarks> found = MarksIn(line);
    if (!found.has_value()) {
      return BadLine(path, number,
                     "expected a name, ten numbers and the score of a detector, 0 or more");
    }
    if (marks.emplace(name, *found).second) return OkStatus();
    return BadLine(path, number, ShownName(name) + " was there before");
  }));
  return marks;
}

std::optional<TemplatePair> PairIn(std::string_view line) {
  const std::optional<uint32_t> first = NumberIn<uint32_t>(TakeField(line));
  const std::optional<uint32_t> second = NumberIn<uint32_t>(TakeField(line));
  const std::string_view label = TakeField(line);
  const bool is_label = label == "0" || label == "1";
  if (!first.has_value() || !second.has_value() || !is_label || !TakeField(line).empty()) {
    return std::nullopt;
  }
  return TemplatePair{.first = *first, .second = *second, .same = label == "1"};
}

// Whether each template has a face.
class KnownTemplates {
 public:
  explicit KnownTemplates(const std::vector<TemplateFace>& faces) {
    for (const TemplateFace& face : faces) numbers_.insert(face.number);
  }
  Status Check(uint32_t number, const std::string& path) const {
    if (numbers_.contains(number)) return OkStatus();
    return InvalidArgument(fmt::format("{}: template {} has no face", path, number));
  }

 private:
  std::unordered_set<uint32_t> numbers_;
};

Status CountPairs(const KnownTemplates& known, TemplateSet& set) {
  const auto count = [&](std::span<const TemplatePair> pairs) {
    for (const TemplatePair& pair : pairs) {
      FACEGATE_RETURN_IF_ERROR(known.Check(pair.first, set.pairs_path));
      FACEGATE_RETURN_IF_ERROR(known.Check(pair.second, set.pairs_path));
      ++(pair.same ? set.genuine : set.impostor);
    }
    return OkStatus();
  };
  FACEGATE_RETURN_IF_ERROR(ForEachTemplatePairs(set.pairs_path, count));
  if (set.genuine > 0 && set.impostor > 0) return OkStatus();
  return InvalidArgument(fmt::format("{} has {} pairs of one person and {} of two: both are needed",
                                     set.pairs_path, set.genuine, set.impostor));
}

StatusOr<std::vector<TemplateSubject>> ReadKnownSubjects(const KnownTemplates& known,
                                                         const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<TemplateSubject> subjects, ReadTemplateSubjects(path));
  for (const TemplateSubject& one : subjects) {
    FACEGATE_RETURN_IF_ERROR(known.Check(one.number, path));
  }
  return subjects;
}

// Lists for 1:N: all of them, or none.
Status ReadSearches(const KnownTemplates& known, const std::string& begin,
                    const std::array<std::string, 2>& names, TemplateSet& set) {
  const std::string probes = begin + "_1N_probe_mixed.csv";
  std::vector<std::string> paths = {probes};
  for (const std::string& name : names) {
    paths.push_back(fmt::format("{}_1N_gallery_{}.csv", begin, name));
  }
  std::error_code ignored;
  const bool none = std::none_of(paths.begin(), paths.end(), [&](const std::string& path) {
    return std::filesystem::exists(path, ignored);
  });
  if (none) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(set.probes, ReadKnownSubjects(known, probes));
  for (size_t i = 0; i < names.size(); ++i) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<TemplateSubject> people,
                              ReadKnownSubjects(known, paths[i + 1]));
    const Status checked = CheckGallery(people, set.probes);
    if (!checked.ok()) return Annotate(checked, paths[i + 1]);
    set.galleries.push_back({.name = names[i], .people = std::move(people)});
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<TemplateFace>> ReadTemplateFaces(const std::string& media_path,
                                                      const std::string& landmarks_path) {
  FACEGATE_ASSIGN_OR_RETURN(const MarksByName marks, ReadMarks(landmarks_path));
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(media_path));
  std::vector<TemplateFace> faces;
  std::unordered_set<std::string> names;
  FACEGATE_RETURN_IF_ERROR(ForEachLine(text, [&](size_t number, std::string_view line) {
    std::string name(TakeField(line));
    const std::optional<uint32_t> of_template = NumberIn<uint32_t>(TakeField(line));
    const std::optional<uint32_t> medium = NumberIn<uint32_t>(TakeField(line));
    if (!of_template.has_value() || !medium.has_value() || !TakeField(line).empty()) {
      return BadLine(media_path, number, "expected a name and the numbers of template and medium");
    }
    if (!names.insert(name).second) {
      return BadLine(media_path, number, ShownName(name) + " was there before");
    }
    const auto found = marks.find(name);
    if (found == marks.end()) {
      return BadLine(media_path, number,
                     fmt::format("{} is not in {}", ShownName(name), landmarks_path));
    }
    faces.push_back({.name = std::move(name),
                     .number = *of_template,
                     .medium = *medium,
                     .landmarks = found->second.landmarks,
                     .detection = found->second.detection});
    return OkStatus();
  }));
  if (faces.empty()) return InvalidArgument(fmt::format("{} names no face", media_path));
  std::stable_sort(faces.begin(), faces.end(), [](const TemplateFace& a, const TemplateFace& b) {
    return std::pair(a.number, a.medium) < std::pair(b.number, b.medium);
  });
  return faces;
}

Status ForEachTemplatePairs(const std::string& path,
                            const std::function<Status(std::span<const TemplatePair>)>& take) {
  FACEGATE_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const std::string_view text = WithoutUtf8Mark(file->bytes());
  std::vector<TemplatePair> pairs;
  FACEGATE_RETURN_IF_ERROR(ForEachLine(text, [&](size_t number, std::string_view line) {
    const std::optional<TemplatePair> pair = PairIn(line);
    if (!pair.has_value()) {
      return BadLine(path, number, "expected the numbers of two templates, and 1 or 0");
    }
    pairs.push_back(*pair);
    if (pairs.size() < kPairsAtOnce) return OkStatus();
    Status taken = take(pairs);
    pairs.clear();
    return taken;
  }));
  return pairs.empty() ? OkStatus() : take(pairs);
}

StatusOr<std::vector<TemplateSubject>> ReadTemplateSubjects(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  std::vector<TemplateSubject> subjects;
  std::unordered_map<uint32_t, uint32_t> subject_of;
  bool is_header = true;
  const Status read = ForEachRow(text, Separator::kComma, [&](const TextRow& row) {
    const bool was_header = std::exchange(is_header, false);
    const bool has_both = row.fields.size() >= 2;
    const auto number = has_both ? NumberIn<uint32_t>(row.fields[0]) : std::nullopt;
    const auto subject = has_both ? NumberIn<uint32_t>(row.fields[1]) : std::nullopt;
    if (was_header && has_both && !number.has_value() && !subject.has_value()) return OkStatus();
    if (!number.has_value() || !subject.has_value()) {
      return BadLine(path, row.line, "expected the numbers of a template and of a person");
    }
    const auto [place, added] = subject_of.emplace(*number, *subject);
    if (added) subjects.push_back({.number = *number, .subject = *subject});
    if (place->second == *subject) return OkStatus();
    return BadLine(path, row.line,
                   fmt::format("template {} is of person {}, and was of {} before", *number,
                               *subject, place->second));
  });
  if (!read.ok()) {
    const bool is_named = MessageOf(read).find(path) != std::string_view::npos;
    return is_named ? read : Annotate(read, path);
  }
  if (subjects.empty()) return InvalidArgument(fmt::format("{} names no template", path));
  return subjects;
}

StatusOr<TemplateSet> OpenTemplateSet(const std::string& folder, const std::string& target) {
  std::string letters = target;
  for (char& letter : letters) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  if (letters != "ijbb" && letters != "ijbc") {
    return InvalidArgument(fmt::format("{} is not one of IJBB, IJBC", target));
  }
  const std::string begin = (std::filesystem::path(folder) / "meta" / letters).string();
  TemplateSet set;
  set.photos = (std::filesystem::path(folder) / "loose_crop").string();
  set.pairs_path = begin + "_template_pair_label.txt";
  FACEGATE_ASSIGN_OR_RETURN(
      set.faces, ReadTemplateFaces(begin + "_face_tid_mid.txt", begin + "_name_5pts_score.txt"));
  const KnownTemplates known(set.faces);
  FACEGATE_RETURN_IF_ERROR(CountPairs(known, set));
  const std::array<std::string, 2> galleries = letters == "ijbb"
                                                   ? std::array<std::string, 2>{"S1", "S2"}
                                                   : std::array<std::string, 2>{"G1", "G2"};
  FACEGATE_RETURN_IF_ERROR(ReadSearches(known, begin, galleries, set));
  return set;
}

}  // namespace facegate
