#include "trainer/photos/pickled_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <utility>

#include "face/weights/pickle_machine.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

constexpr size_t kMaxSetBytes = 16ULL << 30;
// Two bytes name a picture another time, and what is kept of it is larger.
constexpr size_t kMostPictures = 2'000'000;

enum Name : uint32_t {
  kEncode,
  kArray,
  kArrayType,
  kArrayFromBuffer,
  kScalar,
  kArrayOfNumPy2,
  kArrayFromBufferOfNumPy2,
  kScalarOfNumPy2,
  kType,
};
// These stand in the order of `Name`.
constexpr PickleName kNames[] = {
    {.module = "_codecs", .name = "encode"},
    {.module = "numpy.core.multiarray", .name = "_reconstruct"},
    {.module = "numpy", .name = "ndarray"},
    {.module = "numpy.core.numeric", .name = "_frombuffer"},
    {.module = "numpy.core.multiarray", .name = "scalar"},
    {.module = "numpy._core.multiarray", .name = "_reconstruct"},
    {.module = "numpy._core.numeric", .name = "_frombuffer"},
    {.module = "numpy._core.multiarray", .name = "scalar"},
    {.module = "numpy", .name = "dtype"},
};
constexpr PickleVocabulary kVocabulary{.tensors = false,
                                       .described = kNames,
                                       .what = "a set of pairs",
                                       .way_out =
                                           " (bytes, truth values and NumPy arrays of both "
                                           "are known)",
                                       .max_bytes = kMaxSetBytes};

// Reads the values of one pickle.
class Reader {
 public:
  explicit Reader(const PickleGraph& graph) : graph_(graph) {}

  StatusOr<PickledPairs> Pairs(PickleRef root) const {
    const std::vector<PickleRef>* const parts = Items(root);
    if (parts == nullptr || parts->size() != 2) {
      return InvalidArgument(
          "holds something other than (pictures, same), the two parts of a set of pairs");
    }
    PickledPairs pairs;
    FACEGATE_ASSIGN_OR_RETURN(pairs.pictures, Pictures(parts->front()));
    FACEGATE_ASSIGN_OR_RETURN(pairs.same, Truths(parts->back()));
    return pairs;
  }

 private:
  StatusOr<std::vector<PickledPicture>> Pictures(PickleRef ref) const {
    const std::vector<PickleRef>* const items = Items(ref);
    if (items == nullptr) return InvalidArgument("its first part is no list of pictures");
    if (items->size() > kMostPictures) {
      return InvalidArgument(
          fmt::format("has {} pictures, the most is {}", items->size(), kMostPictures));
    }
    std::vector<PickledPicture> pictures;
    pictures.reserve(items->size());
    for (const PickleRef item : *items) {
      std::optional<PickledPicture> picture = Bytes(item);
      if (!picture.has_value()) picture = Array(item, "u1");
      if (!picture.has_value()) {
        return InvalidArgument(
            fmt::format("picture {} is neither bytes nor one row of numpy uint8: expected an "
                        "encoded picture",
                        pictures.size()));
      }
      pictures.push_back(*picture);
    }
    return pictures;
  }

