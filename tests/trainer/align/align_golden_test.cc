// Crops of real photos against the path that serves.
#include "face/detect/choose.h"
#include "tests/support/test_data.h"
#include "tests/trainer/align/align_fixture.h"
#include "trainer/align/align_job.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

constexpr size_t kRealPhotos = 24;

class AlignGoldenTest : public ::testing::TestWithParam<bool> {};

TEST_P(AlignGoldenTest, CropsOfRealPhotosAreThoseThatTheServerCuts) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto lfw,
                                OpenPhotoSource((data / "lfw" / "photos").string(), ""));
  std::vector<std::string> names;
  for (size_t i = 0; i < kRealPhotos; ++i) {
    names.push_back(lfw->short_name(i * lfw->size() / kRealPhotos));
  }
  std::string list;
  for (const std::string& name : names)
    list += fmt::format("{},{}\n", name, name.substr(0, name.find('/')));
  WriteBytes(dir.File("list.csv"), list);
  AlignOptions options{.sources = {dir.File("list.csv")},
                       .list_root = (data / "lfw" / "photos").string(),
                       .out = dir.File("out")};
  options.cut.view.size = {128, 128};
  DetectorChoice choice;
  if (GetParam()) choice.yunet = (data / "detectors" / "yunet_n_dynamic.onnx").string();
  options.cut.faces.yunet = choice.yunet;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignReport report, AlignPhotos(options, {}));
  EXPECT_GE(report.aligned, report.photos * 9 / 10);

  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, ChooseDetector(choice));
  size_t compared = 0;
  for (const std::string& name : names) {
    const cv::Mat view = cv::imread(dir.File("out/" + name.substr(0, name.size() - 4) + ".png"));
    if (view.empty()) continue;
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                                  ReadFile((data / "lfw" / "photos" / name).string(), 1 << 24));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace crop, ServedCrop(*detector, bytes));
    EXPECT_EQ(cv::norm(view(cv::Rect(8, 8, 112, 112)), crop.bgr, cv::NORM_INF), 0.0) << name;
    ++compared;
  }
  EXPECT_EQ(compared, report.aligned);
}

INSTANTIATE_TEST_SUITE_P(Detectors, AlignGoldenTest, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "YuNet" : "Haar"; });

}  // namespace
}  // namespace facegate
