#include "face/embed/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <utility>

#include "face/base/split_mix.h"

namespace facegate {
namespace {

constexpr int kMostFaces = 64;
constexpr int kRectangles = 6;
constexpr int kNoise = 24;  // grey levels to both sides

using Colour = std::array<int, 3>;

Colour RandomColour(SplitMix64& random) {
  Colour colour;
  for (int& value : colour) value = static_cast<int>(random.Below(256));
  return colour;
}

// A gradient between four corner colours.
void DrawGradient(cv::Mat& bgr, SplitMix64& random) {
  const std::array<Colour, 4> corners = {RandomColour(random), RandomColour(random),
                                         RandomColour(random), RandomColour(random)};
  const int right = bgr.cols - 1;
  const int bottom = bgr.rows - 1;
  for (int y = 0; y <= bottom; ++y) {
    for (int x = 0; x <= right; ++x) {
      for (size_t c = 0; c < 3; ++c) {
        const int top = corners[0][c] * (right - x) + corners[1][c] * x;
        const int low = corners[2][c] * (right - x) + corners[3][c] * x;
        const int value = (top * (bottom - y) + low * y) / (right * bottom);
        bgr.at<cv::Vec3b>(y, x)[static_cast<int>(c)] = static_cast<uint8_t>(value);
      }
    }
  }
}

// Edges at several scales, which gradients lack.
void DrawRectangle(cv::Mat& bgr, SplitMix64& random) {
  const Colour colour = RandomColour(random);
  const auto side = [&](int length) { return length / 8 + static_cast<int>(random.Below(48)); };
  const int width = std::min(side(bgr.cols), bgr.cols);
  const int height = std::min(side(bgr.rows), bgr.rows);
  const int left = static_cast<int>(random.Below(static_cast<uint64_t>(bgr.cols - width) + 1));
  const int top = static_cast<int>(random.Below(static_cast<uint64_t>(bgr.rows - height) + 1));
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) {
      for (int c = 0; c < 3; ++c) {
        bgr.at<cv::Vec3b>(y, x)[c] = static_cast<uint8_t>(colour[static_cast<size_t>(c)]);
      }
    }
  }
}

void AddNoise(cv::Mat& bgr, SplitMix64& random) {
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      for (int c = 0; c < 3; ++c) {
        uint8_t& value = bgr.at<cv::Vec3b>(y, x)[c];
        const int noise = static_cast<int>(random.Below(2 * kNoise + 1)) - kNoise;
        value = static_cast<uint8_t>(std::clamp(value + noise, 0, 255));
      }
    }
  }
}

// Embeds in calls of at most max_batch().
StatusOr<std::vector<Embedding>> EmbedAll(Embedder& embedder, std::span<const AlignedFace> faces) {
  std::vector<Embedding> all;
  const auto batch = static_cast<size_t>(std::max(1, embedder.max_batch()));
  for (size_t begin = 0; begin < faces.size(); begin += batch) {
    const auto part = faces.subspan(begin, std::min(batch, faces.size() - begin));
    FACEGATE_ASSIGN_OR_RETURN(std::vector<Embedding> embeddings, embedder.Embed(part));
    if (embeddings.size() != part.size()) {
      return Internal(
          fmt::format("embedder gave {} embeddings for {} faces", embeddings.size(), part.size()));
    }
    std::move(embeddings.begin(), embeddings.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

std::vector<AlignedFace> CanaryFaces(uint64_t seed, int count, AlignmentTemplate alignment) {
  SplitMix64 random(seed);
  std::vector<AlignedFace> faces;
  for (int i = 0; i < count; ++i) {
    AlignedFace face{cv::Mat(CropSize(alignment), CV_8UC3)};
    DrawGradient(face.bgr, random);
    for (int n = 0; n < kRectangles; ++n) DrawRectangle(face.bgr, random);
    AddNoise(face.bgr, random);
    faces.push_back(std::move(face));
  }
  return faces;
}

StatusOr<Canary> RecordCanary(Embedder& embedder, uint64_t seed, int count) {
  if (count < 1 || count > kMostFaces) {
    return InvalidArgument(fmt::format("canary of {} faces, expected 1 to {}", count, kMostFaces));
  }
  const auto faces = CanaryFaces(seed, count, embedder.card().preprocessing.alignment);
  FACEGATE_ASSIGN_OR_RETURN(const auto embeddings, EmbedAll(embedder, faces));
  Canary canary{.seed = seed, .embeddings = {}};
  for (const Embedding& embedding : embeddings) {
    canary.embeddings.emplace_back(embedding.values().begin(), embedding.values().end());
  }
  return canary;
}

Status CheckCanary(Embedder& embedder, double tolerance) {
  const std::optional<Canary>& canary = embedder.card().canary;
  return canary.has_value() ? CheckCanary(embedder, *canary, tolerance) : OkStatus();
}

Status CheckCanary(Embedder& embedder, const Canary& canary, double tolerance) {
  const size_t count = canary.embeddings.size();
  if (count < 1 || count > kMostFaces) {
    return FailedPrecondition(
        fmt::format("the card's canary has {} embeddings, expected 1 to {}", count, kMostFaces));
  }
  const auto faces =
      CanaryFaces(canary.seed, static_cast<int>(count), embedder.card().preprocessing.alignment);
  FACEGATE_ASSIGN_OR_RETURN(const auto embeddings, EmbedAll(embedder, faces));
  double worst = 1.0;
  for (size_t i = 0; i < count; ++i) {
    const auto recorded = Embedding::FromUnit(canary.embeddings[i]);
    if (!recorded.ok() || recorded->size() != embeddings[i].size()) {
      return FailedPrecondition(fmt::format(
          "canary embedding {} of the card has {} values or no unit length, expected {} values of "
          "unit length",
          i, canary.embeddings[i].size(), embeddings[i].size()));
    }
    const double cosine = CosineScore(recorded->values(), embeddings[i].values());
    worst = std::min(worst, cosine);
  }
  if (worst < 1.0 - tolerance) {
    return FailedPrecondition(fmt::format(
        "the model's canary differs: its worst cosine with the recorded embeddings is {:.6f}, "
        "expected at least {:.6f}; the file, the library or the machine computes something else",
        worst, 1.0 - tolerance));
  }
  return OkStatus();
}

}  // namespace facegate