  StatusOr<std::vector<bool>> Truths(PickleRef ref) const {
    std::vector<bool> truths;
    if (const std::optional<PickledPicture> array = Array(ref, "b1")) {
      FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(*array));
      std::transform(bytes.begin(), bytes.end(), std::back_inserter(truths),
                     [](char byte) { return byte != 0; });
      return truths;
    }
    const std::vector<PickleRef>* const items = Items(ref);
    if (items == nullptr) return InvalidArgument("its second part is no list of truth values");
    truths.reserve(items->size());
    for (const PickleRef item : *items) {
      const std::optional<bool> truth = Truth(item);
      if (!truth.has_value()) {
        return InvalidArgument(
            fmt::format("whether pair {} is one person is no truth value", truths.size()));
      }
      truths.push_back(*truth);
    }
    return truths;
  }

  const std::vector<PickleRef>* Items(PickleRef ref) const {
    if (const auto* list = graph_.Get<PickleList>(ref)) return &list->items;
    if (const auto* tuple = graph_.Get<PickleTuple>(ref)) return &tuple->items;
    return nullptr;
  }

  // The arguments of a call of one of these.
  const std::vector<PickleRef>* CallOf(PickleRef ref, std::initializer_list<Name> names,
                                       size_t least) const {
    const auto* call = graph_.Get<PickleCall>(ref);
    if (call == nullptr) return nullptr;
    if (std::find(names.begin(), names.end(), call->described) == names.end()) return nullptr;
    const std::vector<PickleRef>& arguments = graph_.Get<PickleTuple>(call->arguments)->items;
    return arguments.size() >= least ? &arguments : nullptr;
  }

  std::string_view Text(PickleRef ref) const {
    const auto* text = graph_.Get<PickleText>(ref);
    return text != nullptr ? text->text : std::string_view();
  }

  // Python 2 has its bytes as text.
  std::optional<PickledPicture> Bytes(PickleRef ref) const {
    if (const auto* bytes = graph_.Get<PickleBytes>(ref)) return PickledPicture{bytes->bytes};
    if (graph_.Get<PickleText>(ref) != nullptr) return PickledPicture{Text(ref)};
    const std::vector<PickleRef>* const encoded = CallOf(ref, {kEncode}, 2);
    if (encoded == nullptr || graph_.Get<PickleText>(encoded->front()) == nullptr) {
      return std::nullopt;
    }
    const std::string_view codec = Text((*encoded)[1]);
    if (codec != "latin1" && codec != "latin-1") return std::nullopt;
    return PickledPicture{.bytes = Text(encoded->front()), .is_text = true};
  }

  // dtype('u1', False, True), "|u1" and so on.
  bool IsType(PickleRef ref, std::string_view name) const {
    const std::vector<PickleRef>* const arguments = CallOf(ref, {kType}, 1);
    if (arguments == nullptr) return false;
    std::string_view given = Text(arguments->front());
    if (given.starts_with('|')) given.remove_prefix(1);
    return given == name;
  }

  // The bytes of an array of one row; elements have a byte each.
  std::optional<PickledPicture> Array(PickleRef ref, std::string_view type) const {
    if (const std::vector<PickleRef>* const from_buffer =
            CallOf(ref, {kArrayFromBuffer, kArrayFromBufferOfNumPy2}, 3)) {
      return Row((*from_buffer)[0], (*from_buffer)[1], (*from_buffer)[2], type);
    }
    if (CallOf(ref, {kArray, kArrayOfNumPy2}, 0) == nullptr) return std::nullopt;
    const std::optional<PickleRef> state = graph_.Get<PickleCall>(ref)->state;
    const auto* fields = state.has_value() ? graph_.Get<PickleTuple>(*state) : nullptr;
    // Version, shape, type, whether it is in Fortran's order, bytes.
    if (fields == nullptr || fields->items.size() != 5) return std::nullopt;
    return Row(fields->items[4], fields->items[2], fields->items[1], type);
  }
  std::optional<PickledPicture> Row(PickleRef bytes, PickleRef type, PickleRef shape,
                                    std::string_view wanted) const {
    const std::optional<std::vector<int64_t>> extents = graph_.Extents(shape);
    std::optional<PickledPicture> row = Bytes(bytes);
    if (!row.has_value() || !extents.has_value() || extents->size() != 1) return std::nullopt;
    if (!IsType(type, wanted)) return std::nullopt;
    const auto length = static_cast<size_t>(extents->front());
    return row->is_text || row->bytes.size() == length ? row : std::nullopt;
  }

  std::optional<bool> Truth(PickleRef ref) const {
    if (const auto* truth = graph_.Get<bool>(ref)) return *truth;
    if (const auto number = graph_.Count(ref); number.has_value() && *number <= 1) {
      return *number == 1;
    }
    const std::vector<PickleRef>* const scalar = CallOf(ref, {kScalar, kScalarOfNumPy2}, 2);
    if (scalar == nullptr || !IsType(scalar->front(), "b1")) return std::nullopt;
    const std::optional<PickledPicture> byte = Bytes((*scalar)[1]);
    if (!byte.has_value() || byte->bytes.size() != 1) return std::nullopt;
    return byte->bytes.front() != 0;
  }

  const PickleGraph& graph_;
};

