#pragma once

#include <cstdint>
#include <vector>

#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

enum class HairStyle { kBald, kCropped, kShort, kFringe, kBob, kLong, kCurls };
enum class BeardStyle { kNone, kStubble, kMoustache, kGoatee, kFull };

struct Mole {
  float x = 0.0F;  // cm on the face, as for the features below
  float y = 0.0F;
  float radius = 0.1F;
};

// Holds what makes a person of the synthetic data the same in every picture. Lengths are
// centimetres; the origin lies between the eyes, y grows down.
struct FaceIdentity {
  float femininity = 0.5F;  // 0..1; leads shape, hair and beard, decides none of them
  float age = 35.0F;        // years
  float melanin = 0.3F;     // 0..1, light to dark skin
  float fullness = 0.0F;    // about -1..1, lean to full cheeks

  float skull_width = 7.3F;  // half of it, at the temples
  float skull_height = 11.5F;
  float cheek_width = 7.0F;
  float jaw_width = 6.0F;
  float chin_width = 3.8F;
  float chin_y = 11.8F;
  float chin_squareness = 2.5F;
  float chin_forward = 0.5F;
  float cheekbone = 0.5F;
  float forehead_bulge = 0.0F;
  float brow_ridge = 0.4F;
  float flatness = 2.25F;  // exponent of the head's cross-section

  float eye_x = 3.15F;
  float eye_width = 1.5F;  // half of it
  float eye_height = 0.55F;
  float eye_tilt = 0.05F;  // radians, outer corner up
  float eye_depth = 1.0F;
  float lid_fold = 0.4F;  // how far above the lid its crease lies; near 0 there is none
  float lashes = 0.5F;    // 0..1
  float lid_shadow = 0.0F;
  Vector3 iris;
  float iris_radius = 0.6F;

  float brow_y = -2.2F;
  float brow_thickness = 0.5F;
  float brow_arch = 0.3F;
  float brow_tilt = 0.0F;
  float brow_length = 2.2F;
  float brow_density = 0.8F;
  float brow_gap = 1.2F;  // x of the inner ends

  float nose_length = 3.7F;  // y of the tip
  float nose_bridge = 0.6F;
  float nose_tip = 2.0F;
  float nose_width = 1.35F;
  float nose_ball = 0.4F;
  float nose_hump = 0.0F;
  float nose_bend = 0.0F;
  float nose_upturn = 0.0F;

  float mouth_y = 7.2F;
  float mouth_width = 2.5F;
  float upper_lip = 0.55F;
  float lower_lip = 0.75F;
  float lip_bow = 0.3F;
  float mouth_curve = 0.0F;
  Vector3 lips;

  float ear_size = 1.0F;
  float ear_angle = 0.4F;  // radians away from the head

  Vector3 skin;
  float ruddiness = 0.3F;
  float freckles = 0.0F;
  float gloss = 0.2F;
  std::vector<Mole> moles;
  float wrinkles = 0.0F;  // 0..1

  HairStyle hair_style = HairStyle::kShort;
  Vector3 hair;
  Vector3 brow_colour;
  float hair_volume = 0.8F;
  float hairline = -7.0F;
  float receding = 0.0F;
  float parting = 0.0F;  // -1..1, side of it
  float hair_wave = 0.3F;
  float hair_length = 14.0F;  // y of the lower end of long hair

  BeardStyle beard = BeardStyle::kNone;
  Vector3 beard_colour;
  float beard_density = 0.7F;

  bool glasses = false;
  float lens_width = 2.5F;  // half of it
  float lens_height = 1.8F;
  float lens_squareness = 3.0F;
  float frame_thickness = 0.25F;
  Vector3 frame;

  float neck_width = 5.4F;
  uint64_t noise_seed = 0;
};

// Follows from the two numbers alone.
FaceIdentity DrawIdentity(uint64_t seed, uint64_t identity);

}  // namespace facegate::synthetic
