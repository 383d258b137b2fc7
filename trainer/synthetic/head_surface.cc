#include "trainer/synthetic/head_surface.h"

#include <cmath>
#include <vector>

#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/head_outline.h"

namespace facegate::synthetic {
namespace {

constexpr float kPi = 3.14159265F;

// A hill (or hollow) of the face; `mirrored` has a twin at -x.
struct Hill {
  float x, y;  // centre, cm
  float radius_x, radius_y;
  float forward;  // height, cm
  bool mirrored = false;
  float aside = 0.0F;  // moves its ground away from the middle, cm
  float down = 0.0F;
  float shade = 0.0F;  // light that it takes, 0..1
};

std::vector<Hill> FeaturesOf(const FaceIdentity& face, const FaceView& view) {
  const float e = face.eye_x;
  const float smile = std::max(0.0F, view.smile);
  const float old = face.wrinkles;
  const float tip_y = face.nose_length;
  const float wing = face.nose_width;
  const cv::Point2f corner = MouthCorner(face, view);
  const float m = face.mouth_y;
  return {
      // Brows and sockets.
      {e + 0.2F, -2.3F, 3.4F, 1.8F, face.brow_ridge, true},
      {0.0F, -1.9F, 2.0F, 2.0F, 0.3F * face.brow_ridge},
      {e + 0.1F, -0.3F, 2.9F, 2.2F, -0.95F * face.eye_depth, true, 0.0F, 0.0F, 0.3F},
      {1.55F, -0.3F, 1.5F, 2.0F, -0.65F * face.eye_depth, true, 0.0F, 0.0F, 0.22F},
      {e, 0.05F, 2.1F, 1.5F, 0.8F, true},
      {e, 1.35F, 2.0F, 0.8F, -0.12F - 0.16F * old, true, 0.0F, 0.0F, 0.12F + 0.2F * old},
      // Nose: ball and wings; the ridge is not a hill.
      {0.0F, tip_y, 1.1F, 1.0F, face.nose_ball},
      {wing, tip_y + 0.5F, 0.85F, 0.85F, 0.75F, true, 0.1F},
      {wing + 0.75F, tip_y + 0.5F, 0.8F, 1.0F, -0.22F, true, 0.0F, 0.0F, 0.2F},
      {wing + 0.15F, 0.45F * tip_y, 0.9F, 2.2F, -0.1F, true, 0.0F, 0.0F, 0.2F},
      {0.0F, tip_y + 1.1F, 1.5F, 0.8F, -0.15F, false, 0.0F, 0.0F, 0.3F},
      // Cheeks.
      {4.8F, 2.5F, 2.7F, 2.4F, face.cheekbone, true},
      {4.3F, 6.2F, 2.6F, 2.9F, -0.42F + 0.75F * face.fullness - 0.2F * old, true, 0.0F, 0.0F,
       0.06F},
      {3.7F, 3.9F, 2.4F, 2.1F, 0.15F + 0.65F * smile, true, 0.1F * smile, -0.25F * smile},
      {6.2F, -3.4F, 2.2F, 2.6F, -0.35F, true},
      // Mouth and chin.
      {0.0F, m, 3.6F, 3.0F, 0.45F},
      {0.0F, m - 0.35F, 2.1F, 0.85F, 0.2F + 0.4F * face.upper_lip},
      {0.0F, m + 0.55F, 1.9F, 0.85F, 0.2F + 0.4F * face.lower_lip},
      {0.0F, m - 1.35F, 0.6F, 0.9F, -0.14F},
      {0.0F, m, corner.x * 1.1F, 0.34F, -0.25F, false, 0.0F, 0.0F, 0.1F},
      {corner.x + 0.2F, corner.y, 0.8F, 0.8F, -0.25F, true, 0.0F, 0.0F, 0.2F},
      {0.0F, m + 1.6F, 2.0F, 0.85F, -0.35F, false, 0.0F, 0.0F, 0.2F},
      {0.0F, face.chin_y - 1.2F, 2.5F, 1.9F, face.chin_forward},
      {0.0F, face.chin_y + 0.4F, 5.0F, 1.6F, -0.1F, false, 0.0F, 0.0F, 0.4F},
  };
}

// Moves what the view's expression moves, beside its hills: jaw and mouth corners.
Vector3 ExpressionShift(const FaceIdentity& face, const FaceView& view, float x, float y) {
  const cv::Point2f corner = MouthCorner(face, view);
  const float jaw = view.mouth_open * SmoothStep(face.mouth_y - 0.2F, face.chin_y - 1.0F, y) *
                    SmoothStep(7.5F, 4.0F, std::abs(x));
  Vector3 shift{0.0F, 1.0F * jaw, -0.35F * jaw};
  const float brow =
      Bell(Square((std::abs(x) - face.eye_x) / 3.2F) + Square((y - face.brow_y) / 2.0F));
  shift.y -= 0.45F * view.brow_raise * brow;
  const float pulled =
      Bell(Square((std::abs(x) - corner.x) / 2.2F) + Square((y - corner.y) / 2.0F));
  shift.z -= 0.35F * std::max(0.0F, view.smile) * pulled;
  return shift;
}

class NoseRidge {
 public:
  explicit NoseRidge(const FaceIdentity& face) : face_(face) {
    const float tip = face.nose_length;
    heights_ = {
        Knot{-1.4F, 0.0F},
        Knot{-0.2F, face.nose_bridge},
        Knot{0.45F * tip, 0.55F * face.nose_bridge + 0.45F * face.nose_tip + face.nose_hump},
        Knot{tip - 0.15F, face.nose_tip},
        Knot{tip + 0.45F, 0.72F * face.nose_tip},
        Knot{tip + 1.1F, 0.0F}};
    widths_ = {Knot{-1.4F, 1.6F}, Knot{0.3F, 1.2F}, Knot{tip, face.nose_width + 0.35F},
               Knot{tip + 1.1F, face.nose_width + 0.1F}};
  }

