#include "trainer/synthetic/shading.h"

#include <algorithm>
#include <cmath>

#include "trainer/synthetic/curves.h"

namespace facegate::synthetic {
namespace {

// About x to the power n for x in 0..1 (Schlick 1994).
float SchlickPower(float x, float n) { return x / (n - n * x + x); }

// Lambert's law with light that creeps `reach` around the edge.
float Wrapped(float cosine, float reach) {
  return std::max(0.0F, (cosine + reach) / (1.0F + reach));
}

}  // namespace

Vector3 Shade(const Paint& paint, const Place& place, const FaceView& view) {
  const Vector3& n = place.normal;
  const float cosine = Dot(n, view.light);
  const float reach = 0.35F * view.light_softness;
  Vector3 diffuse;
  if (paint.soft) {
    // Red travels farthest in skin.
    diffuse = {Wrapped(cosine, reach + 0.22F), Wrapped(cosine, reach + 0.14F),
               Wrapped(cosine, reach + 0.1F)};
    // Shadow edges are red for the same reason.
    const float half_lit = place.key * (1.0F - place.key);
    diffuse = diffuse * Vector3{place.key + 0.35F * half_lit, place.key, place.key};
  } else {
    const float lit = Wrapped(cosine, reach) * place.key;
    diffuse = {lit, lit, lit};
  }
  const Vector3 ambient = Mix(view.ground, view.sky, 0.5F - 0.5F * n.y) * place.openness;
  const Vector3 behind = Normalized({view.light.x > 0.0F ? -0.9F : 0.9F, -0.25F, -0.45F});
  const Vector3 rim = view.rim * std::max(0.0F, Dot(n, behind));
  Vector3 light = paint.colour * (view.light_colour * diffuse + ambient + rim);

  const Vector3 half = Normalized(view.light + place.viewer);
  float highlight = 0.0F;
  if (Dot(place.strand, place.strand) > 0.5F) {
    // Along a strand (Kajiya and Kay 1989).
    const float along = Dot(place.strand, half);
    highlight = SchlickPower(std::sqrt(std::max(0.0F, 1.0F - along * along)), 30.0F) *
                SmoothStep(-0.1F, 0.5F, cosine);
  } else {
    highlight = SchlickPower(Clamp01(Dot(n, half)), 2.0F * paint.sharpness) *
                SmoothStep(-0.05F, 0.25F, cosine);
  }
  const float grazing = 1.0F - Clamp01(Dot(n, place.viewer));
  const float mirror = paint.gloss * (1.0F + 2.0F * grazing * grazing * grazing);
  light += view.light_colour * (highlight * mirror * place.key);
  light += view.sky * (0.12F * mirror * grazing * grazing * place.openness);
  const float glow = paint.glow * (0.35F + 0.65F * place.key);
  return light + Vector3{glow, glow, glow};
}

}  // namespace facegate::synthetic
