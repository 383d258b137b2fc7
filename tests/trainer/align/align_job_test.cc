#include "trainer/align/align_job.h"

#include <nlohmann/json.hpp>

#include "face/base/folder_lock.h"
#include "face/detect/choose.h"
#include "tests/trainer/align/align_fixture.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

class AlignJobTest : public AlignFixture {
 protected:
  AlignJobTest() {
    options_.sources = {File("photos")};
    options_.out = File("out");
    options_.threads = 2;
  }
  StatusOr<AlignReport> Run() { return AlignPhotos(options_, {}); }

  AlignOptions options_;
};

TEST_F(AlignJobTest, CropsAreThoseThatTheServerCuts) {
  ASSERT_THAT(Run(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, ChooseDetector({}));
  for (size_t i = 0; i < 4; ++i) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace crop, ServedCrop(*detector, DrawnPhoto(i)));
    EXPECT_TRUE(SamePixels(Picture(fmt::format("out/p{}/{}.png", i / 2, i)), crop.bgr)) << i;
  }
}

TEST_F(AlignJobTest, TellsWhatBecameOfThePhotos) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.photos, 6u);
  EXPECT_EQ(report.aligned, 4u);
  EXPECT_THAT(report.dropped,
              ElementsAre(Pair(CutStatus::kNoFace, 1u), Pair(CutStatus::kUndecodable, 1u)));
  EXPECT_EQ(report.identities, 2u);
  EXPECT_THAT(report.without, ElementsAre("p2"));
  EXPECT_THAT(Text("out/manifest.csv"), HasSubstr("\"\",\"p2\",no-face,"));
}

TEST_F(AlignJobTest, TheManifestIsAListOfTheCrops) {
  ASSERT_THAT(Run(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto list, OpenPhotoSource(File("out/manifest.csv"), "", MissingPhotos::kRefuse));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto folder, OpenPhotoSource(File("out"), ""));
  ASSERT_EQ(list->size(), 4u);
  EXPECT_EQ(list->classes(), folder->classes());
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(list->short_name(i), folder->short_name(i));
    EXPECT_EQ(list->label(i), folder->label(i));
  }
}

TEST_F(AlignJobTest, CopiesAndDrawsWhatIsDropped) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_THAT(FilesIn(File("out.quarantine")),
              ElementsAre(Pair("p0/text.jpg", "no picture"), Pair("p2/grey.png", GreyPhoto())));
  ASSERT_EQ(report.sheet, File("out/dropped.png"));
  EXPECT_GT(Picture("out/dropped.png").cols, 128);
}

TEST_F(AlignJobTest, DrawsNoSheetAndMakesNoQuarantineWhereNothingIsDropped) {
  std::filesystem::remove_all(File("photos/p2"));
  std::filesystem::remove(File("photos/p0/text.jpg"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_FALSE(report.sheet.has_value());
  EXPECT_FALSE(report.quarantine.has_value());
  EXPECT_FALSE(std::filesystem::exists(File("out.quarantine")));
}

TEST_F(AlignJobTest, FallsBackToTheMiddleAndFlagsIt) {
  options_.cut.fallback = true;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.aligned, 4u);
  EXPECT_EQ(report.fallback, 1u);
  EXPECT_THAT(Text("out/manifest.csv"), HasSubstr("\"p2/grey.png\",\"p2\",fallback,"));
  EXPECT_EQ(Picture("out/p2/grey.png").size(), cv::Size(112, 112));
}

TEST_F(AlignJobTest, DropsAPhotoThatHasNoMiddleEither) {
  WriteBytes(File("photos/p2/line.png"),
             Encode(cv::Mat(3, 1, CV_8UC3, cv::Scalar::all(90)), ".png"));
  options_.cut.fallback = true;
  options_.cut.view.size = {112, 1024};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.fallback, 1u);
  EXPECT_EQ(report.dropped.at(CutStatus::kNoFace), 1u);
}

TEST_F(AlignJobTest, LargerViewsHaveTheCropInTheMiddle) {
  ASSERT_THAT(Run(), IsOk());
  options_.out = File("large");
  options_.cut.view.size = {144, 128};
  ASSERT_THAT(Run(), IsOk());
  const cv::Mat large = Picture("large/p1/2.png");
  ASSERT_EQ(large.size(), cv::Size(144, 128));
  EXPECT_TRUE(SamePixels(large(cv::Rect(16, 8, 112, 112)), Picture("out/p1/2.png")));
}

