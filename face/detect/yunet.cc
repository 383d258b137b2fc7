#include "face/detect/yunet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/detect/free_list.h"
#include "face/detect/non_maximum.h"
#include "face/detect/onnx_shape.h"
#include "face/detect/tiles.h"

namespace facegate {
namespace {

// A YuNet has 0.23 MB. Read as messages, hostile bytes take about thirty times their size.
constexpr uint64_t kMaxModelBytes = 8 << 20;
constexpr std::array<int, 3> kStrides = {8, 16, 32};
constexpr int kLargestStride = 32;
constexpr std::array<uint32_t, 4> kImportShape = {1, 3, 320, 320};
constexpr int kLandmarkCount = 5;
// A smaller copy of a picture than this shows no face that the larger copies did not.
constexpr int kSmallestSide = 48;
// A box of which less than this share lies in the picture is not taken for a face.
constexpr float kSmallestInsideShare = 0.25f;

// The narrowest face that the network finds nearly always, and one that it finds whatever else is
// against it, pixels of what it is given.
constexpr double kSmallestFace = 16;
constexpr double kCertainFace = 30;

// The four outputs of one stride, each a row for a cell.
struct StrideOutputs {
  cv::Mat cls, obj, bbox, kps;
};

// OpenCV 4.6 gives numbers out of unwritten memory for inputs that are 32 rows high and 576 columns
// wide or more; at 64 rows it does not.
constexpr int kSmallestPaddedSide = 64;

int PaddedSide(int side) {
  const int rounded = (side + kLargestStride - 1) / kLargestStride * kLargestStride;
  return std::max(rounded, kSmallestPaddedSide);
}

// One instance of the network. Not thread-safe.
class YuNetNetwork {
 public:
  static StatusOr<std::unique_ptr<YuNetNetwork>> Create(const std::string& model) {
    return CatchToStatus("reading the YuNet model",
                         [&]() -> StatusOr<std::unique_ptr<YuNetNetwork>> {
                           cv::dnn::Net net = cv::dnn::readNetFromONNX(model.data(), model.size());
                           net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
                           net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
                           return std::unique_ptr<YuNetNetwork>(new YuNetNetwork(net));
                         });
  }

  // `picture` is padded at the right and below. Faces in its pixels, in no order.
  StatusOr<std::vector<DetectedFace>> Run(const cv::Mat& picture, float score_threshold) {
    return CatchToStatus("running YuNet", [&]() -> StatusOr<std::vector<DetectedFace>> {
      cv::Mat padded;
      cv::copyMakeBorder(picture, padded, 0, PaddedSide(picture.rows) - picture.rows, 0,
                         PaddedSide(picture.cols) - picture.cols, cv::BORDER_CONSTANT);
      net_.setInput(cv::dnn::blobFromImage(padded));
      std::vector<cv::Mat> outputs;
      net_.forward(outputs, output_names_);
      std::vector<DetectedFace> faces;
      for (size_t i = 0; i < kStrides.size(); ++i) {
        const StrideOutputs of_stride{outputs[4 * i], outputs[4 * i + 1], outputs[4 * i + 2],
                                      outputs[4 * i + 3]};
        FACEGATE_RETURN_IF_ERROR(
            AppendFaces(of_stride, kStrides[i], padded.size(), score_threshold, faces));
      }
      return faces;
    });
  }

 private:
  // Copies share the network.
  explicit YuNetNetwork(const cv::dnn::Net& net) : net_(net) {
    for (const int stride : kStrides) {
      for (const char* kind : {"cls", "obj", "bbox", "kps"}) {
        output_names_.push_back(fmt::format("{}_{}", kind, stride));
      }
    }
  }

  static Status CheckOutput(const cv::Mat& output, int cells, int values) {
    if (output.type() == CV_32F && output.isContinuous() &&
        output.total() == static_cast<size_t>(cells) * static_cast<size_t>(values)) {
      return OkStatus();
    }
    return Internal(fmt::format("a YuNet output has {} values, expected {} cells of {}",
                                output.total(), cells, values));
  }

