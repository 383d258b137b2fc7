#include "trainer/inspect/set_report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numeric>

#include "trainer/photos/dataset_format.h"
#include "trainer/photos/ordered_work.h"
#include "trainer/photos/pack_dataset.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAheadPerThread = 16;
constexpr size_t kMissingShown = 10;
constexpr size_t kBucketStarts[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

// Facts, or why there are none.
struct ReadPhoto {
  std::optional<PhotoFacts> facts;
  std::string reason;
};

ReadPhoto ReadFacts(const PhotoSource& source, size_t i) {
  const StatusOr<std::string> bytes = source.Read(i);
  if (!bytes.ok()) return {.facts = std::nullopt, .reason = std::string(MessageOf(bytes.status()))};
  StatusOr<PhotoFacts> facts = FactsOfPhoto(*bytes);
  if (!facts.ok()) return {.facts = std::nullopt, .reason = std::string(MessageOf(facts.status()))};
  return {.facts = *std::move(facts), .reason = {}};
}

template <typename Key>
std::vector<std::pair<Key, size_t>> MostFrequentFirst(const std::map<Key, size_t>& counts) {
  std::vector<std::pair<Key, size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

void Summarise(std::span<const std::optional<PhotoFacts>> facts, SetReport& report) {
  std::map<std::pair<int, int>, size_t> sizes;
  std::map<ImageFormat, size_t> formats;
  std::array<double, 3> squares{};
  size_t readable = 0;
  for (const std::optional<PhotoFacts>& one : facts) {
    if (!one.has_value()) continue;
    ++readable;
    ++sizes[{one->width, one->height}];
    ++formats[one->format];
    report.grey += one->grey ? 1 : 0;
    report.blue_skin += one->blue_skin ? 1 : 0;
    for (size_t channel = 0; channel < 3; ++channel) {
      report.mean[channel] += one->mean[channel];
      squares[channel] += one->square[channel];
    }
  }
  for (size_t channel = 0; channel < 3 && readable > 0; ++channel) {
    report.mean[channel] /= static_cast<double>(readable);
    const double square = squares[channel] / static_cast<double>(readable);
    report.deviation[channel] =
        std::sqrt(std::max(0.0, square - report.mean[channel] * report.mean[channel]));
  }
  report.sizes = MostFrequentFirst(sizes);
  report.formats = MostFrequentFirst(formats);
}

// Folders whose names no photo has; `classes` are in the order of names.
std::vector<std::string> EmptyFolders(const std::string& path,
                                      const std::vector<std::string>& classes) {
  std::vector<std::string> empty;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unknown;
    if (!entry->is_directory(unknown)) continue;
    std::string name = entry->path().filename().string();
    if (!std::ranges::binary_search(classes, name)) empty.push_back(std::move(name));
  }
  std::ranges::sort(empty);
  return empty;
}

}  // namespace

PhotosPerIdentity CountPhotos(const std::vector<size_t>& counts) {
  std::vector<size_t> sorted;
  sorted.reserve(counts.size());
  std::ranges::copy_if(counts, std::back_inserter(sorted), [](size_t count) { return count > 0; });
  std::ranges::sort(sorted);
  PhotosPerIdentity result;
  if (sorted.empty()) return result;
  result.least = sorted.front();
  result.most = sorted.back();
  const size_t middle = sorted.size() / 2;
  result.median = sorted.size() % 2 == 1
                      ? static_cast<double>(sorted[middle])
                      : static_cast<double>(sorted[middle - 1] + sorted[middle]) / 2.0;
  const size_t photos = std::accumulate(sorted.begin(), sorted.end(), size_t{0});
  result.mean = static_cast<double>(photos) / static_cast<double>(sorted.size());
  result.histogram.reserve(std::size(kBucketStarts));
  for (size_t i = 0; i < std::size(kBucketStarts); ++i) {
    const bool last = i + 1 == std::size(kBucketStarts);
    const PhotosPerIdentity::Bucket bucket{.low = kBucketStarts[i],
                                           .high = last ? SIZE_MAX : kBucketStarts[i + 1] - 1};
    const auto begin = std::ranges::lower_bound(sorted, bucket.low);
    const auto end = std::ranges::upper_bound(sorted, bucket.high);
    result.histogram.push_back(
        {.low = bucket.low, .high = bucket.high, .identities = static_cast<size_t>(end - begin)});
  }
  result.single = result.histogram.front().identities;
  return result;
}

