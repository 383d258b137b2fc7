#include "trainer/parallel/process_group.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace facegate {
namespace {

using torch::Tensor;

// What is summed at once; more would need the memory of the gradients twice.
constexpr int64_t kBucket = 1 << 22;  // numbers

Tensor Bytes(const std::string& text, int64_t size) {
  Tensor bytes = torch::zeros({size}, torch::kUInt8);
  std::memcpy(bytes.data_ptr<uint8_t>(), text.data(), text.size());
  return bytes;
}

// The power of two by which numbers fill the range of halves, and so does the sum of all processes:
// the same in all. 1 where one is not finite, which the sum is not either then, or all are zero.
StatusOr<double> ScaleForHalves(const Tensor& numbers, ProcessGroup& group) {
  constexpr int kMostOfHalves = 15;  // 2^15 is one
  constexpr int kLeast = -100;       // with smaller ones the scale would be no float
  Tensor largest = numbers.abs().max().reshape({1});
  FACEGATE_RETURN_IF_ERROR(group.Max(largest));
  const double sum = largest.item<double>() * group.size();
  if (!std::isfinite(sum) || sum <= 0.0) return 1.0;
  int exponent = 0;
  std::frexp(sum, &exponent);  // below 2^exponent
  return std::ldexp(1.0, kMostOfHalves - std::max(exponent, kLeast));
}

Status SumAsHalves(Tensor& numbers, ProcessGroup& group) {
  if (numbers.numel() == 0) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const double scale, ScaleForHalves(numbers, group));
  Tensor halves = numbers.mul(scale).to(torch::kHalf);
  FACEGATE_RETURN_IF_ERROR(group.Sum(halves));
  numbers = halves.to(numbers.scalar_type()).div_(scale);
  return OkStatus();
}

Status SumBucket(const std::vector<Tensor>& tensors, ProcessGroup& group, Travel travel) {
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (const Tensor& tensor : tensors) rows.push_back(tensor.reshape({-1}));
  Tensor bucket = torch::cat(rows);
  FACEGATE_RETURN_IF_ERROR(travel == Travel::kFp16 ? SumAsHalves(bucket, group)
                                                   : group.Sum(bucket));
  int64_t begin = 0;
  for (Tensor tensor : tensors) {
    tensor.copy_(bucket.narrow(0, begin, tensor.numel()).view(tensor.sizes()));
    begin += tensor.numel();
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::string> TextOfFirst(const std::string& text, ProcessGroup& group) {
  Tensor size = torch::full({1}, static_cast<int64_t>(text.size()), torch::kInt64);
  FACEGATE_RETURN_IF_ERROR(group.TakeFirst(size));
  const auto count = size.item<int64_t>();
  if (count == 0) return std::string();
  Tensor bytes = group.rank() == 0 ? Bytes(text, count) : Bytes("", count);
  FACEGATE_RETURN_IF_ERROR(group.TakeFirst(bytes));
  return std::string(reinterpret_cast<const char*>(bytes.data_ptr<uint8_t>()),
                     static_cast<size_t>(count));
}

StatusOr<std::vector<std::string>> GatherTexts(const std::string& text, ProcessGroup& group) {
  FACEGATE_ASSIGN_OR_RETURN(
      const std::vector<Tensor> sizes,
      group.Gather(torch::full({1}, static_cast<int64_t>(text.size()), torch::kInt64)));
  int64_t most = 0;
  for (const Tensor& size : sizes) most = std::max(most, size.item<int64_t>());
  if (most == 0) return std::vector<std::string>(sizes.size());
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Tensor> all, group.Gather(Bytes(text, most)));
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    texts.emplace_back(reinterpret_cast<const char*>(all[i].data_ptr<uint8_t>()),
                       static_cast<size_t>(sizes[i].item<int64_t>()));
  }
  return texts;
}

Status SumTogether(const std::vector<Tensor>& tensors, ProcessGroup& group, Travel travel) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> bucket;
  int64_t numbers = 0;
  for (const Tensor& tensor : tensors) {
    bucket.push_back(tensor);
    numbers += tensor.numel();
    if (numbers < kBucket) continue;
    FACEGATE_RETURN_IF_ERROR(SumBucket(bucket, group, travel));
    bucket.clear();
    numbers = 0;
  }
  return bucket.empty() ? OkStatus() : SumBucket(bucket, group, travel);
}

StatusOr<Tensor> GatherRows(const Tensor& rows, ProcessGroup& group) {
  const torch::NoGradGuard no_grad;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Tensor> counts,
                            group.Gather(torch::full({1}, rows.size(0), torch::kInt64)));
  int64_t most = 0;
  for (const Tensor& count : counts) most = std::max(most, count.item<int64_t>());
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = most;
  Tensor padded = torch::zeros(shape, rows.options());
  padded.narrow(0, 0, rows.size(0)).copy_(rows);
  FACEGATE_ASSIGN_OR_RETURN(std::vector<Tensor> all, group.Gather(padded));
  for (size_t i = 0; i < all.size(); ++i) all[i] = all[i].narrow(0, 0, counts[i].item<int64_t>());
  return torch::cat(all);
}

}  // namespace facegate
