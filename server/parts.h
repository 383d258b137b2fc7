#pragma once

#include <functional>
#include <memory>
#include <string>

#include "face/base/clock.h"
#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/quality_meter.h"
#include "face/embed/embedder.h"
#include "index/gallery_backend.h"
#include "server/config.h"

namespace facegate {

using WriteHealthListener = std::function<void(const Status&)>;

// Makes the things that the server is built of. The real ones open LibTorch and RocksDB;
// tests bring others.
struct Parts {
  std::function<StatusOr<std::unique_ptr<Embedder>>(const Config&)> load_model;
  // A null pointer where the configuration says "none".
  std::function<StatusOr<std::unique_ptr<Detector>>(const Config&)> load_detector;
  // Loads what measures how fit faces are to be compared. Unset in tests alone that do not ask for
  // it: then every face passes.
  std::function<StatusOr<std::unique_ptr<QualityMeter>>(const Config&)> load_quality_meter;
  // The clock outlives the gallery, which calls the listener for each change of WriteHealth().
  std::function<StatusOr<std::unique_ptr<GalleryBackend>>(const Config&, Clock&,
                                                          WriteHealthListener)>
      open_gallery;
  // Warns in the log of what makes this machine slow.
  std::function<void()> check_machine;
};

Parts RealParts();

}  // namespace facegate
