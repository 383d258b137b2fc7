// Measures what one photo costs on its way to an answer: decode, detect (with the second look at
// the largest face), quality, align, embed, search; microseconds and share of each, on real photos.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/openmp.h"
#include "face/detect/choose.h"
#include "face/detect/quality_meter.h"
#include "face/detect/selection.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/image/align.h"
#include "face/image/decode.h"
#include "face/image/opencv_threads.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "index/rows/exact_index.h"
#include "tests/bench/end_bench.h"
#include "tests/support/random_embedding.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/import.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path data{};                            // FACEGATE_DATA
  fs::path photo_folder{};                    // empty: lfw/photos of `data`
  std::string model{};                        // empty: made from the weights of `data`
  std::string detector = "yunet";             // or "haar", "haar-eyes"
  std::string detector_model{};               // empty: the one of `data`
  std::optional<std::string> landmark_net{};  // for haar
  size_t photos = 200;
  size_t gallery = 100'000;
  size_t candidates = 1;
  int threads = 1;
};

constexpr std::array<std::string_view, 6> kStepNames = {"decode", "detect", "quality",
                                                        "align",  "embed",  "search"};
// Microseconds of each step, in the order of kStepNames.
using StepTimes = std::array<double, kStepNames.size()>;

// Measures one step after the other.
class StepClock {
 public:
  void EndStep() {
    const auto now = std::chrono::steady_clock::now();
    times_.at(step_++) = std::chrono::duration<double, std::micro>(now - started_).count();
    started_ = now;
  }
  const StepTimes& times() const { return times_; }

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  size_t step_ = 0;
  StepTimes times_{};
};

Status Missing(std::string_view what, std::string_view flag) {
  return InvalidArgument(fmt::format(
      "no {}: set FACEGATE_DATA to the folder that has lfw/photos, weights and detectors, or give "
      "{}",
      what, flag));
}

// Lists at most `count` photos below `folder`, evenly spread over their names.
StatusOr<std::vector<std::string>> ReadPhotos(const fs::path& folder, size_t count) {
  std::error_code failure;
  std::vector<fs::path> paths;
  for (fs::recursive_directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (it->path().extension() == ".jpg") paths.push_back(it->path());
  }
  if (failure) return NotFound(fmt::format("{}: {}", folder.string(), failure.message()));
  if (paths.empty()) return NotFound(fmt::format("{} holds no .jpg", folder.string()));
  std::sort(paths.begin(), paths.end());
  const size_t taken = std::min(count, paths.size());
  std::vector<std::string> photos;
  for (size_t i = 0; i < taken; ++i) {
    const fs::path& path = paths[i * paths.size() / taken];
    FACEGATE_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path.string(), DecodeLimits().max_bytes));
    photos.push_back(std::move(bytes));
  }
  return photos;
}

StatusOr<std::unique_ptr<Embedder>> LoadEmbedder(const Options& options) {
  const EmbedderOptions embedder{
      .threads = options.threads, .max_batch = 1, .device = "cpu", .run_canary = true};
  if (!options.model.empty()) return LoadTorchEmbedder(options.model, embedder);
  if (options.data.empty()) return Missing("model", "--model");
  const TempDir dir;
  ImportOptions import{.source = (options.data / "weights/arcface_mobilefacenet.pth").string(),
                       .out = dir.File("model.safetensors")};
  import.card.preset = "bubbliiiing";
  FACEGATE_RETURN_IF_ERROR(ImportModel(import).status());
  return LoadTorchEmbedder(import.out, embedder);
}

StatusOr<std::unique_ptr<Detector>> LoadDetector(const Options& options) {
  DetectorChoice choice{.detector = options.detector, .landmark_net = options.landmark_net};
  if (options.detector == "yunet") {
    choice.yunet = options.detector_model;
    if (options.detector_model.empty()) {
      if (options.data.empty()) return Missing("detector's network", "--detector-model");
      choice.yunet = (options.data / "detectors/yunet_n_dynamic.onnx").string();
    }
  }
  return ChooseDetector(choice);
}

StatusOr<std::unique_ptr<QualityMeter>> LoadMeter() {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSIGN_OR_RETURN(QualityWeights quality, BundledQualityWeights());
  return CreateQualityMeter(std::move(landmarks), std::move(quality));
}

// Random unit templates, each of an identity of its own.
StatusOr<std::unique_ptr<VectorIndex>> MakeGallery(size_t rows, size_t dimension) {
  auto index = MakeExactIndex(dimension);
  FACEGATE_RETURN_IF_ERROR(index->Reserve(rows));
  std::mt19937_64 random(20220901);
  for (uint64_t id = 1; id <= rows; ++id) {
    index->Add(id, id, RandomEmbedding(random, dimension).values());
  }
  return index;
}

class Pipeline {
 public:
  static StatusOr<Pipeline> Create(const Options& options) {
    FACEGATE_ASSIGN_OR_RETURN(auto detector, LoadDetector(options));
    FACEGATE_ASSIGN_OR_RETURN(auto meter, LoadMeter());
    FACEGATE_ASSIGN_OR_RETURN(auto embedder, LoadEmbedder(options));
    const auto dimension = static_cast<size_t>(embedder->card().embedding_size);
    FACEGATE_ASSIGN_OR_RETURN(auto index, MakeGallery(options.gallery, dimension));
    return Pipeline(std::move(detector), std::move(meter), std::move(embedder), std::move(index),
                    options.candidates);
  }

