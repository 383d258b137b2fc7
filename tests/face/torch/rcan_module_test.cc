// RCAN as LibTorch runs it, against the formulas of its paper in plain loops.
#include <gmock/gmock.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "face/network/random_weights.h"
#include "face/network/rcan.h"
#include "face/torch/loaded_backbone.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// C·H·W numbers.
struct Map {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<double> numbers;

  Map(int64_t c, int64_t h, int64_t w)
      : channels(c), height(h), width(w), numbers(static_cast<size_t>(c * h * w), 0.0) {}
  double& At(int64_t c, int64_t y, int64_t x) {
    return numbers[static_cast<size_t>((c * height + y) * width + x)];
  }
  double At(int64_t c, int64_t y, int64_t x) const {
    if (y < 0 || x < 0 || y >= height || x >= width) return 0.0;
    return numbers[static_cast<size_t>((c * height + y) * width + x)];
  }
};

class PlainRcan {
 public:
  PlainRcan(const network::RcanShape& shape, const TensorMap& tensors)
      : shape_(shape), tensors_(tensors) {}

  Map Run(const Map& picture) const {
    const Map shallow = Conv("head.0", shape_.means ? Conv("sub_mean", picture) : picture);
    Map deep = shallow;
    for (int64_t g = 0; g < shape_.groups; ++g) deep = Group("body." + std::to_string(g), deep);
    deep = Sum(Conv("body." + std::to_string(shape_.groups), deep), shallow);
    for (int64_t step = 0, scale = 1; scale < shape_.scale; step += 2) {
      const int64_t factor = shape_.scale == 3 ? 3 : 2;
      deep = Shuffled(Conv("tail.0." + std::to_string(step), deep), factor);
      scale *= factor;
    }
    const Map result = Conv("tail.1", deep);
    return shape_.means ? Conv("add_mean", result) : result;
  }

 private:
  std::vector<float> Numbers(const std::string& name) const {
    const std::string& bytes = tensors_.at(name).bytes;
    std::vector<float> numbers(bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  Map Conv(const std::string& layer, const Map& input) const {
    const std::vector<int64_t>& shape = tensors_.at(layer + ".weight").shape;
    const std::vector<float> weight = Numbers(layer + ".weight");
    const std::vector<float> bias = Numbers(layer + ".bias");
    const int64_t kernel = shape[2];
    Map output(shape[0], input.height, input.width);
    for (int64_t o = 0; o < shape[0]; ++o) {
      for (int64_t y = 0; y < input.height; ++y) {
        for (int64_t x = 0; x < input.width; ++x) {
          double sum = bias[static_cast<size_t>(o)];
          size_t at = static_cast<size_t>(o * shape[1] * kernel * kernel);
          for (int64_t i = 0; i < shape[1]; ++i) {
            for (int64_t v = -(kernel / 2); v <= kernel / 2; ++v) {
              for (int64_t u = -(kernel / 2); u <= kernel / 2; ++u) {
                sum += double{weight[at++]} * input.At(i, y + v, x + u);
              }
            }
          }
          output.At(o, y, x) = sum;
        }
      }
    }
    return output;
  }

  static Map Sum(Map a, const Map& b) {
    for (size_t i = 0; i < a.numbers.size(); ++i) a.numbers[i] += b.numbers[i];
    return a;
  }
  static Map Relu(Map map) {
    for (double& number : map.numbers) number = std::max(number, 0.0);
    return map;
  }

  Map Attended(const std::string& layer, Map map) const {
    Map means(map.channels, 1, 1);
    const auto places = static_cast<double>(map.height * map.width);
    for (int64_t c = 0; c < map.channels; ++c) {
      for (int64_t i = 0; i < map.height * map.width; ++i) {
        means.At(c, 0, 0) += map.At(c, i / map.width, i % map.width) / places;
      }
    }
    const Map gates = Conv(layer + ".2", Relu(Conv(layer + ".0", means)));
    for (int64_t c = 0; c < map.channels; ++c) {
      const double gate = 1.0 / (1.0 + std::exp(-gates.At(c, 0, 0)));
      for (int64_t i = 0; i < map.height * map.width; ++i) {
        map.At(c, i / map.width, i % map.width) *= gate;
      }
    }
    return map;
  }

  Map Group(const std::string& layer, const Map& input) const {
    Map map = input;
    for (int64_t b = 0; b < shape_.blocks; ++b) {
      const std::string block = layer + ".body." + std::to_string(b) + ".body.";
      const Map inner = Conv(block + "2", Relu(Conv(block + "0", map)));
      map = Sum(Attended(block + "3.conv_du", inner), map);
    }
    return Sum(Conv(layer + ".body." + std::to_string(shape_.blocks), map), input);
  }

  static Map Shuffled(const Map& map, int64_t factor) {
    Map large(map.channels / (factor * factor), map.height * factor, map.width * factor);
    for (int64_t c = 0; c < large.channels; ++c) {
      for (int64_t y = 0; y < large.height; ++y) {
        for (int64_t x = 0; x < large.width; ++x) {
          const int64_t from = (c * factor + y % factor) * factor + x % factor;
          large.At(c, y, x) = map.At(from, y / factor, x / factor);
        }
      }
    }
    return large;
  }

  const network::RcanShape shape_;
  const TensorMap& tensors_;
};

TEST(RcanModuleTest, ComputesWhatThePaperSays) {
  for (const int64_t scale : {2, 3, 4}) {
    const network::RcanShape shape{.groups = 2,
                                   .blocks = 2,
                                   .features = 4,
                                   .reduction = 2,
                                   .scale = scale,
                                   .means = scale == 4,
                                   .input = {.height = 5, .width = 6}};
    const TensorMap tensors = RandomWeights(network::Rcan(shape), 7);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto module, LoadBackbone(network::Rcan(shape), tensors));
    module->eval();
    const torch::NoGradGuard no_grad;
    const torch::Tensor input = torch::rand({1, 3, 5, 6});
    const torch::Tensor output = module->forward(input).contiguous();
    Map picture(3, 5, 6);
    std::copy_n(input.data_ptr<float>(), picture.numbers.size(), picture.numbers.begin());
    const Map expected = PlainRcan(shape, tensors).Run(picture);
    ASSERT_EQ(output.sizes(), torch::IntArrayRef({1, 3, 5 * scale, 6 * scale}));
    for (size_t i = 0; i < expected.numbers.size(); ++i) {
      EXPECT_NEAR(output.data_ptr<float>()[i], expected.numbers[i],
                  1e-5 * (1.0 + std::abs(expected.numbers[i])));
    }
  }
}

}  // namespace
}  // namespace facegate
