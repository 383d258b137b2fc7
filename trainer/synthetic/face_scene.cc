#include "trainer/synthetic/face_scene.h"

#include <cmath>
#include <utility>

#include "trainer/synthetic/background.h"
#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/face_paint.h"
#include "trainer/synthetic/hair_surface.h"
#include "trainer/synthetic/head_surface.h"
#include "trainer/synthetic/noise.h"
#include "trainer/synthetic/pinhole_camera.h"
#include "trainer/synthetic/shading.h"
#include "trainer/synthetic/shadow_map.h"
#include "trainer/synthetic/worn_surfaces.h"
#include "trainer/synthetic/z_buffer.h"

namespace facegate::synthetic {
namespace {

constexpr int kOversampling = 2;             // in each direction
constexpr float kTipHeight = 0.3F;           // of the nose's foremost point above its lower end, cm
constexpr float kEyeMiddle = -0.15F;         // y of an open eye's middle, cm
constexpr Vector3 kNeck{0.0F, 6.0F, -1.0F};  // the head turns about it, cm

Vector3 TurnAboutNeck(const Turn& turn, const Vector3& a) { return turn(a - kNeck) + kNeck; }

void TurnSurface(const Turn& turn, Surface& surface) {
  for (SurfacePoint& point : surface.points) {
    point.position = TurnAboutNeck(turn, point.position);
    point.normal = turn(point.normal);
  }
}

class SceneDrawing {
 public:
  SceneDrawing(const FaceIdentity& face, const FaceView& view, const Framing& framing)
      : face_(face),
        view_(view),
        noise_(RandomStream(face.noise_seed)),
        hair_line_(face),
        paint_(face, view, hair_line_, noise_),
        head_turn_(MakeTurn(view.yaw, view.pitch, view.roll)),
        strand_(head_turn_({0.0F, 1.0F, 0.0F})),
        camera_(view, framing.scale * kOversampling,
                {(framing.centre.x + 0.5F) * kOversampling - 0.5F,
                 (framing.centre.y + 0.5F) * kOversampling - 0.5F}),
        shadows_(view.light),
        buffer_(framing.size * kOversampling) {}

  std::vector<Vector3> Draw(Surface head, cv::Size size) {
    TurnSurface(head_turn_, head);
    shadows_.Add(head, {});
    Add(std::move(head), false);
    AddHair();
    for (Surface& ear : MakeEars(face_)) {
      TurnSurface(head_turn_, ear);
      Add(std::move(ear), true);
    }
    if (view_.glasses) {
      for (Surface& part : MakeGlasses(face_)) {
        TurnSurface(head_turn_, part);
        Add(std::move(part), true);
      }
    }
    Surface bust = MakeBust(face_);
    TurnSurface(MakeTurn(0.35F * view_.yaw, 0.0F, 0.25F * view_.roll), bust);
    Add(std::move(bust), false);
    std::vector<Vector3> light = DrawBackground(view_, size);
    Resolve(size, light);
    return light;
  }

 private:
  void Add(Surface surface, bool two_sided) {
    Project(surface);
    buffer_.Add(surface, two_sided, [](float, float) { return true; });
  }

  void AddHair() {
    if (face_.hair_style == HairStyle::kBald) return;
    Surface hair = MakeHair(face_, view_, hair_line_, noise_);
    std::vector<bool> hidden(hair.points.size());
    for (size_t i = 0; i < hidden.size(); ++i) {
      hidden[i] = hair.points[i].v > hair_line_.At(hair.points[i].u);
    }
    TurnSurface(head_turn_, hair);
    shadows_.Add(hair, hidden);
    Project(hair);
    buffer_.Add(hair, true, [&](float angle, float y) {
      return HairCovers(face_, view_, hair_line_, noise_, angle, y);
    });
  }

  void Project(Surface& surface) const {
    for (SurfacePoint& point : surface.points) point.position = camera_.Project(point.position);
  }

