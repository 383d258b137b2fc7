#include "face/embed/torch/torch_embedder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "face/embed/canary.h"
#include "face/embed/torch/raw_embedder.h"
#include "face/network/random_weights.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

EmbedderOptions Quick() {
  return {.threads = 1, .max_batch = 3, .device = "cpu", .run_canary = true};
}

ModelFile RandomModel(uint64_t seed = 20) {
  ModelFile file;
  file.card.architecture = "mobilefacenet-128";
  file.card.embedding_size = 128;
  file.tensors = RandomWeights("mobilefacenet-128", seed).value();
  return file;
}

std::unique_ptr<Embedder> MakeEmbedder(ModelFile file, const EmbedderOptions& options) {
  auto embedder = MakeTorchEmbedder(std::move(file), options);
  EXPECT_THAT(embedder, IsOk());
  return std::move(embedder).value();
}

std::vector<AlignedFace> Faces(int count) {
  return CanaryFaces(99, count, AlignmentTemplate::kArcFace112);
}

std::string Refusal(ModelFile file, const EmbedderOptions& options = Quick()) {
  const auto embedder = MakeTorchEmbedder(std::move(file), options);
  EXPECT_FALSE(embedder.ok());
  return embedder.status().ToString();
}

// The first values of two faces' embeddings, computed from the same weights and pixels by the
// PyTorch original under PyTorch 1.13.
TEST(TorchEmbedderTest, RandomWeightsGiveTheRecordedEmbeddings) {
  const std::vector<std::vector<float>> recorded = {
      {0.113282f, -0.003283f, 0.136618f, -0.046418f, -0.088631f, -0.001261f, -0.011606f,
       -0.012569f},
      {0.135987f, -0.035281f, 0.140262f, -0.035904f, -0.098340f, -0.003097f, 0.031827f, 0.005605f}};
  const auto embedder = MakeEmbedder(RandomModel(), Quick());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(Faces(2)));
  ASSERT_EQ(embeddings.size(), recorded.size());
  for (size_t i = 0; i < recorded.size(); ++i) {
    for (size_t k = 0; k < recorded[i].size(); ++k) {
      EXPECT_NEAR(embeddings[i].values()[k], recorded[i][k], 1e-4) << i << ", " << k;
    }
  }
  EXPECT_NEAR(CosineScore(embeddings[0].values(), embeddings[1].values()), 0.914989, 1e-4);
}

// Their lengths are those that the network gave.
TEST(TorchEmbedderTest, RawVectorsOfUnitLengthAreTheEmbeddings) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embedder, MakeTorchRawEmbedder(RandomModel(), Quick()));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto raw, embedder->EmbedRaw(Faces(3)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(Faces(3)));
  ASSERT_EQ(raw.size(), 3u * 128u);
  for (size_t i = 0; i < embeddings.size(); ++i) {
    const auto row = std::span(raw).subspan(i * 128, 128);
    EXPECT_EQ(*Embedding::Normalize(row), embeddings[i]);
    EXPECT_GT(std::abs(std::inner_product(row.begin(), row.end(), row.begin(), 0.0) - 1.0), 0.1);
  }
}

TEST(TorchEmbedderTest, EmbeddingDoesNotDependOnItsBatch) {
  const auto embedder = MakeEmbedder(RandomModel(), Quick());
  const auto faces = Faces(3);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto together, embedder->Embed(faces));
  for (size_t i = 0; i < faces.size(); ++i) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto alone,
                                  embedder->Embed(std::span(faces).subspan(i, 1)));
    EXPECT_GT(CosineScore(alone[0].values(), together[i].values()), 1 - 1e-6);
  }
}

TEST(TorchEmbedderTest, LargeBatchGoesInSeveralPassesInOrder) {
  EmbedderOptions options = Quick();
  options.max_batch = 37;
  const auto embedder = MakeEmbedder(RandomModel(), options);
  const auto faces = Faces(37);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto together, embedder->Embed(faces));
  ASSERT_EQ(together.size(), 37);
  for (const size_t i : std::vector<size_t>{0, 7, 8, 15, 16, 36}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto alone,
                                  embedder->Embed(std::span(faces).subspan(i, 1)));
    EXPECT_GT(CosineScore(alone[0].values(), together[i].values()), 1 - 1e-6) << i;
  }
}

