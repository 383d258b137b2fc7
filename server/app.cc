#include "server/app.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "face/base/file.h"
#include "face/base/log.h"
#include "face/base/version.h"
#include "face/image/opencv_threads.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/face_service.h"
#include "server/rpc/gallery_service.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/grpc_services.h"
#include "server/rpc/listen_address.h"

namespace facegate {
namespace {

// Listing and deletion are short and wait for the disk, not for a core.
constexpr int kGalleryThreads = 2;
constexpr int kWorkersPerCore = 4;
constexpr int kLeastVectorThreads = 2;

int Cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

int WorkerThreads(const Config& config) {
  if (config.worker_threads > 0) return static_cast<int>(config.worker_threads);
  return kWorkersPerCore * Cores();
}

RequestLimits LimitsOf(const Config& config) {
  return {.max_image_bytes = static_cast<uint64_t>(config.max_image_bytes),
          .max_image_pixels = static_cast<uint64_t>(config.max_image_pixels),
          .max_samples = static_cast<uint32_t>(config.max_samples),
          .max_candidates = static_cast<uint32_t>(config.max_candidates),
          .max_message_bytes = static_cast<uint64_t>(EffectiveMaxMessageBytes(config))};
}

// Collections of another model stay listed and deletable, but an operator should know of them.
Status WarnOfUnusable(const Gallery& gallery, const ModelKey& model) {
  constexpr size_t kPage = 1000;
  size_t unusable = 0;
  std::string after;
  do {
    FACEGATE_ASSIGN_OR_RETURN(const Page<CollectionInfo> page,
                              gallery.ListCollections(after, kPage));
    for (const CollectionInfo& info : page.items) unusable += info.model == model ? 0 : 1;
    after = page.next_after;
  } while (!after.empty());
  if (unusable > 0) {
    LogWarning("{} collections were made with another model: they cannot be searched", unusable);
  }
  return OkStatus();
}

constexpr uint64_t kMaxPortFileBytes = 64;

std::string PortFileText(int port) { return std::to_string(port) + "\n"; }

// A folder that the server makes is for its own user alone; one that was there stays as it is.
void WarnOfWideAccess(const std::string& directory) {
  using std::filesystem::perms;
  std::error_code error;
  const perms access = std::filesystem::status(directory, error).permissions();
  if (error || access == perms::unknown) return;
  if ((access & (perms::group_all | perms::others_all)) == perms::none) return;
  LogWarning(
      "data_dir has the permissions {:04o}, expected 0700: templates are personal data, and other "
      "users of this machine can read it; run chmod 700",
      static_cast<unsigned>(access & perms::mask));
}

class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : clock_(clock), started_(clock.Now()) {}
  double Seconds() const { return std::chrono::duration<double>(clock_.Now() - started_).count(); }

 private:
  const Clock& clock_;
  const Clock::TimePoint started_;
};

}  // namespace

StatusOr<std::unique_ptr<App>> App::Create(const Config& config, Parts parts, Clock& clock) {
  std::unique_ptr<App> app(new App(config, std::move(parts), clock));
  FACEGATE_RETURN_IF_ERROR(app->OpenPort());
  return app;
}

App::App(const Config& config, Parts parts, Clock& clock)
    : config_(config),
      parts_(std::move(parts)),
      clock_(clock),
      start_time_us_(clock.UnixMicros()),
      budget_(static_cast<uint64_t>(EffectiveRequestMemory(config))),
      decode_budget_(static_cast<uint64_t>(EffectiveDecodeMemory(config, Cores())), clock),
      picture_pool_(std::make_unique<ThreadPool>(WorkerThreads(config),
                                                 static_cast<size_t>(config.request_queue))),
      vector_pool_(std::make_unique<ThreadPool>(std::max(kLeastVectorThreads, Cores()),
                                                static_cast<size_t>(config.request_queue))),
      gallery_pool_(std::make_unique<ThreadPool>(kGalleryThreads,
                                                 static_cast<size_t>(config.request_queue))) {}

App::~App() { Stop(std::chrono::seconds(0)); }

