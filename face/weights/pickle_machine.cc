#include "face/weights/pickle_machine.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/weights/pickle_global.h"
#include "face/weights/pickle_opcode.h"
#include "face/weights/pickle_stack.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr int kMaxProtocol = 5;

// Reads opcodes and their operands and lets the stack do what they say. Messages get their place in
// Run().
class Machine {
 public:
  Machine(std::string_view bytes, const PickleVocabulary& vocabulary)
      : vocabulary_(vocabulary), bytes_(bytes.substr(0, vocabulary.max_bytes)), input_(bytes_) {}

  Status Run(uint64_t base);
  StatusOr<Pickle> Result();

 private:
  Status Step(PickleOpcode opcode);
  size_t position() const { return bytes_.size() - input_.size(); }

  // Operands that follow the opcode.
  template <typename T>
  StatusOr<T> Take();
  template <typename Length>
  StatusOr<std::string_view> TakeCounted();
  StatusOr<std::string_view> TakeLine();

  template <typename T>
  Status PushInt();
  template <typename Length, typename Value>
  Status PushText();
  template <typename Length>
  Status PushLong();
  Status PushIntLine(bool long_form);
  Status PushFloat();
  template <typename Index>
  Status PutMemo();
  template <typename Index>
  Status GetMemo();
  Status PushGlobal(std::string_view module, std::string_view name);
  Status GlobalLines();
  Status StackGlobal();
  Status Reduce();
  Status Call(const PickleGlobal& global, const PickleTuple& arguments);
  Status PersistentId();
  Status Protocol();
  Status Frame();

  const PickleVocabulary& vocabulary_;
  std::string_view bytes_;
  std::string_view input_;  // what is left of bytes_
  PickleStack stack_;
  size_t copied_entries_ = 0;  // by OrderedDict(pairs): the one call that copies what it is given
};

Status Machine::Run(uint64_t base) {
  const auto at = [&](size_t place, const Status& status) {
    return InvalidArgument(fmt::format("pickle: {}, at byte {}", MessageOf(status), base + place));
  };
  while (true) {
    const size_t place = position();
    const StatusOr<uint8_t> opcode = Take<uint8_t>();
    if (!opcode.ok()) return at(place, opcode.status());
    if (static_cast<PickleOpcode>(*opcode) == PickleOpcode::kStop) return OkStatus();
    if (Status status = Step(static_cast<PickleOpcode>(*opcode)); !status.ok()) {
      return at(place, status);
    }
  }
}

StatusOr<Pickle> Machine::Result() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef root, stack_.Finish());
  return Pickle{.graph = stack_.TakeGraph(), .root = root, .size = position()};
}

Status Machine::Step(PickleOpcode opcode) {
  switch (opcode) {
    // clang-format off
    case PickleOpcode::kProto: return Protocol();
    case PickleOpcode::kFrame: return Frame();
    case PickleOpcode::kMark: return stack_.PushMark();
    case PickleOpcode::kPop: return stack_.Drop();
    case PickleOpcode::kPopMark: return stack_.PopToMark().status();
    case PickleOpcode::kNone: return stack_.Push(PickleNone{});
    case PickleOpcode::kNewTrue: return stack_.Push(true);
    case PickleOpcode::kNewFalse: return stack_.Push(false);
    case PickleOpcode::kInt: return PushIntLine(false);
    case PickleOpcode::kLong: return PushIntLine(true);
    case PickleOpcode::kBinInt: return PushInt<uint32_t>();
    case PickleOpcode::kBinInt1: return PushInt<uint8_t>();
    case PickleOpcode::kBinInt2: return PushInt<uint16_t>();
    case PickleOpcode::kLong1: return PushLong<uint8_t>();
    case PickleOpcode::kLong4: return PushLong<uint32_t>();
    case PickleOpcode::kBinFloat: return PushFloat();
    case PickleOpcode::kBinString: return PushText<uint32_t, PickleText>();
    case PickleOpcode::kShortBinString: return PushText<uint8_t, PickleText>();
    case PickleOpcode::kBinUnicode: return PushText<uint32_t, PickleText>();
    case PickleOpcode::kShortBinUnicode: return PushText<uint8_t, PickleText>();
    case PickleOpcode::kBinUnicode8: return PushText<uint64_t, PickleText>();
    case PickleOpcode::kBinBytes: return PushText<uint32_t, PickleBytes>();
    case PickleOpcode::kShortBinBytes: return PushText<uint8_t, PickleBytes>();
    case PickleOpcode::kBinBytes8:
    case PickleOpcode::kByteArray8: return PushText<uint64_t, PickleBytes>();
    case PickleOpcode::kEmptyTuple: return stack_.MakeTuple(0);
    case PickleOpcode::kTuple1: return stack_.MakeTuple(1);
    case PickleOpcode::kTuple2: return stack_.MakeTuple(2);
    case PickleOpcode::kTuple3: return stack_.MakeTuple(3);
    case PickleOpcode::kTuple: return stack_.MakeTupleFromMark();
    case PickleOpcode::kEmptyList: return stack_.Push(PickleList{});
    case PickleOpcode::kAppend: return stack_.Append();
    case PickleOpcode::kAppends: return stack_.AppendFromMark();
    case PickleOpcode::kEmptyDict: return stack_.Push(PickleDict{});
    case PickleOpcode::kSetItem: return stack_.SetItem();
    case PickleOpcode::kSetItems: return stack_.SetItemsFromMark();
    case PickleOpcode::kBinPut: return PutMemo<uint8_t>();
    case PickleOpcode::kLongBinPut: return PutMemo<uint32_t>();
    case PickleOpcode::kMemoize: return stack_.MemoizeNext();
    case PickleOpcode::kBinGet: return GetMemo<uint8_t>();
    case PickleOpcode::kLongBinGet: return GetMemo<uint32_t>();
    case PickleOpcode::kGlobal: return GlobalLines();
    case PickleOpcode::kStackGlobal: return StackGlobal();
    case PickleOpcode::kReduce: return Reduce();
    case PickleOpcode::kBuild: return stack_.TakeState();
    case PickleOpcode::kBinPersid: return PersistentId();
    case PickleOpcode::kStop: break;
      // clang-format on
  }
  const auto code = static_cast<uint8_t>(opcode);
  const std::string_view name = PickleOpcodeName(code);
  return InvalidArgument(
      name.empty() ? fmt::format("0x{:02x} is not an opcode", code)
                   : fmt::format("opcode {} is not allowed in {}", name, vocabulary_.what));
}

