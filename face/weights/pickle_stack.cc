#include "face/weights/pickle_stack.h"

#include <fmt/format.h>

#include <utility>

namespace facegate {

StatusOr<PickleRef> PickleStack::Finish() const {
  if (stack_.size() == 1 && marks_.empty()) return stack_.front();
  return InvalidArgument(fmt::format("ends with {} values and {} marks, expected 1 and 0",
                                     stack_.size(), marks_.size()));
}

Status PickleStack::Push(PickleValue value) {
  if (graph_.values.size() >= kMaxPickleValues) {
    return InvalidArgument(fmt::format("more than {} values", kMaxPickleValues));
  }
  graph_.values.push_back(std::move(value));
  return PushRef(static_cast<PickleRef>(graph_.values.size() - 1));
}

Status PickleStack::PushRef(PickleRef ref) {
  stack_.push_back(ref);
  return OkStatus();
}

StatusOr<PickleRef> PickleStack::Pop() {
  if (stack_.size() <= Bottom()) return InvalidArgument("needs a value, the stack is empty");
  const PickleRef top = stack_.back();
  stack_.pop_back();
  return top;
}

Status PickleStack::PushMark() {
  if (marks_.size() >= kMaxPickleMarks) {
    return InvalidArgument(fmt::format("more than {} marks", kMaxPickleMarks));
  }
  marks_.push_back(stack_.size());
  return OkStatus();
}

StatusOr<std::vector<PickleRef>> PickleStack::PopToMark() {
  if (marks_.empty()) return InvalidArgument("needs a mark, there is none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleRef> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Status PickleStack::Drop() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
    return OkStatus();
  }
  return Pop().status();
}

Status PickleStack::MakeTuple(size_t items) {
  PickleTuple tuple{.items = std::vector<PickleRef>(items)};
  for (size_t i = items; i-- > 0;) {
    FACEGATE_ASSIGN_OR_RETURN(tuple.items[i], Pop());
  }
  return Push(std::move(tuple));
}

Status PickleStack::MakeTupleFromMark() {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<PickleRef> items, PopToMark());
  return Push(PickleTuple{.items = std::move(items)});
}

Status PickleStack::Append() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef item, Pop());
  auto* list = Top<PickleList>();
  if (list == nullptr) return InvalidArgument("appends to what is not a list");
  list->items.push_back(item);
  return OkStatus();
}

Status PickleStack::AppendFromMark() {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<PickleRef> items, PopToMark());
  auto* list = Top<PickleList>();
  if (list == nullptr) return InvalidArgument("appends to what is not a list");
  list->items.insert(list->items.end(), items.begin(), items.end());
  return OkStatus();
}

Status PickleStack::SetItem() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef value, Pop());
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef key, Pop());
  auto* dict = Top<PickleDict>();
  if (dict == nullptr) return InvalidArgument("sets an item of what is not a dict");
  dict->entries.emplace_back(key, value);
  return OkStatus();
}

Status PickleStack::SetItemsFromMark() {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<PickleRef> items, PopToMark());
  auto* dict = Top<PickleDict>();
  if (dict == nullptr) return InvalidArgument("sets items of what is not a dict");
  if (items.size() % 2 != 0) return InvalidArgument("sets a key without a value");
  for (size_t i = 0; i < items.size(); i += 2) dict->entries.emplace_back(items[i], items[i + 1]);
  return OkStatus();
}

Status PickleStack::TakeState() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef state, Pop());
  if (auto* call = Top<PickleCall>()) {
    call->state = state;
    return OkStatus();
  }
  return Top<PickleDict>() != nullptr ? OkStatus()
                                      : InvalidArgument("sets attributes of what is not a dict");
}

Status PickleStack::Memoize(uint32_t index) {
  if (stack_.size() <= Bottom()) return InvalidArgument("remembers a value, the stack is empty");
  if (memo_.size() >= kMaxPickleValues) {
    return InvalidArgument(fmt::format("more than {} values to remember", kMaxPickleValues));
  }
  memo_[index] = stack_.back();
  return OkStatus();
}

Status PickleStack::Recall(uint32_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) {
    return InvalidArgument(fmt::format("value {} was never remembered", index));
  }
  return PushRef(found->second);
}

}  // namespace facegate
