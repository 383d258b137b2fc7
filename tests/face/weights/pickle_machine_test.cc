#include "face/weights/pickle_machine.h"

#include <gmock/gmock.h>

#include "face/weights/pickle_opcode.h"
#include "face/weights/pickle_stack.h"
#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::string_literals;

std::string PickleError(std::string_view bytes, uint64_t base = 0) {
  const auto pickle = RunPickle(bytes, base);
  EXPECT_THAT(pickle, StatusIs(StatusCode::kInvalidArgument));
  return pickle.ok() ? "" : std::string(MessageOf(pickle.status()));
}

// The value that the pickle leaves.
template <typename T>
std::optional<T> ValueOf(std::string_view bytes) {
  const auto pickle = RunPickle(bytes, 0);
  EXPECT_THAT(pickle, IsOk());
  if (!pickle.ok()) return std::nullopt;
  EXPECT_EQ(pickle->size, bytes.size());
  const T* value = pickle->graph.Get<T>(pickle->root);
  EXPECT_NE(value, nullptr);
  return value != nullptr ? std::optional<T>(*value) : std::nullopt;
}

TEST(PickleMachineTest, ReadsIntegersOfEveryForm) {
  EXPECT_EQ(ValueOf<int64_t>("K\xff."), 255);
  EXPECT_EQ(ValueOf<int64_t>("M\x01\x80."), 0x8001);
  EXPECT_EQ(ValueOf<int64_t>("J\xff\xff\xff\xff."), -1);
  EXPECT_EQ(ValueOf<int64_t>("\x8a\0."s), 0);
  EXPECT_EQ(ValueOf<int64_t>("\x8a\1\x80."), -128);
  EXPECT_EQ(ValueOf<int64_t>("\x8a\5\0\0\0\0\1."s), int64_t{1} << 32);
  EXPECT_EQ(ValueOf<int64_t>("\x8b\2\0\0\0\1\2."s), 0x201);
  EXPECT_EQ(ValueOf<int64_t>("I-12\n."), -12);
  EXPECT_EQ(ValueOf<int64_t>("L123L\n."), 123);
  EXPECT_EQ(ValueOf<bool>("I01\n."), true);
  EXPECT_EQ(ValueOf<bool>("I00\n."), false);
  EXPECT_EQ(ValueOf<PickleBigInt>("\x8a\x09\1\2\3\4\5\6\7\x08\x09.")->bytes.size(), 9U);
}

TEST(PickleMachineTest, ReadsTextBytesFloatsAndTruth) {
  EXPECT_EQ(ValueOf<PickleText>("X\2\0\0\0ab."s)->text, "ab");
  EXPECT_EQ(ValueOf<PickleText>("\x8c\2ab.")->text, "ab");
  EXPECT_EQ(ValueOf<PickleText>("\x8d\1\0\0\0\0\0\0\0a."s)->text, "a");
  EXPECT_EQ(ValueOf<PickleText>("U\2ab.")->text, "ab");
  EXPECT_EQ(ValueOf<PickleText>("T\2\0\0\0ab."s)->text, "ab");
  EXPECT_EQ(ValueOf<PickleBytes>("C\2ab.")->bytes, "ab");
  EXPECT_EQ(ValueOf<PickleBytes>("B\1\0\0\0a."s)->bytes, "a");
  EXPECT_EQ(ValueOf<PickleBytes>("\x96\2\0\0\0\0\0\0\0ab."s)->bytes, "ab");
  EXPECT_EQ(ValueOf<double>(PickleWriter().Float(-0.375).Stop().bytes()), -0.375);
  EXPECT_EQ(ValueOf<bool>("\x88."), true);
  EXPECT_EQ(ValueOf<bool>("\x89."), false);
  EXPECT_TRUE(ValueOf<PickleNone>("N.").has_value());
}

