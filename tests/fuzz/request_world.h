#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/local/local_gallery.h"
#include "server/engine/batcher.h"
#include "server/engine/face_engine.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/face_service.h"
#include "server/rpc/gallery_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_quality_meter.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// Finds what the picture's first pixels tell it to: none to three faces, with five landmarks, two
// or none, inside the picture or outside. So that a fuzzer reaches every selection.
class PixelDetector final : public Detector {
 public:
  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override;
  const std::string& name() const override { return name_; }

 private:
  const std::string name_ = "pixels";
};

// The three services on a real gallery below the temporary folder, with a model and a detector that
// need no files. Holds, after MakeAnew(): the collection "people" (min_cosine 0.5) with the
// identities "ada" (the templates of patterns 1 and 2) and "bob" (pattern 3), and the collection
// "older", which is bound to another model, with "eve".
class RequestWorld {
 public:
  RequestWorld();

  // Deletes what there is and makes the above, so that an input does not depend on those before.
  void MakeAnew();
  // Replaces in `request` what an input cannot know, or what would make it depend on those before:
  // small template ids, which count from 1 for the first template of "ada"; etags, for which the
  // name of an identity of "people" stands; and the front of request ids.
  void Resolve(google::protobuf::Message& request) const;

  FaceService& faces() { return *faces_; }
  GalleryService& galleries() { return *galleries_; }
  AdminService& admin() { return *admin_; }

  static ModelKey OtherModel();

 private:
  uint64_t ResolvedTemplateId(uint64_t id) const;
  std::string ResolvedText(const std::string& field, const std::string& text) const;
  void Enrol(const std::string& collection, const std::string& identity, const ModelKey& model,
             std::initializer_list<uint64_t> patterns);

  const TempDir dir_;
  FakeClock clock_;
  FakeEmbedder embedder_;
  PixelDetector detector_;
  Batcher batcher_;
  DecodeBudget decode_budget_;
  const FakeQualityMeter quality_meter_;
  const FaceEngine engine_;
  std::unique_ptr<GalleryBackend> gallery_;
  std::unique_ptr<SiteCalibrations> calibrations_;
  std::unique_ptr<FaceService> faces_;
  std::unique_ptr<GalleryService> galleries_;
  std::unique_ptr<AdminService> admin_;
  uint64_t first_template_ = 1;
  uint64_t times_made_ = 0;
};

}  // namespace facegate
