#include "server/parts.h"

#include <utility>

#include "face/base/log.h"
#include "face/detect/choose.h"
#include "face/embed/engine.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "index/local/local_gallery.h"
#include "index/rows/blas_check.h"

namespace facegate {
namespace {

StatusOr<std::unique_ptr<Embedder>> LoadModel(const Config& config) {
  const auto engine = OpenTorchEngine();
  if (!engine.ok()) return Annotate(engine.status(), "model");
  auto embedder = (*engine)->Load(config.model, {.threads = static_cast<int>(config.model_threads),
                                                 .max_batch = static_cast<int>(config.max_batch),
                                                 .device = config.device,
                                                 .precision = config.precision});
  if (!embedder.ok()) return Annotate(embedder.status(), "model");
  return embedder;
}

StatusOr<std::unique_ptr<Detector>> LoadDetector(const Config& config) {
  if (config.detector == "none") return std::unique_ptr<Detector>();
  DetectorChoice choice{.cascades = config.haar_dir,
                        .min_face_pixels = static_cast<int>(config.min_face_pixels)};
  if (config.detector != "auto") choice.detector = config.detector;
  if (!config.detector_model.empty()) choice.yunet = config.detector_model;
  if (!config.detector_landmarks.empty()) choice.landmark_net = config.detector_landmarks;
  auto detector = ChooseDetector(
      choice,
      {.detector = "detector", .yunet = "detector_model", .landmark_net = "detector_landmarks"});
  if (!detector.ok()) return Annotate(detector.status(), "detector");
  return detector;
}

StatusOr<std::unique_ptr<QualityMeter>> LoadQualityMeter(const Config& /*config*/) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSIGN_OR_RETURN(QualityWeights quality, BundledQualityWeights());
  return CreateQualityMeter(std::move(landmarks), std::move(quality));
}

StatusOr<std::unique_ptr<GalleryBackend>> OpenGallery(const Config& config, Clock& clock,
                                                      WriteHealthListener listener) {
  LocalGalleryOptions options;
  options.directory = config.data_dir;
  options.search_threads = static_cast<size_t>(config.search_threads);
  options.card.device = config.index_device;
  constexpr uint64_t kMegabyte = 1'000'000;
  options.card.bytes = static_cast<uint64_t>(config.index_device_memory_mb) * kMegabyte;
  options.on_write_health = std::move(listener);
  auto gallery = OpenLocalGallery(options, clock);
  if (!gallery.ok()) return Annotate(gallery.status(), "gallery");
  return gallery;
}

void CheckMachine() {
  const double gflops = MeasureBlasGflops();
  if (gflops < kSlowBlasGflops) {
    LogWarning(
        "the BLAS does {:.1f} GFLOP/s, which is that of the slow reference library: install "
        "libopenblas0-pthread, or models and searches are many times slower",
        gflops);
  } else {
    LogInfo("BLAS {:.0f} GFLOP/s on one thread", gflops);
  }
}

}  // namespace

Parts RealParts() {
  return {.load_model = LoadModel,
          .load_detector = LoadDetector,
          .load_quality_meter = LoadQualityMeter,
          .open_gallery = OpenGallery,
          .check_machine = CheckMachine};
}

}  // namespace facegate