  static Status AppendFaces(const StrideOutputs& outputs, int stride, cv::Size padded,
                            float score_threshold, std::vector<DetectedFace>& faces) {
    const int columns = padded.width / stride;
    const int cells = columns * (padded.height / stride);
    FACEGATE_RETURN_IF_ERROR(CheckOutput(outputs.cls, cells, 1));
    FACEGATE_RETURN_IF_ERROR(CheckOutput(outputs.obj, cells, 1));
    FACEGATE_RETURN_IF_ERROR(CheckOutput(outputs.bbox, cells, 4));
    FACEGATE_RETURN_IF_ERROR(CheckOutput(outputs.kps, cells, 2 * kLandmarkCount));
    for (int cell = 0; cell < cells; ++cell) {
      const float cls = std::clamp(outputs.cls.ptr<float>()[cell], 0.0f, 1.0f);
      const float obj = std::clamp(outputs.obj.ptr<float>()[cell], 0.0f, 1.0f);
      const float score = std::sqrt(cls * obj);
      if (!(score >= score_threshold)) continue;
      faces.push_back(DecodeCell(outputs, cell, columns, static_cast<float>(stride)));
      faces.back().score = score;
    }
    return OkStatus();
  }

  static DetectedFace DecodeCell(const StrideOutputs& outputs, int cell, int columns,
                                 float stride) {
    const int row_of_cell = cell / columns;
    const auto column = static_cast<float>(cell % columns);
    const auto row = static_cast<float>(row_of_cell);
    const float* box = outputs.bbox.ptr<float>() + ptrdiff_t{4} * cell;
    const float* points = outputs.kps.ptr<float>() + ptrdiff_t{2} * kLandmarkCount * cell;
    DetectedFace face;
    const float width = std::exp(box[2]) * stride;
    const float height = std::exp(box[3]) * stride;
    face.box = {(column + box[0]) * stride - width / 2, (row + box[1]) * stride - height / 2, width,
                height};
    for (int i = 0; i < kLandmarkCount; ++i, points += 2) {
      face.landmarks.emplace_back((column + points[0]) * stride, (row + points[1]) * stride);
    }
    return face;
  }

