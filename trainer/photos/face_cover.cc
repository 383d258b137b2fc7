#include "trainer/photos/face_cover.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <utility>
#include <vector>

#include "trainer/photos/cover_surface.h"

namespace facegate {
namespace {

using Outline = std::vector<cv::Point2d>;

// Coordinates of a face: the origin lies between the eyes, x grows along them to the right, y down
// the face. A unit is the distance of the eyes (in a profile, what it would be from the front).
struct FaceAxes {
  cv::Point2d origin;
  cv::Point2d x_axis;  // pixels of a unit
  cv::Point2d y_axis;

  explicit FaceAxes(const Landmarks& landmarks) {
    const cv::Point2d left = landmarks[0];
    const cv::Point2d right = landmarks[1];
    const cv::Point2d mouth = (landmarks[3] + landmarks[4]) * 0.5F;
    origin = (left + right) * 0.5;
    const double eyes = cv::norm(right - left);
    const double unit = std::max({eyes, 0.85 * cv::norm(mouth - origin), 1.0});
    x_axis = eyes > 0.0 ? (right - left) * (unit / eyes) : cv::Point2d(unit, 0.0);
    y_axis = {-x_axis.y, x_axis.x};
  }

  double unit() const { return cv::norm(x_axis); }
  cv::Point2d ToPicture(cv::Point2d point) const {
    return origin + point.x * x_axis + point.y * y_axis;
  }
  cv::Point2d FromPicture(cv::Point2d point) const {
    const cv::Point2d way = point - origin;
    const double square = x_axis.dot(x_axis);
    return {way.dot(x_axis) / square, way.dot(y_axis) / square};
  }
  Outline ToPicture(const Outline& outline) const {
    Outline moved;
    moved.reserve(outline.size());
    for (const cv::Point2d& point : outline) moved.push_back(ToPicture(point));
    return moved;
  }
};

cv::Vec3d AnyColour(RandomStream& random) {
  return {random.Uniform(0, 255), random.Uniform(0, 255), random.Uniform(0, 255)};
}

cv::Vec3d GreyColour(double low, double high, RandomStream& random) {
  const double grey = random.Uniform(low, high);
  return {grey + random.Uniform(-8, 8), grey + random.Uniform(-8, 8), grey + random.Uniform(-8, 8)};
}

cv::Vec3d SkinColour(RandomStream& random) {
  const double light = random.Uniform(0.25, 1.0);
  return {light * random.Uniform(120, 170), light * random.Uniform(150, 195),
          light * random.Uniform(200, 245)};
}

struct Thing {
  Outline outline;  // in coordinates of the face
  cv::Vec3d colour;
  double opacity = 1.0;
  double softness = 0.02;  // of the edge, in units
};

// A random relief where `smooth` is false, else uneven light alone.
void Draw(const Thing& thing, const FaceAxes& face, bool smooth, RandomStream& random,
          cv::Mat& photo) {
  LayCover({.outline = face.ToPicture(thing.outline),
            .colour = thing.colour,
            .opacity = thing.opacity,
            .softness = thing.softness * face.unit(),
            .smooth = smooth,
            .unit = face.unit()},
           random, photo);
}

// A closed outline with its corners cut twice (Chaikin, 1974).
Outline Rounded(Outline outline) {
  for (int i = 0; i < 2; ++i) {
    Outline next;
    next.reserve(2 * outline.size());
    for (size_t k = 0; k < outline.size(); ++k) {
      const cv::Point2d& a = outline[k];
      const cv::Point2d& b = outline[(k + 1) % outline.size()];
      next.push_back(0.75 * a + 0.25 * b);
      next.push_back(0.25 * a + 0.75 * b);
    }
    outline = std::move(next);
  }
  return outline;
}

// A bar from a to b.
Outline Bar(cv::Point2d a, cv::Point2d b, double width) {
  const cv::Point2d way = b - a;
  const double length = std::max(1e-6, cv::norm(way));
  const cv::Point2d across(-way.y * width / (2.0 * length), way.x * width / (2.0 * length));
  return {a + across, b + across, b - across, a - across};
}

// The shape of one of the two glasses.
struct GlassesShape {
  double half_width = 0.0;  // units
  double half_height = 0.0;
  double squareness = 2.0;  // exponent of a superellipse: 2 round, 6 nearly a rectangle
  double narrowing = 0.0;   // of the lower half, as aviators have it
};

Outline Lens(cv::Point2d centre, const GlassesShape& shape, double grown) {
  constexpr int kPoints = 40;
  Outline outline;
  for (int i = 0; i < kPoints; ++i) {
    const double angle = 2.0 * std::numbers::pi * i / kPoints;
    const auto bent = [&shape](double value) {
      return std::copysign(std::pow(std::abs(value), 2.0 / shape.squareness), value);
    };
    const double y = bent(std::sin(angle));
    const double width = y > 0.0 ? 1.0 - shape.narrowing * y : 1.0;
    outline.push_back({centre.x + (shape.half_width + grown) * width * bent(std::cos(angle)),
                       centre.y + (shape.half_height + grown) * y});
  }
  return outline;
}

}  // namespace

void HidePartOfFace(const Landmarks& landmarks, FaceSide side, double share, RandomStream& random,
                    cv::Mat& photo) {
  const FaceAxes face(landmarks);
  const cv::Point2d mouth = face.FromPicture((landmarks[3] + landmarks[4]) * 0.5F);
  const cv::Point2d nose = face.FromPicture(landmarks[2]);
  // The face in its own coordinates, and how far a cover reaches beyond it. The middle of a face
  // that looks to a side lies beside the middle of its eyes.
  const double middle = (mouth.x + nose.x) / 3.0;
  const bool upright = side == FaceSide::kUpper || side == FaceSide::kLower;
  const double first = upright ? -1.0 : middle - 1.15;
  const double last = upright ? 0.75 * mouth.y + 1.0 : middle + 1.15;
  const bool from_first = side == FaceSide::kLeft || side == FaceSide::kUpper;
  const double edge = from_first ? first + share * (last - first) : last - share * (last - first);
  const double outer =
      from_first ? first - random.Uniform(0.3, 1.0) : last + random.Uniform(0.3, 1.0);
  const double reach = random.Uniform(1.9, 2.6);  // to both ends of the edge
  const double along = upright ? 0.0 : 0.4;
  const double tilt = random.Uniform(-0.12, 0.12);
  const double wave = random.Chance(0.5) ? random.Uniform(0.0, 0.08) : 0.0;
  const double phase = random.Uniform(0, 2.0 * std::numbers::pi);
  Outline outline;
  constexpr int kSteps = 16;
  for (int i = 0; i <= kSteps; ++i) {
    const double way = reach * (2.0 * i / kSteps - 1.0);
    const double bent = edge + tilt * way + wave * std::sin(4.0 * way + phase);
    outline.push_back(upright ? cv::Point2d(way, bent) : cv::Point2d(bent, along + way));
  }
  outline.push_back(upright ? cv::Point2d(reach, outer) : cv::Point2d(outer, along + reach));
  outline.push_back(upright ? cv::Point2d(-reach, outer) : cv::Point2d(outer, along - reach));
  const double kind = random.Uniform();
  const cv::Vec3d colour = kind < 0.2   ? SkinColour(random)
                           : kind < 0.5 ? GreyColour(0, 255, random)
                                        : AnyColour(random);
  Draw({.outline = std::move(outline), .colour = colour}, face, random.Chance(0.25), random, photo);
}

void DrawDarkGlasses(const Landmarks& landmarks, RandomStream& random, cv::Mat& photo) {
  const FaceAxes face(landmarks);
  const GlassesShape shape{.half_width = random.Uniform(0.31, 0.45),
                           .half_height = random.Uniform(0.21, 0.34),
                           .squareness = random.Uniform(2.0, 5.0),
                           .narrowing = random.Chance(0.4) ? random.Uniform(0.1, 0.4) : 0.0};
  const double drop = random.Uniform(-0.02, 0.08);
  const double frame = random.Uniform(0.015, 0.07);
  const cv::Vec3d frame_colour = random.Chance(0.6) ? GreyColour(0, 60, random) : AnyColour(random);
  const cv::Vec3d glass = GreyColour(2, 45, random) + random.Uniform(0, 0.12) * AnyColour(random);
  const double opacity = random.Uniform(0.9, 1.0);
  std::array<cv::Point2d, 2> centres;
  for (size_t i = 0; i < 2; ++i) {
    centres[i] = face.FromPicture(landmarks[i]) + cv::Point2d(0.0, drop);
    // A profile has its eyes closer together than a unit; lenses stand apart all the same.
    const double side = i == 0 ? -1.0 : 1.0;
    centres[i].x = side * std::max(side * centres[i].x, 0.8 * shape.half_width);
  }
  const auto draw_frame = [&](const Outline& outline) {
    Draw({.outline = outline, .colour = frame_colour, .softness = 0.012}, face, true, random,
         photo);
  };
  const double temple = random.Uniform(-0.15, 0.05);
  for (size_t i = 0; i < 2; ++i) {
    const double side = i == 0 ? -1.0 : 1.0;
    const double outer = centres[i].x + side * shape.half_width * 0.9;
    draw_frame(Bar({outer, drop - 0.4 * shape.half_height}, {side * 1.15, temple}, frame + 0.03));
    draw_frame(Lens(centres[i], shape, frame));
  }
  const double height = drop - shape.half_height * random.Uniform(0.0, 0.6);
  draw_frame(Bar({centres[0].x + 0.6 * shape.half_width, height},
                 {centres[1].x - 0.6 * shape.half_width, height}, frame + 0.03));
  const bool mirrors = random.Chance(0.35);  // light that the glass throws back
  for (const cv::Point2d& centre : centres) {
    Draw({.outline = Lens(centre, shape, 0.0),
          .colour = glass,
          .opacity = opacity,
          .softness = 0.012},
         face, true, random, photo);
    if (!mirrors) continue;
    const GlassesShape spot{.half_width = shape.half_width * random.Uniform(0.1, 0.5),
                            .half_height = shape.half_height * random.Uniform(0.1, 0.4)};
    const cv::Point2d at(centre.x + shape.half_width * random.Uniform(-0.4, 0.4),
                         centre.y + shape.half_height * random.Uniform(-0.5, 0.3));
    Draw({.outline = Lens(at, spot, 0.0),
          .colour = GreyColour(140, 240, random),
          .opacity = random.Uniform(0.15, 0.6),
          .softness = 0.04},
         face, true, random, photo);
  }
}

void DrawMask(const Landmarks& landmarks, RandomStream& random, cv::Mat& photo) {
  const FaceAxes face(landmarks);
  const cv::Point2d nose = face.FromPicture(landmarks[2]);
  const cv::Point2d mouth = face.FromPicture((landmarks[3] + landmarks[4]) * 0.5F);
  const double top = nose.y * random.Uniform(0.4, 0.75);
  const double cheek = top + random.Uniform(0.02, 0.25);
  const double width = random.Uniform(0.84, 1.12);
  const double jaw = mouth.y + random.Uniform(0.2, 0.45);
  const double chin = mouth.y + random.Uniform(0.65, 0.95);
  const double jaw_width = width * random.Uniform(0.75, 0.95);
  // A face that looks to a side shows more of the mask on the other one.
  const double left = mouth.x * 0.5 - width;
  const double right = mouth.x * 0.5 + width;
  const Outline outline = Rounded({{nose.x - 0.18, top},
                                   {nose.x + 0.18, top},
                                   {right - 0.25, cheek},
                                   {right, cheek + 0.12},
                                   {mouth.x + jaw_width, jaw},
                                   {mouth.x + 0.4 * jaw_width, chin},
                                   {mouth.x - 0.4 * jaw_width, chin},
                                   {mouth.x - jaw_width, jaw},
                                   {left, cheek + 0.12},
                                   {left + 0.25, cheek}});
  const double kind = random.Uniform();
  const cv::Vec3d colour = kind < 0.3
                               ? cv::Vec3d(random.Uniform(190, 230), random.Uniform(170, 210),
                                           random.Uniform(100, 170))  // the blue of surgical masks
                           : kind < 0.55 ? GreyColour(200, 245, random)
                           : kind < 0.75 ? GreyColour(5, 60, random)
                                         : AnyColour(random);
  const double string = random.Uniform(0.02, 0.05);
  const double ear = random.Uniform(-0.1, 0.3);
  for (const double end : {left, right}) {
    const double far = end + (end < 0.0 ? -0.35 : 0.35);
    Draw({.outline = Bar({end, cheek + 0.15}, {far, ear}, string), .colour = colour}, face, true,
         random, photo);
  }
  Draw({.outline = outline, .colour = colour}, face, random.Chance(0.4), random, photo);
  if (!random.Chance(0.5)) return;
  // Folds.
  const int folds = 2 + static_cast<int>(random.Below(3));
  for (int i = 1; i <= folds; ++i) {
    const double y = cheek + 0.15 + (jaw - cheek - 0.15) * i / (folds + 1.0);
    Draw({.outline = Bar({left + 0.1, y}, {right - 0.1, y}, 0.03),
          .colour = colour * 0.6,
          .opacity = random.Uniform(0.2, 0.6)},
         face, true, random, photo);
  }
}

}  // namespace facegate
