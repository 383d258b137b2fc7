#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/thread_pool.h"
#include "server/config.h"
#include "server/engine/batcher.h"
#include "server/engine/decode_budget.h"
#include "server/engine/face_engine.h"
#include "server/parts.h"
#include "server/rpc/byte_budget.h"
#include "server/rpc/call_gate.h"

namespace facegate {

class AdminService;
class FaceService;
class GalleryService;
class GrpcServer;
class GrpcServices;
class SiteCalibrations;

// The whole server: builds its parts in order and stops them in reverse. Used from one thread.
class App {
 public:
  // Opens the port. Health says NOT_SERVING and every call gets NOT_READY until Load() is done.
  // `clock` must outlive the App.
  static StatusOr<std::unique_ptr<App>> Create(const Config& config, Parts parts, Clock& clock);
  // Stop() without a drain.
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Loads and warms up the model, opens the gallery, then serves. kCancelled when `stop_requested`
  // said true between two steps.
  Status Load(const std::function<bool()>& stop_requested);

  // Health off, new calls refused with SHUTTING_DOWN, calls in progress finished within `drain` and
  // cancelled after it; then the port, the pools, the batcher and the gallery are closed.
  // Idempotent.
  void Stop(std::chrono::seconds drain);

  int port() const { return port_; }

  // Not OK when the store has taken no change for some time and cannot be repaired while the
  // process lives: stop, and let the supervisor start the server again. Thread-safe.
  Status Failure() const;

 private:
  App(const Config& config, Parts parts, Clock& clock);

  Status OpenPort();
  Status LoadModel();
  Status LoadDetector();
  Status LoadQualityMeter();
  Status OpenGallery();
  void BuildServices();
  Status WritePortFile();
  void RemovePortFile();
  void OnWriteHealth(const Status& health);
  // Opens the door, and says so.
  void BeginServing();
  void EndServing();

  const Config config_;
  const Parts parts_;
  Clock& clock_;
  const int64_t start_time_us_;
  int port_ = 0;
  bool port_file_written_ = false;
  bool stopped_ = false;

  // The gallery told this of its writes last, from whatever thread.
  mutable Mutex health_mutex_;
  Status write_health_ FACEGATE_GUARDED_BY(health_mutex_);
  Clock::TimePoint health_since_ FACEGATE_GUARDED_BY(health_mutex_);
  bool serving_ FACEGATE_GUARDED_BY(health_mutex_) = false;

  // The members stand in the order of construction: what is below uses what is above.
  CallGate gate_;
  ByteBudget budget_;
  DecodeBudget decode_budget_;
  std::unique_ptr<ThreadPool> picture_pool_;
  std::unique_ptr<ThreadPool> vector_pool_;
  std::unique_ptr<ThreadPool> gallery_pool_;
  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<Detector> detector_;           // null: none
  std::unique_ptr<QualityMeter> quality_meter_;  // null: in tests alone
  std::unique_ptr<GalleryBackend> gallery_;
  std::unique_ptr<Batcher> batcher_;
  std::unique_ptr<FaceEngine> engine_;
  std::unique_ptr<SiteCalibrations> calibrations_;
  std::unique_ptr<FaceService> face_service_;
  std::unique_ptr<GalleryService> gallery_service_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<GrpcServices> grpc_services_;
  std::unique_ptr<GrpcServer> grpc_server_;
};

}  // namespace facegate
