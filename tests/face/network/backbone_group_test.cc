#include "face/network/backbone_group.h"

#include <gmock/gmock.h>

#include "face/network/random_weights.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The shapes of a MobileFaceNet under a prefix.
StateDictShapes Shapes(const std::string& path, const std::string& prefix) {
  static const TensorMap net = RandomWeights("mobilefacenet-128", 1).value();
  StateDictShapes dict{.path = path, .tensors = {}};
  for (const auto& [name, tensor] : net) {
    dict.tensors.emplace(prefix + name,
                         Tensor{.dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}});
  }
  return dict;
}

Tensor Centres() { return {.dtype = DType::kF32, .shape = {100, 128}, .bytes = {}}; }

std::string Message(const StatusOr<BackboneGroup>& group) {
  return group.ok() ? "" : std::string(MessageOf(group.status()));
}

TEST(BackboneGroupTest, TakesTheBackboneUnderAnyPrefixAndNamesWhatIsLeft) {
  for (const std::string prefix : {"", "arcface.", "my.own.net."}) {
    StateDictShapes dict = Shapes("model", prefix);
    dict.tensors["head.weight"] = Centres();
    dict.tensors["margin.kernel"] = Centres();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, FindBackbone({dict}, {}));
    EXPECT_EQ(group.network.name, "mobilefacenet-128");
    EXPECT_EQ(group.prefix, prefix);
    EXPECT_EQ(group.names.size(), 333U);
    EXPECT_THAT(group.left, ElementsAre("head.weight", "margin.kernel"));
  }
}

// Each block of a deep network has names like the whole one's.
TEST(BackboneGroupTest, FindsThePrefixAmongManyThatEndAlike) {
  StateDictShapes dict = Shapes("", "module.");
  const StateDictShapes net = Shapes("", "");
  for (int i = 0; i < 200; ++i) {
    for (const auto& [name, tensor] : {*net.tensors.begin(), *net.tensors.rbegin()}) {
      dict.tensors.emplace("a" + std::to_string(i) + "." + name, tensor);
    }
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, FindBackbone({dict}, {}));
  EXPECT_EQ(group.prefix, "module.");
}

TEST(BackboneGroupTest, ChoosesTheDictThatFits) {
  StateDictShapes head{.path = "head", .tensors = {{"weight", Centres()}}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group,
                                FindBackbone({head, Shapes("net", "module.")}, {}));
  EXPECT_EQ(group.dict, 1U);
}

TEST(BackboneGroupTest, AsksWhichOfSeveralIsMeant) {
  const std::vector<StateDictShapes> dicts = {Shapes("model", ""), Shapes("model_ema", "module.")};
  EXPECT_THAT(Message(FindBackbone(dicts, {})),
              AllOf(HasSubstr("model, model_ema.module"), HasSubstr("--entry")));
  for (const char* entry : {"model_ema", "model_ema.module", "module"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, FindBackbone(dicts, {.entry = entry}));
    EXPECT_EQ(group.dict, 1U) << entry;
  }
}

// A network of fewer layers is part of one of more, and must not be taken out of it.
TEST(BackboneGroupTest, DoesNotTakeASmallNetworkOutOfALargerOne) {
  StateDictShapes dict{.path = "", .tensors = RandomWeights("iresnet-34", 1).value()};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup whole, FindBackbone({dict}, {}));
  EXPECT_EQ(whole.network.name, "iresnet-34");
  dict.tensors.erase("layer3.5.bn1.bias");
  EXPECT_THAT(
      Message(FindBackbone({dict}, {})),
      AllOf(HasSubstr("nearest is iresnet-34"), HasSubstr("\"layer3.5.bn1.bias\" is missing")));
}

TEST(BackboneGroupTest, NamesTheNearestByWhatFitsAndNotByWhatDiffers) {
  StateDictShapes dict = Shapes("", "arcface.");
  dict.tensors.erase("arcface.last_bn.bias");
  EXPECT_THAT(Message(FindBackbone({dict}, {})),
              AllOf(HasSubstr("mobilefacenet-128 at \"arcface\""), Not(HasSubstr("iresnet")),
                    HasSubstr("\"arcface.last_bn.bias\" is missing")));
  const StateDictShapes other{.path = "", .tensors = {{"stem.conv.weight", Centres()}}};
  EXPECT_THAT(Message(FindBackbone({other}, {.preferred = {"mobilefacenet-128"}})),
              AllOf(HasSubstr("(mobilefacenet-128)"), HasSubstr("\"stem.conv.weight\"")));
}

}  // namespace
}  // namespace facegate
