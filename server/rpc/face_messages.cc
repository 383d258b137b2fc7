#include "server/rpc/face_messages.h"

#include <string>

namespace facegate {
namespace {

void FillDetected(const DetectedFace& face, v1::Face* out) {
  v1::BoundingBox* box = out->mutable_box();
  box->set_x(face.box.x);
  box->set_y(face.box.y);
  box->set_width(face.box.width);
  box->set_height(face.box.height);
  for (const auto& landmark : face.landmarks) {
    v1::Point* point = out->add_landmarks();
    point->set_x(landmark.x);
    point->set_y(landmark.y);
  }
  out->set_score(face.score);
  out->set_quarter_turns(face.quarter_turns);
}

void FillQuality(const FaceReport& face, v1::FaceQuality* out) {
  out->set_score(static_cast<float>(face.quality->score));
  out->set_wanted(static_cast<float>(face.wanted));
  for (const ComponentQuality& one : face.quality->components) {
    v1::QualityComponent* component = out->add_components();
    component->set_name(std::string(QualityName(one.component)));
    component->set_value(static_cast<float>(one.value));
    component->set_unit(std::string(QualityUnit(one.component)));
    component->set_quality(static_cast<float>(one.quality));
  }
  for (const Shortcoming& one : face.shortcomings) {
    v1::QualityShortcoming* shortcoming = out->add_shortcomings();
    shortcoming->set_name(std::string(QualityName(one.component)));
    shortcoming->set_value(static_cast<float>(one.value));
    shortcoming->set_wanted(static_cast<float>(one.wanted));
    shortcoming->set_unit(std::string(QualityUnit(one.component)));
    shortcoming->set_advice(std::string(QualityAdvice(one.component)));
  }
}

}  // namespace

void FillFace(const FaceReport& face, v1::Face* out) {
  if (face.detected.has_value()) FillDetected(*face.detected, out);
  if (face.quality.has_value()) FillQuality(face, out->mutable_quality());
}

}  // namespace facegate
