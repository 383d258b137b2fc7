#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/running_server_test.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

constexpr int kWriters = 4;
// Templates of one call: an identity whose count is no multiple of it is a half one.
constexpr int kSamples = 3;
constexpr int kDimension = 128;
constexpr char kStaff[] = "staff";

// Numbered embeddings: the same number gives the same direction, another one a direction that is
// far from it.
v1::TaggedEmbedding EmbeddingOf(uint64_t number, const std::string& model_digest) {
  std::mt19937_64 random(number);
  std::normal_distribution<float> normal;
  v1::TaggedEmbedding embedding;
  for (int i = 0; i < kDimension; ++i) embedding.add_values(normal(random));
  embedding.set_model_digest(model_digest);
  return embedding;
}

// One identity must look like this after the restart.
struct Expected {
  std::vector<uint64_t> acknowledged;  // numbers of the embeddings of calls that returned OK
  int unanswered = 0;                  // calls that may have been carried out
};

class KillDuringEnrolmentTest : public RunningServerTest {
 protected:
  // Enrols until the server is gone, from several threads.
  void WriteUntilKilled(int round) {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back([this, round, i] { Write(round, i); });
    std::mt19937 random(static_cast<uint32_t>(round));
    const size_t calls_before_kill = 5 + random() % 60U;
    const size_t calls_at_start = acknowledged_calls_;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (acknowledged_calls_ < calls_at_start + calls_before_kill &&
           std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 900U + 100U));
    }
    server_->Kill();
  }

  void Write(int round, int writer) {
    for (int call = 0;; ++call) {
      // Every fourth call adds to the identity of the call before it.
      const int owner = call % 4 == 3 ? call - 1 : call;
      const std::string identity =
          "r" + std::to_string(round) + "w" + std::to_string(writer) + "i" + std::to_string(owner);
      v1::EnrollRequest request;
      request.set_collection_id(kStaff);
      request.set_identity_id(identity);
      std::vector<uint64_t> numbers;
      for (int i = 0; i < kSamples; ++i) {
        numbers.push_back(next_embedding_++);
        *request.add_samples()->mutable_embedding() = EmbeddingOf(numbers.back(), model_digest_);
      }
      const auto answer = client_->Enroll(request);
      const std::lock_guard lock(mutex_);
      Expected& expected = expected_[identity];
      if (!answer.ok()) {
        EXPECT_TRUE(answer.error().unreachable()) << answer.error();
        ++expected.unanswered;
        return;
      }
      expected.acknowledged.insert(expected.acknowledged.end(), numbers.begin(), numbers.end());
      ++acknowledged_calls_;
    }
  }

  std::map<std::string, int> StoredTemplateCounts() {
    std::map<std::string, int> counts;
    v1::ListIdentitiesRequest request;
    request.set_collection_id(kStaff);
    request.set_page_size(1000);
    do {
      const auto page = client_->ListIdentities(request);
      EXPECT_TRUE(page.ok()) << page.error();
      if (!page.ok()) return counts;
      for (const v1::Identity& identity : page->identities()) {
        counts[identity.id()] = static_cast<int>(identity.template_count());
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return counts;
  }

  int ListedTemplates(const std::string& identity) {
    v1::ListTemplatesRequest request;
    request.set_collection_id(kStaff);
    request.set_identity_id(identity);
    const auto page = client_->ListTemplates(request);
    EXPECT_TRUE(page.ok()) << page.error();
    return page.ok() ? page->templates_size() : -1;
  }

  // Each identity is there with all acknowledged templates, and with whole calls alone.
  void CheckCounts(int round) {
    std::map<std::string, int> stored = StoredTemplateCounts();
    const std::string prefix = "r" + std::to_string(round) + "w";
    for (const auto& [identity, expected] : expected_) {
      const auto found = stored.find(identity);
      const int count = found == stored.end() ? 0 : found->second;
      const int at_least = static_cast<int>(expected.acknowledged.size());
      EXPECT_GE(count, at_least) << "acknowledged templates were lost in round " << round;
      EXPECT_LE(count, at_least + kSamples * expected.unanswered);
      EXPECT_EQ(count % kSamples, 0) << "a half call was stored in round " << round;
      if (found == stored.end()) continue;
      EXPECT_GT(count, 0) << "an identity without templates stayed behind";
      if (identity.starts_with(prefix)) {
        EXPECT_EQ(ListedTemplates(identity), count);
      }
      stored.erase(found);
    }
    EXPECT_TRUE(stored.empty()) << stored.size() << " identities that nobody enrolled";
  }

  // Searches each acknowledged template of the identities whose id starts with `prefix`.
  void CheckSearch(const std::string& prefix) {
    for (const auto& [identity, expected] : expected_) {
      if (!identity.starts_with(prefix)) continue;
      for (const uint64_t number : expected.acknowledged) {
        v1::Probe probe;
        *probe.mutable_embedding() = EmbeddingOf(number, model_digest_);
        const auto answer = client_->Identify(IdentifyNearest(kStaff, std::move(probe)));
        ASSERT_TRUE(answer.ok()) << answer.error();
        ASSERT_FALSE(answer->results(0).candidates().empty());
        const auto& best = answer->results(0).candidates(0);
        ASSERT_EQ(best.identity_id(), identity);
        ASSERT_GT(best.cosine(), 0.9999F);
      }
    }
  }

  std::string model_digest_;
  std::atomic<uint64_t> next_embedding_ = 1;
  std::atomic<size_t> acknowledged_calls_ = 0;
  std::mutex mutex_;
  std::map<std::string, Expected> expected_;  // guarded by mutex_ while writers run
};

TEST_F(KillDuringEnrolmentTest, FindsEveryAcknowledgedTemplateAfterKills) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const auto info = client_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.error();
  model_digest_ = info->model().model_digest();
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kStaff));
  const int kills = Rounds(10, 300);
  for (int round = 0; round < kills; ++round) {
    WriteUntilKilled(round);
    ASSERT_NO_FATAL_FAILURE(StartServer()) << "after kill " << round;
    CheckCounts(round);
    ASSERT_NO_FATAL_FAILURE(CheckSearch("r" + std::to_string(round) + "w"));
    ASSERT_FALSE(HasFailure()) << "after kill " << round;
  }
  // The first rounds' writes have survived all later kills, too.
  ASSERT_NO_FATAL_FAILURE(CheckSearch("r"));
  EXPECT_GE(acknowledged_calls_, static_cast<size_t>(5 * kills));
  EXPECT_EQ(server_->Log().find("r0w0"), std::string::npos) << "the log names an identity";
}

}  // namespace
}  // namespace facegate
