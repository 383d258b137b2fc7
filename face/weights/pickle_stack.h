#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <variant>
#include <vector>

#include "face/base/status.h"
#include "face/weights/pickle_value.h"

namespace facegate {

// Bounds of one pickle. A state dict of 5,000 tensors needs about 1 MB and 100,000 values.
inline constexpr size_t kMaxPickleBytes = 32 << 20;
inline constexpr size_t kMaxPickleValues = 2'000'000;
inline constexpr size_t kMaxPickleMarks = 10'000;

// The memory of the pickle machine: values, the stack with its marks, and the memo. Each call is
// what one opcode does; kInvalidArgument, with the reason, when the stack does not hold what it
// needs or a bound is passed.
class PickleStack {
 public:
  const PickleGraph& graph() const { return graph_; }
  // The one value left at the end.
  StatusOr<PickleRef> Finish() const;
  PickleGraph TakeGraph() { return std::move(graph_); }

  // Makes a value, or puts an existing one on top.
  Status Push(PickleValue value);
  Status PushRef(PickleRef ref);
  // Values below the newest mark are out of reach.
  StatusOr<PickleRef> Pop();
  Status PushMark();
  // Returns what stands above the newest mark, which goes with it.
  StatusOr<std::vector<PickleRef>> PopToMark();
  // POP: the value on top, or the mark.
  Status Drop();

  Status MakeTuple(size_t items);
  Status MakeTupleFromMark();
  // Appends to the list below the item or items on top.
  Status Append();
  Status AppendFromMark();
  // Sets entries of the dict below the key and value, or several of them, on top.
  Status SetItem();
  Status SetItemsFromMark();
  // BUILD: the state on top becomes that of the call below; a dict, which has attributes in Python,
  // stays without it.
  Status TakeState();

  Status Memoize(uint32_t index);
  Status MemoizeNext() { return Memoize(static_cast<uint32_t>(memo_.size())); }
  Status Recall(uint32_t index);

 private:
  size_t Bottom() const { return marks_.empty() ? 0 : marks_.back(); }
  // The container on top, to be filled; nullptr when there is none.
  template <typename T>
  T* Top() {
    return stack_.size() > Bottom() ? std::get_if<T>(&graph_.values[stack_.back()]) : nullptr;
  }

  PickleGraph graph_;
  std::vector<PickleRef> stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::unordered_map<uint32_t, PickleRef> memo_;
};

}  // namespace facegate
