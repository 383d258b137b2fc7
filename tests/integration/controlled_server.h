#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "index/local/local_gallery.h"
#include "index/store/template_store.h"
#include "server/app.h"
#include "tests/support/fake_detector.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/faulty_store.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire_call.h"

namespace facegate {

// A server on a real port, of a model, a detector, a store and a clock that the test controls.
struct ControlledServer {
  explicit ControlledServer(
      const std::function<void(Config&)>& configure = [](Config&) {},
      Clock& clock = Clock::System()) {
    config.listen = "127.0.0.1:0";
    config.data_dir = dir.File("data");
    config.model = "fake";
    config.worker_threads = 2;
    configure(config);
    Parts parts{
        .load_model = [this](const Config&) -> StatusOr<std::unique_ptr<Embedder>> {
          auto fake = std::make_unique<FakeEmbedder>();
          fake->mutable_card().calibration = calibration;
          embedder = fake.get();
          return fake;
        },
        .load_detector = [this](const Config&) -> StatusOr<std::unique_ptr<Detector>> {
          return std::make_unique<FakeDetector>(faces);
        },
        .load_quality_meter = nullptr,  // pattern pictures are no faces
        .open_gallery = [this](const Config& from, Clock&,
                               WriteHealthListener) -> StatusOr<std::unique_ptr<GalleryBackend>> {
          FACEGATE_ASSIGN_OR_RETURN(auto real, OpenTemplateStore({.directory = from.data_dir}));
          auto faulty = std::make_unique<FaultyStore>(std::move(real));
          store = faulty.get();
          return OpenLocalGallery(std::move(faulty), {}, Clock::System());
        },
        .check_machine = nullptr};
    auto created = App::Create(config, std::move(parts), clock);
    FACEGATE_CHECK(created.ok());
    app = std::move(created).value();
    channel = OwnConnection("127.0.0.1:" + std::to_string(app->port()));
  }
  ControlledServer& Serve() {
    FACEGATE_CHECK(app->Load([] { return false; }).ok());
    return *this;
  }
  WireAnswer Call(const std::string& method, const std::string& request) const {
    return CallRaw(channel, method, request);
  }

  TempDir dir;
  Config config;
  std::optional<Calibration> calibration;  // of the model's card
  std::vector<DetectedFace> faces = {FaceAt(0, 0)};
  FakeEmbedder* embedder = nullptr;  // of the app
  FaultyStore* store = nullptr;      // of the app
  std::unique_ptr<App> app;
  std::shared_ptr<grpc::Channel> channel;
};

}  // namespace facegate
