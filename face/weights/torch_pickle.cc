#include "face/weights/torch_pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "face/base/coding.h"
#include "face/base/utf8.h"
#include "face/weights/foreign_weights.h"
#include "face/weights/pickle_machine.h"
#include "face/weights/quote.h"
#include "face/weights/state_dict.h"
#include "face/weights/torch_tensor.h"
#include "face/weights/zip_store.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxOutputBytes = 4ULL << 30;
constexpr uint64_t kMaxOutputFactor = 4;
constexpr int64_t kLegacyProtocol = 1001;
// 0x1950a86a20f9469cfc6c, least byte first.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

// Gives the bytes of a storage, exactly StorageBytes() of them.
using ReadStorage = std::function<StatusOr<std::string_view>(const TorchStorage&)>;

// The entries of a pickle that are wanted, by the name that they get.
using Wanted = std::vector<std::pair<std::string, PickleRef>>;
using ChooseEntries = std::function<StatusOr<Wanted>(const Pickle&)>;

// The named tensors of a dict; of a name that stands twice the last counts, as in Python.
StatusOr<std::map<std::string, PickleRef>> NamedTensors(const PickleGraph& graph, PickleRef dict) {
  std::map<std::string, PickleRef> named;
  for (const auto& [key, value] : graph.Get<PickleDict>(dict)->entries) {
    const auto* name = graph.Get<PickleText>(key);
    if (name == nullptr || graph.Get<TorchTensor>(value) == nullptr) continue;
    if (name->text.empty() || !IsUtf8(name->text)) {
      return InvalidArgument(fmt::format("a tensor has the name {}", Quote(name->text)));
    }
    named.insert_or_assign(std::string(name->text), value);
  }
  return named;
}

StatusOr<Wanted> AllOfTheLargest(const Pickle& pickle) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<StateDictPlace> places,
                            FindStateDicts(pickle.graph, pickle.root));
  FACEGATE_ASSIGN_OR_RETURN(const StateDictPlace largest, LargestStateDict(places));
  FACEGATE_ASSIGN_OR_RETURN(const auto named, NamedTensors(pickle.graph, largest.dict));
  return Wanted(named.begin(), named.end());
}

StatusOr<StateDictShapes> ShapesOf(const PickleGraph& graph, const std::string& path,
                                   const std::map<std::string, PickleRef>& named) {
  StateDictShapes shapes{.path = path, .tensors = {}};
  for (const auto& [name, ref] : named) {
    const TorchTensor& tensor = *graph.Get<TorchTensor>(ref);
    std::optional<std::vector<int64_t>> extents = graph.Extents(tensor.shape);
    if (!extents.has_value()) {
      return InvalidArgument(fmt::format("tensor {} has no shape", Quote(name)));
    }
    shapes.tensors.emplace(name, Tensor{.dtype = graph.Get<TorchStorage>(tensor.storage)->dtype,
                                        .shape = *std::move(extents),
                                        .bytes = {}});
  }
  return shapes;
}

StatusOr<Wanted> ChosenEntries(const Pickle& pickle, const ChooseTensors& choose) {
  const PickleGraph& graph = pickle.graph;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<StateDictPlace> places,
                            FindStateDicts(graph, pickle.root));
  std::vector<StateDictShapes> dicts;
  dicts.reserve(places.size());
  for (const StateDictPlace& place : places) {
    FACEGATE_ASSIGN_OR_RETURN(const auto named, NamedTensors(graph, place.dict));
    FACEGATE_ASSIGN_OR_RETURN(StateDictShapes shapes, ShapesOf(graph, place.path, named));
    dicts.push_back(std::move(shapes));
  }
  FACEGATE_ASSIGN_OR_RETURN(const TensorChoice choice, choose(dicts));
  FACEGATE_ASSIGN_OR_RETURN(const auto named, NamedTensors(graph, places[choice.dict].dict));
  Wanted wanted;
  wanted.reserve(choice.names.size());
  for (const std::string& name : choice.names) wanted.emplace_back(name, named.at(name));
  return wanted;
}

// Copies the wanted tensors of `pickle`.
StatusOr<TensorMap> CopyTensors(const Pickle& pickle, const ChooseEntries& choose,
                                const ReadStorage& read_storage, uint64_t file_bytes) {
  const PickleGraph& graph = pickle.graph;
  FACEGATE_ASSIGN_OR_RETURN(const Wanted wanted, choose(pickle));
  const uint64_t limit = std::min(kMaxOutputBytes, file_bytes * kMaxOutputFactor);
  uint64_t copied = 0;
  TensorMap tensors;
  for (const auto& [name, ref] : wanted) {
    const TorchTensor& description = *graph.Get<TorchTensor>(ref);
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
    tensors.emplace(name, *std::move(tensor));
  }
  return tensors;
}

// Says what an archive without a pickle of torch.save may be.
std::string ArchiveHint(const ZipStore& zip) {
  for (const auto& [name, entry] : zip.entries()) {
    if (name.ends_with(".weights.h5")) return "; it is a model of Keras";
    if (name.ends_with(".npy")) return "; it holds NumPy arrays (.npz)";
    for (const std::string_view ending : {".pth", ".pt", ".safetensors", ".ckpt"}) {
      if (name.ends_with(ending)) return fmt::format("; unpack it and import {}", Quote(name));
    }
  }
  return "";
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
  if (!folder) {
    return InvalidArgument(fmt::format(
        "the zip archive has no data.pkl, so torch.save did not write it{}", ArchiveHint(zip)));
  }
  if (zip.entries().contains(*folder + "constants.pkl")) {
    return InvalidArgument(
        "the archive is a TorchScript module; save its state_dict() with torch.save instead");
  }
  return *folder;
}

StatusOr<TensorMap> ParseZip(std::string_view bytes, const ChooseEntries& choose) {
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
  return CopyTensors(*pickle, choose, read_storage, bytes.size());
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

// Reads what comes after the pickles: for each key of the list the number of elements (u64) and the
// elements.
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

StatusOr<TensorMap> ParseLegacy(std::string_view bytes, const ChooseEntries& choose) {
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
  return CopyTensors(pickle, choose, read_storage, bytes.size());
}

StatusOr<TensorMap> Parse(std::string_view bytes, const ChooseEntries& choose) {
  const bool zip = bytes.starts_with("PK");
  if (const std::string kind = ForeignWeights(bytes); !kind.empty()) return InvalidArgument(kind);
  StatusOr<TensorMap> tensors = zip ? ParseZip(bytes, choose) : ParseLegacy(bytes, choose);
  if (tensors.ok()) return tensors;
  // A missing entry, too, is a fault of the file.
  return InvalidArgument(fmt::format("weights of torch.save: {}", MessageOf(tensors.status())));
}

}  // namespace

StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes) {
  FACEGATE_ASSIGN_OR_RETURN(TensorMap tensors, Parse(bytes, AllOfTheLargest));
  return DropSharedPrefixes(std::move(tensors));
}

StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes, const ChooseTensors& choose) {
  return Parse(bytes, [&choose](const Pickle& pickle) { return ChosenEntries(pickle, choose); });
}

}  // namespace facegate