TEST(PickleMachineTest, BuildsContainersAndSharesRememberedValues) {
  EXPECT_EQ(ValueOf<PickleTuple>(").")->items.size(), 0U);
  EXPECT_EQ(ValueOf<PickleTuple>("K\1K\2K\3\x87.")->items.size(), 3U);
  EXPECT_EQ(ValueOf<PickleTuple>("(K\1K\2K\3K\4t.")->items.size(), 4U);
  EXPECT_EQ(ValueOf<PickleList>("](K\1K\2eK\3a.")->items.size(), 3U);
  EXPECT_EQ(ValueOf<PickleDict>("}(K\1K\2K\3K\4uK\5K\6s.")->entries.size(), 3U);
  const auto shared = ValueOf<PickleTuple>("K\7q\1h\1r\2\1\0\0j\2\1\0\0\x87."s);
  ASSERT_TRUE(shared.has_value());
  EXPECT_EQ(shared->items[0], shared->items[1]);
  EXPECT_EQ(shared->items[0], shared->items[2]);
  const auto memoized = ValueOf<PickleTuple>("\x80\4\x95\x06\0\0\0\0\0\0\0K\7\x94h\0\x86."s);
  ASSERT_TRUE(memoized.has_value());
  EXPECT_EQ(memoized->items[0], memoized->items[1]);
}

TEST(PickleMachineTest, AllowsAListThatHoldsItself) {
  const auto list = ValueOf<PickleList>("]q\0h\0a."s);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->items.size(), 1U);
}

TEST(PickleMachineTest, DescribesATensorWithoutTouchingItsStorage) {
  PickleWriter writer;
  writer.Proto().Tensor("HalfStorage", "17", 12, 2, {2, 3}, {3, 1}).Stop();
  const auto pickle = RunPickle(writer.bytes(), 0);
  ASSERT_THAT(pickle, IsOk());
  const auto* tensor = pickle->graph.Get<TorchTensor>(pickle->root);
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->offset, 2);
  EXPECT_EQ(pickle->graph.Extents(tensor->shape), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(pickle->graph.Extents(tensor->strides), (std::vector<int64_t>{3, 1}));
  const auto* storage = pickle->graph.Get<TorchStorage>(tensor->storage);
  ASSERT_NE(storage, nullptr);
  EXPECT_EQ(storage->key, "17");
  EXPECT_EQ(storage->dtype, DType::kF16);
  EXPECT_EQ(storage->elements, 12);
}

TEST(PickleMachineTest, ReadsAnOrderedDictAsPython2WroteIt) {
  PickleWriter writer;
  writer.Global("collections", "OrderedDict");
  writer.Raw("](").Raw("](").Text("k").Int(1).Raw("e").Raw("e\x85R").Stop();
  const auto dict = ValueOf<PickleDict>(writer.bytes());
  ASSERT_TRUE(dict.has_value());
  EXPECT_EQ(dict->entries.size(), 1U);
}

TEST(PickleMachineTest, RefusesGlobalsByNameAndOffset) {
  EXPECT_THAT(PickleError("\x80\2cos\nsystem\n.", 1000),
              AllOf(HasSubstr("\"os.system\""), HasSubstr("at byte 1002")));
  EXPECT_THAT(PickleError("\x8c\2os\x8c\6system\x93."),
              AllOf(HasSubstr("\"os.system\""), HasSubstr("at byte 12")));
  for (const auto& [module, name] : std::vector<std::pair<std::string, std::string>>{
           {"builtins", "eval"},
           {"torch", "FloatStorag"},
           {"torch._utils", "_rebuild_tensor_v3"},
           {"torch._utils", "_rebuild_tensor_v2.__globals__"},
           {"torch.storage", "_load_from_bytes"},
           {"collections", "defaultdict"},
           {"", ""}}) {
    EXPECT_THAT(PickleError(PickleWriter().Global(module, name).Stop().bytes()),
                HasSubstr(module + "." + name));
  }
}

TEST(PickleMachineTest, RefusesEveryOtherOpcodeByNameAndOffset) {
  const std::string allowed = "(.01BCGIJKLMNQRTUXabcehjqrstu})]"s;
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<uint8_t>(code);
    const bool binary_allowed = (byte >= 0x85 && byte <= 0x8e) || byte == 0x80 || byte == 0x93 ||
                                byte == 0x94 || byte == 0x95 || byte == 0x96;
    if (binary_allowed || allowed.find(static_cast<char>(byte)) != std::string::npos) continue;
    const std::string error = PickleError("N"s + static_cast<char>(byte) + ".");
    const std::string_view name = PickleOpcodeName(byte);
    EXPECT_THAT(error, HasSubstr(name.empty() ? "is not an opcode" : std::string(name)));
    EXPECT_THAT(error, HasSubstr("at byte 1"));
  }
  EXPECT_THAT(PickleError("(i"), HasSubstr("opcode INST is not allowed"));
  EXPECT_THAT(PickleError("\x81"), HasSubstr("opcode NEWOBJ is not allowed"));
  EXPECT_THAT(PickleError("\x82"), HasSubstr("opcode EXT1 is not allowed"));
  EXPECT_THAT(PickleError("P"), HasSubstr("opcode PERSID is not allowed"));
}

