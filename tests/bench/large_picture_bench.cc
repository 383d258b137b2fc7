// Measures how many of some faces a detector finds on grounds much larger than they are, by the
// least width of a face (min_face_pixels), and what that costs. The photos are of Labeled Faces in
// the Wild, as they are: their faces are some 105 pixels wide.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/detect/landmark_cascade.h"
#include "face/detect/yunet.h"
#include "face/image/decode.h"
#include "face/image/opencv_threads.h"
#include "face/weights/bundled_landmarks.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxPhotoBytes = 1 << 20;

struct Photo {
  cv::Mat bgr;
  cv::Point2f nose;
};

// `count` photos of landmarks.txt (path, five points, score), evenly spread.
StatusOr<std::vector<Photo>> LoadPhotos(const std::filesystem::path& data, size_t count) {
  std::ifstream file(data / "lfw" / "landmarks.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.size() < count) return NotFound("there is no list of photos, lfw/landmarks.txt");
  std::vector<Photo> photos;
  for (size_t i = 0; i < count; ++i) {
    std::istringstream fields(lines[i * (lines.size() / count)]);
    std::string path;
    Photo photo;
    fields >> path;
    for (int point = 0; point < 3; ++point) fields >> photo.nose.x >> photo.nose.y;
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes,
                              ReadFile((data / "lfw" / "photos" / path).string(), kMaxPhotoBytes));
    FACEGATE_ASSIGN_OR_RETURN(const Image image, DecodeImage(bytes, {}));
    photo.bgr = image.bgr;
    photos.push_back(std::move(photo));
  }
  return photos;
}

// Soft spots and fine noise.
cv::Mat Ground(cv::Size size, uint64_t seed) {
  constexpr int kSpot = 40;
  cv::RNG random(seed);
  cv::Mat spots(size.height / kSpot + 2, size.width / kSpot + 2, CV_8UC3);
  random.fill(spots, cv::RNG::NORMAL, 120, 45);
  cv::Mat ground;
  cv::resize(spots, ground, size, 0, 0, cv::INTER_CUBIC);
  cv::Mat noise(size, CV_8UC3);
  random.fill(noise, cv::RNG::NORMAL, 20, 8);
  return ground + noise;
}

double ThreadMilliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

Status Measure(Detector& detector, const std::vector<Photo>& photos, cv::Size size, int least) {
  size_t found = 0;
  size_t others = 0;
  double milliseconds = 0;
  double longest = 0;
  for (size_t i = 0; i < photos.size(); ++i) {
    const cv::Mat& photo = photos[i].bgr;
    cv::Mat picture = Ground(size, i);
    const cv::Point at(static_cast<int>((i * 7) % 10) * (size.width - photo.cols) / 9,
                       static_cast<int>((i * 3) % 10) * (size.height - photo.rows) / 9);
    photo.copyTo(picture(cv::Rect(at, photo.size())));
    const double start = ThreadMilliseconds();
    double asked = start;
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces,
                              detector.Detect({picture}, [&] {
                                const double now = ThreadMilliseconds();
                                longest = std::max(longest, now - asked);
                                asked = now;
                                return OkStatus();
                              }));
    milliseconds += ThreadMilliseconds() - start;
    const cv::Point2f nose = photos[i].nose + cv::Point2f(at);
    const auto hits = std::count_if(faces.begin(), faces.end(), [&](const DetectedFace& face) {
      const cv::Point2f centre = (face.box.tl() + face.box.br()) / 2.0F;
      return cv::norm(centre - nose) < face.box.width / 3;
    });
    found += hits > 0 ? 1 : 0;
    others += faces.size() - static_cast<size_t>(hits);
  }
  const auto count = static_cast<double>(photos.size());
  std::cout << fmt::format(
                   "{} {}x{} min_face_pixels {}: {} of {} found, {} others, {:.0f} ms each, "
                   "longest step {:.0f} ms",
                   detector.name(), size.width, size.height, least, found, photos.size(), others,
                   milliseconds / count, longest)
            << std::endl;
  return OkStatus();
}

Status Run(const std::filesystem::path& data, size_t count, const std::vector<int>& least_widths) {
  SetOpenCvThreads(1);
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Photo> photos, LoadPhotos(data, count));
  for (const int least : least_widths) {
    FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, BundledLandmarkWeights());
    LandmarkCascadeOptions cascade;
    cascade.min_face_pixels = least;
    FACEGATE_ASSIGN_OR_RETURN(const auto bundled,
                              CreateLandmarkCascadeDetector(cascade, std::move(weights)));
    YuNetOptions yunet_options;
    yunet_options.model_path = (data / "detectors" / "yunet_n_dynamic.onnx").string();
    yunet_options.min_face_pixels = least;
    FACEGATE_ASSIGN_OR_RETURN(const auto yunet, CreateYuNetDetector(yunet_options));
    for (Detector* detector : {bundled.get(), yunet.get()}) {
      for (const cv::Size size : {cv::Size(1920, 1080), cv::Size(3840, 2160), cv::Size(4000, 3000),
                                  cv::Size(12000, 300)}) {
        FACEGATE_RETURN_IF_ERROR(Measure(*detector, photos, size, least));
      }
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Faces that are small beside a large picture: how many are found, at what cost.");
  app.footer("Example: large_picture_bench --data ~/facegate-data --min-face-pixels 60 80 120");
  std::filesystem::path data;
  size_t count = 20;
  std::vector<int> least_widths = {80};
  app.add_option("--data", data, "Folder with lfw and detectors")
      ->envname("FACEGATE_DATA")
      ->required();
  app.add_option("--photos", count, "How many photos")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--min-face-pixels", least_widths, "Least widths of a face to look for, pixels")
      ->check(CLI::Range(20, 10000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const facegate::Status status = facegate::Run(data, count, least_widths);
  if (status.ok()) return 0;
  std::cerr << "large_picture_bench: " << facegate::MessageOf(status) << "\n";
  return 1;
}
