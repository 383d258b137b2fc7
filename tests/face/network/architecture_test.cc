#include "face/network/architecture.h"

#include <gmock/gmock.h>

#include <iterator>
#include <string>
#include <utility>

#include "face/network/random_weights.h"
#include "face/network/tensor_list.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Those of the originals; tests/golden/backbone_reference.py prints most of them.
constexpr std::pair<const char*, int64_t> kParameters[] = {
    {"mobilefacenet-128", 1'003'136},
    {"mobilefacenet-512", 2'059'520},
    {"iresnet-18", 24'025'600},
    {"iresnet-34", 34'139'328},
    {"iresnet-50", 43'590'848},
    {"iresnet-100", 65'156'160},
    {"iresnet-200", 118'833'920},
    {"ir-18", 24'020'352},
    {"irse-18", 24'107'392},
    {"ir-34", 34'134'080},
    {"irse-34", 34'291'264},
    {"ir-50", 43'574'976},
    {"irse-50", 43'797'696},
    {"ir-100", 65'129'792},
    {"irse-100", 65'502'016},
    {"ir-152", 70'737'600},
    {"irse-152", 71'148'736},
    {"adaface-ir-50", 43'585'600},
    {"adaface-ir-100", 65'150'912},
    {"adaface-ir-152", 109'636'736},
    {"adaface-ir-200", 114'138'240},
    {"resnet-face-18", 25'627'081},
    {"resnet-face-18-se", 25'716'169},
    {"resnet-face-18-rgb200", 53'153'353},
    {"resnet-face-18-rgb200-se", 53'242'441},
    {"resnet-18-grey128", 27'949'632},
    {"resnet-34-grey128", 38'057'792},
    {"resnet-50-grey128", 90'608'576},
    {"resnet-101-grey128", 109'600'704},
    {"resnet-152-grey128", 125'244'352},
    {"resnet-18-pooled", 24'069'824},
    {"resnet-34-pooled", 34'177'984},
    {"resnet-50-pooled", 75'082'816},
    {"resnet-101-pooled", 94'074'944},
    {"resnet-152-pooled", 109'718'592},
    {"resnet-50-mean-128", 23'770'560},
    {"resnet-18-plane-2", 11'202'118},
    {"mobilenetv1-512", 16'580'416},
    {"keras-resnet-50", 40'317'440},
    {"keras-mobilenetv2", 12'713'728},
    {"ghostfacenet-v1-s1", 4'059'748},
    {"ghostfacenet-v1-s2", 4'037'836},
    {"vit-t", 19'137'792},
    {"vit-s", 76'023'296},
};

TEST(ArchitectureTest, ParameterCountsAreThoseOfTheOriginals) {
  for (const auto& [name, count] : kParameters)
    EXPECT_EQ(ParameterCount(name).value(), count) << name;
  EXPECT_EQ(std::size(kParameters), ArchitectureNames().size());
}

TEST(ArchitectureTest, SomeEmbeddingsAreShort) {
  for (const std::string& name : ArchitectureNames()) {
    const int size = EmbeddingSizeOf(name).value();
    EXPECT_EQ(size, name.ends_with("-128") ? 128 : name.ends_with("-2") ? 2 : 512) << name;
  }
}

TEST(ArchitectureTest, UnknownNameIsRefusedWithTheKnownOnes) {
  const auto size = EmbeddingSizeOf("resnet");
  EXPECT_THAT(size, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(size.status())),
              AllOf(HasSubstr("\"resnet\""), HasSubstr("irse-50")));
  EXPECT_THAT(ParameterCount(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(RandomWeights("x\x1b[31m", 1), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(EmbeddingSizeOf("x\x1b[31m").status())),
              Not(HasSubstr("\x1b")));
}

TEST(ArchitectureTest, TakesOtherSizesWhereANetworkHasThem) {
  const auto larger = DescribeArchitecture("irse-50@224x160");
  ASSERT_THAT(larger, IsOk());
  EXPECT_EQ(larger->name, "irse-50@224x160");
  EXPECT_EQ(larger->input, (network::Input{.channels = 3, .height = 160, .width = 224}));
  // The linear layer has 14·10 places instead of 7·7.
  EXPECT_EQ(ParameterCount("irse-50@224x160").value(), 43'797'696 + 512LL * 512 * (14 * 10 - 49));
  const auto refused = [](const std::string& name, const std::string& why) {
    const auto described = DescribeArchitecture(name);
    EXPECT_THAT(described, StatusIs(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(std::string(MessageOf(described.status())), HasSubstr(why)) << name;
  };
  EXPECT_EQ(DescribeArchitecture("irse-50@112x112")->name, "irse-50");
  refused("keras-resnet-50@224x224", "takes pictures of 112x112 alone");
  refused("irse-50@224", "is not WIDTHxHEIGHT");
  refused("irse-50@0x224", "is not WIDTHxHEIGHT");
  refused("irse-60@224x224", "unknown architecture \"irse-60\"");
}

TEST(ArchitectureTest, EverySizeIsTakenOrRefused) {
  for (const std::string& name : ArchitectureNames()) {
    for (const std::string size : {"1x1", "2x2", "17x250", "113x112", "1024x1024"}) {
      const auto described = DescribeArchitecture(name + "@" + size);
      if (described.ok()) {
        EXPECT_GT(network::CountParameters(network::TensorsOf(*described)), 0) << name << size;
      } else {
        EXPECT_THAT(described, StatusIs(StatusCode::kInvalidArgument)) << name << size;
      }
    }
  }
}

TEST(DetectArchitectureTest, RecognisesEachArchitectureByNamesAndShapes) {
  for (const std::string name : {"mobilefacenet-128", "mobilefacenet-512", "iresnet-18"}) {
    EXPECT_EQ(DetectArchitecture(RandomWeights(name, 1).value()).value(), name);
  }
}

TEST(DetectArchitectureTest, BatchCountersMayBeMissing) {
  TensorMap tensors = RandomWeights("mobilefacenet-128", 1).value();
  std::erase_if(tensors,
                [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  EXPECT_EQ(DetectArchitecture(tensors).value(), "mobilefacenet-128");
}

TEST(DetectArchitectureTest, NamesNearestArchitectureAndFirstDifferences) {
  TensorMap tensors = RandomWeights("mobilefacenet-128", 1).value();
  tensors["head.weight"] = tensors.at("last_bn.bias");
  tensors.at("sep.weight").shape = {512, 64, 1, 2};
  tensors.erase("GDC_bn.bias");
  const auto found = DetectArchitecture(tensors);
  EXPECT_THAT(found, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(found.status())),
              AllOf(HasSubstr("nearest is mobilefacenet-128"), HasSubstr("3 tensors differ"),
                    HasSubstr("\"head.weight\" is unexpected"),
                    HasSubstr("\"sep.weight\" has the shape [512, 64, 1, 2]"),
                    HasSubstr("\"GDC_bn.bias\" is missing")));
}

TEST(DetectArchitectureTest, RefusesEmptyStateDict) {
  EXPECT_THAT(DetectArchitecture({}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
