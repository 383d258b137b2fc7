#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/request_id.h"
#include "clients/cpp/retry.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

constexpr int kWriters = 8;
constexpr int kReplayers = 6;
constexpr int kSamples = 2;  // templates of one call
constexpr int kDimension = 128;
constexpr char kCollection[] = "staff";

struct Sent {
  v1::EnrollRequest request;
  std::optional<std::string> answer;  // bytes; nothing where the server was killed before
};

// Kills the server while it enrols, and sends everything again.
class ReplayAfterKillTest : public RunningServerTest {
 protected:
  v1::EnrollRequest NextRequest(int round, int writer, int call, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    v1::EnrollRequest request;
    request.set_collection_id(kCollection);
    request.set_request_id(MakeRequestId());
    // Every third call adds to an identity that all writers of the round share.
    const std::string whose =
        call % 3 == 2 ? "all" : "w" + std::to_string(writer) + "c" + std::to_string(call);
    request.set_identity_id("r" + std::to_string(round) + whose);
    for (int i = 0; i < kSamples; ++i) {
      v1::TaggedEmbedding* embedding = request.add_samples()->mutable_embedding();
      for (int j = 0; j < kDimension; ++j) embedding->add_values(normal(random));
      embedding->set_model_digest(model_digest_);
    }
    return request;
  }

  // Enrols until the server is gone.
  void Write(int round, int writer) {
    std::mt19937_64 random(static_cast<uint64_t>(round * kWriters + writer));
    for (int call = 0;; ++call) {
      Sent sent{.request = NextRequest(round, writer, call, random), .answer = std::nullopt};
      const auto answer = client_->Enroll(sent.request);
      if (answer.ok()) sent.answer = answer->SerializeAsString();
      const bool gone = !answer.ok();
      if (gone) {
        EXPECT_TRUE(answer.error().unreachable()) << answer.error();
      }
      const std::lock_guard lock(mutex_);
      sent_.push_back(std::move(sent));
      if (gone) return;
      ++answered_;
    }
  }

  void WriteUntilKilled(int round) {
    std::mt19937 random(static_cast<uint32_t>(round));
    const size_t kill_at = answered_ + 10 + random() % 40U;
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back([this, round, i] { Write(round, i); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (answered_ < kill_at && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500U + 50U));
    }
    server_->Kill();
  }

  // Sends all from `first` on again, each twice and several at the same time.
  void Replay(size_t first) {
    std::atomic<size_t> next = 2 * first;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kReplayers; ++i) {
      threads.emplace_back([&] {
        for (size_t turn = next++; turn < 2 * sent_.size(); turn = next++) {
          Sent& sent = sent_[turn / 2];
          const auto answer = CallWithRetry([&] { return client_->Enroll(sent.request); });
          ASSERT_TRUE(answer.ok()) << answer.error();
          const std::lock_guard lock(mutex_);
          if (!sent.answer.has_value()) sent.answer = answer->SerializeAsString();
          EXPECT_EQ(answer->SerializeAsString(), *sent.answer);
        }
      });
    }
  }

  std::map<std::string, uint64_t> StoredTemplates() {
    std::map<std::string, uint64_t> counts;
    v1::ListIdentitiesRequest request;
    request.set_collection_id(kCollection);
    request.set_page_size(1000);
    do {
      const auto page = client_->ListIdentities(request);
      EXPECT_TRUE(page.ok()) << page.error();
      if (!page.ok()) return counts;
      for (const v1::Identity& one : page->identities()) counts[one.id()] = one.template_count();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return counts;
  }

  std::map<std::string, uint64_t> ExpectedTemplates() {
    std::map<std::string, uint64_t> counts;
    for (const Sent& sent : sent_) counts[sent.request.identity_id()] += kSamples;
    return counts;
  }

  std::string model_digest_;
  std::atomic<size_t> answered_ = 0;
  std::mutex mutex_;
  std::vector<Sent> sent_;  // guarded by mutex_ while writers run
};

uint64_t Sum(const std::map<std::string, uint64_t>& counts) {
  uint64_t sum = 0;
  for (const auto& [identity, count] : counts) sum += count;
  return sum;
}

TEST_F(ReplayAfterKillTest, EnrolsEachOnceWhateverTheKillInterrupted) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const auto info = client_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.error();
  model_digest_ = info->model().model_digest();
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  const int kills = Rounds(5, 100);
  uint64_t stored_unanswered = 0;
  uint64_t before = 0;
  for (int round = 0; round < kills; ++round) {
    const size_t first = sent_.size();
    const size_t answered_before = answered_;
    WriteUntilKilled(round);
    ASSERT_NO_FATAL_FAILURE(StartServer()) << "after kill " << round;
    stored_unanswered += Sum(StoredTemplates()) - before - kSamples * (answered_ - answered_before);
    Replay(first);
    const auto stored = StoredTemplates();
    ASSERT_EQ(stored, ExpectedTemplates()) << "after kill " << round;
    before = Sum(stored);
  }
  // All rounds once more, on a server that was killed again after the last replay.
  server_->Kill();
  ASSERT_NO_FATAL_FAILURE(StartServer());
  Replay(0);
  EXPECT_EQ(StoredTemplates(), ExpectedTemplates());
  const size_t unanswered = sent_.size() - answered_;
  std::cout << sent_.size() << " calls, " << unanswered << " unanswered at a kill, of which "
            << stored_unanswered / kSamples << " were stored\n";
  // Each kill found a call of every writer at work. How many of these were stored is chance; to the
  // server they are like those whose answers arrived.
  EXPECT_EQ(unanswered, static_cast<size_t>(kills * kWriters));
}

}  // namespace
}  // namespace facegate
