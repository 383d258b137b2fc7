// Measures what hostile requests cost those beside them, with the real server: update masks of 0.8
// MB beside a load of quick calls, and progressive pictures of 39.9 megapixels whose callers have
// gone.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "face/base/check.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "tests/support/process_figures.h"
#include "tests/support/random_model.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire_call.h"

namespace facegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr double kMiB = 1 << 20;
constexpr int kEmbeddingSize = 128;

double MillisecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

v1::Probe VectorProbe(const v1::GetServerInfoResponse& info) {
  v1::Probe probe;
  for (int i = 0; i < kEmbeddingSize; ++i) {
    probe.mutable_embedding()->add_values(static_cast<float>(i % 7) - 3.0f);
  }
  probe.mutable_embedding()->set_model_digest(info.model().model_digest());
  return probe;
}

// A server with one collection and one identity, "7".
class World {
 public:
  World() {
    const ServerProcessOptions options{
        .folder = dir_.path(), .model = dir_.File("model.safetensors"), .flags = {"--max_batch=1"}};
    FACEGATE_CHECK(WriteRandomModel(options.model).ok());
    auto server = ServerProcess::Start(options);
    FACEGATE_CHECK(server.ok());
    server_ = std::move(server).value();
    client_ = server_->Connect();
    const auto info = client_->GetServerInfo();
    FACEGATE_CHECK(info.ok());
    verify_.set_collection_id("people");
    verify_.set_identity_id("7");
    *verify_.mutable_probe() = VectorProbe(*info);
    verify_.mutable_operating_point()->set_min_cosine(0.5f);
    v1::CreateCollectionRequest create;
    create.set_collection_id("people");
    FACEGATE_CHECK(client_->CreateCollection(create).ok());
    v1::EnrollRequest enroll;
    enroll.set_collection_id("people");
    enroll.set_identity_id("7");
    *enroll.add_samples() = verify_.probe();
    FACEGATE_CHECK(client_->Enroll(enroll).ok());
  }

  ServerProcess& server() { return *server_; }
  const v1::VerifyRequest& verify() const { return verify_; }

 private:
  TempDir dir_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<FacegateClient> client_;
  v1::VerifyRequest verify_;
};

// The 99th percentile of the times of GetIdentity and Verify by embedding, two callers of each, ms.
double LoadP99(World& world, milliseconds length) {
  constexpr size_t kCallers = 4;
  std::vector<std::vector<double>> times(kCallers);
  const auto end = steady_clock::now() + length;
  std::vector<std::jthread> callers;
  for (size_t i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      const auto client = world.server().Connect();
      v1::GetIdentityRequest get;
      get.set_collection_id("people");
      get.set_identity_id("7");
      while (steady_clock::now() < end) {
        const auto start = steady_clock::now();
        const bool ok =
            i % 2 == 0 ? client->GetIdentity(get).ok() : client->Verify(world.verify()).ok();
        FACEGATE_CHECK(ok);
        times[i].push_back(MillisecondsSince(start));
      }
    });
  }
  callers.clear();
  std::vector<double> all;
  for (const std::vector<double>& of_one : times)
    all.insert(all.end(), of_one.begin(), of_one.end());
  const auto p99 = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 99 / 100);
  std::nth_element(all.begin(), p99, all.end());
  return *p99;
}

// 40,000 times "labels", and as many labels.
v1::UpdateIdentityRequest HugeMask() {
  constexpr int kPaths = 40'000;
  v1::UpdateIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  for (int i = 0; i < kPaths; ++i) {
    request.mutable_update_mask()->add_paths("labels");
    (*request.mutable_identity()->mutable_labels())[fmt::format("k{}", i)] = "v";
  }
  return request;
}

