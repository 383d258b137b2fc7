#include <c10/cuda/CUDACachingAllocator.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "face/base/device.h"
#include "face/embed/canary.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/torch/find_cuda.h"
#include "tests/gpu/seeded_model.h"
#include "tests/support/status_matchers.h"

// An embedder on a card gives what the one on the CPU gives. FACEGATE_TEST_DEVICE says which device
// is tested, cuda:0 where it says nothing; with "cpu" the cases in fp32 run without a card.
namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kBundled = "bundled";  // the model of FACEGATE_TEST_MODEL

std::string TestedDevice() {
  const char* given = std::getenv("FACEGATE_TEST_DEVICE");
  return given == nullptr ? "cuda:0" : given;
}

// Says why the device cannot be tested here; empty where it can.
std::string WhyNot() {
  const auto device = ChooseDevice(TestedDevice(), FindCuda());
  return device.ok() ? "" : fmt::format("SKIPPED: no card: {}", MessageOf(device.status()));
}

#define FACEGATE_CARD_OR_SKIP() \
  if (const std::string why = WhyNot(); !why.empty()) GTEST_SKIP() << why

StatusOr<ModelFile> MakeModel(std::string_view name) {
  if (name == kBundled) {
    const char* path = std::getenv("FACEGATE_TEST_MODEL");
    return ReadModelFile(path == nullptr ? FACEGATE_BUNDLED_MODEL : path);
  }
  return SeededModel(name);
}

std::unique_ptr<Embedder> MakeEmbedder(ModelFile file, const EmbedderOptions& options) {
  auto embedder = MakeTorchEmbedder(std::move(file), options);
  EXPECT_THAT(embedder, IsOk());
  return embedder.ok() ? *std::move(embedder) : nullptr;
}

std::unique_ptr<Embedder> OnDevice(std::string_view model, std::string_view precision,
                                   int max_batch = 8) {
  return MakeEmbedder(
      MakeModel(model).value(),
      {.max_batch = max_batch, .device = TestedDevice(), .precision = std::string(precision)});
}

std::vector<AlignedFace> Faces(int count) {
  return CanaryFaces(99, count, AlignmentTemplate::kArcFace112);
}

// The least cosine of two embeddings of the same face.
double LeastCosine(const std::vector<Embedding>& some, const std::vector<Embedding>& others) {
  EXPECT_EQ(some.size(), others.size());
  double least = 1;
  for (size_t i = 0; i < std::min(some.size(), others.size()); ++i) {
    least = std::min<double>(least, CosineScore(some[i].values(), others[i].values()));
  }
  return least;
}

struct PrecisionLimit {
  std::string_view name;
  double least_cosine;  // to fp32 on the CPU
};
constexpr PrecisionLimit kPrecisions[] = {
    {"fp32", 1 - 1e-6}, {"tf32", 1 - 1e-5}, {"fp16", 0.9999}, {"bf16", 0.999}};

class EqualityTest : public testing::TestWithParam<std::tuple<std::string, PrecisionLimit>> {};

TEST_P(EqualityTest, GivesTheEmbeddingsOfTheCpu) {
  FACEGATE_CARD_OR_SKIP();
  const auto& [model, precision] = GetParam();
  if (TestedDevice() == "cpu" && precision.name != "fp32") GTEST_SKIP() << "a CPU computes in fp32";
  static std::map<std::string, std::vector<Embedding>> of_cpu;
  const auto faces = Faces(8);
  if (!of_cpu.contains(model)) {
    const auto cpu = MakeEmbedder(MakeModel(model).value(), {.max_batch = 8, .device = "cpu"});
    ASSERT_NE(cpu, nullptr);
    FACEGATE_ASSERT_OK_AND_ASSIGN(of_cpu[model], cpu->Embed(faces));
  }
  const auto embedder = OnDevice(model, precision.name);
  ASSERT_NE(embedder, nullptr);
  EXPECT_EQ(embedder->compute().precision, precision.name);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(faces));
  const double cosine = LeastCosine(embeddings, of_cpu[model]);
  RecordProperty("one_minus_cosine", fmt::format("{:.2e}", 1 - cosine));
  EXPECT_GE(cosine, precision.least_cosine);
}