  cv::dnn::Net net_;
  std::vector<std::string> output_names_;
};

void Scale(DetectedFace& face, float factor) {
  face.box = {face.box.x * factor, face.box.y * factor, face.box.width * factor,
              face.box.height * factor};
  for (cv::Point2f& point : face.landmarks) point *= factor;
}

void Move(DetectedFace& face, cv::Point by) {
  const cv::Point2f offset(by);
  face.box += offset;
  for (cv::Point2f& point : face.landmarks) point += offset;
}

// The padding beside a narrow picture can look like a face.
bool IsInside(const DetectedFace& face, cv::Size picture) {
  const cv::Rect2f whole(0, 0, static_cast<float>(picture.width),
                         static_cast<float>(picture.height));
  const float inside = (face.box & whole).area();
  return inside > 0 && inside >= kSmallestInsideShare * face.box.area();
}

class YuNetDetector : public Detector {
 public:
  YuNetDetector(YuNetOptions options, std::string name, std::string model)
      : options_(std::move(options)), name_(std::move(name)), model_(std::move(model)) {}

  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto network,
                              networks_.Borrow([this] { return YuNetNetwork::Create(model_); }));
    double scale = FirstScale(image);
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> found,
                              DetectAtScale(*network, image, scale));
    FACEGATE_RETURN_IF_ERROR(AppendSmallFaces(*network, image, scale, stop, found));
    for (int pass = 1; pass < 3 && found.empty(); ++pass) {
      scale /= 2;
      if (std::min(image.width(), image.height()) * scale < kSmallestSide) break;
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      FACEGATE_ASSIGN_OR_RETURN(found, DetectAtScale(*network, image, scale));
    }
    return found;
  }

  const std::string& name() const override { return name_; }

 private:
  double FirstScale(const Image& image) const {
    const int shorter = std::min(image.width(), image.height());
    const int longer = std::max(image.width(), image.height());
    double scale = 1;
    if (options_.min_side > shorter) scale = static_cast<double>(options_.min_side) / shorter;
    return std::min(scale, static_cast<double>(options_.max_side) / longer);
  }

  static cv::Mat Scaled(const Image& image, double scale) {
    if (scale == 1) return image.bgr;
    cv::Mat scaled;
    const cv::Size size(std::max(1, static_cast<int>(std::lround(image.width() * scale))),
                        std::max(1, static_cast<int>(std::lround(image.height() * scale))));
    cv::resize(image.bgr, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    return scaled;
  }

  StatusOr<std::vector<DetectedFace>> DetectAtScale(YuNetNetwork& network, const Image& image,
                                                    double scale) const {
    const cv::Mat scaled = Scaled(image, scale);
    FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> faces,
                              network.Run(scaled, options_.score_threshold));
    std::erase_if(faces, [&](const DetectedFace& face) { return !IsInside(face, scaled.size()); });
    faces = SuppressNonMaxima(std::move(faces), options_.nms_iou);
    for (DetectedFace& face : faces) Scale(face, static_cast<float>(1 / scale));
    return faces;
  }

  // Looks in tiles for faces that the picture at `whole_scale` shows too small for the network, and
  // merges them with those that were found there.
  Status AppendSmallFaces(YuNetNetwork& network, const Image& image, double whole_scale,
                          const StopCheck& stop, std::vector<DetectedFace>& faces) const {
    const double scale = std::min(1.0, kSmallestFace / options_.min_face_pixels);
    if (whole_scale >= scale) return OkStatus();
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const cv::Mat scaled = Scaled(image, scale);
    // A face that is cut by every tile is large enough for the search of the whole.
    const int overlap =
        std::min(static_cast<int>(kCertainFace * scale / whole_scale), options_.max_side / 2);
    for (const cv::Rect& tile : TilesOf(scaled.size(), options_.max_side, overlap)) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> found,
                                network.Run(scaled(tile), options_.score_threshold));
      for (DetectedFace& face : found) {
        Move(face, tile.tl());
        if (!IsInside(face, scaled.size()) || IsCutByTile(face.box, tile, scaled.size())) continue;
        Scale(face, static_cast<float>(1 / scale));
        faces.push_back(std::move(face));
      }
    }
    faces = SuppressNonMaxima(std::move(faces), options_.nms_iou);
    return OkStatus();
  }

  const YuNetOptions options_;
  const std::string name_;
  const std::string model_;
  FreeList<YuNetNetwork> networks_;
};

Status CheckOptions(const YuNetOptions& options) {
  if (options.max_side < kLargestStride || options.min_face_pixels < kSmallestFace) {
    return InvalidArgument(fmt::format(
        "YuNet: max_side is {} and min_face_pixels is {}, at least {} and {} are needed",
        options.max_side, options.min_face_pixels, kLargestStride, kSmallestFace));
  }
  // Not "outside": NaN must fail too.
  if (!(options.score_threshold > 0 && options.score_threshold <= 1) ||
      !(options.nms_iou >= 0 && options.nms_iou <= 1)) {
    return InvalidArgument(
        fmt::format("YuNet: score_threshold {} and nms_iou {} must be shares, the first above 0",
                    options.score_threshold, options.nms_iou));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Detector>> CreateYuNetDetector(const YuNetOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_ASSIGN_OR_RETURN(const std::string file, ReadFile(options.model_path, kMaxModelBytes));
  StatusOr<std::string> model = WithInputShape(file, kImportShape);
  if (!model.ok()) return Annotate(model.status(), options.model_path);
  auto detector = std::make_unique<YuNetDetector>(
      options, fmt::format("yunet:{}", Sha256Hex(file).substr(0, 12)), *std::move(model));
  // Loads the first instance; a network that is not a YuNet fails here.
  const Image black{cv::Mat(kSmallestSide, kSmallestSide, CV_8UC3, cv::Scalar::all(0))};
  const Status works = detector->Detect(black, {}).status();
  if (!works.ok()) {
    return InvalidArgument(
        fmt::format("{} is not a YuNet model of 2023: {}", options.model_path, MessageOf(works)));
  }
  return detector;
}

}  // namespace facegate
