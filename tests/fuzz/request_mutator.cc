// Mutates requests as what they are: calls in a row, and fields in a message. Mutated bytes alone
// would seldom still be a message that holds a picture.
#include <google/protobuf/message.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <random>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/fuzz/call_sequence.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/message_fields.h"
#include "tests/fuzz/service_methods.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace facegate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

constexpr size_t kMaxGrowth = 64;  // bytes that one mutation may add to a field

size_t Below(Random& random, size_t bound) { return random() % bound; }

std::string MutatedBytes(std::string bytes) {
  const size_t size = bytes.size();
  bytes.resize(size + kMaxGrowth);
  auto* const data = reinterpret_cast<uint8_t*>(bytes.data());
  bytes.resize(LLVMFuzzerMutate(data, size, bytes.size()));
  return bytes;
}

// A message whose text is not UTF-8 does not parse.
std::string AsAscii(std::string text) {
  for (char& c : text) c = static_cast<char>(static_cast<uint8_t>(c) & 0x7fU);
  return text;
}

template <typename T>
T MutatedNumber(Random& random, T value) {
  using Unsigned = std::make_unsigned_t<T>;  // whose sums may wrap
  const T interesting[] = {0,
                           1,
                           2,
                           static_cast<T>(static_cast<Unsigned>(value) + 1),
                           static_cast<T>(static_cast<Unsigned>(value) - 1),
                           std::numeric_limits<T>::max(),
                           std::numeric_limits<T>::lowest(),
                           static_cast<T>(Below(random, 10))};
  return interesting[Below(random, std::size(interesting))];
}

float MutatedFloat(Random& random, float value) {
  using Limits = std::numeric_limits<float>;
  const float interesting[] = {0.0f,          -0.0f,
                               0.5f,          1.0f,
                               -1.0f,         value * 2,
                               -value,        value + 0.001f,
                               Limits::max(), Limits::denorm_min(),
                               1e-20f,        Limits::infinity(),
                               112.0f,        Limits::quiet_NaN()};
  return interesting[Below(random, std::size(interesting))];
}

void AddEntry(Random& random, Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    Message* const added = reflection.AddMessage(&message, &field);
    if (size == 0) return;
    added->CopyFrom(reflection.GetRepeatedMessage(
        message, &field, static_cast<int>(Below(random, static_cast<size_t>(size)))));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    reflection.AddFloat(&message, &field, MutatedFloat(random, 0.25f));
  } else if (field.type() == FieldDescriptor::TYPE_STRING) {
    reflection.AddString(&message, &field, AsAscii(MutatedBytes("labels")));
  }
}

void MutateEntry(Random& random, Message& message, const FieldDescriptor& field, int at) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    const float value = reflection.GetRepeatedFloat(message, &field, at);
    reflection.SetRepeatedFloat(&message, &field, at, MutatedFloat(random, value));
  } else if (field.type() == FieldDescriptor::TYPE_STRING) {
    std::string text = MutatedBytes(reflection.GetRepeatedString(message, &field, at));
    reflection.SetRepeatedString(&message, &field, at, AsAscii(std::move(text)));
  } else {
    reflection.SwapElements(&message, &field, 0, at);
  }
}

void MutateRepeated(Random& random, Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const auto size = static_cast<size_t>(reflection.FieldSize(message, &field));
  if (size == 0 || random() % 3 == 0) {
    AddEntry(random, message, field);
  } else if (random() % 2 == 0) {
    MutateEntry(random, message, field, static_cast<int>(Below(random, size)));
  } else {
    reflection.RemoveLast(&message, &field);
  }
}

void MutateSingle(Random& random, Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      reflection.SetInt32(&message, &field,
                          MutatedNumber(random, reflection.GetInt32(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      reflection.SetUInt32(&message, &field,
                           MutatedNumber(random, reflection.GetUInt32(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(&message, &field,
                          MutatedNumber(random, reflection.GetInt64(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      reflection.SetUInt64(&message, &field,
                           MutatedNumber(random, reflection.GetUInt64(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      reflection.SetFloat(&message, &field,
                          MutatedFloat(random, reflection.GetFloat(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      reflection.SetDouble(&message, &field,
                           static_cast<double>(MutatedFloat(
                               random, static_cast<float>(reflection.GetDouble(message, &field)))));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(&message, &field, !reflection.GetBool(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      reflection.SetEnumValue(&message, &field, static_cast<int>(Below(random, 8)));
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string bytes = MutatedBytes(reflection.GetString(message, &field));
      if (field.type() == FieldDescriptor::TYPE_STRING) bytes = AsAscii(std::move(bytes));
      reflection.SetString(&message, &field, std::move(bytes));
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      reflection.MutableMessage(&message, &field);  // there, and empty if it was not
      break;
  }
}

void MutateField(Random& random, Message& request) {
  std::vector<Message*> messages = {&request};
  std::vector<std::pair<Message*, const FieldDescriptor*>> set;
  VisitFields(request, [&](Message& message, const FieldDescriptor& field) {
    set.emplace_back(&message, &field);
    if (messages.back() != &message) messages.push_back(&message);
  });
  const bool of_those_set = !set.empty() && random() % 4 != 0;
  Message* message = messages[Below(random, messages.size())];
  const FieldDescriptor* field = nullptr;
  if (of_those_set) {
    std::tie(message, field) = set[Below(random, set.size())];
  } else {
    const auto* const descriptor = message->GetDescriptor();
    if (descriptor->field_count() == 0) return;
    field = descriptor->field(
        static_cast<int>(Below(random, static_cast<size_t>(descriptor->field_count()))));
  }
  if (of_those_set && random() % 16 == 0) {
    message->GetReflection()->ClearField(message, field);
  } else if (field->is_repeated()) {
    MutateRepeated(random, *message, *field);
  } else {
    MutateSingle(random, *message, *field);
  }
}

void MutateMessage(Random& random, EncodedCall& call) {
  const auto& methods = ServiceMethods();
  const std::unique_ptr<Message> request = methods[call.method % methods.size()].new_request();
  if (random() % 8 == 0 || !request->ParseFromString(call.message)) {
    call.message = MutatedBytes(std::move(call.message));
    return;
  }
  MutateField(random, *request);
  call.message = request->SerializeAsString();
}

void MutateCalls(Random& random, std::vector<EncodedCall>& calls) {
  const size_t at = Below(random, calls.size());
  switch (random() % 8) {
    case 0:
      if (calls.size() < kMaxCalls) calls.push_back(calls[at]);
      break;
    case 1:
      if (calls.size() > 1) calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 2:
      std::swap(calls[at], calls[Below(random, calls.size())]);
      break;
    case 3:
      // Many requests begin with the same fields: the same message for another method.
      calls[at].method = static_cast<uint8_t>(Below(random, ServiceMethods().size()));
      break;
    default:
      MutateMessage(random, calls[at]);
  }
}

}  // namespace
}  // namespace facegate

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  facegate::Random random(seed);
  std::vector<facegate::EncodedCall> calls = facegate::ReadCalls(facegate::AsText(data, size));
  if (calls.empty() || random() % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
  facegate::MutateCalls(random, calls);
  const std::string mutated = facegate::WriteCalls(calls);
  if (mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(mutated.begin(), mutated.end(), data);
  return mutated.size();
}