  Paint PaintOf(const Fragment& fragment) const {
    switch (fragment.material) {
      case Material::kSkin:
        return WithLens(fragment, paint_.Skin(fragment.u, fragment.v));
      case Material::kHair:
        return paint_.Hair(fragment.u, fragment.v);
      case Material::kEar:
        return paint_.Ear(fragment.u, fragment.v);
      case Material::kBust:
        return paint_.Bust(fragment.u, fragment.v);
      case Material::kFrame:
        return {.colour = face_.frame, .gloss = 0.4F, .sharpness = 24.0F};
      case Material::kNothing:
        break;
    }
    return {};
  }

  // Glass takes a little light and shows a window.
  Paint WithLens(const Fragment& fragment, Paint paint) const {
    if (!view_.glasses || std::abs(fragment.v - kLensY) > face_.lens_height) return paint;
    if (LensDistance(face_, fragment.u, fragment.v) > 1.0F) return paint;
    paint.colour = paint.colour * 0.9F;
    const float across = fragment.u + 0.6F * fragment.v + 3.0F * view_.yaw;
    const float stripe = Bell(Square((std::abs(across) - face_.eye_x - 0.9F) / 0.7F));
    paint.glow += 0.1F * stripe;
    return paint;
  }

  Vector3 ShadeFragment(const Fragment& fragment, int x, int y) const {
    const Vector3 position = camera_.Lift(static_cast<float>(x), static_cast<float>(y), fragment.z);
    Place place{.normal = Normalized(fragment.normal),
                .viewer = camera_.TowardsViewer(position),
                .strand = {},
                .openness = fragment.openness,
                .key = 1.0F};
    if (Dot(place.normal, place.viewer) < 0.0F) place.normal = place.normal * -1.0F;
    if (fragment.material == Material::kHair) place.strand = strand_;
    place.key = shadows_.LightAt(position + place.normal * 0.25F);
    return Shade(PaintOf(fragment), place, view_);
  }

  // Averages the fragments of each pixel; where there is none the background stays.
  void Resolve(cv::Size size, std::vector<Vector3>& pixels) const {
    constexpr float kShare = 1.0F / (kOversampling * kOversampling);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        Vector3& pixel = pixels[static_cast<size_t>(y) * static_cast<size_t>(size.width) +
                                static_cast<size_t>(x)];
        Vector3 sum;
        for (int i = 0; i < kOversampling * kOversampling; ++i) {
          const int fine_x = x * kOversampling + i % kOversampling;
          const int fine_y = y * kOversampling + i / kOversampling;
          const Fragment& fragment = buffer_.at(fine_x, fine_y);
          sum += fragment.material == Material::kNothing ? pixel
                                                         : ShadeFragment(fragment, fine_x, fine_y);
        }
        pixel = sum * kShare;
      }
    }
  }

  const FaceIdentity& face_;
  const FaceView& view_;
  const Noise noise_;
  const HairLine hair_line_;
  const FacePaint paint_;
  const Turn head_turn_;
  const Vector3 strand_;  // down the hair
  const PinholeCamera camera_;
  ShadowMap shadows_;
  ZBuffer buffer_;
};

}  // namespace

std::array<cv::Point2f, 5> FindLandmarks(const FaceIdentity& face, const FaceView& view,
                                         const Surface& head, const Framing& framing) {
  const PinholeCamera camera(view, framing.scale, framing.centre);
  const Turn turn = MakeTurn(view.yaw, view.pitch, view.roll);
  const cv::Point2f mouth = MouthCorner(face, view);
  const std::array<cv::Point2f, 5> painted = {cv::Point2f(-face.eye_x, kEyeMiddle),
                                              {face.eye_x, kEyeMiddle},
                                              {face.nose_bend, face.nose_length - kTipHeight},
                                              {-mouth.x, mouth.y},
                                              mouth};
  std::array<cv::Point2f, 5> result;
  for (size_t i = 0; i < painted.size(); ++i) {
    const Vector3 point = HeadPoint(head, painted[i].x, painted[i].y);
    const Vector3 pixel = camera.Project(TurnAboutNeck(turn, point));
    result[i] = {pixel.x, pixel.y};
  }
  return result;
}

std::vector<Vector3> DrawScene(const FaceIdentity& face, const FaceView& view, Surface head,
                               const Framing& framing) {
  return SceneDrawing(face, view, framing).Draw(std::move(head), framing.size);
}

}  // namespace facegate::synthetic