template <typename T>
StatusOr<T> Machine::Take() {
  const std::optional<T> taken = TakeLittleEndian<T>(input_);
  if (taken) return *taken;
  return InvalidArgument(bytes_.size() < vocabulary_.max_bytes
                             ? std::string("ends without STOP")
                             : fmt::format("longer than {} bytes", vocabulary_.max_bytes));
}

template <typename Length>
StatusOr<std::string_view> Machine::TakeCounted() {
  FACEGATE_ASSIGN_OR_RETURN(const Length length, Take<Length>());
  if (length > input_.size()) {
    return InvalidArgument(fmt::format("needs {} bytes, {} are left", length, input_.size()));
  }
  const std::string_view taken = input_.substr(0, length);
  input_.remove_prefix(length);
  return taken;
}

StatusOr<std::string_view> Machine::TakeLine() {
  const size_t end = input_.find('\n');
  if (end == std::string_view::npos) return InvalidArgument("a line does not end");
  const std::string_view line = input_.substr(0, end);
  input_.remove_prefix(end + 1);
  return line;
}

template <typename T>
Status Machine::PushInt() {
  FACEGATE_ASSIGN_OR_RETURN(const T operand, Take<T>());
  if constexpr (sizeof(T) == sizeof(uint32_t)) {  // BININT alone is signed
    return stack_.Push(static_cast<int64_t>(static_cast<int32_t>(operand)));
  }
  return stack_.Push(static_cast<int64_t>(operand));
}

template <typename Length, typename Value>
Status Machine::PushText() {
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view text, TakeCounted<Length>());
  return stack_.Push(Value{text});
}

template <typename Length>
Status Machine::PushLong() {
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view bytes, TakeCounted<Length>());
  if (bytes.size() > sizeof(int64_t)) return stack_.Push(PickleBigInt{bytes});
  uint64_t value = !bytes.empty() && (static_cast<uint8_t>(bytes.back()) & 0x80) != 0 ? ~0ULL : 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return stack_.Push(static_cast<int64_t>(value));
}

// "I5\n", "I01\n" and "I00\n" for true and false, "L5L\n" for Python 2's long.
Status Machine::PushIntLine(bool long_form) {
  FACEGATE_ASSIGN_OR_RETURN(std::string_view line, TakeLine());
  if (!long_form && (line == "01" || line == "00")) return stack_.Push(line == "01");
  if (long_form && line.ends_with('L')) line.remove_suffix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end != line.data() + line.size()) {
    return InvalidArgument(fmt::format("{} is not an integer of 64 bits", Quote(line)));
  }
  return stack_.Push(value);
}

Status Machine::PushFloat() {
  const std::optional<uint64_t> bits = TakeBigEndian<uint64_t>(input_);
  return bits ? stack_.Push(std::bit_cast<double>(*bits)) : InvalidArgument("a float is cut short");
}

template <typename Index>
Status Machine::PutMemo() {
  FACEGATE_ASSIGN_OR_RETURN(const Index index, Take<Index>());
  return stack_.Memoize(index);
}

