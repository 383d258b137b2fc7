#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/image_list.h"

namespace facegate {

// No photo for training is larger than this.
constexpr uint64_t kMaxTrainingPhotoBytes = 256ULL << 20;
// kInvalidArgument, with both numbers, for more bytes than that: nothing is copied before.
Status CheckTrainingPhotoSize(uint64_t bytes);

// The bytes of a photo that is a file of its own.
StatusOr<std::string> ReadPhotoFile(const std::string& path);

// Says what becomes of photos that a list names and that are not there.
enum class MissingPhotos {
  kKeep,    // each is an error when it is read
  kRefuse,  // kInvalidArgument, naming the first few
  kSkip     // they are left out, with a remark
};

// Labelled photos as they are stored, still encoded: what packing and inspection read. Thread-safe:
// all calls are const and share nothing that changes.
class PhotoSource {
 public:
  virtual ~PhotoSource() = default;

  virtual size_t size() const = 0;
  // The names of the identities, by label.
  virtual const std::vector<std::string>& classes() const = 0;
  virtual uint32_t label(size_t i) const = 0;  // index in classes()
  // Messages call the photo by this: its path, or its place in a file.
  virtual std::string name(size_t i) const = 0;
  // Its path below the folder that the source is relative to, such as "anna/1.jpg"; its whole path
  // where it lies elsewhere.
  virtual std::string short_name(size_t i) const = 0;
  // The folder that the names begin with, with a slash at its end; empty where they begin with
  // none.
  virtual std::string folder() const { return {}; }
  // True where each photo is a file of its own, whose path is name().
  virtual bool has_files() const { return false; }
  // Tells people how the source was read, a line each; see ImageList.
  virtual std::vector<std::string> remarks() const { return {}; }
  // The encoded bytes. An error names the photo.
  virtual StatusOr<std::string> Read(size_t i) const = 0;
};

// The photos of a list whose paths are relative to `root`.
std::unique_ptr<PhotoSource> MakeListSource(ImageList list, const std::string& root);

// 8-bit BGR, upright. The limits are far above those of a server, as the photos are one's own.
StatusOr<cv::Mat> DecodeTrainingPhoto(std::string_view encoded);

// The photos of `source`, decoded when they are asked for.
std::unique_ptr<Dataset> MakeDecodedDataset(std::unique_ptr<PhotoSource> source);

}  // namespace facegate
