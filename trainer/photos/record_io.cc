#include "trainer/photos/record_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "face/base/coding.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

constexpr uint64_t kPartHeaderBytes = 8;
constexpr uint32_t kKindShift = 29;
constexpr uint32_t kLengthMask = (1U << kKindShift) - 1;
constexpr size_t kImageHeaderBytes = 24;
// Of a record that was split: one photo and its labels.
constexpr uint64_t kMostJoinedBytes = kMaxTrainingPhotoBytes + (1ULL << 20);
// Doubles count so far without gaps.
constexpr double kMostLabel = 9007199254740992.0;

enum Kind : uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };

struct Part {
  uint32_t kind = kWhole;
  std::string_view bytes;
  uint64_t end = 0;  // where the next one begins
};

Status Damaged(uint64_t offset, std::string_view what) {
  return DataLoss(fmt::format("the record at byte {} {}", offset, what));
}

StatusOr<Part> ReadPart(std::string_view bytes, uint64_t offset) {
  if (offset >= bytes.size()) return Damaged(offset, "lies behind the end of the file");
  std::string_view rest = bytes.substr(offset);
  if (!rest.starts_with(kRecordIoMagic)) return Damaged(offset, "does not begin with the magic");
  rest.remove_prefix(kRecordIoMagic.size());
  const auto word = TakeLittleEndian<uint32_t>(rest);
  if (!word.has_value()) return Damaged(offset, "ends within its header");
  const uint64_t length = *word & kLengthMask;
  if (length > rest.size()) {
    return Damaged(offset, "reaches beyond the end of the file, which was cut off perhaps");
  }
  const uint64_t padded = std::min<uint64_t>((length + 3) / 4 * 4, rest.size());
  return Part{.kind = *word >> kKindShift,
              .bytes = rest.substr(0, length),
              .end = offset + kPartHeaderBytes + padded};
}

struct Record {
  std::string_view whole;  // within the file
  std::string joined;      // of one that was split; the front alone of one that is no photo
  uint64_t size = 0;       // of the payload
  uint64_t end = 0;        // where the next one begins

  std::string_view payload() const { return joined.empty() ? whole : std::string_view(joined); }
};

// Joins another part to a record that was split. Parts without end take no memory.
void Join(std::string_view part, Record& record) {
  const auto append = [&](std::string_view bytes) {
    record.size += bytes.size();
    record.joined += bytes.substr(0, kMostJoinedBytes - record.joined.size());
  };
  append(kRecordIoMagic);
  append(part);
}

StatusOr<Record> ReadRecord(std::string_view bytes, uint64_t offset) {
  FACEGATE_ASSIGN_OR_RETURN(Part part, ReadPart(bytes, offset));
  Record record{.whole = part.bytes, .joined = {}, .size = part.bytes.size(), .end = part.end};
  if (part.kind == kWhole) return record;
  if (part.kind != kFirst) return Damaged(offset, "is a later part of a split one");
  record.joined = part.bytes.substr(0, kMostJoinedBytes);
  while (part.kind != kLast) {
    const uint64_t at = record.end;
    FACEGATE_ASSIGN_OR_RETURN(part, ReadPart(bytes, at));
    if (part.kind != kMiddle && part.kind != kLast) {
      return Damaged(at, "begins where a split one is not at its end");
    }
    Join(part.bytes, record);
    record.end = part.end;
  }
  return record;
}

// What a payload says.
struct Content {
  bool is_list = false;  // of labels: its flag is not 0
  double label = 0.0;
  std::string_view image;
};

double TakeFloat(std::string_view& bytes) {
  return std::bit_cast<float>(TakeLittleEndian<uint32_t>(bytes).value_or(0));
}

// Nothing where the payload is too short for what it announces.
std::optional<Content> ContentOf(std::string_view payload) {
  if (payload.size() < kImageHeaderBytes) return std::nullopt;
  std::string_view header = payload.substr(0, kImageHeaderBytes);
  std::string_view rest = payload.substr(kImageHeaderBytes);
  const uint64_t labels = TakeLittleEndian<uint32_t>(header).value_or(0);
  Content content{.is_list = labels > 0, .label = TakeFloat(header), .image = {}};
  if (labels > rest.size() / sizeof(float)) return std::nullopt;
  content.image = rest.substr(labels * sizeof(float));
  if (content.is_list) content.label = TakeFloat(rest);
  return content;
}

bool IsWhole(double label) { return std::abs(label) < kMostLabel && label == std::floor(label); }

Status BadIndex(size_t line, std::string_view what) {
  return InvalidArgument(
      fmt::format("line {} of the index {}; without the index it is made anew", line, what));
}

template <typename T>
bool ParseNumber(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

StatusOr<std::vector<RecordIoPlace>> PlacesOfIndex(std::string_view index) {
  std::vector<RecordIoPlace> places;
  for (size_t line = 1; !index.empty(); ++line) {
    const size_t end = std::min(index.find('\n'), index.size());
    std::string_view row = index.substr(0, end);
    index.remove_prefix(std::min(end + 1, index.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty()) continue;
    const size_t tab = std::min(row.find('\t'), row.size());
    RecordIoPlace place;
    if (!ParseNumber(row.substr(0, tab), place.key) ||
        !ParseNumber(row.substr(std::min(tab + 1, row.size())), place.offset)) {
      return BadIndex(line, "is not KEY, a tab and OFFSET");
    }
    places.push_back(place);
  }
  const auto is_before = [](const RecordIoPlace& a, const RecordIoPlace& b) {
    return a.key < b.key;
  };
  std::sort(places.begin(), places.end(), is_before);
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].key == places[i - 1].key) {
      return InvalidArgument(fmt::format(
          "the index has key {} twice; without the index it is made anew", places[i].key));
    }
  }
  return places;
}