// Each kind of layer, and the networks that people serve; more of a family adds nothing but time,
// of which a card has little.
std::vector<std::string> Models() {
  return {"mobilefacenet-128",
          "mobilefacenet-512",
          "iresnet-18",
          "iresnet-34",
          "iresnet-50",
          "iresnet-100",
          "iresnet-200",
          "irse-50",
          "adaface-ir-50",
          "resnet-face-18-se",
          "keras-mobilenetv2",
          "ghostfacenet-v1-s1",
          "vit-t",
          std::string(kBundled)};
}

INSTANTIATE_TEST_SUITE_P(All, EqualityTest,
                         testing::Combine(testing::ValuesIn(Models()),
                                          testing::ValuesIn(kPrecisions)),
                         [](const auto& tested) {
                           std::string name = fmt::format("{}_{}", std::get<0>(tested.param),
                                                          std::get<1>(tested.param).name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Sizes around powers of two, and the largest.
TEST(EmbedderOnCardTest, AnEmbeddingDoesNotDependOnItsBatch) {
  FACEGATE_CARD_OR_SKIP();
  const int most = TestedDevice() == "cpu" ? 9 : 256;
  const auto embedder = OnDevice("mobilefacenet-128", "fp32", most);
  ASSERT_NE(embedder, nullptr);
  const auto faces = Faces(most);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto together, embedder->Embed(faces));
  for (const size_t size : {1U, 2U, 3U, 5U, 7U, 8U, 9U, 31U, 33U, 64U, 127U, 255U}) {
    if (size > faces.size()) break;
    const std::vector<Embedding> expected(together.end() - static_cast<std::ptrdiff_t>(size),
                                          together.end());
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto last, embedder->Embed(std::span(faces).last(size)));
    EXPECT_GE(LeastCosine(last, expected), 1 - 1e-6) << size;
  }
}

TEST(EmbedderOnCardTest, BatchesOfEverySizeFitALargeNetworkInBf16) {
  FACEGATE_CARD_OR_SKIP();
  if (TestedDevice() == "cpu") GTEST_SKIP() << "a CPU computes in fp32";
  const auto embedder = OnDevice("iresnet-18", "bf16", 65);
  ASSERT_NE(embedder, nullptr);
  const auto faces = Faces(65);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto together, embedder->Embed(faces));
  for (size_t size = 1; size <= faces.size(); ++size) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto first, embedder->Embed(std::span(faces).first(size)));
    ASSERT_EQ(first.size(), size);
    const std::vector<Embedding> expected(together.begin(),
                                          together.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_GE(LeastCosine(first, expected), 0.999) << size;
  }
}

TEST(EmbedderOnCardTest, AveragesMirrorImagesAsTheCpuDoes) {
  FACEGATE_CARD_OR_SKIP();
  ModelFile file = MakeModel("mobilefacenet-128").value();
  file.card.preprocessing.mirror_average = true;
  const auto cpu = MakeEmbedder(file, {.device = "cpu"});
  const auto embedder =
      MakeEmbedder(std::move(file), {.device = TestedDevice(), .precision = "fp32"});
  ASSERT_NE(embedder, nullptr);
  ASSERT_NE(cpu, nullptr);
  const auto faces = Faces(5);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto expected, cpu->Embed(faces));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(faces));
  EXPECT_GE(LeastCosine(embeddings, expected), 1 - 1e-6);
  // A copy of the crop in place of its mirror image would give the embedding of the crop alone.
  const auto plain = OnDevice("mobilefacenet-128", "fp32");
  ASSERT_NE(plain, nullptr);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto alone, plain->Embed(faces));
  EXPECT_LT(LeastCosine(embeddings, alone), 1 - 1e-5);
}

