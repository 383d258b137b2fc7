#include "trainer/inspect/photo_facts.h"

#include <algorithm>
#include <bit>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/sha256.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

// Rounding and the colours of JPEG move channels of a grey picture apart by less than this.
constexpr int kGreyTolerance = 10;
constexpr double kGreyShare = 0.995;  // of the pixels
// Deviation of the brightness below which a picture counts as flat, of 255.
constexpr double kFlatDeviation = 3.0;
constexpr double kBlueMargin = 8.0;  // of 255

// Bit x + side * y: brightness rises from column x to x + 1 of a picture made side + 1 wide.
template <size_t kWords>
std::array<uint64_t, kWords> RisingBits(const cv::Mat& grey, int side) {
  cv::Mat small;
  cv::resize(grey, small, {side + 1, side}, 0, 0, cv::INTER_AREA);
  std::array<uint64_t, kWords> bits{};
  size_t bit = 0;
  for (int y = 0; y < side; ++y) {
    const uchar* const row = small.ptr<uchar>(y);
    for (int x = 0; x < side; ++x, ++bit) {
      if (row[x + 1] > row[x]) bits[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }
  return bits;
}

// The share of pixels whose channels are all but equal.
double ShareOfGrey(const cv::Mat& bgr) {
  size_t grey = 0;
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* const row = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x) {
      const auto [least, most] = std::minmax({row[x][0], row[x][1], row[x][2]});
      if (most - least <= kGreyTolerance) ++grey;
    }
  }
  return static_cast<double>(grey) / static_cast<double>(bgr.total());
}

}  // namespace

int CoarseDistance(const PictureHash& a, const PictureHash& b) {
  return std::popcount(a.coarse ^ b.coarse);
}

int FineDistance(const PictureHash& a, const PictureHash& b) {
  int distance = 0;
  for (size_t i = 0; i < a.fine.size(); ++i) distance += std::popcount(a.fine[i] ^ b.fine[i]);
  return distance;
}

StatusOr<PhotoFacts> FactsOfPhoto(std::string_view encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat bgr, DecodeTrainingPhoto(encoded));
  PhotoFacts facts{.format = SniffImageFormat(encoded),
                   .width = bgr.cols,
                   .height = bgr.rows,
                   .bytes = encoded.size()};
  Sha256 sha256;
  sha256.Update(encoded);
  std::ranges::copy(sha256.Digest(), facts.sha256.begin());

  cv::Mat grey;
  cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
  facts.hash.coarse = RisingBits<1>(grey, 8).front();
  facts.hash.fine = RisingBits<4>(grey, 16);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(grey, mean, deviation);
  facts.flat = deviation[0] < kFlatDeviation;
  facts.grey = ShareOfGrey(bgr) >= kGreyShare;
  cv::meanStdDev(bgr, mean, deviation);
  for (int channel = 0; channel < 3; ++channel) {
    const int red_first = 2 - channel;
    const auto at = static_cast<size_t>(channel);
    facts.mean[at] = mean[red_first];
    facts.square[at] =
        deviation[red_first] * deviation[red_first] + mean[red_first] * mean[red_first];
  }
  const cv::Rect middle(bgr.cols / 4, bgr.rows / 4, std::max(1, bgr.cols / 2),
                        std::max(1, bgr.rows / 2));
  const cv::Scalar skin = cv::mean(bgr(middle));
  facts.blue_skin = !facts.grey && skin[0] > skin[2] + kBlueMargin;
  return facts;
}

}  // namespace facegate
