#include "trainer/command/compare.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/file.h"
#include "face/detect/choose.h"
#include "face/detect/selection.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/image/align.h"
#include "face/image/decode.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "face/weights/json_number.h"
#include "face/weights/model_file.h"
#include "trainer/drawing/contact_sheet.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxPhotoBytes = 64 << 20;
constexpr uint64_t kMaxPhotoPixels = 200'000'000;

StatusOr<FaceSelection> SelectionFromName(const std::string& name) {
  if (name == "largest") return FaceSelection::kLargest;
  if (name == "central") return FaceSelection::kCentral;
  if (name == "single") return FaceSelection::kSingle;
  return RefuseField("--select", fmt::format("{} is not one of largest, central, single", name));
}

// Turns photos into crops; makes the detector when the first photo needs it.
class CropMaker {
 public:
  CropMaker(const CompareOptions& options, FaceSelection selection, AlignmentTemplate alignment)
      : options_(options), selection_(selection), alignment_(alignment) {}

  // `photo` becomes the picture that the crop is of.
  StatusOr<AlignedFace> Make(std::string_view bytes, std::string& found_by, cv::Mat& photo) {
    FACEGATE_ASSIGN_OR_RETURN(const Image image, DecodeImage(bytes, {.max_bytes = kMaxPhotoBytes,
                                                                     .max_pixels = kMaxPhotoPixels,
                                                                     .heif = true}));
    photo = image.bgr;
    if (!options_.detect && image.bgr.size() == CropSize(alignment_)) {
      found_by = "aligned crop";
      return AlignedFace{.bgr = image.bgr};
    }
    if (detector_ == nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(detector_, ChooseDetector({.detector = options_.detector,
                                                           .yunet = options_.yunet,
                                                           .landmark_net = options_.landmark_net}));
    }
    found_by = detector_->name();
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, detector_->Detect(image));
    FACEGATE_ASSIGN_OR_RETURN(
        const std::vector<DetectedFace> chosen,
        SelectFaces(faces, {.selection = selection_, .box = {}}, image.bgr.size()));
    return AlignFace(image, chosen.front().landmarks, alignment_);
  }

 private:
  const CompareOptions& options_;
  const FaceSelection selection_;
  const AlignmentTemplate alignment_;
  std::unique_ptr<Detector> detector_;
};

void PrintJson(const CompareReport& report, std::ostream& out) {
  nlohmann::ordered_json json;
  json["cosine"] = report.cosine;
  json["distance"] = report.distance;
  json["model_digest"] = report.model_digest;
  json["default_min_cosine"] = nullptr;
  json["match"] = nullptr;
  if (report.default_min_cosine) {
    json["default_min_cosine"] = nlohmann::json::parse(JsonNumber(*report.default_min_cosine));
    json["match"] = report.cosine >= *report.default_min_cosine;
  }
  json["found_by"] = report.found_by;
  out << json.dump(2) << "\n";
}

void PrintTable(const CompareReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, std::string_view value) {
    out << fmt::format("{:<10}{}\n", name, value);
  };
  row("cosine", fmt::format("{:.6f}", report.cosine));
  row("distance", fmt::format("{:.6f}", report.distance));
  if (report.default_min_cosine) {
    row("match",
        fmt::format("{} (cosine from {} on, the card's default{})",
                    report.cosine >= *report.default_min_cosine ? "yes" : "no",
                    *report.default_min_cosine, report.calibrated ? "" : "; not calibrated"));
  }
  row("model", report.model_digest);
  row("faces", fmt::format("{}; {}", report.found_by[0], report.found_by[1]));
}

// Both photos side by side, and below them what was compared.
Status DrawComparison(const CompareOptions& options, const CompareReport& report,
                      const std::array<cv::Mat, 2>& pictures,
                      const std::vector<AlignedFace>& faces) {
  std::string title = fmt::format("cosine {:.3f}, distance {:.3f}", report.cosine, report.distance);
  SheetMark mark = SheetMark::kNone;
  if (report.default_min_cosine) {
    const bool match = report.cosine >= *report.default_min_cosine;
    title += match ? ": match" : ": no match";
    mark = match ? SheetMark::kRight : SheetMark::kWrong;
  }
  std::vector<SheetRow> rows(2);
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::string name = std::filesystem::path(options.photos[i]).filename().string();
    rows[0].pictures.push_back({.picture = pictures[i], .caption = name});
    rows[1].pictures.push_back({.picture = faces[i].bgr, .caption = "compared", .mark = mark});
  }
  const cv::Mat sheet = DrawContactSheet(title, rows, {.cell = {320, 320}, .gap = 16});
  FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(sheet)));
  return WriteFileAtomically(*options.drawing, png);
}

}  // namespace

