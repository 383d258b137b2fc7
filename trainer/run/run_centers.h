#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/run/recipe.h"
#include "trainer/run/session.h"

namespace facegate {

// A checkpoint of a run of fit.
struct RunCheckpoint {
  std::string run{};   // the folder, with its recipe
  std::string path{};  // of the checkpoint
};

// The newest checkpoint of a run, or the one that is named itself. kInvalidField of RUN for what is
// neither; kFailedPrecondition where the run has no checkpoint, or a training has it open.
StatusOr<RunCheckpoint> FindCheckpoint(const std::string& path);

// The photos that a run has learned its classes from, and those of them that are kept from
// training, with what its head says of them. Generated ones are left out: their labels are right.
struct RunCenters {
  size_t centers = 1;                     // of each class
  std::vector<std::string> identities{};  // what the classes are called
  std::vector<std::string> photos{};      // names, one for each that was compared
  size_t trained = 0;                     // of these, from the front: the others were kept
  std::vector<uint32_t> labels{};         // likewise
  std::vector<float> cosines{};           // of each photo to each centre of its class
  std::vector<std::string> unusable{};    // a sentence on each photo that cannot be read
  std::vector<std::string> left_out{};    // names of photos that data.leave_out has
};

// Embeds the photos of a recipe that is SpelledOut() by the network of a checkpoint, and compares
// them with the centres of their own classes in the head of the same checkpoint; with progress.
// kFailedPrecondition where the photos are not those that the checkpoint was made with, so that its
// classes are other people, and where the head is linear.
StatusOr<RunCenters> CompareWithCenters(const std::string& checkpoint, const Recipe& spelled_out,
                                        Session& session);

}  // namespace facegate