  // kNoFace where the detector finds none.
  StatusOr<StepTimes> Run(std::string_view photo) const {
    StepClock clock;
    FACEGATE_ASSIGN_OR_RETURN(const Image image, DecodeImage(photo, {}));
    clock.EndStep();
    FACEGATE_ASSIGN_OR_RETURN(const auto found, detector_->Detect(image));
    FACEGATE_ASSIGN_OR_RETURN(
        const auto faces,
        SelectFaces(found, {.selection = FaceSelection::kCentral, .box = {}}, image.bgr.size()));
    clock.EndStep();
    FACEGATE_RETURN_IF_ERROR(meter_->OfFace(image, faces.front()).status());
    clock.EndStep();
    FACEGATE_ASSIGN_OR_RETURN(
        const AlignedFace crop,
        AlignFace(image, faces.front().landmarks, embedder_->card().preprocessing.alignment));
    clock.EndStep();
    FACEGATE_ASSIGN_OR_RETURN(const auto embeddings, embedder_->Embed(std::span(&crop, 1)));
    clock.EndStep();
    FACEGATE_RETURN_IF_ERROR(index_->Search(embeddings.front().values(), candidates_).status());
    clock.EndStep();
    return clock.times();
  }

  std::string Description() const {
    return fmt::format("{}, {}, gallery of {} templates", detector_->name(),
                       embedder_->card().architecture, index_->size());
  }

 private:
  Pipeline(std::unique_ptr<Detector> detector, std::unique_ptr<QualityMeter> meter,
           std::unique_ptr<Embedder> embedder, std::unique_ptr<VectorIndex> index,
           size_t candidates)
      : detector_(std::move(detector)),
        meter_(std::move(meter)),
        embedder_(std::move(embedder)),
        index_(std::move(index)),
        candidates_(candidates) {}

  std::unique_ptr<Detector> detector_;
  std::unique_ptr<QualityMeter> meter_;
  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<VectorIndex> index_;
  size_t candidates_;
};

// The value below which `share` of the values lie; reorders them.
double Quantile(std::vector<double>& values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<size_t>(rank)];
}

void PrintTable(const std::vector<StepTimes>& photos) {
  StepTimes medians{};
  StepTimes slow{};
  for (size_t step = 0; step < kStepNames.size(); ++step) {
    std::vector<double> values;
    for (const StepTimes& photo : photos) values.push_back(photo.at(step));
    medians.at(step) = Quantile(values, 0.5);
    slow.at(step) = Quantile(values, 0.9);
  }
  const double total = std::accumulate(medians.begin(), medians.end(), 0.0);
  fmt::print("{:<10}{:>12}{:>12}{:>10}\n", "step", "median us", "p90 us", "share %");
  for (size_t step = 0; step < kStepNames.size(); ++step) {
    fmt::print("{:<10}{:>12.1f}{:>12.1f}{:>10.1f}\n", kStepNames.at(step), medians.at(step),
               slow.at(step), 100.0 * medians.at(step) / total);
  }
  fmt::print("{:<10}{:>12.1f}{:>12}{:>10.1f}\n", "all", total, "", 100.0);
}

Status Run(const Options& options) {
  const fs::path folder =
      options.photo_folder.empty() ? options.data / "lfw/photos" : options.photo_folder;
  if (options.photo_folder.empty() && options.data.empty()) {
    return Missing("photos", "--photo-folder");
  }
  SetOpenCvThreads(1);
  FACEGATE_ASSIGN_OR_RETURN(const auto photos, ReadPhotos(folder, options.photos));
  FACEGATE_ASSIGN_OR_RETURN(const Pipeline pipeline, Pipeline::Create(options));
  // The first run of each part takes memory and compiles; it is not counted.
  for (size_t i = 0; i < std::min<size_t>(3, photos.size()); ++i) {
    const auto times = pipeline.Run(photos[i]);
    if (!times.ok() && ReasonOf(times.status()) != Reason::kNoFace) return times.status();
  }
  std::vector<StepTimes> measured;
  for (const std::string& photo : photos) {
    const auto times = pipeline.Run(photo);
    if (times.ok()) {
      measured.push_back(*times);
    } else if (ReasonOf(times.status()) != Reason::kNoFace) {
      return times.status();
    }
  }
  if (measured.empty()) return NotFound("none of the photos shows a face");
  fmt::print("{} photos, {} without a face; {}; {} thread{}\n", photos.size(),
             photos.size() - measured.size(), pipeline.Description(), options.threads,
             options.threads == 1 ? "" : "s");
  PrintTable(measured);
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times each step from a photo to the answer of a search: medians over real photos, one face "
      "(the central one) at a time.\n"
      "Examples: FACEGATE_DATA=~/facegate-data pipeline_bench\n"
      "          pipeline_bench --photo-folder photos --detector haar --model face.safetensors");
  app.add_option("--data", options.data, "Folder with lfw/photos, weights and detectors")
      ->envname("FACEGATE_DATA");
  app.add_option("--photo-folder", options.photo_folder, "JPEG photos, instead of --data's");
  app.add_option("--model", options.model, "Model file, instead of one made from --data's weights");
  app.add_option("--detector", options.detector, "yunet, haar or haar-eyes")
      ->check(CLI::IsMember({"yunet", "haar", "haar-eyes"}))
      ->capture_default_str();
  app.add_option("--detector-model", options.detector_model, "YuNet file, instead of --data's");
  app.add_option("--landmark-net", options.landmark_net, "File of a landmark network for haar");
  app.add_option("--photos", options.photos, "Photos, evenly spread over the folder")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--gallery", options.gallery, "Random templates that are searched")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--candidates", options.candidates, "Identities that a search returns")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Of the network; the other steps run on one")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return EndBench("pipeline_bench", Run(options));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  facegate::WaitBrieflyInOpenMp(argv);
  return facegate::Main(argc, argv);
}
