#include "face/weights/pickle_global.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace facegate {
namespace {

struct StorageName {
  std::string_view name;
  DType dtype;
};

constexpr std::array<StorageName, 10> kStorages = {{
    {"FloatStorage", DType::kF32},
    {"DoubleStorage", DType::kF64},
    {"HalfStorage", DType::kF16},
    {"BFloat16Storage", DType::kBF16},
    {"LongStorage", DType::kI64},
    {"IntStorage", DType::kI32},
    {"ShortStorage", DType::kI16},
    {"CharStorage", DType::kI8},
    {"ByteStorage", DType::kU8},
    {"BoolStorage", DType::kBool},
}};

// The two items of a pair, which may be a tuple or (from Python 2) a list.
const std::vector<PickleRef>* PairItems(const PickleGraph& graph, PickleRef ref) {
  const std::vector<PickleRef>* items = nullptr;
  if (const auto* tuple = graph.Get<PickleTuple>(ref)) items = &tuple->items;
  if (const auto* list = graph.Get<PickleList>(ref)) items = &list->items;
  return items != nullptr && items->size() == 2 ? items : nullptr;
}

bool IsEmptyMetadata(const PickleGraph& graph, PickleRef ref) {
  if (graph.Get<PickleNone>(ref) != nullptr) return true;
  const auto* dict = graph.Get<PickleDict>(ref);
  return dict != nullptr && dict->entries.empty();
}

// Narrows `storage` to the view (key, offset, elements).
Status ApplyView(const PickleGraph& graph, PickleRef ref, TorchStorage& storage) {
  const auto* view = graph.Get<PickleTuple>(ref);
  if (view == nullptr || view->items.size() != 3) return InvalidArgument("a broken storage view");
  const std::optional<int64_t> offset = graph.Count(view->items[1]);
  const std::optional<int64_t> elements = graph.Count(view->items[2]);
  if (!offset || !elements || *offset > storage.elements ||
      *elements > storage.elements - *offset) {
    return InvalidArgument(
        fmt::format("a storage view leaves its storage of {} elements", storage.elements));
  }
  storage.view_offset = *offset;
  storage.view_elements = *elements;
  return OkStatus();
}

}  // namespace

std::optional<PickleGlobal> FindPickleGlobal(std::string_view module, std::string_view name) {
  using Kind = PickleGlobal::Kind;
  if (module == "collections" && name == "OrderedDict") {
    return PickleGlobal{.kind = Kind::kOrderedDict};
  }
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") {
    return PickleGlobal{.kind = Kind::kRebuildTensor};
  }
  if (module == "torch._utils" && name == "_rebuild_parameter") {
    return PickleGlobal{.kind = Kind::kRebuildParameter};
  }
  if (module != "torch") return std::nullopt;
  for (const StorageName& storage : kStorages) {
    if (storage.name == name) return PickleGlobal{.kind = Kind::kStorage, .dtype = storage.dtype};
  }
  return std::nullopt;
}

std::string_view TorchStorageName(DType dtype) {
  const auto* const found =
      std::find_if(kStorages.begin(), kStorages.end(),
                   [dtype](const StorageName& storage) { return storage.dtype == dtype; });
  return found->name;
}

StatusOr<PickleDict> MakeOrderedDict(const PickleGraph& graph, const PickleTuple& arguments) {
  PickleDict dict;
  if (arguments.items.empty()) return dict;
  const auto* pairs = graph.Get<PickleList>(arguments.items[0]);
  if (arguments.items.size() != 1 || pairs == nullptr) {
    return InvalidArgument("OrderedDict is called with something other than one list");
  }
  dict.entries.reserve(pairs->items.size());
  for (const PickleRef ref : pairs->items) {
    const std::vector<PickleRef>* pair = PairItems(graph, ref);
    if (pair == nullptr) return InvalidArgument("OrderedDict is called with something but pairs");
    dict.entries.emplace_back(pair->front(), pair->back());
  }
  return dict;
}

StatusOr<TorchTensor> MakeTensor(const PickleGraph& graph, const PickleTuple& arguments) {
  const std::vector<PickleRef>& items = arguments.items;
  if (items.size() != 6 && items.size() != 7) {
    return InvalidArgument(
        fmt::format("_rebuild_tensor_v2 has {} arguments, 6 or 7 are known", items.size()));
  }
  const std::optional<int64_t> offset = graph.Count(items[1]);
  if (graph.Get<TorchStorage>(items[0]) == nullptr || !offset) {
    return InvalidArgument("_rebuild_tensor_v2 needs a storage and an offset");
  }
  for (const size_t i : {size_t{2}, size_t{3}}) {
    const auto* tuple = graph.Get<PickleTuple>(items[i]);
    if (tuple == nullptr || tuple->items.size() > kMaxDimensions || !graph.Extents(items[i])) {
      return InvalidArgument(
          fmt::format("_rebuild_tensor_v2 needs a shape and strides of at most "
                      "{} numbers, none below 0",
                      kMaxDimensions));
    }
  }
  if (graph.Get<PickleTuple>(items[2])->items.size() !=
      graph.Get<PickleTuple>(items[3])->items.size()) {
    return InvalidArgument("a tensor has a stride too many or too few");
  }
  if (items.size() == 7 && !IsEmptyMetadata(graph, items[6])) {
    return InvalidArgument("a tensor carries metadata (a negative or conjugate view)");
  }
  return TorchTensor{
      .storage = items[0], .offset = *offset, .shape = items[2], .strides = items[3]};
}

StatusOr<PickleRef> MakeParameter(const PickleGraph& graph, const PickleTuple& arguments) {
  if (arguments.items.size() != 3 || graph.Get<TorchTensor>(arguments.items[0]) == nullptr) {
    return InvalidArgument("_rebuild_parameter needs a tensor and two more arguments");
  }
  return arguments.items[0];
}

StatusOr<TorchStorage> MakeStorage(const PickleGraph& graph, PickleRef id) {
  const auto* tuple = graph.Get<PickleTuple>(id);
  if (tuple == nullptr || (tuple->items.size() != 5 && tuple->items.size() != 6)) {
    return InvalidArgument("a persistent id is not a tuple of 5 or 6 items");
  }
  const std::vector<PickleRef>& items = tuple->items;
  const auto* word = graph.Get<PickleText>(items[0]);
  const auto* type = graph.Get<PickleGlobal>(items[1]);
  const auto* key = graph.Get<PickleText>(items[2]);
  const std::optional<int64_t> elements = graph.Count(items[4]);
  if (word == nullptr || word->text != "storage" || type == nullptr ||
      type->kind != PickleGlobal::Kind::kStorage || key == nullptr || !elements) {
    return InvalidArgument("a persistent id names no storage");
  }
  TorchStorage storage{.key = key->text,
                       .dtype = type->dtype,
                       .elements = *elements,
                       .view_offset = 0,
                       .view_elements = *elements};
  if (items.size() == 6 && graph.Get<PickleNone>(items[5]) == nullptr) {
    FACEGATE_RETURN_IF_ERROR(ApplyView(graph, items[5], storage));
  }
  return storage;
}

}  // namespace facegate