  float HeightAt(float x, float y) const {
    if (y < heights_.front().x || y > heights_.back().x) return 0.0F;
    const float bend = face_.nose_bend * (y / face_.nose_length);
    return CurveThrough(heights_, y) * Bell(Square((x - bend) / CurveThrough(widths_, y)) * 0.8F);
  }

 private:
  const FaceIdentity& face_;
  std::array<Knot, 6> heights_;
  std::array<Knot, 4> widths_;
};

// Heights of the rows: dense where the features are, and closing at both poles.
std::vector<float> RowHeights(const FaceIdentity& face) {
  constexpr int kSkullRows = 16;
  constexpr int kFaceRows = 78;
  constexpr int kChinRows = 12;
  constexpr float kFaceTop = -3.6F;
  constexpr float kFaceBottom = 9.3F;
  std::vector<float> heights;
  heights.reserve(kSkullRows + kFaceRows + kChinRows + 1);
  for (int i = 0; i < kSkullRows; ++i) {
    const float angle = 0.5F * kPi * static_cast<float>(i) / kSkullRows;
    heights.push_back(kFaceTop - (face.skull_height + kFaceTop) * std::cos(angle));
  }
  for (int i = 0; i < kFaceRows; ++i) {
    heights.push_back(kFaceTop + (kFaceBottom - kFaceTop) * static_cast<float>(i) / kFaceRows);
  }
  for (int i = 0; i <= kChinRows; ++i) {
    const float angle = 0.5F * kPi * static_cast<float>(i) / kChinRows;
    heights.push_back(kFaceBottom + (face.chin_y - kFaceBottom) * std::sin(angle));
  }
  return heights;
}

// Angles of the columns, from one side of the back to the other.
std::vector<float> ColumnAngles() {
  constexpr int kHalf = 44;
  std::vector<float> angles;
  angles.reserve(2 * kHalf + 1);
  for (int i = -kHalf; i <= kHalf; ++i) {
    const float t = static_cast<float>(i) / kHalf;
    const float cubed = t * t * t;
    angles.push_back(kPi * (0.36F * t + 0.1F * cubed + 0.36F * cubed * t * t));
  }
  return angles;
}

}  // namespace

cv::Point2f MouthCorner(const FaceIdentity& face, const FaceView& view) {
  const float wide = std::max(0.0F, view.smile) * 0.2F + std::min(0.0F, view.smile) * 0.1F;
  return {face.mouth_width * (1.0F + wide - 0.08F * view.mouth_open),
          face.mouth_y - face.mouth_curve - 0.4F * view.smile};
}

float MouthGap(const FaceView& view) {
  return std::max(1.3F * view.mouth_open, 0.42F * SmoothStep(0.45F, 1.0F, view.smile));
}

Surface MakeHead(const FaceIdentity& face, const FaceView& view) {
  const std::vector<float> heights = RowHeights(face);
  const std::vector<float> angles = ColumnAngles();
  const std::vector<Hill> hills = FeaturesOf(face, view);
  const NoseRidge ridge(face);
  const float power = 2.0F / face.flatness;
  std::vector<float> across(angles.size());
  std::vector<float> forward(angles.size());
  for (size_t i = 0; i < angles.size(); ++i) {
    across[i] = std::copysign(std::pow(std::abs(std::sin(angles[i])), power), angles[i]);
    forward[i] = std::copysign(std::pow(std::abs(std::cos(angles[i])), power), std::cos(angles[i]));
  }

  Surface head(Material::kSkin, heights.size(), angles.size());
  for (size_t row = 0; row < head.rows; ++row) {
    const float y = heights[row];
    const CrossSection section = HeadSection(face, y);
    for (size_t column = 0; column < head.columns; ++column) {
      const float x = section.width * across[column];
      SurfacePoint& point = head.at(row, column);
      point.u = x;
      point.v = y;
      point.position = {x, y, section.depth * forward[column]};
      const float frontal = SmoothStep(-0.1F, 0.25F, forward[column]);
      if (frontal <= 0.0F) continue;
      Vector3 shift = ExpressionShift(face, view, x, y);
      shift.z += ridge.HeightAt(x, y);
      // The nose's tip may point up or down.
      shift.y -= 0.6F * face.nose_upturn * ridge.HeightAt(x, y) * SmoothStep(1.0F, 4.0F, y);
      float light = 1.0F;
      for (const Hill& hill : hills) {
        const float dy = (y - hill.y) / hill.radius_y;
        if (dy * dy >= 1.0F) continue;
        const float px = hill.mirrored ? std::abs(x) : x;
        const float dx = (px - hill.x) / hill.radius_x;
        const float bell = Bell(dx * dx + dy * dy);
        if (bell <= 0.0F) continue;
        shift += Vector3{std::copysign(hill.aside, x), hill.down, hill.forward} * bell;
        light *= 1.0F - hill.shade * bell;
      }
      point.position += shift * frontal;
      point.openness = Mix(1.0F, light, frontal);
    }
  }
  SetNormals(head);
  return head;
}

Vector3 HeadPoint(const Surface& head, float u, float v) {
  size_t row = 0;
  while (row + 2 < head.rows && head.at(row + 1, 0).v < v) ++row;
  size_t column = 0;
  // Only the front counts: u falls again behind the ears.
  while (column + 2 < head.columns &&
         (head.at(row, column + 1).u < u || head.at(row, column + 1).position.z < 0.0F)) {
    ++column;
  }
  const auto share = [](float a, float b, float x) { return Clamp01((x - a) / (b - a)); };
  const float down = share(head.at(row, 0).v, head.at(row + 1, 0).v, v);
  const float right = share(head.at(row, column).u, head.at(row, column + 1).u, u);
  const Vector3 top = Mix(head.at(row, column).position, head.at(row, column + 1).position, right);
  const Vector3 low =
      Mix(head.at(row + 1, column).position, head.at(row + 1, column + 1).position, right);
  return Mix(top, low, down);
}

}  // namespace facegate::synthetic
