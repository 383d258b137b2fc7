#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "trainer/report/event_file.h"
#include "trainer/ring/ring_figure.h"

namespace facegate {

// What TensorBoard shows of the rings: the graph of their network, and pictures of the plane.
// Thread-safe: both trainings write to one.
class RingEvents {
 public:
  // A new file in `folder`, which is made where it is absent; what earlier files there say is void.
  // `network` is one of RingNetworkNames().
  static StatusOr<std::unique_ptr<RingEvents>> Create(const std::string& folder,
                                                      const std::string& network);

  Status ShowPlane(const std::string& tag, int64_t epoch, const RingFigure& figure);

 private:
  explicit RingEvents(std::unique_ptr<report::EventFile> file) : file_(std::move(file)) {}

  Mutex mutex_;
  const std::unique_ptr<report::EventFile> file_;  // changed under `mutex_`
};

}  // namespace facegate
