#include "tests/gpu/seeded_model.h"

#include <bit>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/coding.h"
#include "face/embed/usual_preprocessing.h"
#include "face/network/architecture.h"
#include "face/network/random_weights.h"

namespace facegate {
namespace {

void Halve(Tensor& tensor) {
  std::string halved;
  std::string_view bytes = tensor.bytes;
  while (const auto bits = TakeLittleEndian<uint32_t>(bytes)) {
    AppendLittleEndian(halved, std::bit_cast<uint32_t>(std::bit_cast<float>(*bits) / 2));
  }
  tensor.bytes = std::move(halved);
}

}  // namespace

StatusOr<ModelFile> SeededModel(std::string_view architecture) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(architecture, 1));
  for (auto& [name, tensor] : file.tensors) {
    if (name.ends_with(".bn3.weight") || name.ends_with(".bn3.bias")) Halve(tensor);
  }
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network, DescribeArchitecture(architecture));
  file.card.embedding_size = static_cast<int>(network.outputs);
  file.card.preprocessing = UsualPreprocessing(network.input);
  file.card.architecture = architecture;
  file.card.training_data = "none: random weights for tests";
  file.card.licence = "Apache-2.0";
  file.card.origin = "tests/gpu/seeded_model.cc";
  return file;
}

}  // namespace facegate