TEST(PickleMachineTest, RefusesCallsOfAnythingElse) {
  EXPECT_THAT(PickleError("K\1)R."), HasSubstr("cannot be called"));
  EXPECT_THAT(PickleError("ctorch\nFloatStorage\n)R."), HasSubstr("calls a storage type"));
  EXPECT_THAT(PickleError("ccollections\nOrderedDict\nNR."), HasSubstr("cannot be called"));
  EXPECT_THAT(PickleError("ccollections\nOrderedDict\nK\1\x85R."), HasSubstr("one list"));
  EXPECT_THAT(PickleError("ctorch._utils\n_rebuild_tensor_v2\n)R."), HasSubstr("0 arguments"));
  EXPECT_THAT(PickleError("ctorch._utils\n_rebuild_parameter\nNNN\x87R."),
              HasSubstr("needs a tensor"));
  EXPECT_THAT(PickleError("NQ."), HasSubstr("persistent id"));
  EXPECT_THAT(PickleError("N}b."), HasSubstr("what is not a dict"));
}

constexpr PickleName kShelf[] = {{.module = "shop", .name = "shelf"}};
constexpr PickleVocabulary kShop{
    .tensors = false, .described = kShelf, .what = "a shop", .way_out = "", .max_bytes = 64};

TEST(PickleMachineTest, DescribesCallsOfTheNamesThatItsCallerKnows) {
  const auto pickle = RunPickle("cshop\nshelf\nK\1\x85RK\2b.", 0, kShop);
  ASSERT_THAT(pickle, IsOk());
  const auto* call = pickle->graph.Get<PickleCall>(pickle->root);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->described, 0U);
  EXPECT_EQ(pickle->graph.Extents(call->arguments), std::vector<int64_t>{1});
  ASSERT_TRUE(call->state.has_value());
  EXPECT_EQ(pickle->graph.Count(*call->state), 2);
}

TEST(PickleMachineTest, AnotherVocabularyHasNoTensors) {
  const auto error = [](std::string_view bytes) {
    return std::string(MessageOf(RunPickle(bytes, 0, kShop).status()));
  };
  EXPECT_THAT(error("ctorch\nFloatStorage\n."),
              HasSubstr("\"torch.FloatStorage\" is not allowed in a shop, at byte 0"));
  EXPECT_THAT(error("NQ."), HasSubstr("a persistent id is not allowed in a shop"));
  EXPECT_THAT(error("\x81"), HasSubstr("opcode NEWOBJ is not allowed in a shop"));
  EXPECT_THAT(error(std::string(65, 'N')), HasSubstr("longer than 64 bytes"));
  EXPECT_THAT(PickleError("cshop\nshelf\n."), HasSubstr("shop.shelf"));
}

TEST(PickleMachineTest, RefusesTensorsThatDoNotFitTogether) {
  const auto error = [](std::initializer_list<int64_t> shape,
                        std::initializer_list<int64_t> strides, int64_t offset, int64_t elements) {
    PickleWriter writer;
    writer.Tensor("FloatStorage", "0", elements, offset, shape, strides).Stop();
    return PickleError(writer.bytes());
  };
  EXPECT_THAT(error({2, 2}, {1}, 0, 4), HasSubstr("stride too many or too few"));
  EXPECT_THAT(error({-2}, {1}, 0, 4), HasSubstr("none below 0"));
  EXPECT_THAT(error({2}, {-1}, 0, 4), HasSubstr("none below 0"));
  EXPECT_THAT(error({2}, {1}, -1, 4), HasSubstr("an offset"));
  EXPECT_THAT(error({2}, {1}, 0, -4), HasSubstr("names no storage"));
  PickleWriter wide;
  wide.Global("torch._utils", "_rebuild_tensor_v2").Mark().Storage("FloatStorage", "0", 1).Int(0);
  for (int axis = 0; axis < 2; ++axis) {
    wide.Mark();
    for (int i = 0; i < 65; ++i) wide.Int(1);
    wide.Raw("t");
  }
  wide.Bool(false).None().Raw("tR.");
  EXPECT_THAT(PickleError(wide.bytes()), HasSubstr("at most 64 numbers"));
}

