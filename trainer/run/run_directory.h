#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/base/folder_lock.h"
#include "face/base/status.h"
#include "trainer/run/recipe_change.h"

namespace facegate {

// The files of a run:
//   recipe.yaml                      what it trains with
//   checkpoints/batch-N.safetensors  states to go on from
//   steps.csv evaluations.csv log.jsonl events.out.tfevents.*   see RunLog
//   best.safetensors model.safetensors                          model files
//   report.html
// While it is open no other process opens it. Not thread-safe.
class RunDirectory {
 public:
  struct Checkpoint {
    std::string path;
    int64_t batches = 0;
  };

  // Makes the folder where it is absent, and locks it. One that holds a run must have the same
  // recipe, where keys that it does not know yet count as in `defaults`; what CheckMayChange() lets
  // pass may differ, and anything where the run has neither a checkpoint nor a model, so that
  // nothing is lost.
  // kFailedPrecondition, naming the keys, where it differs otherwise; also where the folder holds
  // other things than a run, or another process has it open. Changes nothing in a run.
  static StatusOr<std::unique_ptr<RunDirectory>> Open(const std::string& path,
                                                      const std::string& recipe,
                                                      const std::string& defaults);

  // Makes `recipe` that of the run: belongs where all that it names was opened and fits, because
  // from the first checkpoint on it stays. What a run that learned nothing left behind
  // is removed.
  Status Freeze();
  // Lists what `recipe` changes of the run's.
  const std::vector<RecipeChange>& changes() const { return changes_; }
  // True when there was a checkpoint or a model when it was opened.
  bool has_learned() const { return has_learned_; }

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::string CheckpointPath(int64_t batches) const;
  // The newest first; without any of batch 0, where nothing has been learned.
  StatusOr<std::vector<Checkpoint>> Checkpoints() const;
  // Removes all but the newest `keep` checkpoints.
  Status Prune(size_t keep) const;

 private:
  RunDirectory(std::string path, std::string recipe, FolderLock lock)
      : path_(std::move(path)), recipe_(std::move(recipe)), lock_(std::move(lock)) {}

  Status Clear() const;

  const std::string path_;
  const std::string recipe_;
  const FolderLock lock_;
  bool is_frozen_ = false;
  bool has_learned_ = false;
  std::vector<RecipeChange> changes_;
};

// The recipe of a run, as YAML. kNotFound where there is no run.
StatusOr<std::string> ReadRunRecipe(const std::string& path);

}  // namespace facegate