// Walks through all records.
StatusOr<std::vector<RecordIoPlace>> PlacesOfRecords(std::string_view bytes) {
  std::vector<RecordIoPlace> places;
  for (uint64_t offset = 0; offset < bytes.size();) {
    places.push_back({.offset = offset, .key = places.size()});
    for (bool more = true; more;) {
      FACEGATE_ASSIGN_OR_RETURN(const Part part, ReadPart(bytes, offset));
      more = part.kind == kFirst || part.kind == kMiddle;
      offset = part.end;
    }
  }
  return places;
}

// The key of the first record that describes an identity, where key 0 says so.
std::optional<double> FirstIdentity(std::string_view bytes,
                                    const std::vector<RecordIoPlace>& places) {
  if (places.empty() || places.front().key != 0) return std::nullopt;
  const StatusOr<Record> record = ReadRecord(bytes, places.front().offset);
  if (!record.ok()) return std::nullopt;
  const std::optional<Content> content = ContentOf(record->payload());
  if (!content.has_value() || !content->is_list || !content->image.empty()) return std::nullopt;
  return content->label;
}

bool HasPicture(const Record& record) {
  const std::optional<Content> content = ContentOf(record.payload());
  return content.has_value() && !content->image.empty();
}

// Walks through records that an index does not name, up to `end` or beyond it, and returns where.
// kInvalidArgument where one has a picture: the photo would be missing without a word.
StatusOr<uint64_t> SkipUnnamed(std::string_view bytes, uint64_t offset, uint64_t end) {
  while (offset < end) {
    FACEGATE_ASSIGN_OR_RETURN(const Record record, ReadRecord(bytes, offset));
    if (HasPicture(record)) {
      return InvalidArgument(
          fmt::format("the index does not name the record at byte {}, which has a picture; without "
                      "the index it is made anew",
                      offset));
    }
    offset = record.end;
  }
  return offset;
}

// Takes the records one after the other in the order of their places, each once.
class RecordWalk {
 public:
  RecordWalk(std::string_view bytes, bool is_indexed) : bytes_(bytes), is_indexed_(is_indexed) {}

  StatusOr<Record> Take(const RecordIoPlace& place) {
    if (place.offset > bytes_.size()) {
      return Named(place, Damaged(place.offset, "lies behind the end of the file"));
    }
    FACEGATE_ASSIGN_OR_RETURN(end_, SkipUnnamed(bytes_, end_, place.offset));
    StatusOr<Record> record = place.offset < end_ ? Damaged(place.offset, "begins within another")
                                                  : ReadRecord(bytes_, place.offset);
    if (!record.ok()) return Named(place, record.status());
    end_ = record->end;
    return record;
  }
  // What follows the last place has no picture either.
  Status Finish() { return SkipUnnamed(bytes_, end_, bytes_.size()).status(); }

 private:
  Status Named(const RecordIoPlace& place, const Status& status) const {
    return is_indexed_ ? Annotate(status, fmt::format("key {} of the index", place.key)) : status;
  }

  const std::string_view bytes_;
  const bool is_indexed_;
  uint64_t end_ = 0;  // of what was taken
};

}  // namespace

StatusOr<RecordIoIndex> IndexRecordIo(std::string_view bytes, std::string_view index) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<RecordIoPlace> places,
                            index.empty() ? PlacesOfRecords(bytes) : PlacesOfIndex(index));
  const std::optional<double> first_identity = FirstIdentity(bytes, places);
  // Records that do not overlap are read in a time that follows from the size of the file.
  std::sort(places.begin(), places.end(),
            [](const RecordIoPlace& a, const RecordIoPlace& b) { return a.offset < b.offset; });
  RecordWalk walk(bytes, !index.empty());
  RecordIoIndex found;
  std::vector<std::pair<RecordIoPlace, int64_t>> photos;
  for (const RecordIoPlace& place : places) {
    FACEGATE_ASSIGN_OR_RETURN(const Record record, walk.Take(place));
    const std::string shown = fmt::format("key {}", place.key);
    const std::optional<Content> content = ContentOf(record.payload());
    if (first_identity.has_value() && !HasPicture(record) &&
        (place.key == 0 || static_cast<double>(place.key) >= *first_identity)) {
      continue;  // it describes the set, or an identity
    }
    if (!content.has_value()) {
      found.left_out.Add("records without the header of a photo", shown);
    } else if (content->image.empty()) {
      found.left_out.Add("records without a picture", shown);
    } else if (!IsWhole(content->label)) {
      found.left_out.Add("records whose label is no whole number", shown);
    } else {
      photos.emplace_back(place, static_cast<int64_t>(content->label));
    }
  }
  FACEGATE_RETURN_IF_ERROR(walk.Finish());
  std::sort(photos.begin(), photos.end(),
            [](const auto& a, const auto& b) { return a.first.key < b.first.key; });
  found.places.reserve(photos.size());
  found.labels.reserve(photos.size());
  for (const auto& [place, label] : photos) {
    found.places.push_back(place);
    found.labels.push_back(label);
  }
  return found;
}

StatusOr<std::string> RecordIoImage(std::string_view bytes, uint64_t offset) {
  FACEGATE_ASSIGN_OR_RETURN(const Record record, ReadRecord(bytes, offset));
  const std::optional<Content> content = ContentOf(record.payload());
  if (!content.has_value() || content->image.empty()) return Damaged(offset, "has no picture");
  const uint64_t not_joined = record.size - record.payload().size();
  FACEGATE_RETURN_IF_ERROR(CheckTrainingPhotoSize(content->image.size() + not_joined));
  return std::string(content->image);
}

}  // namespace facegate
