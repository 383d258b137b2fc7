// facegate-train embed as it is called.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "face/base/embedding.h"
#include "face/base/file.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/compare.h"
#include "trainer/command/embed.h"
#include "trainer/command/train_cli.h"
#include "trainer/photos/npy_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kWidth = 128;

class EmbedCommandTest : public ::testing::Test {
 protected:
  EmbedCommandTest() { EXPECT_THAT(WriteRandomModel(model_), IsOk()); }

  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"embed", model_});
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  // A crop in the folder "photos".
  std::string Photo(const std::string& name, uint32_t seed, int side = 112) {
    std::string path = dir_.File("photos/" + name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    cv::Mat crop;
    cv::resize(SyntheticCrop(seed), crop, {side, side});
    EXPECT_THAT(WriteFileAtomically(path, Encode(crop, ".png")), IsOk());
    return path;
  }
  std::string Out() { return dir_.File("e.npy"); }
  // The options take the crops in "photos".
  EmbedOptions Options() {
    EmbedOptions options;
    options.embedding.model = model_;
    options.embedding.faces.crops = true;
    options.photos = {dir_.File("photos")};
    options.out = Out();
    return options;
  }
  NpyArray Array() {
    const auto bytes = ReadFile(Out(), 1 << 24);
    EXPECT_THAT(bytes, IsOk());
    auto array = ParseNpy(bytes.value_or(""));
    EXPECT_THAT(array, IsOk());
    return array.ok() ? *std::move(array) : NpyArray{};
  }
  std::string Names() { return ReadFile(dir_.File("e.names.txt"), 1 << 20).value_or("absent"); }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(EmbedCommandTest, WritesARowForEachPhotoInTheOrderOfNames) {
  const std::string b = Photo("b/1.png", 2);
  const std::string a = Photo("a/2.png", 1);
  Photo("a/1.png", 3);
  ASSERT_EQ(Run({dir_.File("photos"), "--crops", "--out", Out()}), TrainExitCode::kOk) << err();
  EXPECT_EQ(Names(), "a/1.png\na/2.png\nb/1.png\n");
  const NpyArray array = Array();
  ASSERT_THAT(array.shape, ElementsAre(3u, kWidth));
  const std::span<const float> all(array.values);
  const auto compared = ComparePhotos({.model = model_, .photos = {a, b}});
  ASSERT_THAT(compared, IsOk());
  EXPECT_NEAR(CosineScore(all.subspan(kWidth, kWidth), all.subspan(2 * kWidth, kWidth)),
              compared->cosine, 1e-5);
  for (size_t row = 0; row < 3; ++row) {
    const auto values = all.subspan(row * kWidth, kWidth);
    EXPECT_NEAR(CosineScore(values, values), 1.0, 1e-6);
  }
}

TEST_F(EmbedCommandTest, ReadsListsAndPictures) {
  const std::string single = Photo("x.png", 1);
  Photo("a/1.png", 2);
  ASSERT_THAT(WriteFileAtomically(dir_.File("list"), "a/1.png\r\n"), IsOk());
  ASSERT_EQ(Run({dir_.File("list"), single, "--root", dir_.File("photos"), "--crops", "--out",
                 Out(), "--names", dir_.File("n")}),
            TrainExitCode::kOk)
      << err();
  EXPECT_EQ(ReadFile(dir_.File("n"), 1000).value_or(""), "a/1.png\n" + single + "\n");
  // The same photo twice under one name is a mistake.
  EXPECT_EQ(Run({single, single, "--crops", "--out", dir_.File("f.npy")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("two photos are called"));
}

// Lists are read as fit and inspect do; without the labels.
TEST_F(EmbedCommandTest, ReadsListsWithLabels) {
  Photo("a/1.png", 1);
  Photo("b c/2.png", 2);
  for (const char* list : {"a/1.png 0\nb c/2.png 1\n", "0;a/1.png\n1;b c/2.png\n",
                           "file,who\na/1.png,ann\nb c/2.png,bob\n", "a\\1.png\nb c\\2.jpg\n"}) {
    ASSERT_THAT(WriteFileAtomically(dir_.File("list"), list), IsOk());
    ASSERT_EQ(
        Run({dir_.File("list"), "--root", dir_.File("photos"), "--crops", "-o", Out(), "--force"}),
        TrainExitCode::kOk)
        << list << err();
    EXPECT_THAT(Array().shape, ElementsAre(2u, kWidth)) << list;
  }
}

TEST_F(EmbedCommandTest, MissingPhotosAreRefusedFirstOrLeftOut) {
  Photo("a/1.png", 1);
  ASSERT_THAT(WriteFileAtomically(dir_.File("photos/list"), "a/1.png\na/2.png\n"), IsOk());
  EXPECT_EQ(Run({dir_.File("photos/list"), "--crops", "-o", Out()}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), AllOf(HasSubstr("1 of 2 photos is not there"), HasSubstr("a/2.png"),
                           HasSubstr("--skip-missing")));
  EXPECT_EQ(Run({dir_.File("photos/list"), "--crops", "-o", Out(), "--skip-missing"}),
            TrainExitCode::kOk);
  EXPECT_THAT(out(), HasSubstr("left out: photos that are not there (1: a/2.png)"));
}

TEST_F(EmbedCommandTest, SkipsWhatSystemsLeaveInFolders) {
  Photo("a/1.png", 1);
  Photo("a/.hidden.png", 2);
  Photo(".ipynb_checkpoints/1.png", 3);
  Photo("@eaDir/1.png", 3);
  ASSERT_THAT(WriteFileAtomically(dir_.File("photos/a/notes.txt"), "no picture"), IsOk());
  ASSERT_EQ(Run({dir_.File("photos"), "--crops", "-o", Out()}), TrainExitCode::kOk) << err();
  EXPECT_EQ(Names(), "a/1.png\n");
  EXPECT_THAT(out(), AllOf(HasSubstr("operating system (3, such as"), HasSubstr("a/notes.txt")));
}

TEST_F(EmbedCommandTest, NamesBadPhotosAndGoesOn) {
  Photo("1.png", 1);
  Photo("2.png", 2, 100);
  Photo("3.png", 3);
  ASSERT_THAT(WriteFileAtomically(dir_.File("photos/4.jpg"), "no picture"), IsOk());
  ASSERT_EQ(Run({dir_.File("photos"), "--crops", "--out", Out()}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), AllOf(HasSubstr("without an embedding: 2.png: is 100 x 100 pixels"),
                           HasSubstr("4.jpg"), HasSubstr("2 without an embedding")));
  EXPECT_EQ(Names(), "1.png\n3.png\n");
  EXPECT_THAT(Array().shape, ElementsAre(2u, kWidth));
  ASSERT_EQ(
      Run({dir_.File("photos"), "--crops", "--out", Out(), "--bad", "nan", "--json", "--force"}),
      TrainExitCode::kOk)
      << err();
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json["rows"], 4);
  EXPECT_EQ(json["bad"][0]["photo"], "2.png");
  const NpyArray array = Array();
  EXPECT_THAT(array.shape, ElementsAre(4u, kWidth));
  EXPECT_TRUE(std::isnan(array.values[kWidth]));
  EXPECT_FALSE(std::isnan(array.values[2 * kWidth]));
}

TEST_F(EmbedCommandTest, PutsTheMirrorImageBehindOrAddsIt) {
  Photo("1.png", 1);
  const auto rows = [&](const std::string& mirror) {
    EXPECT_EQ(Run({dir_.File("photos"), "--crops", "--out", Out(), "--mirror", mirror, "--force"}),
              TrainExitCode::kOk)
        << err();
    return Array();
  };
  const NpyArray plain = rows("none");
  const NpyArray sum = rows("sum");
  const NpyArray both = rows("concat");
  EXPECT_THAT(both.shape, ElementsAre(1u, 2 * kWidth));
  EXPECT_THAT(sum.shape, ElementsAre(1u, kWidth));
  const std::span<const float> all(both.values);
  EXPECT_NEAR(CosineScore(all.first(kWidth), plain.values), 1.0, 1e-6);
  // The second half is another vector of unit length, and the sum lies between the two.
  const auto mirrored = all.subspan(kWidth, kWidth);
  const double apart = CosineScore(mirrored, plain.values);
  EXPECT_NEAR(CosineScore(mirrored, mirrored), 1.0, 1e-6);
  EXPECT_LT(apart, 0.9999);
  EXPECT_GT(CosineScore(sum.values, plain.values), apart);
  EXPECT_GT(CosineScore(sum.values, mirrored), apart);
}

TEST_F(EmbedCommandTest, TakesTheMiddleOfLargerCrops) {
  Photo("1.png", 1, 128);
  EXPECT_EQ(Run({dir_.File("photos"), "--crops", "--out", Out()}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("no photo has an embedding"));
  ASSERT_EQ(Run({dir_.File("photos"), "--centre-crop", "112", "--out", Out(), "--force"}),
            TrainExitCode::kOk)
      << err();
  EXPECT_THAT(Array().shape, ElementsAre(1u, kWidth));
}

// Stopped after each batch in turn, it comes to the bytes of a run that was not stopped.
TEST_F(EmbedCommandTest, GoesOnWhereItWasStopped) {
  for (uint32_t i = 0; i < 70; ++i) Photo(fmt::format("{:02}.png", i), i % 7);
  ASSERT_THAT(WriteFileAtomically(dir_.File("photos/40.png"), "no picture"), IsOk());
  EmbedOptions options = Options();
  options.out = dir_.File("whole.npy");
  ASSERT_THAT(EmbedToFile(options, [](size_t, size_t) { return true; }), IsOk());
  options.out = Out();
  size_t stops = 0;
  while (stops < 10) {
    size_t calls = 0;
    const auto report = EmbedToFile(options, [&](size_t, size_t) { return ++calls < 2; });
    if (report.ok()) {
      EXPECT_EQ(report->resumed, 70u);
      EXPECT_EQ(report->bad.size(), 1u);
      EXPECT_EQ(report->rows, 69u);
      break;
    }
    EXPECT_THAT(report, StatusIs(StatusCode::kUnavailable));
    EXPECT_FALSE(std::filesystem::exists(Out()));
    ++stops;
  }
  EXPECT_EQ(stops, 3u);
  EXPECT_EQ(ReadFile(Out(), 1 << 24).value_or("a"),
            ReadFile(dir_.File("whole.npy"), 1 << 24).value_or("b"));
}

TEST_F(EmbedCommandTest, DoesNotGoOnWithOtherOptions) {
  Photo("1.png", 1);
  const EmbedOptions options = Options();
  ASSERT_FALSE(EmbedToFile(options, [](size_t, size_t) { return false; }).ok());
  EXPECT_EQ(Run({dir_.File("photos"), "--crops", "--mirror", "sum", "-o", Out()}),
            TrainExitCode::kOk)
      << err();
  EXPECT_THAT(out(), HasSubstr("was moved to " + Out() + ".partial.aside"));
}

TEST_F(EmbedCommandTest, RefusesWhatDoesNotFit) {
  const std::string photo = Photo("1.png", 1);
  EXPECT_EQ(Run({}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({photo, "--mirror", "twice"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({photo, "--crops", "--detector", "haar"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({photo, "--centre-crop", "0"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({photo, "--crops", "--out", Out(), "--names", Out()}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({dir_.File("absent"), "--crops", "--out", Out()}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("absent"));
  EXPECT_EQ(Run({photo, "--crops", "--out", dir_.File("no/such/e.npy")}), TrainExitCode::kFailed);
  // A place that cannot be written is found before the work.
  EXPECT_EQ(Run({photo, "--crops", "--out", Out(), "--projector", dir_.File("no/such/p")}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("--projector"));
  EXPECT_FALSE(std::filesystem::exists(Out()));
  ASSERT_THAT(WriteFileAtomically(Out(), "precious"), IsOk());
  EXPECT_EQ(Run({photo, "--crops", "--out", Out()}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("--force"));
}

TEST_F(EmbedCommandTest, TriesNoPlaceOutByWritingThere) {
  const std::string photo = Photo("x.png", 1);
  const std::string mine = dir_.File("p.vectors.tsv.trial");
  ASSERT_THAT(WriteFileAtomically(mine, "precious"), IsOk());
  ASSERT_EQ(Run({photo, "--crops", "--out", Out(), "--projector", dir_.File("p")}),
            TrainExitCode::kOk)
      << err();
  EXPECT_EQ(ReadFile(mine, 100).value_or("gone"), "precious");
}

}  // namespace
}  // namespace facegate