TEST_F(AlignJobTest, CutsOutAllFacesOfAPhoto) {
  cv::Mat both;
  cv::hconcat(Picture("photos/p0/0.png"), Picture("photos/p1/2.png"), both);
  WriteBytes(File("photos/p0/pair.png"), Encode(both, ".png"));
  options_.cut.choice = FaceChoice::kAll;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.aligned, 6u);
  EXPECT_THAT(FilesIn(File("out")), Contains(Key("p0/pair_0.png")));
  EXPECT_THAT(FilesIn(File("out")), Contains(Key("p0/pair_1.png")));
  EXPECT_FALSE(SamePixels(Picture("out/p0/pair_0.png"), Picture("out/p0/pair_1.png")));
}

// A large face at the left, a small one in the middle.
TEST_F(AlignJobTest, ChoosesTheFaceThatIsAskedFor) {
  cv::Mat both(480, 1200, CV_8UC3, cv::Scalar::all(90));
  cv::resize(Picture("photos/p0/0.png"), both(cv::Rect(0, 0, 480, 480)), {480, 480});
  Picture("photos/p1/2.png").copyTo(both(cv::Rect(480, 120, 240, 240)));
  std::filesystem::remove_all(File("photos"));
  WriteBytes(File("photos/p0/pair.png"), Encode(both, ".png"));
  // Where the box of the chosen face begins, in pixels from the left.
  const auto left_of = [&](FaceChoice choice) {
    options_.cut.choice = choice;
    options_.out = File(std::string(FaceChoiceName(choice)));
    EXPECT_THAT(Run(), IsOk());
    const std::string manifest = Text(std::string(FaceChoiceName(choice)) + "/manifest.csv");
    const auto rows = FirstRows(manifest, Separator::kComma, 2);
    EXPECT_TRUE(rows.ok() && rows->size() == 2) << manifest;
    EXPECT_EQ(rows->back().fields[4], "2") << "faces found";
    return std::stod(rows->back().fields[9]);
  };
  EXPECT_LT(left_of(FaceChoice::kLargest), 480.0);
  EXPECT_GT(left_of(FaceChoice::kCentral), 480.0);
  left_of(FaceChoice::kMostProbable);
}

TEST_F(AlignJobTest, CutsByKnownLandmarks) {
  WriteBytes(File("landmarks.txt"),
             "p0/0.png\t38.2946\t51.6963\t73.5318\t51.5014\t56.0252\t71.7366"
             "\t41.5493\t92.3655\t70.7299\t92.2041\n");
  options_.cut.faces.landmarks = File("landmarks.txt");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.aligned, 1u);
  // These landmarks are the template's own.
  EXPECT_LE(cv::norm(Picture("out/p0/0.png"), Picture("photos/p0/0.png")(cv::Rect(0, 0, 112, 112)),
                     cv::NORM_INF),
            1.0);
}

TEST_F(AlignJobTest, WritesTheSameCropsIntoAPack) {
  ASSERT_THAT(Run(), IsOk());
  options_.out = File("faces.pack");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.manifest, File("faces.pack.align/manifest.csv"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto pack, OpenPhotoSource(options_.out, ""));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto folder, OpenPhotoSource(File("out"), ""));
  ASSERT_EQ(pack->size(), folder->size());
  EXPECT_EQ(pack->classes(), folder->classes());
  for (size_t i = 0; i < pack->size(); ++i) {
    EXPECT_EQ(pack->short_name(i), folder->short_name(i));
    EXPECT_EQ(*pack->Read(i), *folder->Read(i));
  }
  EXPECT_EQ(Text("faces.pack.align/manifest.csv"), Text("out/manifest.csv"));
}

TEST_F(AlignJobTest, DoesNotDependOnTheThreads) {
  options_.threads = 1;
  ASSERT_THAT(Run(), IsOk());
  options_.out = File("other");
  options_.threads = 5;
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(FilesIn(File("other")), FilesIn(File("out")));
}

