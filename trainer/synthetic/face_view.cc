#include "trainer/synthetic/face_view.h"

#include <array>
#include <cmath>

#include "face/base/random.h"
#include "trainer/synthetic/curves.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kPurpose = 0x7677;  // names the stream
constexpr float kDegree = 3.14159265F / 180.0F;

class Draw {
 public:
  Draw(RandomStream random, float spread) : random_(random), spread_(spread) {}

  float Between(float low, float high) { return static_cast<float>(random_.Uniform(low, high)); }
  // Around 0, cut off at `limit`; scaled by the difficulty.
  float Spread(float deviation, float limit) {
    return spread_ * std::clamp(deviation * static_cast<float>(random_.Normal()), -limit, limit);
  }
  bool Chance(float probability) { return random_.Chance(probability); }
  uint64_t Number() { return random_.Next(); }
  float spread() const { return spread_; }

 private:
  RandomStream random_;
  const float spread_;
};

void DrawPose(FaceView& view, Draw& draw) {
  view.yaw = draw.Spread(14.0F, 30.0F) * kDegree;
  view.pitch = draw.Spread(7.0F, 16.0F) * kDegree;
  view.roll = draw.Spread(5.0F, 12.0F) * kDegree;
  view.distance = 1.0F / draw.Between(1.0F / 160.0F, 1.0F / 45.0F);
}

void DrawExpression(const FaceIdentity& face, FaceView& view, Draw& draw) {
  const float spread = draw.spread();
  const float mood = draw.Between(0.0F, 1.0F);
  view.smile = spread * (mood < 0.35F ? draw.Between(-0.25F, 0.2F) : draw.Between(0.2F, 1.0F));
  if (draw.Chance(0.35F)) {
    view.mouth_open = spread * draw.Between(0.1F, view.smile > 0.4F ? 0.6F : 0.8F);
  }
  view.brow_raise = draw.Spread(0.3F, 0.8F);
  view.eye_open = 1.0F + draw.Spread(0.14F, 0.32F) - 0.15F * std::max(0.0F, view.smile);
  view.gaze_x = draw.Spread(0.12F, 0.3F);
  view.gaze_y = draw.Spread(0.05F, 0.12F);
  view.glasses = face.glasses && draw.Chance(0.85F);
  view.tan = 1.0F + draw.Spread(0.05F, 0.12F);
  view.hair_mess = draw.Between(0.1F, 0.8F);
  view.beard_growth = 1.0F + draw.Spread(0.15F, 0.3F);
}

void DrawLight(FaceView& view, Draw& draw) {
  const float spread = draw.spread();
  const float side = (0.35F + 0.65F * spread) * draw.Between(-1.15F, 1.15F);
  const float height = draw.Between(0.2F, 0.6F + 0.5F * spread);
  view.light = Normalized({std::sin(side), -height, std::cos(side)});
  const float warmth = draw.Spread(0.14F, 0.3F);
  const float strength = draw.Between(0.9F, 1.3F);
  view.light_colour = Vector3{1.0F + warmth, 1.0F, 1.0F - warmth} * strength;
  view.light_softness = draw.Between(0.1F, 0.5F);
  // The less fill, the harder the light.
  const float fill = draw.Between(0.36F - 0.24F * spread, 0.46F);
  const float tint = draw.Spread(0.1F, 0.2F);
  view.sky = Vector3{1.0F - tint, 1.0F, 1.0F + tint} * fill;
  view.ground = Vector3{1.0F + 0.5F * tint, 0.96F, 0.9F} * (fill * draw.Between(0.45F, 0.8F));
  if (draw.Chance(0.4F)) view.rim = Vector3{1.0F, 0.98F, 0.95F} * draw.Between(0.1F, 0.8F);
  view.exposure = 0.7F * (1.0F + draw.Spread(0.18F, 0.38F));
}

void DrawCamera(FaceView& view, Draw& draw) {
  const float spread = draw.spread();
  view.face_share = draw.Between(0.36F, 0.6F);
  view.place_x = draw.Between(-1.0F, 1.0F);
  view.place_y = draw.Between(-1.0F, 1.0F);
  view.defocus = spread * (draw.Chance(0.3F) ? draw.Between(0.01F, 0.045F) : 0.008F);
  if (draw.Chance(0.15F)) view.motion = spread * draw.Between(0.03F, 0.12F);
  view.motion_angle = draw.Between(0.0F, 3.14159265F);
  view.noise = 0.8F + spread * Square(draw.Between(0.0F, 1.0F)) * 7.0F;
  view.jpeg_quality = static_cast<int>(96.0F - spread * draw.Between(0.0F, 48.0F));
  const float warm = draw.Spread(0.06F, 0.14F);
  view.white_balance = {1.0F + warm, 1.0F, 1.0F - warm};
  view.contrast = 1.0F + draw.Spread(0.1F, 0.22F);
}

void DrawClothes(FaceView& view, Draw& draw) {
  const auto colour = [&] {
    const float light = Square(draw.Between(0.12F, 0.9F));
    return Vector3{light * draw.Between(0.5F, 1.2F), light * draw.Between(0.5F, 1.2F),
                   light * draw.Between(0.5F, 1.2F)};
  };
  view.cloth = colour();
  view.cloth_stripe = draw.Chance(0.3F) ? colour() : view.cloth;
  view.neckline = draw.Between(15.0F, 20.0F);
}

}  // namespace

FaceView DrawView(const FaceIdentity& face, uint64_t seed, uint64_t identity, uint64_t view,
                  float difficulty) {
  Draw draw(RandomStream(seed, kPurpose, identity, view), Clamp01(difficulty));
  FaceView result;
  DrawPose(result, draw);
  DrawExpression(face, result, draw);
  DrawLight(result, draw);
  DrawCamera(result, draw);
  DrawClothes(result, draw);
  result.noise_seed = draw.Number();
  return result;
}

}  // namespace facegate::synthetic
