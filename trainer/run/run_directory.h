#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// The files of a run:
//   recipe.yaml                      what it was begun with
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

  // Makes the folder where it is absent, with `recipe` as its recipe; one that is there must have
  // the same recipe, where keys that it does not know yet count as in `defaults`.
  // kFailedPrecondition, naming the keys, where it differs; also where the folder holds other
  // things than a run, or another process has it open.
  static StatusOr<std::unique_ptr<RunDirectory>> Open(const std::string& path,
                                                      const std::string& recipe,
                                                      const std::string& defaults);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::string CheckpointPath(int64_t batches) const;
  // The newest first.
  StatusOr<std::vector<Checkpoint>> Checkpoints() const;
  // Removes all but the newest `keep` checkpoints.
  Status Prune(size_t keep) const;

 private:
  RunDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;  // a file descriptor
};

// The recipe of a run, as YAML. kNotFound where there is no run.
StatusOr<std::string> ReadRunRecipe(const std::string& path);

}  // namespace facegate
