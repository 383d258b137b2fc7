// Measures how far the landmarks of detectors are from given ones, on photos of people whom the
// bundled landmark network did not learn from. The given ones are YuNet's at 320 pixels: YuNet at
// other sizes, and on the same photos moved by a few pixels, says how far they are from themselves.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "face/detect/choose.h"
#include "face/detect/yunet.h"
#include "face/image/opencv_threads.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/landmarks/held_out_check.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {
namespace {

// fit-landmarks holds out this share unless it is told otherwise.
constexpr double kHeldOut = 0.2;
constexpr uint64_t kSeed = 1;

// Another detector on pictures that have some more pixels at the left and above.
class MovedDetector final : public Detector {
 public:
  MovedDetector(std::unique_ptr<Detector> detector, int pixels)
      : detector_(std::move(detector)), pixels_(pixels) {}

  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override {
    Image moved;
    cv::copyMakeBorder(image.bgr, moved.bgr, pixels_, 0, pixels_, 0, cv::BORDER_REPLICATE);
    FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> faces, detector_->Detect(moved, stop));
    const auto offset = static_cast<float>(pixels_);
    for (DetectedFace& face : faces) {
      face.box -= cv::Point2f(offset, offset);
      for (auto& point : face.landmarks) point -= cv::Point2f(offset, offset);
    }
    return faces;
  }
  const std::string& name() const override { return detector_->name(); }

 private:
  const std::unique_ptr<Detector> detector_;
  const int pixels_;
};

struct Row {
  std::string name;
  std::unique_ptr<Detector> detector;
};

StatusOr<std::vector<Row>> Rows(const std::filesystem::path& data) {
  std::vector<Row> rows;
  const std::string yunet = (data / "detectors/yunet_n_dynamic.onnx").string();
  for (const int side : {320, 288, 352, 384, 448, 512}) {
    FACEGATE_ASSIGN_OR_RETURN(auto detector,
                              CreateYuNetDetector({.model_path = yunet, .min_side = side}));
    rows.push_back({fmt::format("yunet, {} pixels", side), std::move(detector)});
  }
  for (const int pixels : {2, 4, 8, 13}) {
    FACEGATE_ASSIGN_OR_RETURN(auto detector, CreateYuNetDetector({.model_path = yunet}));
    rows.push_back({fmt::format("yunet, moved by {} pixels", pixels),
                    std::make_unique<MovedDetector>(std::move(detector), pixels)});
  }
  FACEGATE_ASSIGN_OR_RETURN(auto haar, ChooseDetector({.detector = "haar"}));
  rows.push_back({"haar and the bundled network", std::move(haar)});
  return rows;
}

StatusOr<OrderedLandmarks> ChoosePhotos(const std::filesystem::path& data, size_t step,
                                        bool learned) {
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkTable table,
                            ReadLandmarks((data / "lfw/landmarks.txt").string()));
  OrderedLandmarks all;
  for (const auto& [name, points] : table) {
    if (IsHeldOut(name, kHeldOut, kSeed) != learned) all.emplace(name, points);
  }
  OrderedLandmarks chosen;
  size_t number = 0;
  for (const auto& one : all) {
    if (number++ % step == 0) chosen.insert(one);
  }
  return chosen;
}

Status Run(const std::filesystem::path& data, size_t step, bool learned) {
  SetOpenCvThreads(1);
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks photos, ChoosePhotos(data, step, learned));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Row> rows, Rows(data));
  std::cout << fmt::format(
                   "{} photos; distance from the given landmarks over that of the eyes, %\n",
                   photos.size())
            << fmt::format("{:<30}{:>8}{:>18}{:>16}{:>16}\n", "detector", "found",
                           "median landmark", "median face", "90th face");
  for (const Row& row : rows) {
    FACEGATE_ASSIGN_OR_RETURN(
        const LandmarkErrors errors,
        CheckDetector(*row.detector, (data / "lfw/photos").string(), photos, [] {}));
    std::cout << fmt::format("{:<30}{:>8.2f}{:>18.2f}{:>16.2f}{:>16.2f}\n", row.name,
                             100 * errors.found_share(), 100 * errors.point_median,
                             100 * errors.median, 100 * errors.ninetieth)
              << std::flush;
  }
  return OkStatus();
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app(
      "How far detectors' landmarks are from those of lfw/landmarks.txt, on people held out.\n"
      "Example: landmark_bench --data ~/facegate-data --every 4");
  std::filesystem::path data;
  size_t step = 1;
  app.add_option("--data", data, "Folder with lfw and detectors")
      ->envname("FACEGATE_DATA")
      ->required();
  app.add_option("--every", step, "Only each so-many-th photo")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  bool learned = false;
  app.add_flag("--learned", learned, "Photos of people whom the bundled network learned from");
  CLI11_PARSE(app, argc, argv);
  const facegate::Status status = facegate::Run(data, step, learned);
  if (status.ok()) return 0;
  std::cerr << "landmark_bench: " << facegate::MessageOf(status) << "\n";
  return 1;
}
