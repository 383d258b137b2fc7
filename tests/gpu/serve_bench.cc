// The load of aligned crops on a running server over gRPC: faces a second and the time of a call,
// as a line of JSON. deploy/gpu-check.sh sets them beside what the embedder does alone.
#include <fmt/format.h>
#include <grpcpp/client_context.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <iostream>
#include <latch>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/canary.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "tests/bench/end_bench.h"
#include "tests/support/wire_call.h"

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string target{};
  int connections = 32;
  int outstanding = 16;  // calls of each connection at once
  double seconds = 3.0;
  double warm_up = 1.0;  // seconds before them that are not counted
  std::string picture = "jpeg";
};

// When calls begin, count and end.
struct Times {
  Clock::time_point counted_from;
  Clock::time_point end;
};

// Keeps one call in flight until the end. The request outlives it.
class Lane {
 public:
  Lane(v1::FaceService::Stub& stub, const v1::EmbedRequest& request, const Times& times,
       std::latch& done)
      : stub_(stub), request_(request), times_(times), done_(done) {}

  void Call() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    started_ = Clock::now();
    stub_.async()->Embed(context_.get(), &request_, &response_,
                         [this](const grpc::Status& status) { Answered(status); });
  }

  // Milliseconds of the calls that were counted, and how many failed with which message.
  const std::vector<double>& milliseconds() const { return milliseconds_; }
  const std::map<std::string, int>& failures() const { return failures_; }

 private:
  void Answered(const grpc::Status& status) {
    const Clock::time_point now = Clock::now();
    if (!status.ok()) {
      ++failures_[status.error_message()];
    } else if (now >= times_.counted_from && now < times_.end) {
      milliseconds_.push_back(std::chrono::duration<double, std::milli>(now - started_).count());
    }
    if (now < times_.end) {
      Call();
    } else {
      done_.count_down();
    }
  }

  v1::FaceService::Stub& stub_;
  const v1::EmbedRequest& request_;
  const Times& times_;
  std::latch& done_;
  std::unique_ptr<grpc::ClientContext> context_;
  v1::EmbedResponse response_;
  Clock::time_point started_;
  std::vector<double> milliseconds_;
  std::map<std::string, int> failures_;
};

StatusOr<std::vector<v1::EmbedRequest>> MakeRequests(const std::string& picture) {
  constexpr int kFaces = 64;
  std::vector<v1::EmbedRequest> requests;
  for (const AlignedFace& face : CanaryFaces(7, kFaces, AlignmentTemplate::kArcFace112)) {
    const PixelView pixels = ViewOf(face.bgr);
    FACEGATE_ASSIGN_OR_RETURN(std::string bytes, picture == "jpeg"
                                                     ? EncodeJpeg(pixels, 90)
                                                     : EncodePixels(pixels, ImageFormat::kBmp));
    requests.emplace_back().mutable_probe()->set_aligned_crop(std::move(bytes));
  }
  return requests;
}

nlohmann::ordered_json ReportOf(const std::deque<Lane>& lanes, const Options& options) {
  std::vector<double> times;
  std::map<std::string, int> failures;
  for (const Lane& lane : lanes) {
    times.insert(times.end(), lane.milliseconds().begin(), lane.milliseconds().end());
    for (const auto& [message, count] : lane.failures()) failures[message] += count;
  }
  std::sort(times.begin(), times.end());
  const auto percentile = [&](size_t share) {
    return times.empty() ? 0.0 : times[times.size() * share / 100];
  };
  return {{"picture", options.picture},
          {"connections", options.connections},
          {"outstanding", options.outstanding},
          {"faces_per_s", static_cast<double>(times.size()) / options.seconds},
          {"p50_ms", percentile(50)},
          {"p99_ms", percentile(99)},
          {"calls", times.size()},
          {"failures", failures}};
}

Status Run(const Options& options) {
  FACEGATE_ASSIGN_OR_RETURN(const auto requests, MakeRequests(options.picture));
  const auto span = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  const Clock::time_point counted_from = Clock::now() + span(options.warm_up);
  const Times times{.counted_from = counted_from, .end = counted_from + span(options.seconds)};
  std::latch done(static_cast<std::ptrdiff_t>(options.connections) * options.outstanding);
  std::vector<std::unique_ptr<v1::FaceService::Stub>> stubs;
  std::deque<Lane> lanes;  // calls hold their addresses
  for (int connection = 0; connection < options.connections; ++connection) {
    stubs.push_back(v1::FaceService::NewStub(OwnConnection(options.target)));
    for (int i = 0; i < options.outstanding; ++i) {
      const v1::EmbedRequest& request = requests[lanes.size() % requests.size()];
      lanes.emplace_back(*stubs.back(), request, times, done).Call();
    }
  }
  done.wait();
  const auto report = ReportOf(lanes, options);
  std::cout << report.dump() << std::endl;
  if (report["calls"] == 0) return Internal("no call was answered");
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Loads a running facegate-server with aligned crops to embed.\n"
      "Example: gpu_serve_bench --target 127.0.0.1:50051 --connections 32 --outstanding 16");
  app.add_option("--target", options.target, "The server, HOST:PORT")->required();
  app.add_option("--connections", options.connections, "Connections")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--outstanding", options.outstanding, "Calls of a connection at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Time that is counted")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "Seconds before it")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--picture", options.picture, "How crops are encoded")
      ->check(CLI::IsMember({"jpeg", "bmp"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return EndBench("gpu_serve_bench", Run(options));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) { return facegate::Main(argc, argv); }
