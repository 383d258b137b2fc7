#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/random_model.h"
#include "tests/support/server_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// A fixture with a server that runs random weights and takes aligned crops and embeddings alone:
// it starts fast and needs nothing from outside. Its crops are patterns and no faces, so its gate
// is open: what the gate does is tested with faces (quality_gate_test.cc).
class RunningServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_ = {.folder = dir_.path(),
                .model = dir_.File("model.safetensors"),
                .flags = {"--detector=none", "--max_batch=1", "--model_threads=1",
                          "--log_level=debug", "--enrol_quality=0", "--probe_quality=0"}};
    ASSERT_THAT(WriteRandomModel(options_.model), IsOk());
  }

  // Starts the server, or starts it again on the same data, and connects.
  void StartServer() {
    auto server = ServerProcess::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(server).value();
    client_ = server_->Connect();
  }

  void CreateCollection(const std::string& id) {
    v1::CreateCollectionRequest request;
    request.set_collection_id(id);
    const auto created = client_->CreateCollection(request);
    ASSERT_TRUE(created.ok()) << created.error();
  }

  TempDir dir_;
  ServerProcessOptions options_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<FacegateClient> client_;
};

inline v1::Probe CropProbe(const std::string& encoded) {
  v1::Probe probe;
  probe.set_aligned_crop(encoded);
  return probe;
}

inline v1::EnrollRequest EnrollCrops(const std::string& collection, const std::string& identity,
                                     const std::vector<std::string>& crops) {
  v1::EnrollRequest request;
  request.set_collection_id(collection);
  request.set_identity_id(identity);
  for (const std::string& crop : crops) *request.add_samples() = CropProbe(crop);
  return request;
}

// The nearest identity, whatever its cosine.
inline v1::IdentifyRequest IdentifyNearest(const std::string& collection, v1::Probe probe) {
  v1::IdentifyRequest request;
  request.set_collection_id(collection);
  *request.mutable_probe() = std::move(probe);
  request.mutable_operating_point()->set_min_cosine(-1.0F);
  request.set_max_candidates(1);
  return request;
}

}  // namespace facegate