template <typename Index>
Status Machine::GetMemo() {
  FACEGATE_ASSIGN_OR_RETURN(const Index index, Take<Index>());
  return stack_.Recall(index);
}

Status Machine::PushGlobal(std::string_view module, std::string_view name) {
  std::optional<PickleGlobal> global;
  if (vocabulary_.tensors) global = FindPickleGlobal(module, name);
  for (uint32_t i = 0; !global && i < vocabulary_.described.size(); ++i) {
    const PickleName& known = vocabulary_.described[i];
    if (known.module != module || known.name != name) continue;
    global = PickleGlobal{.kind = PickleGlobal::Kind::kDescribed, .described = i};
  }
  if (global) return stack_.Push(*global);
  return InvalidArgument(fmt::format("global {} is not allowed in {}{}",
                                     Quote(fmt::format("{}.{}", module, name)), vocabulary_.what,
                                     vocabulary_.way_out));
}

Status Machine::GlobalLines() {
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view module, TakeLine());
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view name, TakeLine());
  return PushGlobal(module, name);
}

Status Machine::StackGlobal() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef name_ref, stack_.Pop());
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef module_ref, stack_.Pop());
  const auto* name = stack_.graph().Get<PickleText>(name_ref);
  const auto* module = stack_.graph().Get<PickleText>(module_ref);
  if (name == nullptr || module == nullptr) return InvalidArgument("a global has no name");
  return PushGlobal(module->text, name->text);
}

Status Machine::Reduce() {
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef arguments_ref, stack_.Pop());
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef callable_ref, stack_.Pop());
  const auto* arguments = stack_.graph().Get<PickleTuple>(arguments_ref);
  const auto* callable = stack_.graph().Get<PickleGlobal>(callable_ref);
  if (callable == nullptr || arguments == nullptr) {
    return InvalidArgument("calls what cannot be called");
  }
  if (callable->kind == PickleGlobal::Kind::kDescribed) {
    return stack_.Push(PickleCall{.described = callable->described, .arguments = arguments_ref});
  }
  return Call(*callable, *arguments);
}

Status Machine::Call(const PickleGlobal& global, const PickleTuple& arguments) {
  switch (global.kind) {
    case PickleGlobal::Kind::kOrderedDict: {
      FACEGATE_ASSIGN_OR_RETURN(PickleDict dict, MakeOrderedDict(stack_.graph(), arguments));
      copied_entries_ += dict.entries.size();
      if (copied_entries_ > kMaxPickleValues) return InvalidArgument("copies too many entries");
      return stack_.Push(std::move(dict));
    }
    case PickleGlobal::Kind::kRebuildTensor: {
      FACEGATE_ASSIGN_OR_RETURN(const TorchTensor tensor, MakeTensor(stack_.graph(), arguments));
      return stack_.Push(tensor);
    }
    case PickleGlobal::Kind::kRebuildParameter: {
      FACEGATE_ASSIGN_OR_RETURN(const PickleRef tensor, MakeParameter(stack_.graph(), arguments));
      return stack_.PushRef(tensor);
    }
    case PickleGlobal::Kind::kStorage:
    case PickleGlobal::Kind::kDescribed:
      break;
  }
  return InvalidArgument("calls a storage type");
}

Status Machine::PersistentId() {
  if (!vocabulary_.tensors) {
    return InvalidArgument(fmt::format("a persistent id is not allowed in {}", vocabulary_.what));
  }
  FACEGATE_ASSIGN_OR_RETURN(const PickleRef id, stack_.Pop());
  FACEGATE_ASSIGN_OR_RETURN(const TorchStorage storage, MakeStorage(stack_.graph(), id));
  return stack_.Push(storage);
}

Status Machine::Protocol() {
  FACEGATE_ASSIGN_OR_RETURN(const uint8_t protocol, Take<uint8_t>());
  if (protocol <= kMaxProtocol) return OkStatus();
  return InvalidArgument(fmt::format("protocol {}, at most {} is known", protocol, kMaxProtocol));
}

// A hint for buffering; the opcodes inside stand alone.
Status Machine::Frame() {
  FACEGATE_ASSIGN_OR_RETURN(const uint64_t length, Take<uint64_t>());
  if (length <= input_.size()) return OkStatus();
  return InvalidArgument(fmt::format("a frame of {} bytes, {} are left", length, input_.size()));
}

}  // namespace

StatusOr<Pickle> RunPickle(std::string_view bytes, uint64_t base,
                           const PickleVocabulary& vocabulary) {
  Machine machine(bytes, vocabulary);
  FACEGATE_RETURN_IF_ERROR(machine.Run(base));
  StatusOr<Pickle> pickle = machine.Result();
  return pickle.ok() ? std::move(pickle) : Annotate(pickle.status(), "pickle");
}

}  // namespace facegate
