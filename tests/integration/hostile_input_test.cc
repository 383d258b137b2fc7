// Everything that a stranger may send, over the wire: the right code and reason, the server alive,
// its memory flat. And each Reason at least once, those that need a state in a server whose model,
// store and clock the test controls.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/hostile_rows.h"
#include "tests/integration/refusing_states.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/rounds.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMostGrowth = 16 << 20;  // bytes of resident memory

void Check(const HostileRow& row, const WireAnswer& answer) {
  SCOPED_TRACE(row.name);
  EXPECT_EQ(answer.code, row.code) << answer.message;
  EXPECT_EQ(answer.reason, row.reason) << answer.message;
  EXPECT_EQ(answer.domain, row.reason.empty() ? "" : "facegate");
  EXPECT_EQ(answer.field, row.field) << answer.message;
  EXPECT_TRUE(std::regex_search(answer.message, std::regex(row.message))) << answer.message;
  // A field's path is worth its place in the text that most clients show.
  if (!row.field.empty()) {
    EXPECT_TRUE(answer.message.starts_with(row.field + ": "));
  }
}

// Two faces, one beside the other, where there are photos.
std::string TwoFaces() {
  const auto data = TestDataDir();
  if (!data.has_value()) return {};
  const cv::Mat left = cv::imread((*data / "golden/1_001.jpg").string());
  const cv::Mat right = cv::imread((*data / "golden/2_001.jpg").string());
  if (left.empty() || right.empty()) return {};
  // Each with room around it, as a photo has.
  cv::Mat photo(400, 800, CV_8UC3, cv::Scalar(128, 128, 128));
  cv::Mat sized;
  cv::resize(left, sized, {200, 200});
  sized.copyTo(photo(cv::Rect(100, 100, 200, 200)));
  cv::resize(right, sized, {200, 200});
  sized.copyTo(photo(cv::Rect(500, 100, 200, 200)));
  return Encode(photo, ".png");
}

class HostileInputTest : public RunningServerTest {
 protected:
  void StartHostileWorld() {
    // The crops are no faces: the gate would answer before the model is asked.
    options_.flags = {"--max_batch=1",     "--model_threads=1",
                      "--log_level=error", "--enrol_quality=0",
                      "--probe_quality=0", fmt::format("--max_image_bytes={}", kMaxImageBytes)};
    const auto data = TestDataDir();
    world_.has_detector = data.has_value();
    options_.flags.push_back(world_.has_detector ? "--detector=yunet" : "--detector=none");
    if (world_.has_detector) {
      options_.flags.push_back("--detector_model=" +
                               (*data / "detectors/yunet_n_dynamic.onnx").string());
    }
    ASSERT_NO_FATAL_FAILURE(StartServer());
    const auto info = client_->GetServerInfo();
    ASSERT_TRUE(info.ok()) << info.error();
    world_.target = server_->target();
    world_.channel = OwnConnection(server_->target());
    world_.model_digest = info->model().model_digest();
    world_.embedding_size = info->model().embedding_size();
    world_.max_image_bytes = info->limits().max_image_bytes();
    world_.max_message_bytes = info->limits().max_message_bytes();
    if (world_.has_detector) world_.two_faces = TwoFaces();
    PrepareHostileWorld(world_);
  }

  // Bytes that are no gRPC at all.
  void SendGarbageOfAllKinds() const {
    const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(4096, '\xff'),
          std::string(4096, '\0'), preface + std::string(4096, '\xff'),
          // A HEADERS frame of 16 MiB less one, which is more than was agreed.
          preface + std::string("\x00\x00\x00\x04\x00\x00\x00\x00\x00", 9) +
              std::string("\xff\xff\xff\x01\x05\x00\x00\x00\x01", 9) + std::string(4096, 'x')}) {
      EXPECT_TRUE(SendGarbage(server_->target(), bytes, 30s)) << "the connection stays open";
    }
  }

  void CheckStillWell() {
    const auto ready = client_->WaitUntilReady(5s);
    EXPECT_TRUE(ready.ok() && *ready) << "health is not SERVING";
    const WireAnswer right = IdentifyA(world_);
    ASSERT_EQ(right.code, 0) << right.message;
    v1::IdentifyResponse response;
    ASSERT_TRUE(response.ParseFromString(right.response));
    ASSERT_EQ(response.results(0).candidates_size(), 1);
    EXPECT_EQ(response.results(0).candidates(0).identity_id(), "a");
  }

  size_t SettledOpenFiles(size_t expected) const {
    const auto end = std::chrono::steady_clock::now() + 10s;
    size_t files = OpenFiles(server_->pid());
    while (files > expected && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(10ms);
      files = OpenFiles(server_->pid());
    }
    return files;
  }

  static constexpr int kMaxImageBytes = 256 * 1024;
  HostileWorld world_;
};

TEST_F(HostileInputTest, EachReasonIsReachedAndSaysWhatWasWrong) {
  ASSERT_NO_FATAL_FAILURE(StartHostileWorld());
  std::set<std::string> seen;
  for (const HostileRow& row : HostileRows(world_)) {
    const WireAnswer answer = row.call();
    Check(row, answer);
    seen.insert(answer.reason);
  }
  CheckStillWell();
  for (const HostileRow& row : RefusingStates()) {
    const WireAnswer answer = row.call();
    Check(row, answer);
    seen.insert(answer.reason);
  }
  for (int i = 0; i <= static_cast<int>(Reason::kInternal); ++i) {
    const std::string name(ReasonName(static_cast<Reason>(i)));
    EXPECT_TRUE(seen.contains(name)) << name << " was not brought about";
  }
}

TEST_F(HostileInputTest, LeavesTheServerAliveAndItsMemoryFlat) {
  ASSERT_NO_FATAL_FAILURE(StartHostileWorld());
  const std::vector<HostileRow> rows = HostileRows(world_);
  const auto round = [&] {
    for (const HostileRow& row : rows) {
      const WireAnswer answer = row.call();
      ASSERT_EQ(answer.code, row.code) << row.name << ": " << answer.message;
    }
  };
  const int warm_up_rounds = Rounds(60, 100);
  const int rounds = Rounds(200, 1000);
  for (int i = 0; i < warm_up_rounds; ++i) ASSERT_NO_FATAL_FAILURE(round());
  SendGarbageOfAllKinds();
  const size_t files_before = OpenFiles(server_->pid());
  const uint64_t before = ResidentBytes(server_->pid());
  for (int i = 0; i < rounds; ++i) {
    ASSERT_NO_FATAL_FAILURE(round());
    if (i % 10 == 0) SendGarbageOfAllKinds();
  }
  const uint64_t after = ResidentBytes(server_->pid());
  std::printf("%zu rows, %d rounds: resident %.1f MiB before, %.1f MiB after; %zu files before\n",
              rows.size(), rounds, static_cast<double>(before) / (1 << 20),
              static_cast<double>(after) / (1 << 20), files_before);
  EXPECT_GT(before, 0U);
  EXPECT_LT(after, before + kMostGrowth);
  EXPECT_LE(SettledOpenFiles(files_before), files_before);
  CheckStillWell();
  EXPECT_THAT(server_->Stop(), IsOk());
}

}  // namespace
}  // namespace facegate
