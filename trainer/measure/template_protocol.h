#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/face_templates.h"
#include "trainer/measure/identification.h"
#include "trainer/measure/verification.h"

// The figures of the protocols of IJB-B and IJB-C.
namespace facegate {

// Two templates that are compared, by their numbers.
struct TemplatePair {
  uint32_t first = 0;
  uint32_t second = 0;
  bool same = false;
};

// Appends the scores of `pairs` to `scores`, computed by `threads` threads. kNotFound names a
// template that there is none of.
Status ScoreTemplates(const FaceTemplates& templates, std::span<const TemplatePair> pairs,
                      int threads, std::vector<ScoredPair>& scores);

// A template of a person, for 1:N.
struct TemplateSubject {
  uint32_t number = 0;   // of the template
  uint32_t subject = 0;  // of the person
};

// Who is enrolled: a template of each person.
struct TemplateGallery {
  std::string name;  // "G1"
  std::vector<TemplateSubject> people;
};

// kInvalidArgument where a person has several templates, and where nobody in the gallery is looked
// for.
Status CheckGallery(std::span<const TemplateSubject> people,
                    std::span<const TemplateSubject> probes);

// 1:N in one gallery: probes whose person is enrolled are looked for, the others are strangers.
struct GalleryFigures {
  std::string name;
  size_t people = 0;
  size_t probes = 0;
  size_t strangers = 0;
  size_t hits_1 = 0;  // probes whose person is among so many of the best
  size_t hits_5 = 0;
  size_t hits_10 = 0;
  std::vector<OpenSetRate> open_set;  // empty without strangers
};

// kNotFound names a template that there is none of; the errors of CheckGallery() name the
// gallery. `threads` as in IdentificationScores.
StatusOr<GalleryFigures> IdentifyTemplates(const FaceTemplates& templates,
                                           const TemplateGallery& gallery,
                                           std::span<const TemplateSubject> probes,
                                           std::span<const double> fpirs, int threads = 0);

// What is reported of several galleries: the ranks of all their searches counted together, and the
// mean of their rates.
struct GalleriesFigures {
  struct MeanRate {
    double fpir = 0.0;
    double tpir = 0.0;
  };
  Share rank_1;
  Share rank_5;
  Share rank_10;
  std::vector<MeanRate> open_set;  // empty where a gallery has none
};
GalleriesFigures MeanOf(std::span<const GalleryFigures> galleries);

}  // namespace facegate
