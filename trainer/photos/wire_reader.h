#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace facegate {

// Goes through the fields of a protocol buffer's message where it lies
// (protobuf.dev/programming-guides/encoding), copying nothing, so that the label of a record with a
// large picture is found without touching the picture. Any bytes are taken.
class WireReader {
 public:
  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;      // of a varint, or of a fixed number
    std::string_view bytes;  // of a field with a length: text, bytes, a message, packed numbers
    bool has_length = false;
  };

  explicit WireReader(std::string_view message) : rest_(message) {}

  // The next field; nothing at the end, and where bytes are no fields.
  std::optional<Field> Next();
  // True once Next() met what is no field. Groups, which are no longer written, are none.
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// A number of 7 bits a byte from the front of `bytes`, which lose it; nothing where it has no end.
std::optional<uint64_t> TakeVarint(std::string_view& bytes);

}  // namespace facegate
