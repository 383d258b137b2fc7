// An enrolled face is found, and a deleted one is not, as soon as the call has been answered: many
// clients at once, over the wire.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/app_fixture.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

constexpr int kThreads = 8;
constexpr int kPopulation = 200;

class StaleAnswerTest : public AppTest {
 protected:
  static v1::Probe ProbeOf(const Embedding& embedding, const std::string& model_digest) {
    v1::Probe probe;
    const auto values = embedding.values();
    probe.mutable_embedding()->mutable_values()->Add(values.begin(), values.end());
    probe.mutable_embedding()->set_model_digest(model_digest);
    return probe;
  }

  grpc::Status Enroll(const std::string& identity, const v1::Probe& probe) {
    grpc::ClientContext context;
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    request.set_must_be_new(true);
    *request.add_samples() = probe;
    v1::EnrollResponse response;
    return face_->Enroll(&context, request, &response);
  }
  grpc::Status Delete(const std::string& identity) {
    grpc::ClientContext context;
    v1::DeleteIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    v1::DeleteIdentityResponse response;
    return gallery_->DeleteIdentity(&context, request, &response);
  }
  // The nearest of the collection, whatever their cosines.
  v1::IdentifyResponse::Result Identify(const v1::Probe& probe) {
    grpc::ClientContext context;
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    request.set_max_candidates(20);
    request.mutable_operating_point()->set_min_cosine(-1.0f);
    *request.mutable_probe() = probe;
    v1::IdentifyResponse response;
    const grpc::Status status = face_->Identify(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.results_size() == 1 ? response.results(0) : v1::IdentifyResponse::Result();
  }

  // One life of an identity; false when an answer was stale.
  bool Round(const std::string& identity, const v1::Probe& probe) {
    const grpc::Status enrolled = Enroll(identity, probe);
    EXPECT_TRUE(enrolled.ok()) << enrolled.error_message();
    const auto alive = Identify(probe);
    const bool found = !alive.candidates().empty() &&
                       alive.candidates(0).identity_id() == identity &&
                       alive.candidates(0).cosine() > 0.9999f;
    EXPECT_TRUE(found) << "enrolled, but not found";
    const grpc::Status erased = Delete(identity);
    EXPECT_TRUE(erased.ok()) << erased.error_message();
    const auto gone = Identify(probe);
    EXPECT_EQ(gone.candidates_size(), 20);  // of those who stay
    bool stale = false;
    for (const auto& candidate : gone.candidates()) stale |= candidate.identity_id() == identity;
    EXPECT_FALSE(stale) << "deleted, but found";
    return enrolled.ok() && found && erased.ok() && !stale;
  }
};

TEST_F(StaleAnswerTest, NoAnswerOf8ClientsIsStale) {
  ASSERT_NO_FATAL_FAILURE(Serve());
  {
    grpc::ClientContext context;
    v1::CreateCollectionRequest request;
    request.set_collection_id("people");
    v1::CreateCollectionResponse response;
    ASSERT_TRUE(gallery_->CreateCollection(&context, request, &response).ok());
  }
  const std::string model = embedder_->card().model_digest;
  std::mt19937_64 seeds(1);
  for (int i = 0; i < kPopulation; ++i) {
    const v1::Probe probe = ProbeOf(RandomEmbedding(seeds, FakeEmbedder::kEmbeddingSize), model);
    ASSERT_TRUE(Enroll("stays-" + std::to_string(i), probe).ok());
  }
  const int rounds = Rounds(2'400, 40'000);  // of all threads together
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([this, &right, &model, rounds, thread, seed = seeds()] {
        std::mt19937_64 random(seed);
        // The same id lives again and again, each time with another face.
        const std::string identity = "goes-" + std::to_string(thread);
        for (int round = 0; round < rounds / kThreads; ++round) {
          const Embedding face = RandomEmbedding(random, FakeEmbedder::kEmbeddingSize);
          if (!Round(identity, ProbeOf(face, model))) return;
          ++right;
        }
      });
    }
  }
  EXPECT_EQ(right, rounds);
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(admin_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_EQ(info.identity_count(), static_cast<uint64_t>(kPopulation));
  EXPECT_EQ(info.template_count(), static_cast<uint64_t>(kPopulation));
}

}  // namespace
}  // namespace facegate
