#include "face/weights/model_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ModelFile SampleModel() {
  ModelFile file;
  file.card.architecture = "net-1";
  file.card.embedding_size = 2;
  file.tensors["w"] = {.dtype = DType::kF32, .shape = {2}, .bytes = FloatBytes({1.0F, 2.0F})};
  return file;
}

// The sample as written, changed, and read again from where it was changed.
StatusOr<ModelFile> ReadChanged(const std::function<void(Safetensors&)>& change) {
  const TempDir dir;
  const std::string path = dir.File("model.safetensors");
  FACEGATE_RETURN_IF_ERROR(WriteModelFile(path, SampleModel()));
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, 1 << 20));
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  change(file);
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(path, SerializeSafetensors(file)));
  return ReadModelFile(path);
}

TEST(ModelFileTest, ReadsBackWhatItWroteWithDigestsFilledIn) {
  const TempDir dir;
  const std::string path = dir.File("model.safetensors");
  ASSERT_THAT(WriteModelFile(path, SampleModel()), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile read, ReadModelFile(path));
  EXPECT_EQ(read.tensors, SampleModel().tensors);
  EXPECT_EQ(read.card.architecture, "net-1");
  EXPECT_EQ(read.card.model_digest, ModelDigest("net-1", SampleModel().tensors));
  EXPECT_EQ(read.card.preprocessing_digest, PreprocessingDigest({}));
}

TEST(ModelFileTest, WritesTheSameBytesEachTime) {
  const TempDir dir;
  ASSERT_THAT(WriteModelFile(dir.File("a"), SampleModel()), IsOk());
  ASSERT_THAT(WriteModelFile(dir.File("b"), SampleModel()), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string a, ReadFile(dir.File("a"), 1 << 20));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string b, ReadFile(dir.File("b"), 1 << 20));
  EXPECT_EQ(a, b);
}

TEST(ModelFileTest, RefusesChangedWeightsNamingBothDigests) {
  const auto read = ReadChanged([](Safetensors& file) { file.tensors["w"].bytes[3] = '\x40'; });
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  TensorMap changed = SampleModel().tensors;
  changed["w"].bytes[3] = '\x40';
  EXPECT_THAT(read.status().ToString(),
              AllOf(HasSubstr("model.safetensors"), HasSubstr(ModelDigest("net-1", changed)),
                    HasSubstr(ModelDigest("net-1", SampleModel().tensors))));
}

TEST(ModelFileTest, RefusesChangedPreprocessing) {
  const auto read = ReadChanged([](Safetensors& file) {
    std::string& card = file.metadata[std::string(kCardKey)];
    const std::string old = R"("mirror_average":false)";
    card.replace(card.find(old), old.size(), R"("mirror_average":true)");
  });
  EXPECT_THAT(read.status().ToString(), HasSubstr("preprocessing digest"));
}

TEST(ModelFileTest, SaysWhatANetworkOfAnotherKindIsFor) {
  const auto read = ReadChanged([](Safetensors& file) {
    file.metadata = {{"kind", "facegate-landmarks-1"}};
  });
  EXPECT_THAT(read.status().ToString(),
              HasSubstr("it holds a network for \"landmarks\", none that embeds faces"));
}

TEST(ModelFileTest, RefusesAFileWithoutCard) {
  const auto read = ReadChanged([](Safetensors& file) { file.metadata.clear(); });
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(read.status().ToString(), HasSubstr("facegate-train import"));
}

TEST(ModelFileTest, TellsWhenTheFileIsAbsent) {
  const TempDir dir;
  EXPECT_THAT(ReadModelFile(dir.File("none")), StatusIs(StatusCode::kNotFound));
}

TEST(ModelFileTest, WritesNothingThatCouldNotBeReadAgain) {
  const TempDir dir;
  const std::string path = dir.File("model.safetensors");
  const auto refused = [&](const std::function<void(ModelFile&)>& change) {
    ModelFile file = SampleModel();
    change(file);
    EXPECT_THAT(WriteModelFile(path, std::move(file)), StatusIs(StatusCode::kInvalidArgument));
    EXPECT_FALSE(std::filesystem::exists(path));
  };
  refused([](ModelFile& file) { file.card.embedding_size = 0; });
  refused([](ModelFile& file) { file.card.architecture.clear(); });
  refused([](ModelFile& file) { file.card.preprocessing.scale[1] = 0.0F; });
  refused([](ModelFile& file) {
    file.card.preprocessing.mean[1] = std::numeric_limits<float>::quiet_NaN();
  });
  refused([](ModelFile& file) { file.card.default_min_cosine = 2.0F; });
  refused([](ModelFile& file) { file.tensors["w"].bytes.pop_back(); });
  refused([](ModelFile& file) { file.tensors["w"].shape = {-2}; });
  refused([](ModelFile& file) { file.tensors["\xff"] = file.tensors["w"]; });
  refused([](ModelFile& file) { file.tensors["__metadata__"] = file.tensors["w"]; });
}

}  // namespace
}  // namespace facegate
