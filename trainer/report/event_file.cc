#include "trainer/report/event_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <utility>
#include <vector>

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr int kMostFilesOfASecond = 10;  // one digit, so that names still sort by age
constexpr size_t kBuckets = 64;
constexpr uint64_t kRgb = 3;
constexpr uint64_t kGrey = 1;
constexpr uint64_t kStringType = 7;  // DT_STRING
constexpr uint64_t kStart = 1;       // SessionLog.START

// Fields of a protobuf message, appended in wire format (protobuf.dev/programming-guides/encoding).
class Message {
 public:
  Message& Varint(uint32_t field, uint64_t value) {
    Tag(field, 0);
    AppendVarint(value);
    return *this;
  }
  Message& Double(uint32_t field, double value) {
    Tag(field, 1);
    AppendLittleEndian(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  Message& Float(uint32_t field, float value) {
    Tag(field, 5);
    AppendLittleEndian(bytes_, std::bit_cast<uint32_t>(value));
    return *this;
  }
  Message& Bytes(uint32_t field, std::string_view value) {
    Tag(field, 2);
    AppendVarint(value.size());
    bytes_.append(value);
    return *this;
  }
  Message& Doubles(uint32_t field, std::span<const double> values) {
    std::string packed;
    packed.reserve(values.size() * sizeof(double));
    for (const double value : values) {
      AppendLittleEndian(packed, std::bit_cast<uint64_t>(value));
    }
    return Bytes(field, packed);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  void Tag(uint32_t field, uint32_t wire_type) { AppendVarint(field << 3 | wire_type); }
  void AppendVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

uint32_t MaskedCrc(std::string_view bytes) {
  const uint32_t crc = Crc32c(bytes);
  return std::rotr(crc, 15) + 0xa282ead8U;
}

// HistogramProto with buckets of equal width; `values` are finite and not empty.
Message HistogramOf(std::span<const float> values) {
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double low = *lowest;
  const double high = *highest;
  const size_t buckets = low < high ? kBuckets : 1;
  std::vector<double> limits(buckets, high);
  for (size_t i = 0; i + 1 < buckets; ++i) {
    limits[i] = low + (high - low) * static_cast<double>(i + 1) / static_cast<double>(buckets);
  }
  std::vector<double> counts(buckets, 0.0);
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : values) {
    const auto bucket = std::lower_bound(limits.begin(), limits.end(), double{value});
    counts[static_cast<size_t>(bucket - limits.begin())] += 1.0;
    sum += value;
    squares += double{value} * value;
  }
  Message histogram;
  histogram.Double(1, low).Double(2, high).Double(3, static_cast<double>(values.size()));
  histogram.Double(4, sum).Double(5, squares).Doubles(6, limits).Doubles(7, counts);
  return histogram;
}

}  // namespace

std::string TfRecord(std::string_view bytes) {
  std::string record;
  record.reserve(bytes.size() + 16);
  AppendLittleEndian(record, uint64_t{bytes.size()});
  AppendLittleEndian(record, MaskedCrc(record));
  record.append(bytes);
  AppendLittleEndian(record, MaskedCrc(bytes));
  return record;
}

StatusOr<std::unique_ptr<EventFile>> EventFile::Create(const std::string& directory,
                                                       const Clock& clock) {
  const int64_t seconds = clock.UnixMicros() / 1'000'000;
  std::string path;
  for (int i = 0; i < kMostFilesOfASecond; ++i) {
    const std::string name = fmt::format("events.out.tfevents.{:010}.facegate.{}", seconds, i);
    path = (std::filesystem::path(directory) / name).string();
    if (!std::filesystem::exists(path)) break;
  }
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                            AppendFile::Open(path, AppendFile::Mode::kMustBeNew));
  std::unique_ptr<EventFile> events(new EventFile(std::move(file), clock));
  FACEGATE_RETURN_IF_ERROR(events->Write(0, Message().Bytes(3, "brain.Event:2").bytes()));
  return events;
}

EventFile::EventFile(std::unique_ptr<AppendFile> file, const Clock& clock)
    : file_(std::move(file)), clock_(clock) {}

Status EventFile::Write(int64_t step, std::string_view content) {
  Message event;
  event.Double(1, static_cast<double>(clock_.UnixMicros()) * 1e-6);
  event.Varint(2, static_cast<uint64_t>(step));
  std::string bytes(event.bytes());
  bytes.append(content);
  return file_->Append(TfRecord(bytes));
}

Status EventFile::WriteSummary(std::string_view tag, int64_t step, std::string_view value) {
  std::string tagged(Message().Bytes(1, tag).bytes());
  tagged.append(value);
  const Message summary = Message().Bytes(1, tagged);
  return Write(step, Message().Bytes(5, summary.bytes()).bytes());
}

Status EventFile::AddRestart(int64_t step) {
  return Write(step, Message().Bytes(7, Message().Varint(1, kStart).bytes()).bytes());
}

Status EventFile::AddScalar(std::string_view tag, int64_t step, double value) {
  return WriteSummary(tag, step, Message().Float(2, static_cast<float>(value)).bytes());
}

Status EventFile::AddImage(std::string_view tag, int64_t step, const cv::Mat& image) {
  std::vector<unsigned char> png;
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3) ||
      !cv::imencode(".png", image, png)) {
    return InvalidArgument("an image for TensorBoard is grey or BGR with 8 bits a channel");
  }
  Message message;
  message.Varint(1, static_cast<uint64_t>(image.rows)).Varint(2, static_cast<uint64_t>(image.cols));
  message.Varint(3, image.channels() == 1 ? kGrey : kRgb);
  message.Bytes(4, {reinterpret_cast<const char*>(png.data()), png.size()});
  return WriteSummary(tag, step, Message().Bytes(4, message.bytes()).bytes());
}

Status EventFile::AddHistogram(std::string_view tag, int64_t step, std::span<const float> values) {
  std::vector<float> finite;
  finite.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](float value) { return std::isfinite(value); });
  if (finite.empty()) return OkStatus();
  return WriteSummary(tag, step, Message().Bytes(5, HistogramOf(finite).bytes()).bytes());
}

Status EventFile::AddText(std::string_view tag, int64_t step, std::string_view text) {
  // A tensor with one string; the plugin's name says that it is text.
  const Message shape = Message().Bytes(2, Message().Varint(1, 1).bytes());
  Message tensor;
  tensor.Varint(1, kStringType).Bytes(2, shape.bytes()).Bytes(8, text);
  const Message metadata = Message().Bytes(1, Message().Bytes(1, "text").bytes());
  Message value;
  value.Bytes(8, tensor.bytes()).Bytes(9, metadata.bytes());
  return WriteSummary(tag, step, value.bytes());
}

Status EventFile::Flush() { return file_->Flush(); }
Status EventFile::Sync() { return file_->Sync(); }

}  // namespace facegate
