#include "face/model/torch_pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "face/base/coding.h"
#include "face/model/pickle_machine.h"
#include "face/model/quote.h"
#include "face/model/state_dict.h"
#include "face/model/torch_tensor.h"
#include "face/model/zip_store.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxOutputBytes = 4ULL << 30;
constexpr uint64_t kMaxOutputFactor = 4;
constexpr int64_t kLegacyProtocol = 1001;
// 0x1950a86a20f9469cfc6c, least byte first.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

// Gives the bytes of a storage, exactly StorageBytes() of them.
using ReadStorage = std::function<StatusOr<std::string_view>(const TorchStorage&)>;

// Copies the tensors of the state dict in `pickle`.
StatusOr<TensorMap> CopyTensors(const Pickle& pickle, const ReadStorage& read_storage,
                                uint64_t file_bytes) {
  const PickleGraph& graph = pickle.graph;
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef root, FindStateDict(graph, pickle.root));
  const uint64_t limit = std::min(kMaxOutputBytes, file_bytes * kMaxOutputFactor);
  uint64_t copied = 0;
  TensorMap tensors;
  for (const auto& [key, value] : graph.Get<PickleDict>(root)->entries) {
    const std::string_view name = graph.Get<PickleText>(key)->text;
    if (name.empty() || !IsUtf8(name)) {
      return InvalidArgument(fmt::format("a tensor has the name {}", Quote(name)));
    }
    const TorchTensor& description = *graph.Get<TorchTensor>(value);
    const auto copy = [&]() -> StatusOr<Tensor> {
      FACEGATE_ASSIGN_OR_RETURN(const std::string_view storage,
                                read_storage(*graph.Get<TorchStorage>(description.storage)));
      return MakeContiguous(graph, description, storage);
    };
    StatusOr<Tensor> tensor = copy();
    if (!tensor.ok()) return Annotate(tensor.status(), fmt::format("tensor {}", Quote(name)));
    copied += tensor->bytes.size();
    if (copied > limit) {
      return InvalidArgument(
          fmt::format("the tensors have more than {} bytes, limit for a file of "
                      "{} bytes",
                      limit, file_bytes));
    }
    if (!tensors.emplace(name, *std::move(tensor)).second) {
      return InvalidArgument(fmt::format("tensor {} stands twice", Quote(name)));
    }
  }
  return DropSharedPrefixes(std::move(tensors));
}

// The folder inside the archive, such as "archive/", whose data.pkl it is.
StatusOr<std::string> FindArchiveFolder(const ZipStore& zip) {
  constexpr std::string_view kPickle = "data.pkl";
  std::optional<std::string> folder;
  for (const auto& [name, entry] : zip.entries()) {
    if (!name.ends_with(kPickle)) continue;
    const std::string before = name.substr(0, name.size() - kPickle.size());
    const bool outermost = before.empty() || before.find('/') == before.size() - 1;
    if (!outermost) continue;
    if (folder) return InvalidArgument("the archive has several data.pkl");
    folder = before;
  }
  if (!folder) return InvalidArgument("the archive has no data.pkl: torch.save did not write it");
  if (zip.entries().contains(*folder + "constants.pkl")) {
    return InvalidArgument(
        "the archive is a TorchScript module; save its state_dict() with torch.save instead");
  }
  return *folder;
}

StatusOr<TensorMap> ParseZip(std::string_view bytes) {
  FACEGATE_ASSIGN_OR_RETURN(const ZipStore zip, ZipStore::Open(bytes));
  FACEGATE_ASSIGN_OR_RETURN(const std::string folder, FindArchiveFolder(zip));
  if (zip.entries().contains(folder + "byteorder")) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string_view order, zip.Read(folder + "byteorder"));
    if (order != "little") {
      return InvalidArgument(fmt::format("the byte order is {}, expected little", Quote(order)));
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view data, zip.Read(folder + "data.pkl"));
  StatusOr<Pickle> pickle = RunPickle(data, 0);
  if (!pickle.ok()) return Annotate(pickle.status(), "in data.pkl");

  // Each storage is read, and its checksum computed, once.
  std::map<std::string_view, std::string_view> known;
  const ReadStorage read_storage = [&](const TorchStorage& storage) -> StatusOr<std::string_view> {
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t needed, StorageBytes(storage));
    auto found = known.find(storage.key);
    if (found == known.end()) {
      FACEGATE_ASSIGN_OR_RETURN(const std::string_view read,
                                zip.Read(fmt::format("{}data/{}", folder, storage.key)));
      found = known.emplace(storage.key, read).first;
    }
    if (found->second.size() == needed) return found->second;
    return InvalidArgument(fmt::format("storage {} has {} bytes, {} elements of {} need {}",
                                       Quote(storage.key), found->second.size(), storage.elements,
                                       DTypeName(storage.dtype), needed));
  };
  return CopyTensors(*pickle, read_storage, bytes.size());
}