TEST(PickleMachineTest, RefusesANegativeView) {
  PickleWriter writer;
  writer.Global("torch._utils", "_rebuild_tensor_v2").Mark().Storage("FloatStorage", "0", 1).Int(0);
  writer.Ints({1}).Ints({1}).Bool(false).None().Raw("}").Text("neg").Bool(true).Raw("stR").Stop();
  EXPECT_THAT(PickleError(writer.bytes()), HasSubstr("metadata"));
}

TEST(PickleMachineTest, RefusesAStackThatDoesNotHoldWhatIsAskedFor) {
  for (const std::string_view broken :
       {"0.",    "t.",    "u.",    "e.",      "a.",    "s.",        "R.",         "b.",
        "Q.",    "\x93.", "\x85.", "\x94.",   "1.",    "K\1(\x85.", "](K\1K\2u.", "}(K\1u.",
        "K\1a.", "(q\1.", "h\1.",  "K\1K\2.", "(K\1.", "."}) {
    EXPECT_THAT(RunPickle(broken, 0), StatusIs(StatusCode::kInvalidArgument)) << broken;
  }
}

TEST(PickleMachineTest, RefusesLengthsBeyondTheEnd) {
  EXPECT_THAT(PickleError("X\xff\xff\xff\xff."), HasSubstr("needs 4294967295 bytes, 1 are left"));
  EXPECT_THAT(PickleError("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), HasSubstr("1 are left"));
  EXPECT_THAT(PickleError("\x8b\xff\xff\xff\xff."), HasSubstr("are left"));
  EXPECT_THAT(PickleError("\x95\xff\0\0\0\0\0\0\0."s), HasSubstr("a frame of 255 bytes"));
  EXPECT_THAT(PickleError("\x80\x06."), HasSubstr("protocol 6"));
  EXPECT_THAT(PickleError("I12x\n."), HasSubstr("not an integer"));
  EXPECT_THAT(PickleError("L99999999999999999999L\n."), HasSubstr("not an integer"));
  EXPECT_THAT(PickleError("ctorch"), HasSubstr("a line does not end"));
}

TEST(PickleMachineTest, BoundsValuesMarksAndLength) {
  EXPECT_THAT(PickleError(std::string(kMaxPickleValues + 1, 'N')), HasSubstr("more than 2000000"));
  EXPECT_THAT(PickleError(std::string(kMaxPickleMarks + 1, '(')),
              HasSubstr("more than 10000 marks"));
  std::string endless = "N";
  for (size_t i = 0; i < kMaxPickleBytes / 2; ++i) endless += "q\1";
  EXPECT_THAT(PickleError(endless + "."), HasSubstr("longer than 33554432 bytes"));
  // One list, copied by call after call.
  PickleWriter copies;
  copies.Raw("](");
  for (int i = 0; i < 1000; ++i) copies.Raw("NN\x86");
  copies.Raw("e\x85").Put(1).Global("collections", "OrderedDict").Put(2).Raw("00");
  for (int i = 0; i < 3000; ++i) copies.Get(2).Get(1).Raw("R0");
  EXPECT_THAT(PickleError(copies.Stop().bytes()), HasSubstr("copies too many entries"));
}

TEST(PickleOpcodeTest, KnowsAllSixtyEightNames) {
  int known = 0;
  for (int code = 0; code < 256; ++code) {
    if (!PickleOpcodeName(static_cast<uint8_t>(code)).empty()) ++known;
  }
  EXPECT_EQ(known, 68);
  EXPECT_EQ(PickleOpcodeName('.'), "STOP");
  EXPECT_EQ(PickleOpcodeName(0x93), "STACK_GLOBAL");
  EXPECT_EQ(PickleOpcodeName(0x98), "READONLY_BUFFER");
  EXPECT_EQ(PickleOpcodeName(0x99), "");
}

}  // namespace
}  // namespace facegate
