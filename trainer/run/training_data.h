#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/run/data_options.h"
#include "trainer/run/evaluation_set.h"

namespace facegate {

// The photos that a run trains on, and the pairs that it is judged by.
struct TrainingData {
  std::shared_ptr<const Dataset> training;
  size_t labelled = 0;             // photos with a label
  size_t identities = 0;           // with at least one photo; classes of the head
  size_t synthetic = 0;            // of them generated: those with the last labels
  std::vector<std::string> names;  // of the identities, by label; of generated ones "generated N"
  std::vector<EvaluationSet> sets;
  // Photos of the identities that are trained on, under the same labels, which are not trained on;
  // null where data options want none.
  std::shared_ptr<const Dataset> validation;
  // The names of photos begin with these: folders, each with a slash at its end.
  std::vector<std::string> folders;
  // sha256 over names, labels and pairs: a run goes on only with the same photos. Names are those
  // below `folders`, so that the same photos in another place are the same.
  std::string digest;
  // Tells the owner what he should know, a sentence each.
  std::vector<std::string> notes;
};

// `dataset` with the middle of each picture that data.centre_crop asks for.
std::unique_ptr<Dataset> Cropped(std::unique_ptr<Dataset> dataset, const DataOptions& options);

// `name` below the longest of `folders` that it begins with; all of it where it is in none.
std::string NameBelow(const std::string& name, const std::vector<std::string>& folders);

// Opens all sets; leaves out identities with too few photos and those that are held out, and makes
// labels dense. Who is held out, and the pairs, follow from the seed. People of one name in two
// sets are two identities, which is noted, but where one of them is held out the other is not
// trained on; nor are their photos learned from through data.unlabelled, be it by the name of the
// person or by the path of the photo. kInvalidArgument names the option when there are too few
// identities, and where a set is named twice or in both lists, nothing of data.leave_out is there,
// or too few photos of evaluate.pairs are.
StatusOr<TrainingData> OpenTrainingData(const DataOptions& options);

}  // namespace facegate
