#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "face/base/check.h"
#include "index/local/local_gallery.h"
#include "server/rpc/face_service.h"
#include "server/rpc/gallery_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_detector.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// The services on a real gallery with a model and a detector that tests control. The collection
// "people" exists, with a min_cosine of 0.5.
class ServiceTest : public ::testing::Test {
 protected:
  // No quality is measured without a meter, and every face passes the gate.
  explicit ServiceTest(const QualityMeter* meter = nullptr)
      : engine_(embedder_, batcher_, &detector_, meter,
                DecodeLimits{.max_bytes = 200'000, .max_pixels = 1'000'000}, decode_budget_,
                clock_) {
    auto gallery = OpenLocalGallery(
        {.directory = dir_.File("store"), .upkeep_interval = std::chrono::milliseconds(20)},
        clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = std::move(gallery).value();
    CreateCollection("people", engine_.model(), 0.5f);
    calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
    faces_ = std::make_unique<FaceService>(engine_, *gallery_, *gallery_, limits_, QualityPolicy{},
                                           *calibrations_);
    galleries_ = std::make_unique<GalleryService>(
        *gallery_, *gallery_, engine_.model(), FakeEmbedder::kEmbeddingSize,
        CalibrationParts{.card = engine_.card(), .quality = {}, .calibrations = *calibrations_},
        clock_);
  }

  void CreateCollection(const std::string& id, const ModelKey& model,
                        std::optional<float> min_cosine) {
    FACEGATE_CHECK(
        gallery_
            ->CreateCollection(id, model, FakeEmbedder::kEmbeddingSize, {.min_cosine = min_cosine})
            .ok());
  }
  static ModelKey OtherModel() {
    return {.model_digest = std::string(64, 'e'), .preprocessing_digest = std::string(64, 'f')};
  }

  static v1::Probe Crop(uint64_t seed) { return CropOf(PatternImage(seed)); }
  static v1::Probe CropOf(const cv::Mat& picture) {
    v1::Probe probe;
    probe.set_aligned_crop(EncodePng(picture));
    return probe;
  }
  static v1::Probe Photo(uint64_t seed) {
    v1::Probe probe;
    probe.set_image(PatternPng(seed));
    return probe;
  }
  static v1::Probe Stored(const std::string& template_name) {
    v1::Probe probe;
    probe.set_template_name(template_name);
    return probe;
  }
  v1::Probe Vector(uint64_t seed) const {
    v1::Probe probe;
    for (const float value : FakeEmbedder::Describe({PatternImage(seed)})) {
      probe.mutable_embedding()->add_values(value);
    }
    probe.mutable_embedding()->set_model_digest(engine_.model().model_digest);
    return probe;
  }

  // Enrols one crop; the template's name.
  std::string Enroll(const std::string& identity, uint64_t seed,
                     const std::string& collection = "people") {
    v1::EnrollRequest request;
    request.set_collection_id(collection);
    request.set_identity_id(identity);
    *request.add_samples() = Crop(seed);
    v1::EnrollResponse response;
    const Status status = faces_->Enroll(call_, request, &response);
    EXPECT_THAT(status, IsOk());
    return status.ok() ? response.samples(0).template_().name() : "";
  }

  TempDir dir_;
  FakeClock clock_;
  FakeEmbedder embedder_;
  FakeDetector detector_;
  Batcher batcher_{{}, embedder_, clock_};
  DecodeBudget decode_budget_{1 << 30, clock_};
  FaceEngine engine_;
  RequestLimits limits_{.max_image_bytes = 200'000,
                        .max_image_pixels = 1'000'000,
                        .max_samples = 4,
                        .max_candidates = 10,
                        .max_message_bytes = 1'000'000};
  std::unique_ptr<GalleryBackend> gallery_;
  std::unique_ptr<SiteCalibrations> calibrations_;
  std::unique_ptr<FaceService> faces_;
  std::unique_ptr<GalleryService> galleries_;
  CallContext call_;
};

}  // namespace facegate
