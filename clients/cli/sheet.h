#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/canvas.h"
#include "clients/cli/verdict_mark.h"
#include "clients/cpp/client_result.h"
#include "facegate/v1/face_service.pb.h"

namespace facegate::cli {

// Says who a photo truly shows.
struct PhotoTruth {
  std::string identity;   // its id
  bool enrolled = false;  // in the collection; otherwise nobody should be found
};

// Draws a page of photos with who was found in each: the faces that were searched for in boxes,
// marked by VerdictMark, and below each photo its file name and who it is; behind "nobody" the
// cosine of the nearest, where the server told it. Where it is known who a photo shows, the marks
// say what is right and what is wrong. The trainer draws its sheets itself, by OpenCV, which
// clients do without.
class IdentificationSheet {
 public:
  static constexpr size_t kMostPhotos = 1000;

  // `title` stands above the page, before what is counted; may be empty.
  explicit IdentificationSheet(std::string title = "") : title_(std::move(title)) {}

  // `photo_bytes` is the encoded photo. One that does not decode here has an empty place; photos
  // beyond kMostPhotos are counted, not drawn.
  void Add(const std::string& photo, const std::string& photo_bytes,
           const v1::IdentifyResponse& answer, const std::optional<PhotoTruth>& truth = {});
  // A photo that was not answered, and why in a word or two.
  void AddRefused(const std::string& photo, const std::string& reason);
  // Stands above the page: the title, and how many photos there are of each kind.
  std::string Headline() const;
  // Writes the page in the format that its name ends in. Returns how many photos it shows.
  ClientResult<size_t> Write(const std::string& output) const;

 private:
  struct Tile {
    Pixels picture;  // BGR, at most kPictureSide high and wide; may be empty
    std::string name;
    std::string verdict;
    VerdictMark mark = VerdictMark::kNobody;
    bool known = false;    // who it truly shows
    bool found = false;    // somebody was found in it
    bool refused = false;  // it was not answered
  };
  static constexpr int kPictureSide = 168;  // pixels

  void AddTile(Tile tile);
  static Pixels Picture(const std::string& photo_bytes, const v1::IdentifyResponse& answer,
                        const std::optional<PhotoTruth>& truth);
  static void DrawTile(const Tile& tile, int left, int top, Canvas& page);
  Canvas Draw() const;

  const std::string title_;
  std::vector<Tile> tiles_;
  size_t left_out_ = 0;
};

}  // namespace facegate::cli