TEST(EmbedderOnCardTest, CallersSideBySideGetTheEmbeddingsOfTheirOwnFaces) {
  FACEGATE_CARD_OR_SKIP();
  const auto embedder = OnDevice("mobilefacenet-512", "fp32", 16);
  ASSERT_NE(embedder, nullptr);
  const auto faces = Faces(16);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto expected, embedder->Embed(faces));
  std::vector<std::jthread> callers;
  std::vector<double> least(4, 1.0);
  const int calls = TestedDevice() == "cpu" ? 3 : 50;
  for (size_t caller = 0; caller < least.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (int call = 0; call < calls; ++call) {
        const size_t first = (3 * caller + static_cast<size_t>(call)) % faces.size();
        const size_t count = std::min<size_t>(1 + caller, faces.size() - first);
        const auto embeddings = embedder->Embed(std::span(faces).subspan(first, count));
        if (!embeddings.ok()) {
          least[caller] = -1;
          return;
        }
        const std::vector<Embedding> own(
            expected.begin() + static_cast<std::ptrdiff_t>(first),
            expected.begin() + static_cast<std::ptrdiff_t>(first + count));
        least[caller] = std::min(least[caller], LeastCosine(*embeddings, own));
      }
    });
  }
  callers.clear();
  EXPECT_GE(*std::min_element(least.begin(), least.end()), 1 - 1e-6);
}

TEST(EmbedderOnCardTest, TheCanaryOfTheBundledModelServesInFp16) {
  FACEGATE_CARD_OR_SKIP();
  const auto embedder = MakeEmbedder(MakeModel(kBundled).value(), {.device = TestedDevice()});
  ASSERT_NE(embedder, nullptr);
  EXPECT_EQ(embedder->compute().device, TestedDevice());
  EXPECT_EQ(embedder->compute().precision, TestedDevice() == "cpu" ? "fp32" : "fp16");
  EXPECT_EQ(embedder->compute().device_name.empty(), TestedDevice() == "cpu");
}

TEST(EmbedderOnCardTest, RefusesACardThatIsNotThere) {
  const auto embedder =
      MakeTorchEmbedder(MakeModel("mobilefacenet-128").value(), {.device = "cuda:9"});
  EXPECT_THAT(embedder, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(embedder.status().ToString(), HasSubstr("cuda:9"));
}

// Gives this process a share of the card's memory as long as it lives.
class MemoryShare {
 public:
  explicit MemoryShare(double share) {
    c10::cuda::CUDACachingAllocator::setMemoryFraction(share, 0);
  }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { c10::cuda::CUDACachingAllocator::setMemoryFraction(1.0, 0); }
};

TEST(EmbedderOnCardTest, ANetworkThatDoesNotFitIsRefusedAndNothingBreaks) {
  FACEGATE_CARD_OR_SKIP();
  if (TestedDevice() == "cpu") GTEST_SKIP() << "about the memory of a card";
  ASSERT_NE(OnDevice("mobilefacenet-128", "bf16"), nullptr);
  {
    const MemoryShare share(1e-4);  // 8 MB of 80 GB
    const auto embedder = MakeTorchEmbedder(MakeModel("iresnet-200").value(),
                                            {.max_batch = 256, .device = TestedDevice()});
    ASSERT_FALSE(embedder.ok());
    EXPECT_THAT(embedder.status().ToString(), HasSubstr("memory"));
  }
  const auto embedder = OnDevice("iresnet-50", "bf16");
  ASSERT_NE(embedder, nullptr);
  EXPECT_THAT(embedder->Embed(Faces(8)), IsOk());
}

TEST(EmbedderOnCardTest, ABatchThatDoesNotFitIsRefusedOrDividedAndNothingBreaks) {
  FACEGATE_CARD_OR_SKIP();
  if (TestedDevice() == "cpu") GTEST_SKIP() << "about the memory of a card";
  const MemoryShare share(5e-3);  // 400 MB of 80 GB: enough for the weights
  const auto embedder =
      MakeTorchEmbedder(MakeModel("iresnet-50").value(),
                        {.max_batch = 256, .device = TestedDevice(), .precision = "fp32"});
  if (!embedder.ok()) {
    EXPECT_THAT(embedder.status().ToString(), HasSubstr("memory"));
    return;
  }
  const auto embeddings = (*embedder)->Embed(Faces((*embedder)->max_batch()));
  if (!embeddings.ok()) {
    EXPECT_THAT(embeddings, StatusIs(StatusCode::kResourceExhausted));
    EXPECT_THAT((*embedder)->Embed(Faces(1)), IsOk());
  }
}

}  // namespace
}  // namespace facegate