Status App::OpenPort() {
  SetOpenCvThreads(1);  // requests run side by side, each on one thread
  grpc_services_ = std::make_unique<GrpcServices>(
      GrpcServices::Lanes{.pictures = {gate_, budget_, *picture_pool_, clock_},
                          .vectors = {gate_, budget_, *vector_pool_, clock_},
                          .gallery = {gate_, budget_, *gallery_pool_, clock_}});
  FACEGATE_ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(config_.listen));
  FACEGATE_ASSIGN_OR_RETURN(
      grpc_server_,
      GrpcServer::Start(
          {.address = address,
           .max_message_bytes = static_cast<uint64_t>(EffectiveMaxMessageBytes(config_)),
           .max_buffered_bytes = static_cast<uint64_t>(EffectiveRequestMemory(config_)),
           .calls_per_connection = static_cast<int>(config_.calls_per_connection),
           .reflection = config_.reflection},
          *grpc_services_));
  port_ = grpc_server_->port();
  address.port = port_;
  LogInfo("facegate-server {} listening on {}; loading; reflection is {}", Version(),
          ToString(address), config_.reflection ? "on" : "off");
  LogWarning(
      "encryption at rest is OFF and TLS is OFF in this version: templates in the data directory, "
      "and photos and embeddings on the connection, are not encrypted");
  return OkStatus();
}

// The file is written only now: a server that fails, above all because another one has its store
// open, must not touch the file of that one.
Status App::WritePortFile() {
  if (config_.port_file.empty()) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(
      Annotate(WriteFileAtomically(config_.port_file, PortFileText(port_)), "port_file"));
  port_file_written_ = true;
  return OkStatus();
}

void App::RemovePortFile() {
  if (!port_file_written_) return;
  // Unless another server has written its own there since.
  const StatusOr<std::string> text = ReadFile(config_.port_file, kMaxPortFileBytes);
  if (text.ok() && *text == PortFileText(port_)) std::remove(config_.port_file.c_str());
}

Status App::LoadModel() {
  const Stopwatch watch(clock_);
  FACEGATE_ASSIGN_OR_RETURN(embedder_, parts_.load_model(config_));
  const ModelCard& card = embedder_->card();
  LogInfo(
      "model {}, {} values, digest {}, {}, mirror average {}; {}, batches of up to {}; loaded and "
      "warmed up in {:.1f} s",
      card.architecture, card.embedding_size, card.model_digest,
      AlignmentName(card.preprocessing.alignment), card.preprocessing.mirror_average ? "on" : "off",
      ComputeText(embedder_->compute()), embedder_->max_batch(), watch.Seconds());
  return OkStatus();
}

Status App::LoadDetector() {
  FACEGATE_ASSIGN_OR_RETURN(detector_, parts_.load_detector(config_));
  LogInfo("detector {}; {} workers", detector_ == nullptr ? "none" : detector_->name(),
          picture_pool_->size());
  return OkStatus();
}

Status App::LoadQualityMeter() {
  if (!parts_.load_quality_meter) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(quality_meter_, parts_.load_quality_meter(config_));
  LogInfo("the least quality is {} to enrol and {} to compare, where a collection does not say",
          config_.enrol_quality, config_.probe_quality);
  if (config_.probe_quality <= 0) {
    LogWarning("probe_quality is 0: faces that may match strangers are compared, too");
  }
  return OkStatus();
}

Status App::OpenGallery() {
  WarnOfWideAccess(config_.data_dir);
  FACEGATE_ASSIGN_OR_RETURN(
      gallery_, parts_.open_gallery(config_, clock_,
                                    [this](const Status& health) { OnWriteHealth(health); }));
  return OkStatus();
}

