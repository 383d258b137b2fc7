#include "trainer/synthetic/background.h"

#include <array>
#include <cmath>

#include "face/base/random.h"
#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/noise.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kPurpose = 0x6267;  // names the stream

// A disc or a box with soft edges; lengths are shares of the picture's width.
struct Blot {
  float x = 0.0F;
  float y = 0.0F;
  float half_width = 0.1F;
  float half_height = 0.1F;
  float blur = 0.05F;
  bool round = false;
  Vector3 colour;
};

class Scene {
 public:
  Scene(const FaceView& view, RandomStream random)
      : random_(random), noise_(RandomStream(view.noise_seed, kPurpose)) {
    kind_ = random_.Below(4);
    low_ = Colour(0.08F, 0.85F);
    high_ = Colour(0.08F, 0.85F);
    tilt_ = Between(-1.0F, 1.0F);
    roughness_ = kind_ == 3 ? Between(3.0F, 9.0F) : Between(0.8F, 2.0F);
    if (kind_ == 1) AddBoxes(5 + random_.Below(9));
    if (kind_ == 2) AddLights(6 + random_.Below(22));
  }

  Vector3 At(float x, float y) const {
    const float slope =
        y * (1.0F - std::abs(tilt_)) + 0.5F * (1.0F + tilt_ * (2.0F * x - 1.0F)) * std::abs(tilt_);
    float share = slope + 0.7F * noise_.Signed(x * roughness_, y * roughness_);
    if (kind_ == 3) {
      const float across = 0.8F * x + 0.6F * y;
      const float along = 0.8F * y - 0.6F * x;
      share += 0.6F * noise_.Signed(40.0F + across * 2.3F * roughness_, along * 2.3F * roughness_) +
               0.3F * noise_.Signed(across * 5.1F * roughness_, 20.0F + along * 5.1F * roughness_);
    }
    Vector3 colour = Mix(low_, high_, Clamp01(share));
    for (const Blot& blot : blots_) {
      const float dx = std::abs(x - blot.x) - blot.half_width;
      const float dy = std::abs(y - blot.y) - blot.half_height;
      if (dx > blot.blur || dy > blot.blur) continue;
      float cover = 0.0F;
      if (blot.round) {
        const float distance = std::sqrt(Square(x - blot.x) + Square(y - blot.y));
        cover = SmoothStep(blot.half_width + blot.blur, blot.half_width - blot.blur, distance) *
                (0.7F + 0.3F * Clamp01(distance / blot.half_width));
        colour += blot.colour * (0.7F * cover);
      } else {
        cover = SmoothStep(blot.blur, -blot.blur, dx) * SmoothStep(blot.blur, -blot.blur, dy);
        colour = Mix(colour, blot.colour, 0.85F * cover);
      }
    }
    const float vignette = 1.0F - 0.3F * (Square(x - 0.5F) + Square(y - 0.5F));
    return colour * vignette;
  }

 private:
  float Between(float low, float high) { return static_cast<float>(random_.Uniform(low, high)); }

  // Mostly dull colours.
  Vector3 Colour(float darkest, float brightest) {
    const float light = Square(Between(darkest, brightest));
    const float vivid = Square(Between(0.0F, 1.0F));
    const auto channel = [&] { return light * Mix(1.0F, Between(0.2F, 1.7F), vivid); };
    const float red = channel();
    const float green = channel();
    return {red, green, channel()};
  }

  void AddBoxes(uint32_t count) {
    blots_.reserve(count);
    const float blur = Between(0.015F, 0.06F);
    for (uint32_t i = 0; i < count; ++i) {
      const bool upright = random_.Chance(0.6);
      const float thin = Between(0.02F, 0.14F);
      const float wide = Between(0.1F, 0.5F);
      blots_.push_back({.x = Between(-0.1F, 1.1F),
                        .y = Between(-0.1F, 1.1F),
                        .half_width = upright ? thin : wide,
                        .half_height = upright ? wide : thin,
                        .blur = blur,
                        .round = false,
                        .colour = Colour(0.05F, 1.0F)});
    }
  }

  void AddLights(uint32_t count) {
    blots_.reserve(count);
    low_ = low_ * 0.25F;
    high_ = high_ * 0.35F;
    const float radius = Between(0.02F, 0.09F);
    for (uint32_t i = 0; i < count; ++i) {
      const float own = radius * Between(0.7F, 1.3F);
      blots_.push_back({.x = Between(0.0F, 1.0F),
                        .y = Between(0.0F, 1.0F),
                        .half_width = own,
                        .half_height = own,
                        .blur = 0.2F * own,
                        .round = true,
                        .colour = Colour(0.4F, 1.0F) * Vector3{1.1F, 0.9F, 0.7F}});
    }
  }

  RandomStream random_;
  const Noise noise_;
  uint32_t kind_ = 0;
  Vector3 low_;
  Vector3 high_;
  float tilt_ = 0.0F;
  float roughness_ = 1.0F;
  std::vector<Blot> blots_;
};

}  // namespace

std::vector<Vector3> DrawBackground(const FaceView& view, cv::Size size) {
  const Scene scene(view, RandomStream(view.noise_seed, kPurpose + 1));
  std::vector<Vector3> pixels;
  pixels.reserve(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  const float scale = 1.0F / static_cast<float>(size.width);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      pixels.push_back(scene.At(static_cast<float>(x) * scale, static_cast<float>(y) * scale));
    }
  }
  return pixels;
}

}  // namespace facegate::synthetic
