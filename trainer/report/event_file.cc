#include "trainer/report/event_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "tensorboard/event.pb.h"

namespace facegate::report {
namespace {

constexpr int kMostFilesOfASecond = 10;  // one digit, so that names still sort by age
constexpr size_t kBuckets = 64;
constexpr int kGrey = 1;
constexpr int kRgb = 3;

// Buckets of equal width; `values` are finite and not empty.
tensorboard::HistogramProto HistogramOf(std::span<const float> values) {
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
  tensorboard::HistogramProto histogram;
  histogram.set_min(low);
  histogram.set_max(high);
  histogram.set_num(static_cast<double>(values.size()));
  histogram.set_sum(sum);
  histogram.set_sum_squares(squares);
  histogram.mutable_bucket_limit()->Add(limits.begin(), limits.end());
  histogram.mutable_bucket()->Add(counts.begin(), counts.end());
  return histogram;
}

tensorboard::Event EventAt(int64_t step, const Clock& clock) {
  tensorboard::Event event;
  event.set_wall_time(static_cast<double>(clock.UnixMicros()) * 1e-6);
  event.set_step(step);
  return event;
}

// The one value of `event`, without its content.
tensorboard::Summary::Value& ValueOf(tensorboard::Event& event, std::string_view tag) {
  tensorboard::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(std::string(tag));
  return value;
}

Status Append(AppendFile& file, const tensorboard::Event& event) {
  return file.Append(TfRecord(event.SerializeAsString()));
}

}  // namespace

std::string TfRecord(std::string_view bytes) {
  std::string record;
  record.reserve(bytes.size() + 16);
  AppendLittleEndian(record, uint64_t{bytes.size()});
  AppendLittleEndian(record, MaskedCrc(Crc32c(record)));
  record.append(bytes);
  AppendLittleEndian(record, MaskedCrc(Crc32c(bytes)));
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
  tensorboard::Event version = EventAt(0, clock);
  version.set_file_version("brain.Event:2");
  FACEGATE_RETURN_IF_ERROR(Append(*events->file_, version));
  return events;
}

EventFile::EventFile(std::unique_ptr<AppendFile> file, const Clock& clock)
    : file_(std::move(file)), clock_(clock) {}

Status EventFile::AddRestart(int64_t step) {
  tensorboard::Event event = EventAt(step, clock_);
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  return Append(*file_, event);
}

Status EventFile::AddScalar(std::string_view tag, int64_t step, double value) {
  tensorboard::Event event = EventAt(step, clock_);
  ValueOf(event, tag).set_simple_value(static_cast<float>(value));
  return Append(*file_, event);
}

Status EventFile::AddImage(std::string_view tag, int64_t step, const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    return InvalidArgument("an image for TensorBoard is grey or BGR with 8 bits a channel");
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(image)));
  tensorboard::Event event = EventAt(step, clock_);
  tensorboard::Summary::Image& shown = *ValueOf(event, tag).mutable_image();
  shown.set_height(image.rows);
  shown.set_width(image.cols);
  shown.set_colorspace(image.channels() == 1 ? kGrey : kRgb);
  shown.set_encoded_image_string(png);
  return Append(*file_, event);
}

Status EventFile::AddHistogram(std::string_view tag, int64_t step, std::span<const float> values) {
  std::vector<float> finite;
  finite.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](float value) { return std::isfinite(value); });
  if (finite.empty()) return OkStatus();
  tensorboard::Event event = EventAt(step, clock_);
  *ValueOf(event, tag).mutable_histo() = HistogramOf(finite);
  return Append(*file_, event);
}

Status EventFile::AddGraph(std::string_view graph) {
  tensorboard::Event event = EventAt(0, clock_);
  event.set_graph_def(graph.data(), graph.size());
  return Append(*file_, event);
}

// A text is a tensor with one string; the name of the plugin says that it is text.
Status EventFile::AddText(std::string_view tag, int64_t step, std::string_view text) {
  tensorboard::Event event = EventAt(step, clock_);
  tensorboard::Summary::Value& value = ValueOf(event, tag);
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name("text");
  tensorboard::TensorProto& tensor = *value.mutable_tensor();
  tensor.set_dtype(tensorboard::DT_STRING);
  tensor.mutable_tensor_shape()->add_dim()->set_size(1);
  tensor.add_string_val(text.data(), text.size());
  return Append(*file_, event);
}

Status EventFile::Flush() { return file_->Flush(); }
Status EventFile::Sync() { return file_->Sync(); }

}  // namespace facegate::report