StatusOr<CompareReport> ComparePhotos(const CompareOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(const FaceSelection selection, SelectionFromName(options.select));
  std::array<std::string, 2> photos;
  for (size_t i = 0; i < photos.size(); ++i) {
    FACEGATE_ASSIGN_OR_RETURN(photos[i], ReadFile(options.photos[i], kMaxPhotoBytes));
  }
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ReadModelFile(options.model));
  const ModelCard& card = model.card;
  CompareReport report{.model_digest = card.model_digest,
                       .default_min_cosine = card.default_min_cosine,
                       .calibrated = card.calibration.has_value(),
                       .found_by = {}};
  CropMaker crops(options, selection, card.preprocessing.alignment);
  std::vector<AlignedFace> faces;
  std::array<cv::Mat, 2> pictures;
  for (size_t i = 0; i < options.photos.size(); ++i) {
    StatusOr<AlignedFace> face = crops.Make(photos[i], report.found_by[i], pictures[i]);
    if (!face.ok()) return Annotate(face.status(), options.photos[i]);
    faces.push_back(*std::move(face));
  }
  const auto embedder = MakeTorchEmbedder(std::move(model), {.threads = 0, .max_batch = 2});
  if (!embedder.ok()) return Annotate(embedder.status(), options.model);
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Embedding> embeddings, (*embedder)->Embed(faces));
  report.cosine = CosineScore(embeddings[0].values(), embeddings[1].values());
  report.distance = DistanceOfCosine(report.cosine);
  if (options.drawing) FACEGATE_RETURN_IF_ERROR(DrawComparison(options, report, pictures, faces));
  return report;
}

TrainCommand AddCompareCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "compare", "Prints the cosine and the L2 distance of the faces in two photos");
  command->footer(
      "A photo of exactly the size of the model's crop (112x112, or 96x112 for the SphereFace "
      "template) is\ntaken as aligned already, unless --detect is given. In any other photo a face "
      "is looked for.\n"
      "\n"
      "Examples:\n"
      "  facegate-train compare model.safetensors a.jpg b.jpg\n"
      "  facegate-train compare --yunet yunet_n_dynamic.onnx --select central model.safetensors "
      "a.jpg b.jpg\n"
      "  facegate-train compare --draw both.png model.safetensors a.jpg b.jpg\n"
      "  facegate-train compare --json model.safetensors crop1.png crop2.png");
  const auto options = std::make_shared<CompareOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("MODEL", options->model, "Model file")->required();
  command
      ->add_option("PHOTO1", options->photos[0],
                   "JPEG, PNG, WebP, BMP or PGM; HEIC or AVIF if libheif is installed")
      ->required();
  command->add_option("PHOTO2", options->photos[1], "The other photo")->required();
  command->add_flag("--json", *json, "The result as a JSON object");
  command->add_flag("--detect", options->detect,
                    "Look for a face in photos of the crop's size, too");
  command
      ->add_option("--detector", options->detector,
                   "yunet where --yunet is given, else haar: a cascade of opencv-data and the "
                   "bundled landmark "
                   "network; haar-eyes: cascades only")
      ->check(CLI::IsMember({"yunet", "haar", "haar-eyes"}));
  command->add_option("--yunet", options->yunet, "ONNX file of YuNet (2023)");
  command->add_option("--landmark-net", options->landmark_net,
                      "Another landmark network for haar (fit-landmarks makes one)");
  command->add_option("--draw", options->drawing,
                      "Write a picture of both photos, their faces and the result, a PNG file");
  command->add_option("--select", options->select, "Which face of a photo with several")
      ->check(CLI::IsMember({"largest", "central", "single"}))
      ->capture_default_str();
  return {.app = command, .run = [options, json](std::ostream& out) {
            const StatusOr<CompareReport> report = ComparePhotos(*options);
            if (report.ok()) *json ? PrintJson(*report, out) : PrintTable(*report, out);
            return report.status();
          }};
}

}  // namespace facegate