void App::BuildServices() {
  const RequestLimits limits = LimitsOf(config_);
  batcher_ = std::make_unique<Batcher>(
      BatcherOptions{.max_waiting = static_cast<size_t>(config_.face_queue)}, *embedder_, clock_);
  DecodeLimits decode;
  decode.max_bytes = limits.max_image_bytes;
  decode.max_pixels = limits.max_image_pixels;
  decode.heif = config_.heif;
  engine_ = std::make_unique<FaceEngine>(*embedder_, *batcher_, detector_.get(),
                                         quality_meter_.get(), decode, decode_budget_, clock_);
  const Status looked = WarnOfUnusable(*gallery_, engine_->model());
  if (!looked.ok()) LogWarning("collections cannot be listed: {}", MessageOf(looked));

  const ModelCard& card = embedder_->card();
  const QualityPolicy quality{.enrol = config_.enrol_quality, .probe = config_.probe_quality};
  calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
  face_service_ = std::make_unique<FaceService>(*engine_, *gallery_, *gallery_, limits, quality,
                                                *calibrations_);
  gallery_service_ = std::make_unique<GalleryService>(
      *gallery_, *gallery_, engine_->model(), card.embedding_size,
      CalibrationParts{.card = card, .quality = quality, .calibrations = *calibrations_}, clock_);
  const ServerFacts facts{.version = Version(),
                          .start_time_us = start_time_us_,
                          .detector = engine_->detector_name(),
                          .limits = limits,
                          .encryption_at_rest = false,
                          .tls = false,
                          .compute = embedder_->compute(),
                          .max_batch = static_cast<uint32_t>(embedder_->max_batch()),
                          .quality = quality};
  admin_service_ = std::make_unique<AdminService>(facts, card, *gallery_);
  grpc_services_->Attach(*face_service_, *gallery_service_, *admin_service_);
}

Status App::Load(const std::function<bool()>& stop_requested) {
  Status stopped(StatusCode::kCancelled, "stopped while loading");
  // First: where another server has the store, or a byte of it is damaged, that is said at once.
  FACEGATE_RETURN_IF_ERROR(OpenGallery());
  if (stop_requested()) return stopped;
  FACEGATE_RETURN_IF_ERROR(LoadDetector());
  FACEGATE_RETURN_IF_ERROR(LoadQualityMeter());
  FACEGATE_RETURN_IF_ERROR(LoadModel());
  if (stop_requested()) return stopped;
  if (parts_.check_machine) parts_.check_machine();
  BuildServices();
  BeginServing();
  return WritePortFile();
}

void App::BeginServing() {
  gate_.Open();
  const MutexLock lock(health_mutex_);
  serving_ = true;
  grpc_server_->SetServing(true);
  if (!write_health_.ok()) grpc_server_->SetWritable(false);
  LogInfo("serving");
}

void App::EndServing() {
  const MutexLock lock(health_mutex_);
  serving_ = false;
  if (grpc_server_ != nullptr) grpc_server_->EndServing();
}

void App::OnWriteHealth(const Status& health) {
  const MutexLock lock(health_mutex_);
  write_health_ = health;
  health_since_ = clock_.Now();
  if (serving_) grpc_server_->SetWritable(health.ok());
}

Status App::Failure() const {
  // A card that is lost to this process is there again for the next.
  if (embedder_ != nullptr) FACEGATE_RETURN_IF_ERROR(embedder_->Health());
  // The gallery has so long to go on by itself.
  constexpr std::chrono::seconds kPatience{20};
  const MutexLock lock(health_mutex_);
  // A full disk is for the operator to empty; searches go on meanwhile.
  const bool waits = write_health_.ok() || ReasonOf(write_health_) == Reason::kStoreFull;
  if (waits || clock_.Now() < health_since_ + kPatience) return OkStatus();
  return write_health_;
}

void App::Stop(std::chrono::seconds drain) {
  if (std::exchange(stopped_, true)) return;
  EndServing();
  RemovePortFile();
  gate_.Close();
  if (!gate_.WaitUntilEmpty(clock_.Now() + drain)) {
    LogWarning("calls still in progress after {} s were cancelled", drain.count());
  }
  grpc_server_.reset();  // returns when no handler runs any more
  picture_pool_->Stop();
  vector_pool_->Stop();
  gallery_pool_->Stop();
  if (batcher_ != nullptr) {
    batcher_->Stop();
    const BatcherStats stats = batcher_->stats();
    LogInfo("embedded {} faces in {} batches; {} dropped because the caller had gone", stats.faces,
            stats.batches, stats.dropped);
  }
  gallery_.reset();
  LogInfo("stopped");
}

}  // namespace facegate