// Fewer faces than threads (in one pass and in two), as many, more, and more than one pass of each
// thread.
TEST(TorchEmbedderTest, EmbeddingDoesNotDependOnThreads) {
  EmbedderOptions options = Quick();
  options.max_batch = 27;
  const auto faces = Faces(27);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto expected,
                                MakeEmbedder(RandomModel(), options)->Embed(faces));
  for (const int threads : {3, 6}) {
    options.threads = threads;
    const auto embedder = MakeEmbedder(RandomModel(), options);
    for (const size_t count : std::vector<size_t>{1, 2, 3, 5, 8, 25, 27}) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto actual,
                                    embedder->Embed(std::span(faces).first(count)));
      ASSERT_EQ(actual.size(), count);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_GT(CosineScore(actual[i].values(), expected[i].values()), 1 - 1e-6) << count;
      }
    }
  }
}

TEST(TorchEmbedderTest, ConcurrentCallsThatShareHelpersGiveTheSameBits) {
  EmbedderOptions options = Quick();
  options.threads = 2;
  const auto embedder = MakeEmbedder(RandomModel(), options);
  const auto faces = Faces(3);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto expected, embedder->Embed(faces));
  std::vector<int> equal(3, 0);
  {
    std::vector<std::jthread> callers;
    for (int& count : equal) {
      callers.emplace_back([&count, &embedder, &faces, &expected] {
        for (int i = 0; i < 5; ++i) {
          const auto actual = embedder->Embed(faces);
          if (actual.ok() && *actual == expected) ++count;
        }
      });
    }
  }
  EXPECT_THAT(equal, ::testing::Each(5));
}

TEST(TorchEmbedderTest, RefusesTheWholeCallForOneBadCropOfManyPasses) {
  EmbedderOptions options = Quick();
  options.threads = 2;
  const auto embedder = MakeEmbedder(RandomModel(), options);
  auto faces = Faces(2);
  faces.push_back(CanaryFaces(1, 1, AlignmentTemplate::kSphereFace96x112)[0]);
  EXPECT_THAT(embedder->Embed(faces), RefusedWith(Reason::kCropSize));
}

TEST(TorchEmbedderTest, MirrorAverageIgnoresMirroringAndDiffersFromThePlainEmbedding) {
  ModelFile file = RandomModel();
  file.card.preprocessing.mirror_average = true;
  const auto averaging = MakeEmbedder(file, Quick());
  const auto plain = MakeEmbedder(RandomModel(), Quick());
  auto faces = Faces(2);
  AlignedFace mirrored;
  cv::Mat flipped(faces[0].bgr.size(), faces[0].bgr.type());
  for (int x = 0; x < flipped.cols; ++x) {
    faces[0].bgr.col(flipped.cols - 1 - x).copyTo(flipped.col(x));
  }
  faces.push_back(AlignedFace{flipped});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto averaged, averaging->Embed(faces));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto single, plain->Embed(faces));
  EXPECT_GT(CosineScore(averaged[0].values(), averaged[2].values()), 1 - 1e-6);
  EXPECT_LT(CosineScore(averaged[0].values(), averaged[1].values()), 1 - 1e-4);
  EXPECT_LT(CosineScore(single[0].values(), single[2].values()), 1 - 1e-5);
  EXPECT_NE(averaged[0], single[0]);
}

TEST(TorchEmbedderTest, RefusesCropsOfAnotherSize) {
  const auto embedder = MakeEmbedder(RandomModel(), Quick());
  auto faces = Faces(1);
  faces.push_back(CanaryFaces(1, 1, AlignmentTemplate::kSphereFace96x112)[0]);
  EXPECT_THAT(embedder->Embed(faces), RefusedWith(Reason::kCropSize));
}

