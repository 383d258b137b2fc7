#pragma once

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>

#include "face/base/append_file.h"
#include "face/base/clock.h"
#include "face/base/status.h"

namespace facegate::report {

// A file of events as TensorBoard reads it: TFRecords (tensorflow/docs, python_io) of the messages
// in protos/tensorboard/event.proto. Buffered: what was added is in the file after Flush(). Not
// thread-safe.
class EventFile {
 public:
  // A new file "events.out.tfevents.SECONDS.facegate.N" in `directory`, which exists; names sort by
  // age. `clock` must outlive the EventFile.
  static StatusOr<std::unique_ptr<EventFile>> Create(const std::string& directory,
                                                     const Clock& clock);

  // Tells readers that a run goes on at `step`: what earlier files of the directory say of this
  // step and later ones is void.
  Status AddRestart(int64_t step);
  Status AddScalar(std::string_view tag, int64_t step, double value);
  // Grey or BGR, 8 bits a channel.
  Status AddImage(std::string_view tag, int64_t step, const cv::Mat& image);
  // Values that are not finite are left out; nothing is written where none is left.
  Status AddHistogram(std::string_view tag, int64_t step, std::span<const float> values);
  // The network that a run trains, as NetworkGraph() writes it. TensorBoard shows the last one.
  Status AddGraph(std::string_view graph);
  // Markdown.
  Status AddText(std::string_view tag, int64_t step, std::string_view text);
  Status Flush();
  Status Sync();

  const std::string& path() const { return file_->path(); }

 private:
  EventFile(std::unique_ptr<AppendFile> file, const Clock& clock);

  const std::unique_ptr<AppendFile> file_;
  const Clock& clock_;
};

// "length, its sum, bytes, their sum", both sums masked CRC-32C.
std::string TfRecord(std::string_view bytes);

}  // namespace facegate::report
