#include "trainer/command/train_cli.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "face/base/file.h"
#include "face/network/random_weights.h"
#include "face/weights/model_file.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TrainCliTest : public ::testing::Test {
 protected:
  TrainExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  std::string File(const std::string& name) const { return dir_.File(name); }

  // Random weights as a .safetensors without a card, each name with `prefix`.
  std::string Weights(const std::string& prefix = "") {
    auto tensors = RandomWeights("mobilefacenet-128", 7);
    EXPECT_THAT(tensors, IsOk());
    Safetensors file;
    for (auto& [name, tensor] : *tensors) file.tensors[prefix + name] = std::move(tensor);
    std::string path = File("weights.safetensors");
    EXPECT_THAT(WriteFileAtomically(path, SerializeSafetensors(file)), IsOk());
    return path;
  }
  std::string Photo(const std::string& name, const cv::Mat& picture) {
    std::string path = File(name);
    EXPECT_THAT(WriteFileAtomically(path, Encode(picture, ".png")), IsOk());
    return path;
  }
  std::string RandomModel(std::optional<float> default_min_cosine = std::nullopt) {
    std::string path = File("random.safetensors");
    EXPECT_THAT(WriteRandomModel(path, {.default_min_cosine = default_min_cosine}), IsOk());
    return path;
  }

 private:
  TempDir dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(TrainCliTest, ShowsNamesInErrorsAsText) {
  EXPECT_EQ(Run({"inspect", File("\x1b[2J\xb9")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr(R"(/\x1b[2J\xb9)"));
}

TEST_F(TrainCliTest, ExplainsItselfAndItsExitCodes) {
  EXPECT_EQ(Run({"--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out(), AllOf(HasSubstr("import"), HasSubstr("compare"), HasSubstr("Exit codes"),
                           HasSubstr("Examples")));
  EXPECT_EQ(Run({"compare", "--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out(), AllOf(HasSubstr("taken as aligned already"), HasSubstr("--detect")));
  EXPECT_EQ(Run({"import", "--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out(), HasSubstr("--preset"));
  EXPECT_EQ(Run({"--version"}), TrainExitCode::kOk);
  EXPECT_THAT(out(), ::testing::MatchesRegex("facegate-train [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(TrainCliTest, TellsAWrongCommandLineFromAFailure) {
  EXPECT_EQ(Run({}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"dance"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"import", "only-one"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"import", "a", "b", "--preset", "x"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"import", "a", "b", "--default-min-cosine", "2"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"compare", "a", "b", "c", "--select", "x"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"import", File("absent"), File("out"), "--preset", "insightface"}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("facegate-train import: "));
}

TEST_F(TrainCliTest, SaysWhichSettingOfFitIsWrongOnce) {
  EXPECT_EQ(Run({"fit", File("run"), "--set", "data.bach=3"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("facegate-train fit: --set: data.bach=3: there is no key"));
  EXPECT_EQ(Run({"fit", File("run"), "--set", "data.batch"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("fit: --set: \"data.batch\" is not KEY=VALUE"));
}

TEST_F(TrainCliTest, SuggestsWhatWasProbablyMeant) {
  EXPECT_EQ(Run({"improt", "a", "b"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("Did you mean facegate-train import?"));
  EXPECT_EQ(Run({"eval", "m", "--piars=p"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("Did you mean --pairs for --piars?"));
  EXPECT_EQ(Run({"pack", "a", "b", "--min_photos", "3"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("Did you mean --min-photos"));
  EXPECT_EQ(Run({"dance"}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), ::testing::Not(HasSubstr("Did you mean")));
}

TEST_F(TrainCliTest, TakesTheFileToWriteAsAnOptionToo) {
  ASSERT_EQ(Run({"import", RandomModel(), "-o", File("a.safetensors")}), TrainExitCode::kOk)
      << err();
  ASSERT_EQ(Run({"import", RandomModel(), "--out", File("b.safetensors")}), TrainExitCode::kOk);
  ASSERT_EQ(Run({"import", RandomModel(), "--output", File("c.safetensors")}), TrainExitCode::kOk);
  EXPECT_THAT(ReadModelFile(File("c.safetensors")), IsOk());
  EXPECT_EQ(Run({"import", RandomModel()}), TrainExitCode::kUsage);
}

// A training of one's own writes it so: the backbone under a prefix, and a head.
TEST_F(TrainCliTest, ImportsABackboneBesideAHeadAndNamesTheHead) {
  auto tensors = RandomWeights("mobilefacenet-128", 7);
  ASSERT_THAT(tensors, IsOk());
  Safetensors file;
  for (auto& [name, tensor] : *tensors) file.tensors["arcface." + name] = std::move(tensor);
  file.tensors["head.weight"] = {
      .dtype = DType::kF32, .shape = {3, 128}, .bytes = std::string(3 * 128 * 4, '\0')};
  ASSERT_THAT(WriteFileAtomically(File("w.safetensors"), SerializeSafetensors(file)), IsOk());
  ASSERT_EQ(Run({"import", File("w.safetensors"), "-o", File("m.safetensors"), "--preset",
                 "bubbliiiing"}),
            TrainExitCode::kOk)
      << err();
  EXPECT_THAT(out(), HasSubstr("1 tensor that is not the backbone's: head.weight"));
}

TEST_F(TrainCliTest, ImportsWeightsWithACardThatLoads) {
  const std::string model = File("model.safetensors");
  ASSERT_EQ(Run({"import", Weights("module.arcface."), model, "--preset", "insightface", "--mirror",
                 "--default-min-cosine", "0.4", "--licence", "test"}),
            TrainExitCode::kOk)
      << err();
  EXPECT_THAT(out(), AllOf(HasSubstr("mobilefacenet-128"), HasSubstr("1003136 in")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile file, ReadModelFile(model));
  EXPECT_EQ(file.card.architecture, "mobilefacenet-128");
  EXPECT_EQ(file.card.embedding_size, 128);
  EXPECT_TRUE(file.card.preprocessing.mirror_average);
  EXPECT_EQ(file.card.default_min_cosine, 0.4F);
  EXPECT_EQ(file.card.licence, "test");
  EXPECT_THAT(file.card.origin, HasSubstr("sha256"));
  ASSERT_TRUE(file.card.canary.has_value());
  EXPECT_EQ(file.card.canary->embeddings.size(), 4U);
  EXPECT_THAT(out(), HasSubstr(file.card.model_digest));
}

TEST_F(TrainCliTest, ImportsAModelFileKeepingItsCardAndDigest) {
  const std::string source = RandomModel(0.25F);
  ASSERT_EQ(Run({"import", source, File("again.safetensors")}), TrainExitCode::kOk) << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile before, ReadModelFile(source));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile after, ReadModelFile(File("again.safetensors")));
  EXPECT_EQ(after.card.model_digest, before.card.model_digest);
  EXPECT_EQ(after.card.preprocessing_digest, before.card.preprocessing_digest);
  EXPECT_EQ(after.card.default_min_cosine, 0.25F);
  EXPECT_EQ(after.card.origin, before.card.origin);
  EXPECT_TRUE(after.card.canary.has_value());
}

TEST_F(TrainCliTest, StoresHalfOfTheBits) {
  const std::string source = File("source.safetensors");
  ASSERT_EQ(Run({"import", RandomModel(0.25F), source}), TrainExitCode::kOk) << err();
  const std::string half = File("half.safetensors");
  ASSERT_EQ(Run({"import", "--half", source, half}), TrainExitCode::kOk) << err();
  EXPECT_LT(10 * std::filesystem::file_size(half), 6 * std::filesystem::file_size(source));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile before, ReadModelFile(source));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile after, ReadModelFile(half));
  EXPECT_NE(after.card.model_digest, before.card.model_digest);
  EXPECT_EQ(after.card.default_min_cosine, 0.25F);
  EXPECT_EQ(after.tensors.at("conv1.conv.weight").dtype, DType::kF16);
  EXPECT_EQ(after.tensors.at("conv1.bn.running_var").dtype, DType::kF32);
  // The same faces get nearly the same embeddings.
  ASSERT_TRUE(before.card.canary.has_value() && after.card.canary.has_value());
  for (size_t i = 0; i < 4; ++i) {
    const auto& a = before.card.canary->embeddings[i];
    const auto& b = after.card.canary->embeddings[i];
    EXPECT_GT(std::inner_product(a.begin(), a.end(), b.begin(), 0.0), 0.999);
  }
}

TEST_F(TrainCliTest, MixesTheWeightsOfTwoModels) {
  const auto model_of = [&](uint64_t seed, const std::string& name) {
    Safetensors file{.tensors = *RandomWeights("mobilefacenet-128", seed), .metadata = {}};
    EXPECT_THAT(WriteFileAtomically(File(name), SerializeSafetensors(file)), IsOk());
    EXPECT_EQ(Run({"import", "--preset", "insightface", "--licence", "licence of " + name,
                   "--default-min-cosine", "0.4", File(name), File(name + ".model")}),
              TrainExitCode::kOk)
        << err();
    return File(name + ".model");
  };
  const std::string one = model_of(1, "one");
  const std::string two = model_of(2, "two");
  ASSERT_EQ(Run({"import", "--mix", two, "--mix-share", "0.25", one, File("mix")}),
            TrainExitCode::kOk)
      << err();
  const auto number = [](const std::string& path) {
    const auto file = ReadModelFile(path);
    EXPECT_THAT(file, IsOk());
    float value = 0.0F;
    std::memcpy(&value, file->tensors.at("conv1.conv.weight").bytes.data(), sizeof(value));
    return value;
  };
  EXPECT_FLOAT_EQ(number(File("mix")), 0.75F * number(one) + 0.25F * number(two));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile mixed, ReadModelFile(File("mix")));
  EXPECT_THAT(mixed.card.origin, HasSubstr("0.25 of its weights"));
  EXPECT_THAT(mixed.card.licence, AllOf(HasSubstr("licence of one"), HasSubstr("licence of two")));
  EXPECT_FALSE(mixed.card.default_min_cosine.has_value()) << "it was one of other weights";
  EXPECT_EQ(Run({"import", "--mix-share", "0.25", one, File("other")}), TrainExitCode::kUsage);
}

TEST_F(TrainCliTest, RefusesToMixModelsThatSeeFacesDifferently) {
  const std::string one = RandomModel();
  ASSERT_EQ(Run({"import", "--mirror", one, File("mirrored")}), TrainExitCode::kOk) << err();
  EXPECT_EQ(Run({"import", "--mix", File("mirrored"), one, File("mix")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("of other faces"));
}

TEST_F(TrainCliTest, RefusesToImportWithoutKnowingTheAlignment) {
  EXPECT_EQ(Run({"import", Weights(), File("out")}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), AllOf(HasSubstr("--preset"), HasSubstr("--alignment")));
  EXPECT_FALSE(std::filesystem::exists(File("out")));
}

TEST_F(TrainCliTest, ReplacesAFileOnlyWhenForced) {
  const std::string source = RandomModel();
  const std::string out_path = File("out.safetensors");
  ASSERT_THAT(WriteFileAtomically(out_path, "precious"), IsOk());
  EXPECT_EQ(Run({"import", source, out_path}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("--force"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string kept, ReadFile(out_path, 100));
  EXPECT_EQ(kept, "precious");
  EXPECT_EQ(Run({"import", source, out_path, "--force"}), TrainExitCode::kOk) << err();
  EXPECT_THAT(ReadModelFile(out_path), IsOk());
}

TEST_F(TrainCliTest, RefusesAnArchitectureThatDoesNotFit) {
  const std::string weights = Weights();
  EXPECT_EQ(Run({"import", weights, File("out"), "--preset", "insightface", "--architecture", "x"}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("mobilefacenet-128"));
  EXPECT_EQ(Run({"import", weights, File("out"), "--preset", "insightface", "--architecture",
                 "iresnet-18"}),
            TrainExitCode::kFailed);
  EXPECT_FALSE(std::filesystem::exists(File("out")));
}

TEST_F(TrainCliTest, ComparesAlignedCrops) {
  const std::string model = RandomModel();
  const std::string a = Photo("a.png", SyntheticCrop(1));
  const std::string b = Photo("b.png", SyntheticCrop(2));
  ASSERT_EQ(Run({"compare", "--json", model, a, a}), TrainExitCode::kOk) << err();
  auto json = nlohmann::json::parse(out());
  EXPECT_NEAR(json["cosine"].get<double>(), 1.0, 1e-5);
  EXPECT_NEAR(json["distance"].get<double>(), 0.0, 5e-3);
  EXPECT_TRUE(json["match"].is_null());
  EXPECT_EQ(json["found_by"], nlohmann::json::parse(R"(["aligned crop","aligned crop"])"));
  ASSERT_EQ(Run({"compare", "--json", model, a, b}), TrainExitCode::kOk) << err();
  json = nlohmann::json::parse(out());
  const double cosine = json["cosine"].get<double>();
  EXPECT_LT(cosine, 0.9999);
  EXPECT_NEAR(json["distance"].get<double>(), std::sqrt(2 - 2 * cosine), 1e-6);
}

TEST_F(TrainCliTest, DrawsWhatItCompares) {
  const std::string a = Photo("a.png", SyntheticCrop(1));
  const std::string b = Photo("b.png", SyntheticCrop(2));
  const std::string drawing = File("both.png");
  ASSERT_EQ(Run({"compare", "--draw", drawing, RandomModel(0.9F), a, b}), TrainExitCode::kOk)
      << err();
  const cv::Mat sheet = cv::imread(drawing);
  ASSERT_FALSE(sheet.empty());
  EXPECT_GE(sheet.cols, 2 * 320);
  EXPECT_GE(sheet.rows, 2 * 320);
}

TEST_F(TrainCliTest, DecidesByTheCardsDefaultAndSaysThatItIsNotCalibrated) {
  const std::string model = RandomModel(-1.0F);
  const std::string a = Photo("a.png", SyntheticCrop(1));
  ASSERT_EQ(Run({"compare", model, a, a}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), AllOf(HasSubstr("cosine"), HasSubstr("distance"), HasSubstr("match     yes"),
                           HasSubstr("not calibrated")));
}

TEST_F(TrainCliTest, LooksForAFaceWhereThePhotoIsNoCropOrDetectionIsForced) {
  const std::string model = RandomModel();
  const std::string crop = Photo("crop.png", SyntheticCrop(1));
  const std::string grey = Photo("grey.png", cv::Mat(200, 200, CV_8UC3, cv::Scalar(90, 90, 90)));
  EXPECT_EQ(Run({"compare", "--detector", "haar", model, crop, grey}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("grey.png"));
  const std::string flat = Photo("flat.png", cv::Mat(112, 112, CV_8UC3, cv::Scalar(90, 90, 90)));
  EXPECT_EQ(Run({"compare", "--detect", model, flat, flat}), TrainExitCode::kFailed);
  EXPECT_EQ(Run({"compare", "--detector", "yunet", model, crop, grey}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("--yunet"));
}

TEST_F(TrainCliTest, NamesThePhotoThatCannotBeRead) {
  const std::string model = RandomModel();
  const std::string crop = Photo("crop.png", SyntheticCrop(1));
  EXPECT_EQ(Run({"compare", model, crop, File("absent.png")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("absent.png"));
  ASSERT_THAT(WriteFileAtomically(File("text.png"), "no picture"), IsOk());
  EXPECT_EQ(Run({"compare", model, crop, File("text.png")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("text.png"));
}

}  // namespace
}  // namespace facegate