TEST(TorchEmbedderTest, RefusesNoFacesAndMoreThanMaxBatch) {
  const auto embedder = MakeEmbedder(RandomModel(), Quick());
  EXPECT_EQ(embedder->max_batch(), 3);
  EXPECT_THAT(embedder->Embed({}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(embedder->Embed(Faces(4)), StatusIs(StatusCode::kInvalidArgument));
}

TEST(TorchEmbedderTest, ChecksItsCanary) {
  ModelFile file = RandomModel();
  FACEGATE_ASSERT_OK_AND_ASSIGN(file.card.canary,
                                RecordCanary(*MakeEmbedder(RandomModel(), Quick()), 4, 2));
  EXPECT_THAT(MakeTorchEmbedder(file, Quick()), IsOk());
  ModelFile other = RandomModel(21);
  other.card.canary = file.card.canary;
  EXPECT_THAT(MakeTorchEmbedder(other, Quick()), StatusIs(StatusCode::kFailedPrecondition));
  EmbedderOptions unchecked = Quick();
  unchecked.run_canary = false;
  EXPECT_THAT(MakeTorchEmbedder(other, unchecked), IsOk());
}

TEST(TorchEmbedderTest, RefusesCardThatDoesNotFitTheNetwork) {
  ModelFile file = RandomModel();
  file.card.embedding_size = 512;
  EXPECT_THAT(Refusal(file), AllOf(HasSubstr("512"), HasSubstr("128")));
  file = RandomModel();
  file.card.preprocessing.input_width = 96;
  EXPECT_THAT(Refusal(file), AllOf(HasSubstr("96x112"), HasSubstr("112x112")));
  file = RandomModel();
  file.card.architecture = "iresnet-18";
  file.card.embedding_size = 512;
  EXPECT_THAT(Refusal(file), HasSubstr("tensors do not fit the network"));
  file.card.architecture = "vit";
  EXPECT_THAT(Refusal(file), HasSubstr("unknown architecture"));
}

TEST(TorchEmbedderTest, RefusesOptionsOutOfRange) {
  EmbedderOptions options = Quick();
  options.max_batch = -1;
  EXPECT_THAT(Refusal(RandomModel(), options), HasSubstr("1 to 256"));
  options.max_batch = 257;
  EXPECT_THAT(Refusal(RandomModel(), options), HasSubstr("257"));
  options = Quick();
  options.threads = -1;
  EXPECT_THAT(Refusal(RandomModel(), options), HasSubstr("threads is -1"));
  options = Quick();
  options.device = "gpu";
  EXPECT_THAT(Refusal(RandomModel(), options), HasSubstr("\"gpu\""));
  options = Quick();
  options.precision = "half";
  EXPECT_THAT(Refusal(RandomModel(), options), HasSubstr("\"half\""));
}

TEST(TorchEmbedderTest, SaysWhereAndHowItComputes) {
  EmbedderOptions options = Quick();
  options.max_batch = 0;
  const auto embedder = MakeEmbedder(RandomModel(), options);
  EXPECT_EQ(ComputeText(embedder->compute()), "cpu, 1 thread");
  EXPECT_EQ(embedder->compute().precision, "fp32");
  EXPECT_EQ(embedder->max_batch(), 8);
  EXPECT_THAT(embedder->Health(), IsOk());
}

TEST(TorchEmbedderTest, RefusesACardThatIsNotThereInWords) {
  EmbedderOptions options = Quick();
  options.device = "cuda:99";
  const auto embedder = MakeTorchEmbedder(RandomModel(), options);
  EXPECT_THAT(embedder, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(embedder.status())), HasSubstr("device cuda:99: "));
}

TEST(TorchEmbedderTest, NetworkWithoutDirectionIsAnErrorAndNeverAnEmbedding) {
  ModelFile file = RandomModel();
  // The last batch norm gives zero for every face.
  for (const char* name : {"last_bn.weight", "last_bn.bias"}) {
    auto& bytes = file.tensors.at(name).bytes;
    std::fill(bytes.begin(), bytes.end(), '\0');
  }
  EXPECT_THAT(Refusal(file), HasSubstr("is not an embedding"));
}

TEST(TorchEmbedderTest, LoadsTheFileThatWasWritten) {
  const TempDir dir;
  const std::string path = dir.File("model.safetensors");
  ASSERT_THAT(WriteModelFile(path, RandomModel()), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto loaded, LoadTorchEmbedder(path, Quick()));
  EXPECT_EQ(loaded->card().model_digest, ModelDigest("mobilefacenet-128", RandomModel().tensors));
  const auto direct = MakeEmbedder(RandomModel(), Quick());
  EXPECT_EQ(loaded->Embed(Faces(1)).value(), direct->Embed(Faces(1)).value());
}

TEST(TorchEmbedderTest, NamesTheFileThatDoesNotLoad) {
  const TempDir dir;
  EXPECT_FALSE(LoadTorchEmbedder(dir.File("none.safetensors"), Quick()).ok());
  const std::string path = dir.File("bad.safetensors");
  ModelFile file = RandomModel();
  file.tensors.erase("GDC_dw.weight");
  ASSERT_THAT(WriteModelFile(path, file), IsOk());
  const auto embedder = LoadTorchEmbedder(path, Quick());
  EXPECT_THAT(embedder, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(embedder.status())),
              AllOf(HasSubstr("bad.safetensors"), HasSubstr("\"GDC_dw.weight\" is missing")));
}

}  // namespace
}  // namespace facegate
