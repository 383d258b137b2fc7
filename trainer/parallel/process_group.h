#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Processes that train one network together: rank 0, which leads, and the others. Each of the
// functions below is called by all of them, in the same order and with tensors of the same shape
// and type, and waits for all of them. kUnavailable where a process has died, or says nothing for
// too long; nothing can be shared from then on. Tensors are contiguous ones on the CPU, of float,
// double, half, int64 or bytes. Not thread-safe.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  // True once a call has failed: another process is gone, or hangs.
  virtual bool has_failed() const = 0;

  // Puts the sum, or the largest, of the tensors of all into each: the same bits everywhere.
  virtual Status Sum(torch::Tensor& tensor) = 0;
  virtual Status Max(torch::Tensor& tensor) = 0;
  // The tensors of all, by rank.
  virtual StatusOr<std::vector<torch::Tensor>> Gather(const torch::Tensor& tensor) = 0;
  // Gives all the tensor of rank 0. Waits for hours, because rank 0 may have other things to do.
  virtual Status TakeFirst(torch::Tensor& tensor) = 0;
};

// Gives all the text of rank 0.
StatusOr<std::string> TextOfFirst(const std::string& text, ProcessGroup& group);
// The texts of all, by rank.
StatusOr<std::vector<std::string>> GatherTexts(const std::string& text, ProcessGroup& group);
// What numbers are on their way to other processes: as they are, or FP16, which is half of the
// bytes of floats. A power of two that all agree on, for some million numbers at a time, makes the
// largest fit: 11 bits are kept of each that is at least a millionth of it, and fewer of smaller
// ones. A sum with one that is not finite is not finite.
enum class Travel { kWhole, kFp16 };
// Sums tensors of floats as Sum() does, many small ones at once.
Status SumTogether(const std::vector<torch::Tensor>& tensors, ProcessGroup& group,
                   Travel travel = Travel::kWhole);
// The rows of all, in the order of ranks, where each has its own number of them.
StatusOr<torch::Tensor> GatherRows(const torch::Tensor& rows, ProcessGroup& group);

}  // namespace facegate
