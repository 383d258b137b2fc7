#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/face_templates.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/template_lists.h"

namespace facegate {

struct MadeTemplates {
  FaceTemplates templates;
  size_t left_out = 0;               // faces
  std::vector<std::string> remarks;  // why, a line each
};

// kInvalidArgument, naming one, where the detector was sure of no face of a template and faces are
// weighed by that. Under kSkip only where that is so of all: such templates are without a face.
Status CheckFacesCount(const TemplateSet& set, const FaceWeights& weights, MissingPhotos rule);

// Takes the rows of a set's faces in order, and makes its templates.
class TemplateMaker {
 public:
  // `set` outlives it.
  TemplateMaker(const TemplateSet& set, size_t dimension, const FaceWeights& weights,
                MissingPhotos rule)
      : set_(set), rule_(rule), sums_(dimension, weights) {}

  // The next face. One whose row cannot be used is a fault.
  Status Take(std::span<const float> row);
  // The next face, which has no row: it is left out under kSkip, else kInvalidArgument.
  Status TakeFault(const std::string& fault);

  // kInvalidArgument, with the first faults, where all faces are left out.
  StatusOr<MadeTemplates> Finish();

 private:
  const TemplateFace& Next();
  Status LeaveOut(const std::string& fault);

  const TemplateSet& set_;
  const MissingPhotos rule_;
  TemplateSums sums_;
  size_t next_ = 0;
  size_t left_out_ = 0;
  std::vector<std::string> faults_;  // the first few
};

}  // namespace facegate
