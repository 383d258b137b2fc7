#include "face/weights/torch_pickle_writer.h"

#include <gmock/gmock.h>

#include <string>

#include "face/weights/torch_pickle.h"
#include "face/weights/zip_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(TorchPickleWriterTest, WritesThePickleThatTorchLoadTakes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const std::string file,
      SerializeTorchPickle(
          {{"w",
            {.dtype = DType::kF32, .shape = {2, 3}, .bytes = FloatBytes({0, 1, 2, 3, 4, 5})}}}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore store, ZipStore::Open(file));
  EXPECT_EQ(store.Read("archive/version").value(), "3\n");
  EXPECT_EQ(store.Read("archive/byteorder").value(), "little");
  EXPECT_EQ(store.Read("archive/data/0").value(), FloatBytes({0, 1, 2, 3, 4, 5}));
  PickleWriter expected;
  expected.Proto().Global("collections", "OrderedDict").Raw(")R(").Text("w");
  expected.Tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}).Raw("u").Stop();
  EXPECT_EQ(store.Read("archive/data.pkl").value(), expected.bytes());
}

TEST(TorchPickleWriterTest, KeepsEveryTypeAndShape) {
  TensorMap tensors;
  for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kI32,
                            DType::kI64, DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
             {}, {1}, {3}, {2, 300}, {2, 1, 3, 1, 2}, {0}, {4, 0, 70000}}) {
      Tensor tensor{.dtype = dtype, .shape = shape, .bytes = {}};
      const size_t size = static_cast<size_t>(tensor.element_count()) * SizeOf(dtype);
      for (size_t i = 0; i < size; ++i) tensor.bytes.push_back(static_cast<char>(i % 2));
      tensors[std::string(DTypeName(dtype)) + ShapeText(shape)] = tensor;
    }
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string file, SerializeTorchPickle(tensors));
  EXPECT_THAT(ParseTorchPickle(file), IsOk());
  EXPECT_EQ(ParseTorchPickle(file).value(), tensors);
}

TEST(TorchPickleWriterTest, RefusesATensorWhoseBytesDoNotFitItsShape) {
  const auto file =
      SerializeTorchPickle({{"w", {.dtype = DType::kF32, .shape = {2}, .bytes = "1234"}}});
  EXPECT_THAT(file, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(file.status().ToString(), HasSubstr("tensor \"w\" of type F32"));
}

TEST(TorchPickleWriterTest, RefusesANameThatIsNotUtf8) {
  const auto file =
      SerializeTorchPickle({{"\xff", {.dtype = DType::kU8, .shape = {}, .bytes = "1"}}});
  EXPECT_THAT(file, StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