void MeasureMasks(World& world, int rounds) {
  constexpr milliseconds kRound{3000};
  const v1::UpdateIdentityRequest mask = HugeMask();
  fmt::print("masks: two requests of {:.2f} MB beside four callers; p99 of those, ms\n",
             static_cast<double>(mask.ByteSizeLong()) / 1e6);
  double alone_sum = 0;
  double beside_sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const double alone = LoadP99(world, kRound);
    std::jthread hostile([&] {
      const auto client = world.server().Connect(milliseconds(2000));
      for (int i = 0; i < 2; ++i) FACEGATE_CHECK(!client->UpdateIdentity(mask).ok());
    });
    const double beside = LoadP99(world, kRound);
    alone_sum += alone;
    beside_sum += beside;
    fmt::print("  round {}: alone {:.2f}, beside the masks {:.2f}\n", round + 1, alone, beside);
  }
  fmt::print("  ratio of the means {:.2f}\n", beside_sum / alone_sum);
}

// A progressive JPEG of 6320 x 6320 grey pixels whose last scan is repeated until there are
// `scans`.
std::string ManyScans(int scans) {
  constexpr int kSide = 6320;
  constexpr std::string_view kStartOfScan = "\xff\xda";
  std::vector<uint8_t> encoded;
  FACEGATE_CHECK(cv::imencode(".jpg", cv::Mat(kSide, kSide, CV_8UC1, cv::Scalar(128)), encoded,
                              {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  std::string jpeg(encoded.begin(), encoded.end());
  int there = 0;
  for (size_t at = jpeg.find(kStartOfScan); at != std::string::npos;
       at = jpeg.find(kStartOfScan, at + 1)) {
    ++there;
  }
  jpeg.resize(jpeg.size() - 2);  // the end marker
  const std::string last = jpeg.substr(jpeg.rfind(kStartOfScan));
  for (; there < scans; ++there) jpeg += last;
  return jpeg + "\xff\xd9";
}

void MeasurePictures(World& world, int scans) {
  constexpr int kPictures = 8;
  v1::DetectRequest detect;
  detect.set_image(ManyScans(scans));
  // A connection takes a few calls at once: those of the pictures must not hold this one up.
  const auto stub = v1::FaceService::NewStub(OwnConnection(world.server().target()));
  const auto verify = [&] {
    grpc::ClientContext context;
    v1::VerifyResponse response;
    const auto called = steady_clock::now();
    FACEGATE_CHECK(stub->Verify(&context, world.verify(), &response).ok());
    return MillisecondsSince(called);
  };
  verify();  // connects
  const pid_t pid = world.server().pid();
  const uint64_t before = ResidentBytes(pid);
  std::atomic<int> refused = 0;
  std::vector<std::jthread> callers;
  const auto start = steady_clock::now();
  for (int i = 0; i < kPictures; ++i) {
    callers.emplace_back([&] {
      const auto result = world.server().Connect(milliseconds(1000))->Detect(detect);
      if (!result.ok() && result.error().code != grpc::StatusCode::DEADLINE_EXCEEDED) ++refused;
    });
  }
  std::this_thread::sleep_until(start + milliseconds(500));
  const double beside = verify();
  std::this_thread::sleep_until(start + milliseconds(1000));
  const double after = verify();
  callers.clear();
  fmt::print(
      "pictures: {} of {} scans ({:.0f} KB each), given up after 1 s; {} refused at once\n"
      "  Verify by embedding beside them {:.1f} ms, when they are given up {:.1f} ms\n"
      "  resident before {:.0f} MiB, at most {:.0f} MiB\n",
      kPictures, scans, static_cast<double>(detect.image().size()) / 1e3, refused.load(), beside,
      after, static_cast<double>(before) / kMiB,
      static_cast<double>(PeakResidentBytes(pid)) / kMiB);
}

int Main(int argc, char** argv) {
  CLI::App app("Measures what hostile requests cost those beside them.");
  int rounds = 3;
  app.add_option("--rounds", rounds, "Rounds of the masks")->check(CLI::Range(1, 100));
  std::vector<int> scans{100, 10};
  app.add_option("--scans", scans, "Scans of the pictures, one run each")
      ->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  World world;
  MeasureMasks(world, rounds);
  for (const int count : scans) MeasurePictures(world, count);
  return 0;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) { return facegate::Main(argc, argv); }
