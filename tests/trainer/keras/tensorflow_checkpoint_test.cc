#include "trainer/keras/tensorflow_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensorflow_bytes.h"
#include "trainer/keras/keras_weights.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

constexpr char kEnd[] = "/.ATTRIBUTES/VARIABLE_VALUE";

TensorFlowFiles SmallCheckpoint(bool with_names = true) {
  return TensorFlowWriter()
      .Add(std::string("a/kernel/.OPTIMIZER_SLOT/optimizer/m") + kEnd, "Adam/dense/kernel/m", {1},
           {9})
      .Add(std::string("layer-0/layer-1/kernel") + kEnd, "dense/kernel", {2, 3}, {0, 1, 2, 3, 4, 5})
      .Add(std::string("layer-0/layer-2/bias") + kEnd, "dense/bias", {3}, {6, 7, 8})
      .Add(std::string("optimizer/_variables/2") + kEnd, "SGD/m/dense/kernel", {1}, {9})
      .Files(with_names);
}

StatusOr<TensorMap> Parsed(const TensorFlowFiles& files) {
  return ParseTensorFlowCheckpoint(files.index, std::vector{files.numbers});
}

std::string SentenceOf(const TensorFlowFiles& files) {
  const auto tensors = Parsed(files);
  return tensors.ok() ? "" : std::string(MessageOf(tensors.status()));
}

TEST(TensorFlowCheckpointTest, GivesVariablesTheirNamesAndLeavesOutTheOptimiser) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, Parsed(SmallCheckpoint()));
  EXPECT_THAT(tensors, UnorderedElementsAre(Key("dense/kernel"), Key("dense/bias")));
  const Tensor& kernel = tensors.at("dense/kernel");
  EXPECT_THAT(kernel.shape, ElementsAre(2, 3));
  std::vector<float> values(6);
  std::memcpy(values.data(), kernel.bytes.data(), kernel.bytes.size());
  EXPECT_THAT(values, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TensorFlowCheckpointTest, KeepsItsOwnNamesWhereVariablesHaveNone) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, Parsed(SmallCheckpoint(false)));
  EXPECT_THAT(tensors,
              UnorderedElementsAre(Key("layer-0/layer-1/kernel"), Key("layer-0/layer-2/bias")));
}

TEST(TensorFlowCheckpointTest, NamesANumberThatChanged) {
  TensorFlowFiles files = SmallCheckpoint();
  files.numbers[5] = static_cast<char>(files.numbers[5] ^ 1);  // of the kernel
  EXPECT_THAT(SentenceOf(files), HasSubstr("the sum of \"layer-0/layer-1/kernel"));
}

TEST(TensorFlowCheckpointTest, RefusesACutFileOfNumbers) {
  TensorFlowFiles files = SmallCheckpoint(false);
  files.numbers.resize(files.numbers.size() / 2);
  EXPECT_THAT(SentenceOf(files), HasSubstr("lie outside their file"));
}

TEST(TensorFlowCheckpointTest, RefusesATextOfNamesThatChanged) {
  TensorFlowFiles files = SmallCheckpoint();
  const size_t place = files.numbers.find("dense/kernel");
  files.numbers[place] = 'D';
  EXPECT_THAT(SentenceOf(files), HasSubstr("the names of its variables are damaged"));
}

// Each would be copied.
TEST(TensorFlowCheckpointTest, RefusesTensorsThatLieOnTheSameNumbers) {
  TensorFlowWriter writer;
  const TensorFlowFiles files =
      writer.Add("a", "a", {2}, {1, 2}).AddOnTheSame("b").Add("c", "c", {1}, {3}).Files(false);
  EXPECT_THAT(SentenceOf(files), HasSubstr("the numbers of \"b\" are those of \"a\", too"));
}

TEST(TensorFlowCheckpointTest, RefusesABlockThatIsNamedTwice) {
  TensorFlowWriter writer;
  writer.Add("a", "a", {1}, {1});
  const std::string entries = writer.Entries(false);
  const auto read = [&](int times) {
    return Parsed({.index = TensorFlowWriter::Index(entries, times), .numbers = writer.numbers()});
  };
  EXPECT_THAT(read(1), IsOk());
  EXPECT_THAT(MessageOf(read(2).status()), HasSubstr("lie one on the other"));
}

TEST(TensorFlowCheckpointTest, RefusesALargeIndex) {
  std::string index(65U << 20, '\0');
  index += SmallCheckpoint().index;
  EXPECT_THAT(MessageOf(TensorFlowShards(index).status()), HasSubstr("limit is 64 MiB"));
}

// What no tensor depends on is not looked at.
TEST(TensorFlowCheckpointTest, AFlippedByteOfTheIndexIsRefusedOrChangesNothing) {
  const TensorFlowFiles whole = SmallCheckpoint();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap expected, Parsed(whole));
  for (size_t i = 0; i < whole.index.size(); ++i) {
    TensorFlowFiles files = whole;
    files.index[i] = static_cast<char>(files.index[i] ^ 0x41);
    const auto tensors = Parsed(files);
    if (tensors.ok()) {
      EXPECT_EQ(*tensors, expected) << i;
    }
  }
  for (size_t length = 0; length < whole.index.size(); ++length) {
    EXPECT_FALSE(ParseTensorFlowCheckpoint(whole.index.substr(0, length), {}).ok());
  }
}

TEST(TensorFlowCheckpointTest, IsReadByItsPrefix) {
  const TempDir dir;
  const TensorFlowFiles files = SmallCheckpoint();
  ASSERT_THAT(WriteFileAtomically(dir.File("w.ckpt.index"), files.index), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.File("w.ckpt.data-00000-of-00001"), files.numbers), IsOk());
  const std::string path = TensorFlowIndexOf(dir.File("w.ckpt"));
  EXPECT_EQ(path, dir.File("w.ckpt.index"));
  ASSERT_TRUE(LooksLikeKeras(files.index));
  const auto weights = ReadKerasWeights(files.index, path);
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(weights->tensors,
              UnorderedElementsAre(Key("OutputLayer.dense.weight"), Key("OutputLayer.dense.bias")));
  EXPECT_EQ(weights->sha256, Sha256Hex(files.index + files.numbers));
  EXPECT_EQ(TensorFlowIndexOf(dir.File("absent")), dir.File("absent"));
}

}  // namespace
}  // namespace facegate