std::optional<LabelNumbers> NumbersOfLabels(const std::vector<std::string>& labels) {
  std::vector<int64_t> numbers;
  numbers.reserve(labels.size());
  for (const std::string& label : labels) {
    int64_t number = 0;
    const char* const end = label.data() + label.size();
    const auto [stop, error] = std::from_chars(label.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    numbers.push_back(number);
  }
  if (numbers.empty()) return std::nullopt;
  std::ranges::sort(numbers);
  LabelNumbers found{.first = numbers.front(), .last = numbers.back()};
  for (size_t i = 1; i < numbers.size(); ++i) {
    // Unsigned, as the distance of two int64_t may be more than one holds.
    const uint64_t step = static_cast<uint64_t>(numbers[i]) - static_cast<uint64_t>(numbers[i - 1]);
    if (step < 2) continue;
    found.missing += step - 1;
    for (uint64_t n = 1; n < step && found.first_missing.size() < kMissingShown; ++n) {
      found.first_missing.push_back(
          static_cast<int64_t>(static_cast<uint64_t>(numbers[i - 1]) + n));
    }
  }
  return found;
}

StatusOr<SetReport> InspectSet(const InspectOptions& options, const PhotoSource& source,
                               const InspectEvents& events) {
  SetReport report{.path = options.path,
                   .list_root = options.list_root,
                   .photos = source.size(),
                   .identities = source.classes().size()};
  FACEGATE_ASSIGN_OR_RETURN(const DatasetFormat* const format, FormatOfDataset(options.path));
  report.form = format->name;
  if (events.started) events.started(source.size());
  std::vector<std::optional<PhotoFacts>> facts(source.size());
  const auto make = [&](size_t i) -> StatusOr<ReadPhoto> { return ReadFacts(source, i); };
  const auto take = [&](size_t i, ReadPhoto photo) -> Status {
    if (!photo.facts.has_value()) {
      report.unreadable.push_back(
          {.photo = i, .name = source.name(i), .reason = std::move(photo.reason)});
    }
    facts[i] = photo.facts;
    if (events.read) events.read();
    return OkStatus();
  };
  const size_t ahead = kAheadPerThread * static_cast<size_t>(options.threads);
  FACEGATE_RETURN_IF_ERROR(
      OrderedWork<ReadPhoto>::Run(source.size(), options.threads, ahead, make, take));

  std::vector<size_t> counts(source.classes().size(), 0);
  std::vector<uint32_t> labels(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    labels[i] = source.label(i);
    ++counts[labels[i]];
  }
  report.per_identity = CountPhotos(counts);
  Summarise(facts, report);
  report.duplicates = FindDuplicates(facts, labels);
  if (report.form == kFolderFormat) {
    report.empty_identities = EmptyFolders(options.path, source.classes());
  }
  if (report.form == kListFormat) report.labels = NumbersOfLabels(source.classes());
  // A damaged record is an unreadable photo, which has been named.
  if (report.form == kPackFormat && report.unreadable.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(report.pack_digest, CheckPackDigest(options.path));
  }
  return report;
}

DuplicateCount CountDuplicates(const SetReport& report, bool identical, bool across_identities) {
  DuplicateCount count;
  for (const DuplicateGroup& group : report.duplicates) {
    if (group.identical != identical || group.across_identities != across_identities) continue;
    ++count.groups;
    count.copies += group.photos.size() - 1;
  }
  return count;
}

}  // namespace facegate