// As a kill leaves it: a manifest that is cut off anywhere, crops that it does not tell of, and
// files that were not finished.
TEST_F(AlignJobTest, GoesOnFromWhereverAKillLeavesAFolder) {
  ASSERT_THAT(Run(), IsOk());
  const auto whole = FilesIn(File("out"));
  const auto quarantine = FilesIn(File("out.quarantine"));
  const std::string& manifest = whole.at("manifest.csv");
  for (size_t size = 0; size <= manifest.size(); size += 311) {
    std::filesystem::remove(File("out/manifest.csv"));
    std::filesystem::remove(File("out/dropped.png"));
    std::filesystem::remove(File("out/p1/3.png"));
    WriteBytes(File("out/.unfinished/manifest.csv"), manifest.substr(0, size));
    WriteBytes(File("out/.unfinished/7"), "half a crop");
    WriteBytes(File("out.quarantine/.unfinished/3"), "half a photo");
    FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
    EXPECT_EQ(report.aligned, 4u) << size;
    EXPECT_EQ(FilesIn(File("out")), whole) << size;
    EXPECT_EQ(FilesIn(File("out.quarantine")), quarantine) << size;
  }
}

TEST_F(AlignJobTest, GoesOnFromWhereverAKillLeavesAPack) {
  options_.out = File("faces.pack");
  options_.cut.choice = FaceChoice::kAll;
  ASSERT_THAT(Run(), IsOk());
  const auto whole = FilesIn(File("faces.pack.align"));
  const std::string pack = Text("faces.pack");
  const std::string& manifest = whole.at("manifest.csv");
  for (size_t part = 0; part <= 5; ++part) {
    std::filesystem::remove(options_.out);
    WriteBytes(File("faces.pack.partial"), pack.substr(0, pack.size() * part / 5));
    if (part < 5) {
      std::filesystem::remove(File("faces.pack.align/manifest.csv"));
      WriteBytes(File("faces.pack.align/.unfinished/manifest.csv"),
                 manifest.substr(0, manifest.size() * (5 - part) / 5));
    }
    ASSERT_THAT(Run(), IsOk()) << part;
    EXPECT_EQ(Text("faces.pack"), pack) << part;
    EXPECT_EQ(FilesIn(File("faces.pack.align")), whole) << part;
  }
}

TEST_F(AlignJobTest, DoesNotGoOnBehindAPackWhoseManifestWasChanged) {
  options_.out = File("faces.pack");
  ASSERT_THAT(Run(), IsOk());
  const std::string pack = Text("faces.pack");
  std::string manifest = Text("faces.pack.align/manifest.csv");
  manifest.resize(manifest.size() / 2);
  WriteBytes(File("faces.pack.align/manifest.csv"), manifest);
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Text("faces.pack"), pack);
  EXPECT_EQ(Text("faces.pack.align/manifest.csv"), manifest);
}

// The first rows are as they were in the one, all of them in the other.
TEST_F(AlignJobTest, DoesNotGoOnBehindAFolderWhoseManifestWasChanged) {
  ASSERT_THAT(Run(), IsOk());
  const std::string whole = Text("out/manifest.csv");
  for (const std::string& manifest : {whole.substr(0, whole.size() / 2), whole + "my notes\n"}) {
    WriteBytes(File("out/manifest.csv"), manifest);
    EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_EQ(Text("out/manifest.csv"), manifest);
  }
}

TEST_F(AlignJobTest, TellsOfThePhotosThatItFindsFromBefore) {
  ASSERT_THAT(Run(), IsOk());
  std::filesystem::remove(File("out/p1/2.png"));
  size_t most = 0;
  size_t found = 0;
  size_t left = 0;
  ASSERT_THAT(AlignPhotos(options_, {.resuming = [&](size_t n) { most = n; },
                                     .found = [&] { ++found; },
                                     .started = [&](size_t n) { left = n; }}),
              IsOk());
  EXPECT_EQ(most, 6u);
  EXPECT_EQ(found, 3u);  // those before the one that is gone
  EXPECT_EQ(left, 3u);
}

TEST_F(AlignJobTest, ADoneRunIsToldOfAgain) {
  ASSERT_THAT(Run(), IsOk());
  size_t left = 99;
  const auto again = AlignPhotos(options_, {.started = [&](size_t n) { left = n; }, .done = {}});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(left, 0u);
  EXPECT_EQ(again->resumed, 6u);
  EXPECT_EQ(again->aligned, 4u);
  EXPECT_THAT(again->without, ElementsAre("p2"));
}

TEST_F(AlignJobTest, CutsACropAgainThatSomebodyHasRemoved) {
  ASSERT_THAT(Run(), IsOk());
  const auto whole = FilesIn(File("out"));
  std::filesystem::remove(File("out/p0/1.png"));
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(FilesIn(File("out")), whole);
}

