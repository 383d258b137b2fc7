#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/imported_model.h"
#include "tests/support/server_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// A fixture with a server that runs the imported weights and YuNet, for real faces.
class RealServerTest : public ::testing::Test {
 protected:
  // `data` is the folder of test data.
  void StartServer(const std::filesystem::path& data) {
    const std::string model = dir_.File("model.safetensors");
    ASSERT_THAT(ImportTestModel(data, model, false), IsOk());
    auto server = ServerProcess::Start(
        {.folder = dir_.path(),
         .model = model,
         .flags = {"--detector=yunet",
                   "--detector_model=" + (data / "detectors/yunet_n_dynamic.onnx").string(),
                   "--max_batch=2"}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(server).value();
    client_ = server_->Connect();
  }

  TempDir dir_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<FacegateClient> client_;
};

}  // namespace facegate