// Reads the pickles of a legacy file one after the other.
class LegacyFile {
 public:
  explicit LegacyFile(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  size_t position() const { return bytes_.size() - rest_.size(); }
  std::string_view& rest() { return rest_; }
  StatusOr<Pickle> Next() {
    FACEGATE_ASSIGN_OR_RETURN(Pickle pickle, RunPickle(rest_, position()));
    rest_.remove_prefix(pickle.size);
    return pickle;
  }

 private:
  std::string_view bytes_;
  std::string_view rest_;
};

// Magic number, protocol and what the writing machine was like.
Status CheckLegacyHead(LegacyFile& file) {
  FACEGATE_ASSIGN_OR_RETURN(const Pickle magic, file.Next());
  const auto* number = magic.graph.Get<PickleBigInt>(magic.root);
  if (number == nullptr || number->bytes != kLegacyMagic) {
    return InvalidArgument("the file is a pickle, but not one of torch.save");
  }
  FACEGATE_ASSIGN_OR_RETURN(const Pickle protocol, file.Next());
  const auto* version = protocol.graph.Get<int64_t>(protocol.root);
  if (version == nullptr || *version != kLegacyProtocol) {
    return InvalidArgument(fmt::format("legacy protocol {}, expected {}",
                                       version != nullptr ? *version : 0, kLegacyProtocol));
  }
  FACEGATE_ASSIGN_OR_RETURN(const Pickle system, file.Next());
  const auto* facts = system.graph.Get<PickleDict>(system.root);
  if (facts == nullptr) return InvalidArgument("the legacy file does not tell its byte order");
  for (const auto& [key, value] : facts->entries) {
    const auto* name = system.graph.Get<PickleText>(key);
    const auto* truth = system.graph.Get<bool>(value);
    if (name != nullptr && name->text == "little_endian" && truth != nullptr && *truth) {
      return OkStatus();
    }
  }
  return InvalidArgument("the byte order is not little");
}

// After the pickles: for each key of the list the number of elements (u64) and the elements.
StatusOr<std::map<std::string_view, std::string_view>> ReadLegacyStorages(const PickleGraph& graph,
                                                                          const Pickle& keys,
                                                                          std::string_view rest) {
  std::map<std::string_view, const TorchStorage*> described;
  for (const PickleValue& value : graph.values) {
    const auto* storage = std::get_if<TorchStorage>(&value);
    if (storage != nullptr) described.emplace(storage->key, storage);
  }
  const auto* list = keys.graph.Get<PickleList>(keys.root);
  if (list == nullptr) return InvalidArgument("the legacy file has no list of storages");
  std::map<std::string_view, std::string_view> storages;
  for (const PickleRef ref : list->items) {
    const auto* key = keys.graph.Get<PickleText>(ref);
    const auto found = key != nullptr ? described.find(key->text) : described.end();
    if (found == described.end()) return InvalidArgument("a storage is listed that nothing uses");
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t needed, StorageBytes(*found->second));
    const std::optional<uint64_t> elements = TakeLittleEndian<uint64_t>(rest);
    if (!elements || *elements != static_cast<uint64_t>(found->second->elements) ||
        needed > rest.size()) {
      return InvalidArgument(fmt::format(
          "storage {} needs {} elements of {} in {} bytes; its place says {} and {} bytes are left",
          Quote(key->text), found->second->elements, DTypeName(found->second->dtype), needed,
          elements.value_or(0), rest.size()));
    }
    if (!storages.emplace(found->first, rest.substr(0, needed)).second) {
      return InvalidArgument(fmt::format("storage {} is listed twice", Quote(key->text)));
    }
    rest.remove_prefix(needed);
  }
  if (rest.empty()) return storages;
  return InvalidArgument(fmt::format("{} bytes follow the last storage", rest.size()));
}

StatusOr<TensorMap> ParseLegacy(std::string_view bytes) {
  LegacyFile file(bytes);
  FACEGATE_RETURN_IF_ERROR(CheckLegacyHead(file));
  FACEGATE_ASSIGN_OR_RETURN(const Pickle pickle, file.Next());
  FACEGATE_ASSIGN_OR_RETURN(const Pickle keys, file.Next());
  FACEGATE_ASSIGN_OR_RETURN(const auto storages,
                            ReadLegacyStorages(pickle.graph, keys, file.rest()));
  const ReadStorage read_storage = [&](const TorchStorage& storage) -> StatusOr<std::string_view> {
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t needed, StorageBytes(storage));
    const auto found = storages.find(storage.key);
    if (found != storages.end() && found->second.size() == needed) return found->second;
    return InvalidArgument(
        fmt::format("storage {} is missing, or of another type or size", Quote(storage.key)));
  };
  return CopyTensors(pickle, read_storage, bytes.size());
}

}  // namespace

StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes) {
  StatusOr<TensorMap> tensors = bytes.starts_with("PK") ? ParseZip(bytes) : ParseLegacy(bytes);
  if (tensors.ok()) return tensors;
  // A missing entry, too, is a fault of the file.
  return InvalidArgument(fmt::format("weights of torch.save: {}", MessageOf(tensors.status())));
}

}  // namespace facegate