TEST_F(AlignJobTest, DoesNotGoOnWithOtherOptionsOrPhotos) {
  ASSERT_THAT(Run(), IsOk());
  options_.cut.view.size = {128, 128};
  const auto larger = Run();
  ASSERT_THAT(larger, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(larger.status())),
              HasSubstr("size is 112x112 there and 128x128 now"));
  options_.cut.view.size = {112, 112};
  WriteBytes(File("photos/p1/more.png"), GreyPhoto());
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(AlignJobTest, DoesNotGoOnWithOtherPhotosOfTheSameNames) {
  ASSERT_THAT(Run(), IsOk());
  WriteBytes(File("photos/p1/2.png"), GreyPhoto());
  const auto changed = Run();
  ASSERT_THAT(changed, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(changed.status())), HasSubstr("sizes of photos is"));
}

// As folders were begun before their records had the sizes of photos.
TEST_F(AlignJobTest, ARecordWithoutSizesIsGoneOnWithAndGetsThem) {
  ASSERT_THAT(Run(), IsOk());
  const std::string whole = Text("out/align.json");
  auto record = nlohmann::ordered_json::parse(whole);
  ASSERT_EQ(record.erase("sizes of photos"), 1U);
  WriteBytes(File("out/align.json"), record.dump());
  EXPECT_THAT(Run(), IsOk());
  EXPECT_EQ(Text("out/align.json"), whole);
}

TEST_F(AlignJobTest, LeavesAFolderAloneThatItDidNotBegin) {
  WriteBytes(File("out/notes.txt"), "precious");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(FilesIn(File("out")), ElementsAre(Pair("notes.txt", "precious")));
  WriteBytes(File("faces.pack"), "precious");
  options_.out = File("faces.pack");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
  options_.out = File("new");
  options_.quarantine = File("out");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(AlignJobTest, RefusesASecondRunAtOnce) {
  std::filesystem::create_directories(File("out/.unfinished"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FolderLock lock, FolderLock::Take(File("out/.unfinished")));
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(AlignJobTest, RefusesAPlaceWithinThePhotos) {
  for (const char* out : {"photos", "photos/", "photos/aligned", "out/../photos/x.pack"}) {
    options_.out = File(out);
    const auto refused = Run();
    ASSERT_FALSE(refused.ok()) << out;
    EXPECT_EQ(ReasonOf(refused.status()), Reason::kInvalidField) << refused.status();
  }
  options_.out = File("out");
  options_.quarantine = File("out/bad");
  EXPECT_EQ(ReasonOf(Run().status()), Reason::kInvalidField);
  EXPECT_FALSE(std::filesystem::exists(File("out")));
}

TEST_F(AlignJobTest, RefusesARelativePlaceWithinThePhotos) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(File("photos"));
  options_.out = "aligned";
  const auto refused = Run();
  std::filesystem::current_path(before);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kInvalidField);
}

TEST_F(AlignJobTest, FailsWhereNoPhotoGivesACropAndSaysWhy) {
  std::filesystem::remove_all(File("photos/p0"));
  std::filesystem::remove_all(File("photos/p1"));
  for (const char* out : {"out", "faces.pack"}) {
    options_.out = File(out);
    for (int i = 0; i < 2; ++i) {
      const auto report = Run();
      ASSERT_THAT(report, StatusIs(StatusCode::kInvalidArgument));
      EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("1 photo: 1 no-face"));
    }
  }
  EXPECT_THAT(FilesIn(File("out")), Contains(Key("manifest.csv")));
  EXPECT_FALSE(std::filesystem::exists(File("faces.pack")));
}

TEST_F(AlignJobTest, TellsPeopleOfOneNameInTwoSetsApart) {
  WriteBytes(File("others/p1/2.png"), DrawnPhoto(0));
  options_.sources.push_back(File("others"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, Run());
  EXPECT_EQ(report.identities, 3u);
  EXPECT_THAT(FilesIn(File("out")), Contains(Key("others_p1/2.png")));
  EXPECT_THAT(FilesIn(File("out")), Contains(Key("photos_p1/2.png")));
}

TEST_F(AlignJobTest, LeavesNothingUnfinishedBehind) {
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(FilesIn(File("out")), Not(Contains(Key(HasSubstr(".unfinished")))));
  EXPECT_FALSE(std::filesystem::exists(File("out/.unfinished")));
  EXPECT_FALSE(std::filesystem::exists(File("out.quarantine/.unfinished")));
}

}  // namespace
}  // namespace facegate
