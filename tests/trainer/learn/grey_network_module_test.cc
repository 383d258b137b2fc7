#include "trainer/learn/grey_network_module.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

#include "face/detect/grey_network.h"
#include "face/network/grey_networks.h"
#include "tests/support/status_matchers.h"
#include "trainer/learn/initial_weights.h"

namespace facegate {
namespace {

TEST(GreyNetworkModuleTest, GivesWhatTheNetworkOfThePrograms) {
  for (network::Description own : {DescribeLandmarkNetwork(), DescribeQualityNetwork()}) {
    own.more.clear();
    GreyNetworkModule module(own);
    SetInitialWeights(module, 3);
    torch::manual_seed(3);
    const torch::NoGradGuard no_grad;
    // Batch norms that do something.
    for (const auto& item : module.named_buffers()) {
      torch::Tensor value = item.value();
      if (item.key().ends_with("running_mean")) value.uniform_(-0.5, 0.5);
      if (item.key().ends_with("running_var")) value.uniform_(0.5, 2.0);
    }
    module.eval();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto net, GreyNetwork::Create(own, module.Folded()));
    const int64_t side = own.input.height;
    cv::Mat input(static_cast<int>(side), static_cast<int>(side), CV_32FC1);
    cv::RNG random(3);
    for (int i = 0; i < 5; ++i) {
      random.fill(input, cv::RNG::NORMAL, 0, 1);
      const torch::Tensor expected =
          module.forward(torch::from_blob(input.data, {1, 1, side, side}, torch::kFloat));
      FACEGATE_ASSERT_OK_AND_ASSIGN(const std::vector<float> outputs, net->Run(input));
      ASSERT_EQ(outputs.size(), static_cast<size_t>(own.outputs));
      for (size_t k = 0; k < outputs.size(); ++k) {
        EXPECT_NEAR(outputs[k], expected[0][static_cast<int64_t>(k)].item<float>(), 1e-4)
            << own.name;
      }
    }
  }
}

}  // namespace
}  // namespace facegate
