#pragma once

#include <cstdint>

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// Holds what differs between two pictures of a person: pose, expression, light, camera.
struct FaceView {
  float yaw = 0.0F;        // radians; positive turns the face to the right of the picture
  float pitch = 0.0F;      // radians; positive looks down
  float roll = 0.0F;       // radians; positive tilts clockwise
  float distance = 80.0F;  // of the camera, cm

  float smile = 0.0F;       // -0.3..1
  float mouth_open = 0.0F;  // 0..1
  float brow_raise = 0.0F;  // -0.5..1
  float eye_open = 1.0F;    // factor on the eye's height
  float gaze_x = 0.0F;      // cm that the iris is moved
  float gaze_y = 0.0F;
  bool glasses = false;
  float tan = 1.0F;           // factor on the skin's light
  float hair_mess = 0.3F;     // 0..1
  float beard_growth = 1.0F;  // factor on its density

  Vector3 light;                // unit vector towards the key light
  Vector3 light_colour;         // linear
  float light_softness = 0.3F;  // how far light creeps around edges
  Vector3 sky;                  // light from above and from below
  Vector3 ground;
  Vector3 rim;  // light from behind, on the side away from the key light
  float exposure = 1.0F;

  float face_share = 0.5F;  // height of the face (brows to chin, about 15 cm) in the shorter side
  float place_x = 0.0F;     // -1..1 of the room that there is for the face
  float place_y = 0.0F;
  float defocus = 0.0F;  // deviation of the blur as a share of the eye distance
  float motion = 0.0F;   // length of the motion blur, share of the eye distance
  float motion_angle = 0.0F;
  float noise = 0.0F;  // deviation, 0..255
  int jpeg_quality = 95;
  Vector3 white_balance{1.0F, 1.0F, 1.0F};
  float contrast = 1.0F;

  Vector3 cloth;
  Vector3 cloth_stripe;
  float neckline = 17.0F;  // cm
  uint64_t noise_seed = 0;
};

// `difficulty` 0 gives frontal, evenly lit, clean pictures, 1 the full spread (yaw to 30 degrees,
// hard light, blur, noise). Follows from the arguments alone.
FaceView DrawView(const FaceIdentity& face, uint64_t seed, uint64_t identity, uint64_t view,
                  float difficulty);

}  // namespace facegate::synthetic
