#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/image.h"
#include "trainer/measure/template_protocol.h"

// The lists by which IJB-B and IJB-C are published, as text with blanks between:
//   meta/ijbc_face_tid_mid.txt          NAME TEMPLATE MEDIUM
//   meta/ijbc_name_5pts_score.txt       NAME x y x y x y x y x y SCORE
//   meta/ijbc_template_pair_label.txt   TEMPLATE TEMPLATE 1|0
// and with commas, with a header, for 1:N:
//   meta/ijbc_1N_gallery_G1.csv, ijbc_1N_gallery_G2.csv, ijbc_1N_probe_mixed.csv
//                                       TEMPLATE_ID,SUBJECT_ID, and more, a line for each face
// IJB-B has ijbb for ijbc, S1 for G1 and S2 for G2. The faces lie in loose_crop/NAME.
namespace facegate {

// A face of a template.
struct TemplateFace {
  std::string name;
  uint32_t number = 0;  // of the template
  uint32_t medium = 0;  // a photo, or a video whose frames are several faces
  Landmarks landmarks{};
  float detection = 0.0F;  // how sure the detector was, 0 or more
};

// The faces of both lists, in order of templates, then of media, then of the first list.
// kInvalidArgument, naming file and line, for a line of another form, a name that comes twice, and
// one that the second list lacks.
StatusOr<std::vector<TemplateFace>> ReadTemplateFaces(const std::string& media_path,
                                                      const std::string& landmarks_path);

// Calls `take` with the pairs of a list, in order and some at a time, until it fails: there are
// millions. kInvalidArgument names the line that is of another form.
Status ForEachTemplatePairs(const std::string& path,
                            const std::function<Status(std::span<const TemplatePair>)>& take);

// The templates of a list for 1:N, each once, in order; a first line without numbers is a header.
// kInvalidArgument, naming the line, for one of another form and for a template of two people.
StatusOr<std::vector<TemplateSubject>> ReadTemplateSubjects(const std::string& path);

// A set as it is published.
struct TemplateSet {
  std::vector<TemplateFace> faces;
  std::string photos;      // the folder with the faces
  std::string pairs_path;  // for ForEachTemplatePairs()
  size_t genuine = 0;      // pairs
  size_t impostor = 0;
  std::vector<TemplateGallery> galleries;  // empty where the set has no lists for 1:N
  std::vector<TemplateSubject> probes;
};

// Reads all lists of a folder; `target` is IJBB or IJBC, in letters of either case. kNotFound and
// kInvalidArgument name the file that is missing or at fault; lists for 1:N may all be missing.
// A template of the pairs or of 1:N that has no face is an error, and so are pairs of one kind, a
// person with two templates in a gallery, and a gallery that no probe is of.
StatusOr<TemplateSet> OpenTemplateSet(const std::string& folder, const std::string& target);

}  // namespace facegate
