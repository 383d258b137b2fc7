#pragma once

#include <string>

#include "face/decide/calibration.h"
#include "face/decide/calibration_json.h"

namespace facegate {

// A small calibration in which everything occurs, with numbers that are easy to reckon with.
inline Calibration SampleCalibration() {
  Calibration one;
  one.set = "the \"staff\" of a museum";
  one.model_digest = std::string(64, 'a');
  one.preprocessing_digest = std::string(64, 'b');
  one.probe_quality = 0.4;
  one.photos = 210;
  one.photos_left_out = 10;
  one.people = 101;
  one.impostor_pairs = 5050;
  one.impostor_comparisons = 20000;
  one.genuine_people = 50;
  one.genuine_pairs = 120;
  one.false_match = {
      {.threshold = 0.0, .pairs = 5000, .rate = 0.9, .person_variance = 0.1, .pair_variance = 0.11},
      {.threshold = 0.25, .pairs = 505, .rate = 0.1, .person_variance = 0.5, .pair_variance = 9.0},
      {.threshold = 0.5, .pairs = 51, .rate = 0.01, .person_variance = 1.0, .pair_variance = 99.0},
      {.threshold = 0.75, .pairs = 0, .rate = 0.0, .person_variance = 0.0, .pair_variance = 0.0}};
  one.false_non_match = {{.threshold = 0.25, .rate = 0.0, .person_variance = 0.0},
                         {.threshold = 0.5, .rate = 0.1, .person_variance = 0.05}};
  one.galleries = {
      {.identities = 10,
       .rows =
           {{.threshold = 0.25, .rate = 0.6, .estimate_variance = 0.01, .gallery_variance = 0.02},
            {.threshold = 0.5, .rate = 0.09, .estimate_variance = 0.05, .gallery_variance = 0.1},
            {.threshold = 0.75, .rate = 0.0, .estimate_variance = 0.0, .gallery_variance = 0.0}}},
      {.identities = 50,
       .rows = {
           {.threshold = 0.5, .rate = 0.35, .estimate_variance = 0.03, .gallery_variance = 0.04},
           {.threshold = 0.75, .rate = 0.0, .estimate_variance = 0.0, .gallery_variance = 0.0}}}};
  one.id = CalibrationId(one);
  return one;
}

}  // namespace facegate