// Pictures in a file that stays mapped.
class PickledPictures final : public Dataset {
 public:
  PickledPictures(std::string path, std::unique_ptr<MappedFile> file,
                  std::vector<PickledPicture> pictures)
      : path_(std::move(path)), file_(std::move(file)), pictures_(std::move(pictures)) {}

  size_t size() const override { return pictures_.size(); }
  size_t classes() const override { return 0; }
  uint32_t label(size_t /*i*/) const override { return kUnlabelled; }
  std::string name(size_t i) const override { return fmt::format("{} picture {}", path_, i); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    StatusOr<cv::Mat> crop = Crop(pictures_[i]);
    return crop.ok() ? std::move(crop) : Annotate(crop.status(), name(i));
  }

 private:
  static StatusOr<cv::Mat> Crop(const PickledPicture& picture) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string encoded, BytesOf(picture));
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat decoded, DecodeTrainingPhoto(encoded));
    const cv::Size size = TrainingCropSize();
    if (decoded.size() == size) return decoded;
    if (decoded.cols != decoded.rows) {
      return InvalidArgument(fmt::format("is {} x {} pixels, expected an aligned crop of {} x {}",
                                         decoded.cols, decoded.rows, size.width, size.height));
    }
    cv::Mat crop;
    cv::resize(decoded, crop, size, 0.0, 0.0, cv::INTER_CUBIC);
    return crop;
  }

  const std::string path_;
  const std::unique_ptr<MappedFile> file_;
  const std::vector<PickledPicture> pictures_;  // parts of the file
};

}  // namespace

bool LooksLikePickle(std::string_view start) {
  return start.size() >= 2 && start[0] == '\x80' && start[1] >= '\x02' && start[1] <= '\x05';
}

StatusOr<PickledPairs> ParsePickledPairs(std::string_view bytes) {
  if (!LooksLikePickle(bytes)) {
    return InvalidArgument(
        "is no Python pickle of protocol 2 to 5, as InsightFace's .bin are; Python writes an older "
        "one again by pickle.dump(pickle.load(old), new, 4)");
  }
  const StatusOr<Pickle> pickle = RunPickle(bytes, 0, kVocabulary);
  if (!pickle.ok()) return Annotate(pickle.status(), "cannot be read");
  return Reader(pickle->graph).Pairs(pickle->root);
}

StatusOr<std::string> BytesOf(const PickledPicture& picture) {
  if (!picture.is_text) return std::string(picture.bytes);
  std::string bytes;
  bytes.reserve(picture.bytes.size());
  for (size_t i = 0; i < picture.bytes.size(); ++i) {
    const auto lead = static_cast<uint8_t>(picture.bytes[i]);
    if (lead < 0x80) {
      bytes.push_back(picture.bytes[i]);
      continue;
    }
    // U+0080 to U+00FF are c2 80 to c3 bf.
    const size_t next = ++i;
    const uint8_t trail =
        next < picture.bytes.size() ? static_cast<uint8_t>(picture.bytes[next]) : 0;
    if ((lead != 0xc2 && lead != 0xc3) || (trail & 0xc0) != 0x80) {
      return InvalidArgument("has characters in its text that are no bytes");
    }
    bytes.push_back(static_cast<char>(((lead & 0x03) << 6) | (trail & 0x3f)));
  }
  return bytes;
}

bool SniffPickledPairs(const DatasetCandidate& candidate) {
  if (candidate.is_folder) return false;
  if (std::filesystem::path(candidate.path).extension() == ".bin") return true;
  return LooksLikePickle(candidate.start);
}

StatusOr<PairSet> OpenPickledPairs(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  StatusOr<PickledPairs> parsed = ParsePickledPairs(file->bytes());
  if (!parsed.ok()) return InvalidArgument(fmt::format("{} {}", path, MessageOf(parsed.status())));
  StatusOr<std::vector<PicturePair>> pairs = PairsInOrder(parsed->pictures.size(), parsed->same);
  if (!pairs.ok()) return InvalidArgument(fmt::format("{} {}", path, MessageOf(pairs.status())));
  return PairSet{.name = std::filesystem::path(path).stem().string(),
                 .pictures = std::make_shared<PickledPictures>(path, std::move(file),
                                                               std::move(parsed->pictures)),
                 .pairs = *std::move(pairs)};
}

}  // namespace facegate
