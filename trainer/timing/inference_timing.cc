#include "trainer/timing/inference_timing.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <opencv2/core.hpp>
#include <span>
#include <utility>
#include <vector>

#include "face/embed/torch/torch_embedder.h"
#include "face/embed/usual_preprocessing.h"
#include "face/image/image.h"
#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "trainer/photos/dataset.h"

namespace facegate {
namespace {

constexpr size_t kLeastCalls = 3;
constexpr uint64_t kSeed = 1;

StatusOr<std::unique_ptr<Embedder>> RandomEmbedder(const InferenceTimingOptions& options) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(options.architecture, kSeed));
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network,
                            DescribeArchitecture(options.architecture));
  file.card.embedding_size = static_cast<int>(network.outputs);
  file.card.preprocessing = UsualPreprocessing(network.input);
  file.card.architecture = options.architecture;
  return MakeTorchEmbedder(
      std::move(file),
      {.threads = options.threads, .max_batch = options.batch, .run_canary = false});
}

std::vector<AlignedFace> NoiseFaces(int count) {
  cv::RNG random(kSeed);
  std::vector<AlignedFace> faces(static_cast<size_t>(count));
  for (AlignedFace& face : faces) {
    face.bgr.create(TrainingCropSize(), CV_8UC3);
    random.fill(face.bgr, cv::RNG::UNIFORM, 0, 256);
  }
  return faces;
}

StatusOr<double> MedianCall(Embedder& embedder, std::span<const AlignedFace> faces,
                            double seconds) {
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  FACEGATE_RETURN_IF_ERROR(embedder.Embed(faces).status());  // warms up
  const Clock::time_point begin = Clock::now();
  std::vector<double> calls;
  while (calls.size() < kLeastCalls ||
         std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    const Clock::time_point start = Clock::now();
    FACEGATE_RETURN_IF_ERROR(embedder.Embed(faces).status());
    calls.push_back(Milliseconds(Clock::now() - start).count());
  }
  const auto middle = calls.begin() + static_cast<std::ptrdiff_t>(calls.size() / 2);
  std::nth_element(calls.begin(), middle, calls.end());
  return *middle;
}

}  // namespace

StatusOr<InferenceTimes> MeasureInference(const InferenceTimingOptions& options, double seconds) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<Embedder> embedder, RandomEmbedder(options));
  const std::vector<AlignedFace> faces = NoiseFaces(options.batch);
  InferenceTimes times;
  FACEGATE_ASSIGN_OR_RETURN(times.single,
                            MedianCall(*embedder, std::span(faces).first(1), seconds / 2.0));
  FACEGATE_ASSIGN_OR_RETURN(times.batch, MedianCall(*embedder, faces, seconds / 2.0));
  return times;
}

}  // namespace facegate
